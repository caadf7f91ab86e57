"""Small, valid frames in the schema of any table, for the tests of validation.

``rows(table, {...}, ...)`` fills what a test does not care about with harmless values.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.quality import CheckResult, Gate, gate_failures, run_gate, suite_for
from pipeline.quality.engine import opened, rows_that_break
from pipeline.schema import Column, table
from pipeline.store import TableStore

DEFAULTS: dict[str, Any] = {
    "VARCHAR": "x",
    "BIGINT": 1,
    "INTEGER": 1,
    "DOUBLE": 1.0,
    "BOOLEAN": False,
    "DATE": dt.date(2020, 4, 1),
    "TIMESTAMP": dt.datetime(2026, 1, 1),
    "DECIMAL(18,2)": 30000,
}
KNOWN: dict[str, dict[str, Any]] = {
    "facts.payment": {
        "organisation_code": "ZZ1",
        "financial_year": "2020/21",
        "month": dt.date(2020, 4, 1),
        "payment_date": dt.date(2020, 4, 15),
        "supplier": "Fictional Cabling",
        "digital": "no",
        "category": None,
        "source_file": "spend_over_25k/ZZ1/april.csv",
        "source_sheet": "",
    },
    "facts.account_line": {
        "organisation_code": "ZZ1",
        "organisation_name": "Fictional Foundation Trust",
        "financial_year": "2020/21",
        "value": 400_000.0,
        "unit": "GBP thousand",
        "main_code": "A08CY01",
        "sub_code": "EXP0390",
    },
    "meta.source_file": {
        "path": "spend_over_25k/ZZ1/april.csv",
        "rows_read": 3,
        "rows_kept": 1,
        "rows_rejected": 1,
        "rows_ignored": 1,
        "status": "read",
        "pounds_kept": 30000.0,
        "facts_table": "facts.payment",
    },
    "meta.rejected_row": {
        "source_file": "spend_over_25k/ZZ1/april.csv",
        "source_sheet": "",
        "source_row": 9,
    },
}


def value_of(column: Column) -> Any:
    """A harmless value for a column: the first allowed one, or one inside its bounds."""
    if column.name == "financial_year":
        return "2020/21"
    if column.allowed:
        return column.allowed[0]
    if column.type in ("DOUBLE", "BIGINT", "INTEGER") and column.maximum is not None:
        return type(DEFAULTS[column.type])(column.maximum)
    return DEFAULTS[column.type]


def rows(name: str, *given: dict[str, Any]) -> pl.DataFrame:
    """One valid row a dictionary, with the dictionary's values in place of the harmless ones."""
    spec = table(name)
    base = {c.name: value_of(c) for c in spec.columns} | KNOWN.get(name, {})
    strangers = {key for row in given for key in row} - set(base)
    assert not strangers, strangers
    return pl.DataFrame([base | row for row in given], schema=spec.polars, strict=False)


def store_of(root: Path, **frames: pl.DataFrame) -> TableStore:
    """A working store with the frames; keyword ``facts__payment`` is table ``facts.payment``."""
    store = TableStore(root)
    for name, frame in frames.items():
        store.write(name.replace("__", "."), frame)
    return store


def failed(results: list[CheckResult]) -> dict[str, CheckResult]:
    """Failed checks by ``suite/check``."""
    return {f"{r.suite}/{r.check_name}": r for r in results if not r.passed}


def checked(store: TableStore, gate: Gate = "facts", **options: Any) -> dict[str, CheckResult]:
    """The failed checks of a gate."""
    return failed(run_gate(store, gate, **options))


def changed(frame: pl.DataFrame, row: int, **values: Any) -> pl.DataFrame:
    """The frame with some values of one row replaced."""
    records = frame.to_dicts()
    strangers = set(values) - set(frame.columns)
    assert not strangers, strangers
    records[row] |= values
    return pl.DataFrame(records, schema=frame.schema, strict=False)


def with_copy(frame: pl.DataFrame, row: int, **values: Any) -> pl.DataFrame:
    """The frame with a changed copy of one row added at the end."""
    return pl.concat([frame, changed(frame[[row]], 0, **values)])


