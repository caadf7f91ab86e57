"""Milestones: what became of every claim of the ledger, judged on the tables of this build.

Belongs here: the table of milestones, its sentences of evidence, and the two tables of cited figures
the queries may read. Does not belong here: the claims themselves (``pipeline.reference``) and how an
answer is judged (``pipeline.marts.judging``).

Three tables, in the order in which they must be built: ``marts.published_evidence`` and
``marts.promised_money`` (the ledger's own files), then ``marts.milestone``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import duckdb
import polars as pl

from pipeline.marts.judging import Answer, ask, judge
from pipeline.measures import load_measures
from pipeline.reference.claims import Claim, claims, promises, published_evidence
from pipeline.schema import all_tables, table

_FACTS = re.compile(r"\bfacts\.\w+")
FICTIONAL = "DEMONSTRATION, fictional data: "


def missing_sources(connection: duckdb.DuckDBPyConnection, claim: Claim) -> str:
    """A sentence that says which tables and sources a claim's query lacks."""
    empty = [
        name
        for name in sorted({table for read in claim.tables for table in _facts_behind(read)})
        if not connection.execute(f"select 1 from {name} limit 1").fetchall()
    ]
    if not empty:
        return f"The tables here have rows, but too few or none of those that this needs: {claim.metric}."
    known = all_tables()
    named = []
    for name in empty:
        sources = known[name].sources if name in known else ()
        named.append(f"{name} ({', '.join(sources)})" if sources else name)
    return f"No rows in {', '.join(named)}; put the files of the source into data/raw and refresh."


def _facts_behind(name: str) -> Iterable[str]:
    """The tables of facts that a shared measure reads itself; any other relation stands for itself."""
    sql = load_measures().shared_sql.get(name.removeprefix("measures."), "")
    return _FACTS.findall(sql) or [name]


