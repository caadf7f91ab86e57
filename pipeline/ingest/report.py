"""What was decided about a file: the reading report that people and ``meta.source_file`` get."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import polars as pl

from pipeline.plain_text import plural

BREAKS_OFF = (
    "The file breaks off in its last row, which is left out: it may not have been downloaded whole. "
    "Download it again."
)
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
    #: Pence in the amount cells below the header, counted before any row is sorted; None without one.
    pence_read: int | None = None
    pence_rejected: int = 0
    pence_ignored: int = 0

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
    #: Pence of the rows that became facts, counted from the facts, and what corrections added to them.
    pence_kept: int | None = None
    pence_corrected: int = 0
    #: Rows of the facts table made of the file; None where a kept row is a fact.
    facts_made: int | None = None
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

    def why_in_part(self) -> str:
        """Rows set aside and why: the reason that holds for most of them, where one does."""
        counts: Counter[str] = Counter()
        for sheet in self.sheets:
            counts.update(sheet.rejected)
        most = max(counts.values())
        first = max(reason for reason, n in counts.items() if n == most)
        told = f"{plural(self.rows_rejected, 'row')} set aside"
        if len(counts) == 1:
            return f"{told}: {first}"
        alone = sum(n == most for n in counts.values()) == 1
        return f"{told}; {'most often' if alone else 'among others'}: {first}"

    @property
    def rows_ignored(self) -> int:
        """Rows known not to be data."""
        return sum(s.rows_ignored for s in self.sheets)

    @property
    def pence_read(self) -> int | None:
        """Pence in the amount cells of all sheets that have a column of amounts; None without any."""
        known = [s.pence_read for s in self.sheets if s.pence_read is not None]
        return sum(known) if known else None

    @property
    def pence_rejected(self) -> int:
        """Pence of rows set aside, as far as their amount can be read as pounds."""
        return sum(s.pence_rejected for s in self.sheets)

    @property
    def pence_ignored(self) -> int:
        """Pence of rows known not to be data: totals, sheets that repeat others."""
        return sum(s.pence_ignored for s in self.sheets)

    def account_of_pounds(self) -> dict[str, str | None]:
        """``pounds_read + pounds_corrected = pounds_kept + pounds_rejected + pounds_ignored``, exactly.

        All are None for a file without a column of amounts.
        """
        known = {
            "pounds_read": self.pence_read,
            "pounds_corrected": self.pence_corrected,
            "pounds_kept": self.pence_kept or 0,
            "pounds_rejected": self.pence_rejected,
            "pounds_ignored": self.pence_ignored,
        }
        if self.pence_read is None:
            return dict.fromkeys(known)
        return {name: str(Decimal(pence or 0) / 100) for name, pence in known.items()}

    def move_to_rejected(self, sheet: str, reason: str, rows: int, pence: int) -> None:
        """Move rows of a sheet that were counted as kept to the rejected ones.

        Args:
            sheet: its name; a sheet of several tables has several reports.
            reason: why they are set aside.
            rows: how many.
            pence: what they hold as published.
        """
        left = rows
        parts = [part for part in self.sheets if part.sheet == sheet]
        for part in parts:
            moved = min(left, part.rows_kept)
            part.rows_kept -= moved
            if moved:
                part.rejected[reason] = part.rejected.get(reason, 0) + moved
            left -= moved
        if parts:
            parts[0].pence_rejected += pence

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
        """The row of ``meta.source_file``; pounds are text, so that they stay exact."""
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
            "facts_made": self.facts_made,
            "source_id": self.source_id,
            "status": self.status,
            "reason": self.reason,
            "organisation_code": self.organisation_code,
            **self.account_of_pounds(),
            "is_superseded": self.is_superseded,
            "warnings": " ".join(dict.fromkeys(warnings)) or None,
            "facts_table": self.facts_table,
        }

    def to_json(self) -> dict[str, Any]:
        """Everything, for machines; lists and dicts are the report's own, not copies."""
        sheets = [dict(vars(sheet)) for sheet in self.sheets]
        return vars(self) | {"sheets": sheets, "layout": self.describe_layout()}

    def as_kept(self) -> dict[str, Any]:
        """Everything, to be written as JSON at once: not a copy, unlike :meth:`to_json`."""
        return vars(self) | {"sheets": [vars(sheet) for sheet in self.sheets]}

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> FileReport:
        """The inverse of :meth:`to_json` and of :meth:`as_kept`."""
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
