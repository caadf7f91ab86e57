"""Small made-up builds for the tests of the claims ledger.

Belongs here: filling tables of an open, empty build and asking for one milestone. Does not belong
here: tests.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import polars as pl

from pipeline.marts.milestones import (
    build_milestones,
    build_promised_money,
    build_published_evidence,
)
from pipeline.reference.claims import claims
from pipeline.schema import table

TODAY = dt.date(2026, 11, 22)
BY_ID = {claim.id: claim for claim in claims()}


def fill(connection: duckdb.DuckDBPyConnection, name: str, *given: dict[str, Any]) -> None:
    """Replace a table by the given rows; columns not given are null."""
    schema = table(name).polars
    strangers = {key for row in given for key in row} - set(schema.names())
    assert not strangers, strangers
    blank = dict.fromkeys(schema.names())
    frame = pl.DataFrame([blank | row for row in given], schema=schema, strict=False)
    register(connection, name, frame)


def register(connection: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    relation = "given_" + name.replace(".", "_")
    connection.register(relation, frame)
    connection.execute(f"create or replace view {name} as select * from {relation}")


def cite(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill the tables that hold the ledger's own citations."""
    register(connection, "marts.published_evidence", build_published_evidence(connection))
    register(connection, "marts.promised_money", build_promised_money(connection))


def outcome(connection: duckdb.DuckDBPyConnection, name: str, today: dt.date = TODAY):
    """The milestone of one claim of the ledger."""
    return build_milestones(connection, [BY_ID[name]], today=today).row(0, named=True)


MEASURE = {"definition": "D1", "denominator": "opex", "kind": "lower bound", "is_default": True}


def share(code: str, value: float, year: str = "2020/21", badge: str = "A", spread: float = 0.3):
    """A row of marts.digital_share of a trust that spends 100m."""
    return {
        "organisation_code": code,
        "financial_year": year,
        "definition": "D1",
        "denominator": "opex",
        "numerator_gbp": value * 1e8,
        "denominator_gbp": 1e8,
        "share": value,
        "share_lower": value * (1 - spread),
        "share_upper": value * (1 + spread),
        "benchmark": 0.05,
        "badge": badge,
    }


def shares(connection: duckdb.DuckDBPyConnection, *rows: dict[str, Any]) -> None:
    fill(connection, "dims.measure", MEASURE)
    fill(connection, "marts.digital_share", *rows)


def trust(code: str, *, is_demo: bool = False) -> dict[str, Any]:
    return {"organisation_code": code, "name": code, "kind": "trust", "is_demo": is_demo}
