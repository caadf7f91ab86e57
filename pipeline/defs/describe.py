"""What an analyst sees beside an asset: description, columns, rows, a preview, where to read on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg
import polars as pl

from pipeline.defs.keys import key_of
from pipeline.defs.links import dictionary_link
from pipeline.marts.columns import Sources
from pipeline.refresh.context import Run
from pipeline.schema import Table, table

CELL = 80
#: What names a period in the tables, best first.
PERIODS = ("month", "financial_year", "year", "maturity_year", "as_at")


def description_of(described: Table) -> str:
    """Question, title, grain and warning; the first line stands alone in lists of assets."""
    parts = [described.question, f"{described.title}. One row: {described.grain}."]
    if described.warning:
        parts.append(f"**Careful:** {described.warning}")
    return "\n\n".join(parts)


def column_schema(described: Table) -> dg.TableSchema:
    """The table's columns for Dagster's catalogue."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                c.name,
                type=c.type,
                description=_about(c.comment, c.unit, c.caveat),
                constraints=dg.TableColumnConstraints(
                    nullable=c.nullable, unique=described.key == (c.name,)
                ),
                tags={"key": ""} if c.name in described.key else {},
            )
            for c in described.columns
        ]
    )


def _about(comment: str, unit: str | None, caveat: str | None) -> str:
    parts = [comment, f"Unit: {unit}." if unit else "", f"Careful: {caveat}" if caveat else ""]
    return " ".join(part for part in parts if part)


def column_lineage(sources: Sources) -> dict[str, dg.TableColumnLineage]:
    """Metadata that says which columns each column is made of; nothing when none is known."""
    deps = {
        column: [dg.TableColumnDep(asset_key=key_of(t), column_name=c) for t, c in found]
        for column, found in sources.items()
        if found
    }
    return {"dagster/column_lineage": dg.TableColumnLineage(deps_by_column=deps)} if deps else {}


def definition_metadata(described: Table) -> dict[str, Any]:
    """Metadata that is known before anything runs."""
    told: dict[str, Any] = {
        "dagster/column_schema": column_schema(described),
        "dagster/table_name": described.full_name,
        "grain": described.grain,
        "question": described.question,
    }
    if described.warning:
        told["careful"] = described.warning
    return told


def rows_table(rows: Iterable[Mapping[str, Any]], columns: Iterable[str]) -> dg.MetadataValue:
    """Rows as a table in the page; long cells are cut and say so with three dots."""
    names = list(columns)
    records = [dg.TableRecord({n: _cell(row.get(n)) for n in names}) for row in rows]
    schema = dg.TableSchema(columns=[dg.TableColumn(n, type="string") for n in names])
    return dg.MetadataValue.table(records=records, schema=schema)


def _cell(value: Any) -> str | int | float | bool | None:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    return text if len(text) <= CELL else f"{text[:CELL]} ..."


def run_metadata(run: Run, name: str, *, preview_rows: int = 10) -> dict[str, Any]:
    """Rows, organisations, latest period and a preview of a table as just written.

    Numbers that Dagster draws over time have the same key in every run.
    """
    scan = run.store.scan(name)
    columns = table(name).polars.names()
    counts = [pl.len().alias("rows")]
    if "organisation_code" in columns:
        counts.append(pl.col("organisation_code").n_unique().alias("organisations"))
    period = next((c for c in PERIODS if c in columns), None)
    if period:
        counts.append(pl.col(period).max().alias("latest"))
    found = scan.select(counts).collect().row(0, named=True)
    told: dict[str, Any] = {"dagster/row_count": int(found["rows"])}
    if "organisations" in found:
        told["organisations"] = int(found["organisations"])
    if found.get("latest") is not None:
        told["latest_period"] = str(found["latest"])
    preview = scan.head(preview_rows).collect()
    told["preview"] = rows_table(preview.iter_rows(named=True), columns)
    told["dictionary"] = dictionary_link(run.settings, name)
    return told
