"""Small working stores made of a few facts, for tests of measures and marts.

Belongs here: rows with sensible defaults and the building of marts from them. Does not belong
here: raw files (see ``demo``) and the slow second way (``reference``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.marts import build_marts
from pipeline.measures import category_frame, measure_frame, parameter_frame
from pipeline.schema import table
from pipeline.settings import Settings
from pipeline.store import TableStore
from pipeline.store.tables import plain

Row = dict[str, Any]
DEFAULT = "operating_expenditure_less_impairments"


def build_raw(raw: Path, out: Path) -> TableStore:
    """Read a raw tree and compute the marts, without checks, publication and site."""
    from pipeline.refresh.context import Run
    from pipeline.refresh.run import compute_marts, read_sources

    run = Run(Settings(raw=raw, out=out, offline=True))
    tables: dict[str, int] = {}
    read_sources(run, tables)
    compute_marts(run, tables)
    return run.store


def month_of(year: str, number: int) -> date:
    """First day of a month of a financial year; 0 is April."""
    return date(int(year[:4]) + (number >= 9), (number + 3) % 12 + 1, 1)


def payment(
    code: str, year: str, number: int, amount: float, digital: str = "no", **more: Any
) -> Row:
    """One published line."""
    return {
        "organisation_code": code,
        "financial_year": year,
        "month": month_of(year, number),
        "supplier": "Supplier",
        "supplier_canonical": "Supplier",
        "expense_type": "Type",
        "amount_gbp": amount,
        "is_balance_sheet": False,
        "is_duplicate": False,
        "digital": digital,
        "category": None if digital == "no" else "hosting",
        "nature": "revenue",
        "rule_id": "test",
        "confidence": 1.0,
        "source_file": f"spend_over_25k/{code}/{year.replace('/', '-')}-{number}.csv",
        "source_sheet": "",
        "is_superseded": False,
    } | more


def steady(
    code: str, year: str, *, digital: float, other: float, months: Iterable[int] = range(12)
) -> list[Row]:
    """A year of equal months: one digital line and nine others a month, in pounds a month."""
    rows = []
    for number in months:
        rows.append(payment(code, year, number, digital, "yes"))
        rows += [payment(code, year, number, other / 9) for _ in range(9)]
    return rows


def accounts(code: str, year: str, **thousands: float) -> list[Row]:
    """Account lines in thousands (WTE as counted): opex, impairments, staff, depreciation, income,
    additions, it (additions of information technology), wte, administration."""
    places = {
        "opex": ("A08CY01", "EXP0390"),
        "impairments": ("A08CY01", "EXP0260"),
        "staff": ("A08CY01", "EXP0130"),
        "depreciation": ("A08CY01", "EXP0240"),
        "income": ("A02CY01", "SCI0100A"),
        "additions": ("A14CY01", "PPE0060"),
        "it": ("A14CY08", "PPE0060"),
        "wte": ("A09CY01", "STA0490"),
        "administration": ("A09CY01", "STA0390"),
    }
    return [
        {
            "organisation_code": code,
            "organisation_name": code,
            "financial_year": year,
            "value": value,
            "unit": "WTE" if name in ("wte", "administration") else "GBP thousand",
            "main_code": places[name][0],
            "sub_code": places[name][1],
            "source_file": "accounts.xlsx",
            "sector": "Acute",
        }
        for name, value in thousands.items()
    ]


def frame(name: str, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows as a frame of a table's columns; what is not given is null."""
    spec = table(name)
    numbered = [{"source_row": i} | dict(row) for i, row in enumerate(rows, 1)]
    columns = {c.name: [row.get(c.name) for row in numbered] for c in spec.columns}
    return pl.DataFrame(
        {
            c.name: pl.Series(
                c.name,
                columns[c.name],
                strict=False,
                dtype=pl.Float64() if c.type.startswith("DECIMAL") else c.polars,
            )
            for c in spec.columns
        }
    )


def store_of(
    root: Path,
    *,
    payments: Sequence[Row] = (),
    account_lines: Sequence[Row] = (),
    workforce: Sequence[Row] = (),
    successions: Sequence[Row] = (),
    memberships: Sequence[Row] = (),
    others: Mapping[str, Sequence[Row]] | None = None,
    benchmark: float = 0.05,
    extra: dict[str, float] | None = None,
) -> TableStore:
    """Write the tables marts need, and build every mart.

    Args:
        root: an empty folder.
        payments: from ``payment`` or ``steady``.
        account_lines: from ``accounts``.
        workforce: rows of facts.workforce.
        successions: rows of dims.succession.
        memberships: rows of dims.icb_membership.
        others: rows of further tables by name.
        benchmark: the share compared with.
        extra: measured parameters.
    """
    store = TableStore(root)
    store.write("dims.measure", measure_frame())
    store.write("dims.category", category_frame())
    store.write("dims.parameter", parameter_frame(benchmark=benchmark, extra=extra))
    followed = {s["old_code"]: s["new_code"] for s in successions}
    codes = {r["organisation_code"] for r in [*payments, *account_lines]} | set(followed.values())
    organisations = [
        {"organisation_code": c, "name": c, "sector": "Acute", "kind": "trust", "is_demo": False}
        | {"current_code": followed.get(c, c), "icb_code": "Q01"}
        for c in sorted(codes)
    ]
    given = {
        "dims.organisation": organisations,
        "dims.succession": successions,
        "dims.icb_membership": memberships,
        "facts.payment": payments,
        "facts.account_line": account_lines,
        "facts.workforce": workforce,
    } | dict(others or {})
    for name, rows in given.items():
        store.write(name, frame(name, rows))
    build_marts(store)
    return store


def share(
    store: TableStore, code: str, definition: str, year: str = "2020/21", denominator: str = DEFAULT
) -> Row:
    """The row of marts.digital_share; a KeyError when there is none."""
    rows = plain(store.read("marts.digital_share")).filter(
        organisation_code=code, financial_year=year, definition=definition, denominator=denominator
    )
    if rows.is_empty():
        raise KeyError(f"no share of {code} {year} {definition} {denominator}")
    return rows.row(0, named=True)
