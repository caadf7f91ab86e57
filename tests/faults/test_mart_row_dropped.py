"""A mart whose own query leaves out a row of its result, or of what it reads, fails a blocking check."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest
from marts_store import build_raw
from quality_frames import broken_by_query, severity_of

import pipeline.marts.run as marts
from pipeline.demo import generate
from pipeline.store import TableStore

#: (mart, a relation its query reads). ``measures.*`` are views, made of the facts when they are asked.
INPUTS = [
    ("coverage_month", "measures.payment_cell"),
    ("digital_share", "measures.numerator"),
    ("digital_share", "measures.denominator"),
    ("digital_share_as_now", "marts.digital_share"),
    ("rank_stability", "marts.digital_share"),
    ("icb_share", "marts.digital_share"),
    ("icb_spread", "marts.digital_share"),
    ("spend_mix", "measures.payment_cell"),
    ("capital_revenue", "measures.payment_cell"),
    ("capital_revenue", "measures.account_value"),
    ("supplier", "measures.supplier_paid"),
    ("trust_supplier", "measures.supplier_paid"),
    ("funding_pattern", "marts.coverage_month"),
    ("workforce", "measures.staff_proxy"),
    ("maturity", "facts.maturity"),
    ("maturity_and_spend_trust", "marts.maturity"),
    ("maturity_and_spend_trust", "marts.digital_share_as_now"),
    ("peer", "dims.organisation"),
    ("records_cost", "facts.records_cost"),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> TableStore:
    """Marts of a demonstration of four years; every check on them holds."""
    folder = tmp_path_factory.mktemp("marts")
    generate(folder / "raw", trusts=14, boards=3)
    found = build_raw(folder / "raw", folder / "out")
    assert not any(_failing(found, name) for name in marts.MART_ORDER)
    return found


def _failing(store: TableStore, name: str) -> list[str]:
    """Blocking checks on a mart that fail."""
    broken = broken_by_query(store, name)
    return [check for check in broken if severity_of(name, check) == "blocking"]


@contextmanager
def _put_back(store: TableStore, name: str) -> Iterator[Path]:
    (path,) = store.files(name)
    whole = path.read_bytes()
    try:
        yield path
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("name", marts.MART_ORDER)
def test_a_row_left_out_of_the_result_is_told(store: TableStore, name: str) -> None:
    frame = store.read(name)
    lot = random.Random(name)
    for left_out in (frame.height - 1, lot.randrange(frame.height)):
        with _put_back(store, name) as path:
            frame.filter(pl.int_range(pl.len()) != left_out).write_parquet(path)
            assert _failing(store, name), f"row {left_out} of {name}"


@pytest.mark.parametrize(("mart", "read"), INPUTS)
def test_a_row_that_the_query_does_not_read_is_told(
    store: TableStore, mart: str, read: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, lot = f"marts.{mart}", random.Random(mart)
    whole, sql = store.read(name), marts.sql_of(f"marts.{mart}")
    for _ in range(20):  # a row that changes nothing, such as a credit note's, proves nothing
        connection = marts.open_store(store)
        ((rows,),) = connection.sql(f"select count(*) from {read}").fetchall()
        part = f"(select * from {read} qualify row_number() over () <> {lot.randrange(rows) + 1})"
        monkeypatch.setattr(marts, "sql_of", lambda _, part=part: re.sub(rf"{read}\b", part, sql))
        with connection, _put_back(store, name):
            if not marts.build_mart(name, store, connection).equals(whole):
                assert _failing(store, name), part
                return
    pytest.fail("no row of it changes the mart")
