"""Small files in the publishers' formats, about organisations that do not exist."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from pipeline.ingest.files import RawFile, list_raw_files
from pipeline.ingest.names import Register
from pipeline.ingest.result import SourceResult
from pipeline.schema import table

Rows = Sequence[Sequence[Any]]


#: Headers of the accounts as they have been published since 2019.
ACCOUNTS_HEADER = [
    "OrganisationName",
    "WorkSheetName",
    "TableID",
    "MainCode",
    "RowNumber",
    "SubCode",
    " Total ",
]


def workbook(sheets: Mapping[str, Rows], *, hidden: Sequence[str] = ()) -> bytes:
    """An xlsx with the given rows; None leaves a cell empty."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        if name in hidden:
            sheet.hide()
        for i, row in enumerate(rows):
            for j, cell in enumerate(row):
                if cell is not None:
                    sheet.write(i, j, cell)
    book.close()
    return buffer.getvalue()


def put(raw: Path, path: str, content: bytes | str) -> None:
    """Write a file below the raw folder."""
    target = raw / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content.encode() if isinstance(content, str) else content)


def files_of(raw: Path, source_id: str) -> list[RawFile]:
    """The raw files of a source."""
    return [f for f in list_raw_files(raw) if f.source_id == source_id]


def register(*rows: tuple[str, str], **options: str) -> Register:
    """A register of (code, name); ``icb=code`` marks a board, ``closed=code`` a closed one."""
    schema = table("dims.organisation").polars
    frame = pl.DataFrame(
        [
            {
                "organisation_code": code,
                "name": name,
                "kind": "icb" if code.startswith("Q") else "trust",
                "closed": "2020-03-31" if code == options.get("closed") else None,
                "former_names": options.get(code),
            }
            for code, name in rows
        ],
        schema_overrides={"former_names": pl.String, "closed": pl.String},
    )
    blank = [pl.lit(None, dtype=t).alias(n) for n, t in schema.items() if n not in frame.columns]
    return Register(frame.with_columns(*blank, pl.col("closed").str.to_date("%Y-%m-%d")))


def assert_every_row_accounted(result: SourceResult) -> None:
    """Rows read = kept + rejected + ignored for every file, and the frame fits the contract."""
    for report in result.reports:
        assert report.rows_read == report.rows_kept + report.rows_rejected + report.rows_ignored
        for sheet in report.sheets:
            assert min(sheet.rows_kept, *sheet.rejected.values(), *sheet.ignored.values(), 0) >= 0
    assert result.rejected.height == sum(r.rows_rejected for r in result.reports)
