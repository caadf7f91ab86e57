"""What an analyst sees beside an asset: description, columns, rows, a preview."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg
import polars as pl

from pipeline.schema import Table
from pipeline.store import TableStore

PREVIEW_ROWS = 10
PREVIEW_COLUMNS = 10


def description_of(table: Table) -> str:
    """Title, grain, question and warning in Markdown."""
    parts = [f"**{table.question}**", f"{table.title}.", f"One row: {table.grain}."]
    if table.warning:
        parts.append(f"*Careful:* {table.warning}")
    return "\n\n".join(parts)


def column_schema(table: Table) -> dg.TableSchema:
    """The table's columns for Dagster's catalogue."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                c.name,
                type=c.type,
                description=c.comment + (f" Unit: {c.unit}." if c.unit else ""),
                constraints=dg.TableColumnConstraints(nullable=c.nullable),
            )
            for c in table.columns
        ]
    )


def definition_metadata(table: Table) -> dict[str, Any]:
    """Metadata that is known before anything runs."""
    return {
        "dagster/column_schema": column_schema(table),
        "grain": table.grain,
        "question": table.question,
    }


def run_metadata(store: TableStore, table: Table, rows: int | None = None) -> Mapping[str, Any]:
    """Row count and a preview of a table as just written."""
    scan = store.scan(table.full_name)
    count = scan.select(pl.len()).collect().item() if rows is None else rows
    preview = scan.head(PREVIEW_ROWS).collect()
    names = preview.columns[:PREVIEW_COLUMNS]
    records = [
        dg.TableRecord({n: None if row[n] is None else str(row[n])[:60] for n in names})
        for row in preview.iter_rows(named=True)
    ]
    schema = dg.TableSchema(columns=[dg.TableColumn(n, type="string") for n in names])
    return {
        "dagster/row_count": int(count),
        "preview": dg.MetadataValue.table(records=records, schema=schema),
    }
