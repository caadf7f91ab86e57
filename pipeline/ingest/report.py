"""What was decided about a file: the reading report that people and ``meta.source_file`` get."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import polars as pl

REJECTED_SCHEMA = pl.Schema(
    {
        "source_file": pl.String(),
        "source_sheet": pl.String(),
        "source_row": pl.Int64(),
        "reason": pl.String(),
        "raw": pl.String(),
    }
)
RAW_LIMIT = 500


@dataclass
class SheetReport:
    """How one sheet was understood."""

    sheet: str
    container: str
    encoding: str = ""
    delimiter: str = ""
    header_rows: tuple[int, ...] = ()
    columns: dict[str, str] = field(default_factory=dict)
    date_order: str = ""
    date_reason: str = ""
    decimal_comma: bool | None = False
    rows_read: int = 0
    rows_kept: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    ignored: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    confidence: float = 1.0

    @property
    def rows_rejected(self) -> int:
        """Rows set aside with a reason."""
        return sum(self.rejected.values())

    @property
    def rows_ignored(self) -> int:
        """Rows known not to be data."""
        return sum(self.ignored.values())


@dataclass
class FileReport:
    """How one file was understood: a row of ``meta.source_file`` with its details."""

    path: str
    sha256: str
    bytes: int
    source_id: str
    status: str = "read"
    reason: str | None = None
    organisation_code: str | None = None
    organisation_reason: str | None = None
    facts_table: str | None = None
    pounds_kept: float | None = None
    is_superseded: bool = False
    sheets: list[SheetReport] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    layout: str = ""

    @property
    def rows_read(self) -> int:
        """Rows with any content."""
        return sum(s.rows_read for s in self.sheets)

    @property
    def rows_kept(self) -> int:
        """Rows that became facts."""
        return sum(s.rows_kept for s in self.sheets)

    @property
    def rows_rejected(self) -> int:
        """Rows set aside with a reason."""
        return sum(s.rows_rejected for s in self.sheets)

    @property
    def rows_ignored(self) -> int:
        """Rows known not to be data."""
        return sum(s.rows_ignored for s in self.sheets)

    def describe_layout(self) -> str:
        """One line that says how the file was read."""
        if self.layout:
            return self.layout
        parts: dict[tuple[str, str], list[str]] = {}
        for sheet in self.sheets:
            if not sheet.columns:
                continue
            head = (
                f"header in row {', '.join(map(str, sheet.header_rows))}"
                if sheet.header_rows
                else "no header"
            )
            columns = ", ".join(f"{role} = {name}" for role, name in sheet.columns.items())
            how = " ".join(x for x in (sheet.container, sheet.encoding) if x)
            dates = f", dates {sheet.date_order}" if sheet.date_order else ""
            alike = parts.setdefault((how, f"{head}{dates}; {columns}"), [])
            if sheet.sheet and repr(sheet.sheet) not in alike:
                alike.append(repr(sheet.sheet))
        told = [
            f"{how}: {'sheets' if len(names) > 1 else 'sheet'} {', '.join(names)}, {rest}"
            if names
            else f"{how}: {rest}"
            for (how, rest), names in parts.items()
        ]
        return " / ".join(told) or "not understood"

    def to_row(self) -> dict[str, Any]:
        """The row of ``meta.source_file``."""
        warnings = [*self.warnings, *(w for s in self.sheets for w in s.warnings)]
        return {
            "path": self.path,
            "sha256": self.sha256,
            "bytes": self.bytes,
            "layout": self.describe_layout(),
            "rows_read": self.rows_read,
            "rows_kept": self.rows_kept,
            "rows_rejected": self.rows_rejected,
            "rows_ignored": self.rows_ignored,
            "source_id": self.source_id,
            "status": self.status,
            "reason": self.reason,
            "organisation_code": self.organisation_code,
            "pounds_kept": self.pounds_kept,
            "is_superseded": self.is_superseded,
            "warnings": " ".join(dict.fromkeys(warnings)) or None,
            "facts_table": self.facts_table,
        }

    def to_json(self) -> dict[str, Any]:
        """Everything, for machines."""
        return asdict(self) | {"layout": self.describe_layout()}

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> FileReport:
        """The inverse of :meth:`to_json`."""
        sheets = []
        for sheet in body.pop("sheets"):
            sheet["header_rows"] = tuple(sheet["header_rows"])
            sheets.append(SheetReport(**sheet))
        return cls(**body, sheets=sheets)


def raw_rows(frame: pl.DataFrame, path: str, sheet: str, reasons: pl.DataFrame) -> pl.DataFrame:
    """Rows of ``meta.rejected_row`` for rows of a grid.

    Args:
        frame: the grid (``row`` and ``c0..cN``).
        path: the file.
        sheet: the sheet.
        reasons: columns ``row`` (Int64) and ``reason`` (String).
    """
    cells = [c for c in frame.columns if c != "row"]
    joined = frame.join(reasons, on="row", how="inner", maintain_order="left")
    return joined.select(
        source_file=pl.lit(path),
        source_sheet=pl.lit(sheet),
        source_row=pl.col("row"),
        reason=pl.col("reason"),
        raw=pl.concat_str(cells, separator=" | ", ignore_nulls=True)
        .fill_null("")
        .str.slice(0, RAW_LIMIT),
    ).cast(REJECTED_SCHEMA)
