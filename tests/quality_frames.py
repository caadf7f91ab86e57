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
    "DECIMAL(38,2)": 30000,
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
        "pounds_read": 30000.0,
        "pounds_corrected": 0.0,
        "pounds_kept": 30000.0,
        "pounds_rejected": 0.0,
        "pounds_ignored": 0.0,
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
    "broken_by_query",
    "changed",
    "checked",
    "failed",
    "gate_failures",
    "rows",
    "run_gate",
    "severity_of",
    "store_of",
    "with_copy",
]
