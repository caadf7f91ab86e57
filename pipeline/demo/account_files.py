"""Workbooks of the trust accounts consolidation: two a year, and the illustrative one.

Belongs here: ``provider_accounts/*`` in the publisher's layouts. Does not belong here: the values
(``accounts``) and the list of lines (``account_map``).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from pipeline.demo.account_map import TABLES, Table
from pipeline.demo.places import Trust
from pipeline.demo.workbook import NOTE, open_workbook, write_rows
from pipeline.demo.world import World, start_year

SOURCE = "provider_accounts"


def _providers(world: World, year: int, present: set[int], foundation: bool) -> list[list[str]]:
    rows: list[list[str]] = []
    for i, trust in enumerate(world.trusts):
        name = trust.name_in(year)
        if i in present and Trust.is_foundation(name) == foundation:
            comment = "Demonstration: not a real provider."
            taken = [t for t in world.trusts if t.successor == trust.code and t.last == year]
            if taken:
                comment += f" Acquired {taken[0].name} on 1 April {start_year(world.years[year])}."
            rows.append([name, trust.code, trust.board.region_name, trust.sector, comment])
    return rows


def write_accounts(raw_dir: Path, world: World, lines: pl.DataFrame) -> None:
    """Write both workbooks and the illustrative workbook of every year.

    Args:
        raw_dir: root of the raw tree.
        world: from ``make_world``.
        lines: from ``account_lines``.
    """
    folder = raw_dir / SOURCE
    for year, financial_year in enumerate(world.years):
        start = start_year(financial_year)
        label = f"{start}-{(start + 1) % 100:02d}"
        of_year = lines.filter(pl.col("year") == year)
        present = set(of_year["trust"].unique())
        old = start < 2022
        headers = [
            "Organisation Name" if old else "OrganisationName", "WorkSheetName", "TableID",
            "MainCode", "RowNumber", "SubCode", "Value number" if old else " Total ",
        ]  # fmt: skip
        for kind, sheet in (("NHS-trusts", "All Data"), ("NHS-foundation-trusts", "All data")):
            providers = _providers(world, year, present, "foundation" in kind)
            names = {world.trusts.index(t): t.name_in(year) for t in world.trusts}
            codes = {p[1] for p in providers}
            members = [i for i, t in enumerate(world.trusts) if t.code in codes]
            rows = of_year.filter(pl.col("trust").is_in(members))
            path = folder / f"TAC-data-published-in-{kind}-accounts-for-{label}.xlsx"
            with open_workbook(path) as book:
                head = ["Full name of Provider", "NHS code", "Region", "Sector", "Comments"]
                write_rows(book.add_worksheet("List of Providers"), [head, *providers])
                cells = [
                    [names[trust], *rest]
                    for trust, *rest in rows.drop("year").iter_rows()
                ]  # fmt: skip
                write_rows(book.add_worksheet(sheet), [headers, *cells])
        _write_illustration(folder / f"{label}-NHS-Provider-TAC-Illustrative-file.xlsx", start)


def _form(table: Table, periods: Sequence[str], number: int, start: int) -> list[list[object]]:
    """The empty form of one table: codes, column labels, years, units, then its rows."""
    names = {"CY": f"{start}/{(start + 1) % 100:02d}", "PY": f"{start - 1}/{start % 100:02d}"}
    head = [(period, suffix, label) for period in periods for suffix, label in table.columns]
    end = start + 1 if "CY" in periods else start
    blank: list[object] = [None] * len(head)
    title = table.title if "CY" in periods else f"{table.title} - prior year"
    return [
        [None, None, None, *blank[1:], "Table ID", str(number)],
        [title, None, None, *(f"{table.prefix}{p}{s}" for p, s, _ in head), "Maincode"],
        [None, None, "Expected sign", *(label for *_, label in head)],
        [None, None, None, *(names[p] for p, *_ in head)],
        [None, None, None, *[table.unit] * len(head), "Subcode"],
        *([label.format(end=end), None, sign, *blank, sub] for sub, sign, label in table.rows),
        [],
    ]


def _write_illustration(path: Path, start: int) -> None:
    """Write the empty form of one year, from which the meaning of every code can be read."""
    with open_workbook(path) as book:
        intro = book.add_worksheet("Intro")
        write_rows(intro, [[NOTE], ["Illustrative TAC - Trust accounts consolidation"]], 2, 1)
        for name in dict.fromkeys(t.sheet for t in TABLES if start >= t.since):
            rows: list[list[object]] = [
                ["DEMONSTRATION"],
                [name],
                ["Trust Accounts Consolidation Schedules"],
            ]
            for table in (t for t in TABLES if t.sheet == name):
                beside = table.has_prior and not table.prior_id
                rows += _form(table, ("CY", "PY") if beside else ("CY",), table.table_id, start)
                if table.prior_id:
                    rows += _form(table, ("PY",), table.prior_id, start)
            write_rows(book.add_worksheet(name), rows, 1, 1)