MONTHS = [dt.date(2020, m, 1) for m in range(4, 13)] + [dt.date(2021, m, 1) for m in (1, 2, 3)]
FILE = "spend_over_25k/ZZ1/2020-21.csv"
PILLARS = ("a", "b", "c", "d", "e", "f", "g")


def fact_world() -> dict[str, pl.DataFrame]:
    """Consistent facts of two fictional trusts of one board in 2020/21; every check holds."""
    month = [{"month": m, "payment_date": m.replace(day=9), "source_file": FILE} for m in MONTHS]
    lines = [m | {"source_row": 2 * i + 2} for i, m in enumerate(month)] + [
        m | {"source_row": 2 * i + 3, "digital": "yes", "category": "devices", "amount_gbp": 900}
        for i, m in enumerate(month)
    ]
    groups = [("All staff groups", 100.0), ("Nurses", 60.0), ("Central functions", 40.0)]
    day = dt.date(2025, 10, 1)
    return {
        "dims.organisation": rows(
            "dims.organisation",
            *(
                {
                    "organisation_code": c,
                    "icb_code": "QZ1",
                    "current_code": c,
                    "opened": dt.date(2010, 4, 1),
                    "closed": None,
                }
                for c in ("ZZ1", "ZZ2")
            ),
        ),
        "dims.icb": rows("dims.icb", {"icb_code": "QZ1"}),
        "dims.icb_membership": rows(
            "dims.icb_membership",
            {"organisation_code": "ZZ1", "icb_code": "QZ1", "valid_to": dt.date(2022, 6, 30)},
            {"organisation_code": "ZZ1", "icb_code": "QZ1", "valid_from": dt.date(2022, 7, 1)},
        ).with_columns(pl.col("valid_to").replace(dt.date(2020, 4, 1), None)),
        "dims.succession": rows(
            "dims.succession",
            {"old_code": "ZZ8", "new_code": "ZZ1", "weight": 0.5},
            {"old_code": "ZZ8", "new_code": "ZZ2", "weight": 0.5},
        ),
        "dims.measure": rows(
            "dims.measure",
            {"definition": "D0", "denominator": "opex"},
            {"definition": "D1", "denominator": "opex", "is_default": True},
        ),
        "dims.category": rows(
            "dims.category",
            {"category": "devices"},
            {"category": "print_records", "upper_bound_only": True},
        ),
        "dims.parameter": rows(
            "dims.parameter",
            {"name": "benchmark", "value": 0.05},
            {"name": "months_for_a", "value": 12},
            {"name": "months_for_b", "value": 9},
        ),
        "facts.payment": rows("facts.payment", *lines),
        "facts.account_line": rows(
            "facts.account_line",
            {},
            {"sub_code": "EXP0130", "value": 250_000},
            {"organisation_code": "ZZ2", "organisation_name": "Fictional Trust"},
        ),
        "facts.workforce": rows(
            "facts.workforce",
            *(
                {
                    "organisation_code": "ZZ1",
                    "month": day,
                    "staff_group": group,
                    "fte": fte,
                    "headcount": fte,
                    "is_total": group == "All staff groups",
                    "publication": "turnover",
                }
                for group, fte in groups
            ),
        ),
        "facts.maturity": rows(
            "facts.maturity",
            *(
                {"organisation_name": "FICTIONAL", "year": 2025, "pillar": p, "score": 2.5}
                for p in (*PILLARS, "overall_comparable")
            ),
        ),
        "facts.epr": rows(
            "facts.epr",
            {"organisation_code": "ZZ1", "supplier": "Maker", "has_epr": True},
            {"organisation_code": "ZZ2", "supplier": None, "has_epr": False},
        ),
        "facts.records_cost": rows(
            "facts.records_cost", {"on_site_gbp": 10.0, "off_site_gbp": 5.0, "total_gbp": 15.0}
        ),
        "facts.virtual_ward": rows("facts.virtual_ward", {"occupancy": 0.8}),
        "facts.deflator": rows(
            "facts.deflator",
            {"financial_year": "2019/20", "index_value": 97.0},
            {"financial_year": "2020/21", "index_value": 100.0},
        ),
        "meta.source_file": rows(
            "meta.source_file",
            {
                "path": FILE,
                "rows_read": 26,
                "rows_kept": 24,
                "rows_rejected": 1,
                "rows_ignored": 1,
                "pounds_kept": 12 * 30_900.0,
            },
        ),
        "meta.rejected_row": rows("meta.rejected_row", {"source_file": FILE, "source_row": 99}),
    }