def sentence_of(
    connection: duckdb.DuckDBPyConnection,
    claim: Claim,
    answer: Answer | None,
    status: str,
    *,
    is_demo: bool,
) -> str:
    """The evidence of a claim as text that can stand alone: what is known, and of which day."""
    if claim.query is None:
        return str(claim.not_measurable_reason)
    if answer is None:
        return missing_sources(connection, claim)
    parts = [answer.evidence]
    if answer.as_at is not None:
        parts.append(f"Evidence of {_day(answer.as_at)}.")
    elif answer.value is not None:
        parts.append("The source gives no date.")
    if status == "data not here" and claim.due is not None:
        parts.append(f"Nothing here shows {_day(claim.due)} or later.")
    prefix = FICTIONAL if is_demo and claim.is_computed else ""
    return prefix + " ".join(parts)


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def is_demonstration(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the organisations of this build are the fictional ones."""
    found = connection.execute("select coalesce(bool_or(is_demo), false) from dims.organisation")
    return bool(found.fetchall()[0][0])


def build_milestones(
    connection: duckdb.DuckDBPyConnection,
    ledger: Sequence[Claim] | None = None,
    *,
    today: date | None = None,
) -> pl.DataFrame:
    """``marts.milestone``: the status, value and dated evidence of every claim.

    Args:
        connection: from ``pipeline.marts.open_store``, or the published database;
            ``marts.published_evidence`` and ``marts.promised_money`` must be filled for the claims
            that rest on them.
        ledger: the claims; those of ``claims.yaml`` by default.
        today: day on which due dates are judged; the current day (UTC) by default.

    Returns:
        One row a claim in the columns of the contract.

    Raises:
        ClaimQueryError: when a query fails or returns something else than an answer.
    """
    today = today or datetime.now(UTC).date()
    is_demo = is_demonstration(connection)
    asked = claims() if ledger is None else ledger
    with _one_thread_a_query(connection):
        return milestone_table(
            [milestone(connection, claim, today, is_demo=is_demo) for claim in asked]
        )


def milestone_table(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """``marts.milestone`` of the rows that :func:`milestone` gave."""
    return pl.DataFrame(rows, schema=table("marts.milestone").polars)


@contextmanager
def _one_thread_a_query(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let every query work on one thread.

    The queries are written by the authors of claims, who need not think of the order in which means
    are added up; with one thread it is always the same.
    """
    threads = int(connection.sql("select current_setting('threads')").fetchall()[0][0])
    connection.execute("set threads = 1")
    try:
        yield
    finally:
        connection.execute(f"set threads = {threads}")


def milestone(
    connection: duckdb.DuckDBPyConnection,
    claim: Claim,
    today: date,
    *,
    is_demo: bool,
    asked: Callable[[duckdb.DuckDBPyConnection, Claim], Answer | None] = ask,
) -> dict[str, Any]:
    """One row of ``marts.milestone``: a claim is asked and judged.

    Args:
        connection: holds what the claim reads (:func:`tables_read_by_claim`).
        claim: the claim.
        today: day on which due dates are judged.
        is_demo: whether the organisations of the build are fictional.
        asked: gives the answer to a claim with a query; by default the query is asked.

    Raises:
        ClaimQueryError: when the query fails or returns something else than an answer.
    """
    answer = asked(connection, claim) if claim.query is not None else None
    status = judge(claim, answer, today)
    basis = None
    if answer is not None:
        basis = "computed from this build" if claim.is_computed else "published figure"
    return {
        "claim_id": claim.id,
        "theme": claim.theme,
        "claim": claim.claim,
        "kind": claim.kind,
        "said_by": claim.said_by,
        "said_on": claim.said_on,
        "citation": claim.citation,
        "url": claim.url,
        "due": claim.due,
        "metric": claim.metric,
        "unit": claim.unit,
        "threshold": claim.threshold,
        "direction": None if claim.threshold is None else claim.direction,
        "status": status,
        "value": answer.value if answer else None,
        "evidence": sentence_of(connection, claim, answer, status, is_demo=is_demo),
        "evidence_as_at": answer.as_at if answer else None,
        "evidence_basis": basis,
        "not_measurable_reason": claim.not_measurable_reason,
        "query": claim.query,
        "caveat": claim.caveat,
        "author": claim.author,
        "reviewed": claim.reviewed,
        "judged_on": today,
        "is_demo": is_demo,
    }


def promised_money(is_demo: bool) -> pl.DataFrame:
    """``marts.promised_money``: promised, changed and delivered pounds of ``money.yaml``.

    Args:
        is_demo: whether this is the demonstration.

    Returns:
        One row a promise; ``delivered_share`` is null where nothing was published as delivered.
    """
    rows = []
    for promise in promises():
        row = promise.model_dump()
        row["promise_id"] = row.pop("id")
        delivered = promise.delivered_gbp
        row["delivered_share"] = None if delivered is None else delivered / promise.promised_gbp
        rows.append(row | {"is_demo": is_demo})
    return pl.DataFrame(rows, schema=table("marts.promised_money").polars)


def evidence_published(is_demo: bool) -> pl.DataFrame:
    """``marts.published_evidence``: the cited figures and findings of ``published.yaml``.

    Args:
        is_demo: whether this is the demonstration.

    Returns:
        One row a figure or finding.
    """
    rows = []
    for entry in published_evidence():
        row = entry.model_dump()
        row["evidence_id"] = row.pop("id")
        rows.append(row | {"is_demo": is_demo})
    return pl.DataFrame(rows, schema=table("marts.published_evidence").polars)


#: The marts that are cited figures; they read nothing but whether this is the demonstration.
CITED: dict[str, Callable[[bool], pl.DataFrame]] = {
    "marts.published_evidence": evidence_published,
    "marts.promised_money": promised_money,
}


def build_promised_money(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """:func:`promised_money` of an open store (``pipeline.marts.open_store``)."""
    return promised_money(is_demonstration(connection))


def build_published_evidence(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """:func:`evidence_published` of an open store (``pipeline.marts.open_store``)."""
    return evidence_published(is_demonstration(connection))


#: The marts made in Python, in order, after every SQL mart.
LEDGER_MARTS: dict[str, Callable[[duckdb.DuckDBPyConnection], pl.DataFrame]] = {
    "marts.published_evidence": build_published_evidence,
    "marts.promised_money": build_promised_money,
    "marts.milestone": build_milestones,
}


def tables_read_by(name: str) -> frozenset[str]:
    """Tables and views that a mart of ``LEDGER_MARTS`` reads, for lineage.

    Args:
        name: such as ``marts.milestone``.

    Raises:
        KeyError: when it is not one of ``LEDGER_MARTS``.
    """
    if name not in LEDGER_MARTS:
        raise KeyError(f"{name} is not made from the ledger; these are: {', '.join(LEDGER_MARTS)}")
    read = {"dims.organisation"}
    if name == "marts.milestone":
        read |= {source for claim in claims() for source in claim.tables}
    return frozenset(read)
