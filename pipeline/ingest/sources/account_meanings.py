"""What each line of the accounts means, read from the illustrative workbooks.

In every table of such a workbook one row holds the main codes and ends in "Maincode"; the headings
of the columns stand below it, down to a row that holds the units and ends in "Subcode"; the rows
after that carry their label first and their sub code in the column of "Subcode".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline.ingest.tabular import Grid
from pipeline.ingest.years import financial_year_in

MAIN = re.compile(r"^A\d{2}[A-Z]?(?:CY|PY)\d+[A-Z]?$")
SUB = re.compile(r"^[A-Z]{3}\d{4}[A-Z]?$")
Meaning = tuple[str | None, str]


def squeeze(text: str) -> str:
    """Letters and digits only, lower case: the form in which headers are compared."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


@dataclass
class Meanings:
    """Year -> (main code, sub code) -> (line in words, unit)."""

    by_year: dict[str, dict[tuple[str, str], Meaning]] = field(default_factory=dict)

    def for_year(self, year: str) -> dict[tuple[str, str], Meaning]:
        """The meanings of the nearest year not after ``year``, gaps filled from the other years."""
        earlier = sorted((y for y in self.by_year if y <= year), reverse=True)
        later = sorted(y for y in self.by_year if y > year)
        merged: dict[tuple[str, str], Meaning] = {}
        for known in [*earlier, *later]:
            for pair, meaning in self.by_year[known].items():
                merged.setdefault(pair, meaning)
        return merged


def fallback_unit(main_code: str, sub_code: str) -> str:
    """The unit of a line no workbook explains, from the ranges of codes in every year seen."""
    number = int(found[1]) if (found := re.match(r"[A-Z]{3}(\d{4})", sub_code)) else 0
    if sub_code.startswith("STA"):
        if 370 <= number <= 500:
            return "WTE"
        return "number" if 510 <= number <= 550 else "GBP thousand"
    if sub_code.startswith("PPE") and 490 <= number <= 560:
        return "years"
    if sub_code.startswith("INT") and 390 <= number <= 470 and main_code.endswith(("CY15", "CY16")):
        return "years"
    return "GBP thousand"


def _unit(cell: str, title: str) -> str:
    text = cell.strip().lower()
    if text.startswith("year"):
        return "years"
    if text.startswith("no"):
        return "WTE" if re.search(r"average number of employees|wte", title, re.I) else "number"
    return "GBP thousand"


def is_illustrative(grids: Iterable[Grid]) -> bool:
    """Whether a workbook is of the kind that explains lines."""
    return any(labels for g in grids if 0 < g.height < 1000 for _, _, labels in _tables(g))


def _tables(grid: Grid) -> Iterable[tuple[str, dict[str, tuple[str, str]], list[tuple[str, str]]]]:
    """Title, main code -> (column heading, unit cell), and (label, sub code) rows of each table."""
    rows = [tuple(v or "" for v in r) for r in grid.frame.drop("row").iter_rows()]
    starts = [i for i, r in enumerate(rows) if any(squeeze(c) == "maincode" for c in r)]
    for number, start in enumerate(starts):
        end = starts[number + 1] if number + 1 < len(starts) else len(rows)
        codes = {c.strip(): i for i, c in enumerate(rows[start]) if MAIN.match(c.strip())}
        sub_row = next(
            (i for i in range(start, end) if any(squeeze(c) == "subcode" for c in rows[i])), None
        )
        if sub_row is None or not codes:
            continue
        sub_column = next(i for i, c in enumerate(rows[sub_row]) if squeeze(c) == "subcode")
        columns: dict[str, tuple[str, str]] = {}
        for code, i in codes.items():
            heads = [" ".join(rows[r][i].split()) for r in range(start + 1, sub_row)]
            heads = [
                h
                for h in heads
                if h and not re.fullmatch(r"(?:\d{1,2} \w{3} )?20\d\d(?:/\d\d)?", h)
            ]
            columns[code] = (" ".join(heads), rows[sub_row][i])
        title = " ".join(rows[start][0].split())
        labels = [
            (" ".join(r[0].split()), r[sub_column].strip())
            for r in rows[sub_row + 1 : end]
            if SUB.match(r[sub_column].strip())
        ]
        yield title, columns, labels


def read_meanings(workbooks: Iterable[tuple[str, list[Grid]]]) -> Meanings:
    """Read the illustrative workbooks.

    Args:
        workbooks: file name (with its year) and sheets.

    Returns:
        Meanings of the current-year lines of each year.
    """
    meanings = Meanings()
    for name, grids in workbooks:
        year = financial_year_in(name)
        if year is None:
            continue
        known = meanings.by_year.setdefault(year, {})
        for grid in grids:
            if grid.height == 0 or grid.frame.width < 4:
                continue
            for title, columns, labels in _tables(grid):
                for code, (heading, unit_cell) in columns.items():
                    if "PY" in code:
                        continue
                    for label, sub in labels:
                        where = ", ".join(x for x in (heading, title) if x)
                        line = f"{label} ({where})" if where else label
                        unit = _unit(unit_cell, title)
                        if unit == "GBP thousand" and fallback_unit(code, sub) == "years":
                            unit = "years"
                        known.setdefault((code, sub), (line, unit))
    return meanings