def mart_world() -> dict[str, pl.DataFrame]:
    """The facts of :func:`fact_world` with marts that agree with them; every check holds."""
    digital, opex = 12 * 900.0, 400_000_000.0
    share = digital / opex
    d1 = {
        "organisation_code": "ZZ1",
        "definition": "D1",
        "denominator": "opex",
        "numerator_gbp": digital,
        "denominator_gbp": opex,
        "share": share,
        "share_lower": share * 0.8,
        "share_upper": share * 1.2,
        "benchmark": 0.05,
        "gap_pp": (0.05 - share) * 100,
        "gap_gbp": 0.05 * opex - digital,
        "months_present": 12,
        "badge": "A",
        "icb_code": "QZ1",
    }
    combinations = [
        {"organisation_code": c, "definition": d, "denominator": "opex", "months_present": 12}
        for c in ("ZZ1", "ZZ2")
        for d in ("D0", "D1")
    ]
    mix = {"organisation_code": "ZZ1", "digital": "yes", "category": "devices", "nature": "unknown"}
    return fact_world() | {
        "marts.digital_share": rows("marts.digital_share", d1),
        "marts.icb_share": rows(
            "marts.icb_share",
            {
                "icb_code": "QZ1",
                "definition": "D1",
                "denominator": "opex",
                "trusts": 2,
                "trusts_counted": 1,
                "numerator_gbp": digital,
                "denominator_gbp": opex,
                "share": share,
                "lowest_share": share,
                "highest_share": share,
            },
        ),
        "marts.spend_mix": rows(
            "marts.spend_mix",
            mix | {"amount_gbp": digital, "lines": 12, "share_of_digital": 1.0},
        ),
        "marts.coverage": rows("marts.coverage", *combinations).with_columns(
            status=pl.when((pl.col("organisation_code") == "ZZ1") & (pl.col("definition") == "D1"))
            .then(pl.lit("available"))
            .otherwise(pl.lit("not available"))
        ),
        "marts.coverage_month": rows(
            "marts.coverage_month",
            {"organisation_code": "ZZ1", "is_present": True, "amount_gbp": 30_900.0},
            {
                "organisation_code": "ZZ2",
                "is_present": False,
                "amount_gbp": None,
                "digital_gbp": None,
            },
        ),
        "marts.maturity": rows(
            "marts.maturity",
            {"score": 2.0, "setting_p25": 2.5, "setting_median": 3.0, "gap_to_p25": 0.5},
        ),
    }


def store_of_world(
    root: Path, world: dict[str, pl.DataFrame], only: str | None = None
) -> TableStore:
    """A working store with every frame of a world, or only what the checks of one table read."""
    if only is not None:
        read = {only, *(n for c in suite_for(table(only)) for n in c.needs)}
        world = {name: frame for name, frame in world.items() if name in read}
    return store_of(root, **{name.replace(".", "__"): frame for name, frame in world.items()})


def broken_by_query(store: TableStore, name: str) -> dict[str, list[dict[str, Any]]]:
    """The rows that break each check of a table, by plain SQL and without Great Expectations.

    A second way to the same answer, and quick enough for every single fault.
    """
    suite = suite_for(table(name))
    with opened(store, {name, *(n for c in suite for n in c.needs)}) as connection:
        found = {c.check_name: connection.sql(rows_that_break(c)).pl().to_dicts() for c in suite}
    return {check: records for check, records in found.items() if records}


def severity_of(name: str, check: str) -> str:
    """The severity of a check."""
    return next(c.severity for c in suite_for(table(name)) if c.check_name == check)


__all__ = [
    "FILE",
    "broken_by_query",
    "changed",
    "checked",
    "fact_world",
    "failed",
    "gate_failures",
    "mart_world",
    "rows",
    "run_gate",
    "severity_of",
    "store_of",
    "store_of_world",
    "with_copy",
]
