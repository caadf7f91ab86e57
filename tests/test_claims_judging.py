"""How an answer becomes a status, and what a wrong query says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from claims_frames import TODAY, fill

from pipeline.marts import open_store
from pipeline.marts.judging import Answer, ClaimQueryError, ask, judge
from pipeline.marts.milestones import build_milestones
from pipeline.reference.claims import Claim
from pipeline.store import TableStore


def claim(**changes: Any) -> Claim:
    base: dict[str, Any] = {
        "id": "an_example",
        "theme": "records",
        "claim": "Every ward will have a working printer.",
        "kind": "target",
        "said_by": "A fictional minister",
        "said_on": "2023-05",
        "citation": "Fictional ministry, A plan for printers, May 2023",
        "due": dt.date(2024, 12, 31),
        "metric": "Wards with a printer",
        "threshold": 0.9,
        "query": "select 1.0 as value, 'x' as evidence, date '2025-01-31' as as_at from facts.epr",
        "caveat": "Nobody prints any more.",
        "reviewed": TODAY,
        "author": "a test",
    }
    return Claim.model_validate(base | changes)


@pytest.fixture(scope="module")
def opened(tmp_path_factory) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = open_store(TableStore(tmp_path_factory.mktemp("empty")))
    yield connection
    connection.close()


@pytest.fixture
def empty(opened) -> Iterator[duckdb.DuckDBPyConnection]:
    """Every table of the contract, without a row; what a test puts in is rolled back after it."""
    opened.execute("begin transaction")
    yield opened
    opened.execute("rollback")


BEFORE, AFTER = dt.date(2024, 6, 30), dt.date(2025, 1, 31)


@pytest.mark.parametrize(
    "answer, changes, status",
    [
        (None, {}, "data not here"),
        (Answer(0.9, "x", AFTER), {}, "met"),
        (Answer(0.9, "x", BEFORE), {}, "met"),
        (Answer(0.8, "x", AFTER), {}, "not met"),
        (Answer(0.8, "x", AFTER), {"partly_from": 0.5}, "partly"),
        (Answer(0.8, "x", BEFORE), {}, "data not here"),
        (Answer(0.8, "x", None), {}, "not met"),
        (Answer(0.8, "x", AFTER), {"due": TODAY}, "not yet due"),
        (Answer(None, "x", None), {"due": TODAY}, "not yet due"),
        (Answer(None, "x", None), {}, "data not here"),
        (Answer(0.8, "x", AFTER), {"direction": "below"}, "met"),
        (Answer(0.9, "x", AFTER), {"direction": "below"}, "not met"),
        (Answer(0.8, "x", AFTER), {"threshold": None}, "context"),
        (Answer(0.8, "x", AFTER, "partly"), {}, "partly"),
        (Answer(0.8, "x", AFTER, "not met"), {"due": TODAY}, "not yet due"),
        (Answer(0.8, "x", AFTER, "met"), {"due": TODAY}, "met"),
    ],
)
def test_how_an_answer_is_judged(answer, changes, status):
    assert judge(claim(**changes), answer, TODAY) == status


@pytest.mark.parametrize(
    "query, said",
    [
        ("select nothing from facts.epr", "the query failed"),
        ("select 1.0 as value, 'x' as evidence from facts.epr", "expected at most one row"),
        (
            "select 1.0 as value, 'x' as evidence, null::date as as_at from range(2), "
            "(select count(*) from facts.epr)",
            "returned 2 rows",
        ),
        (
            "select 1.0 as value, 'x' as evidence, null::date as as_at, 'splendid' as status "
            "from (select count(*) from facts.epr)",
            "unknown status 'splendid'",
        ),
    ],
)
def test_a_query_that_is_wrong_names_its_claim(empty, query, said):
    with pytest.raises(ClaimQueryError, match=said) as caught:
        ask(empty, claim(query=query))
    assert "claim an_example" in str(caught.value)


def test_a_figure_is_not_lost_with_its_sentence(empty):
    fill(empty, "facts.epr", {"has_epr": True})
    broken = claim(query="select 0.95 as value, null as evidence, null as as_at from facts.epr")
    row = build_milestones(empty, [broken], today=TODAY).row(0, named=True)
    assert row["status"] == "met"
    assert row["evidence"].startswith("Wards with a printer: 0.95.")
