"""Judging a claim of the ledger: its query is asked, and the answer becomes a status.

Belongs here: the statuses, what an answer is, and the rules of judgement. Does not belong here: the
tables made of them (``pipeline.marts.milestones``) or the claims (``pipeline.reference``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from pipeline.reference.claims import Claim

STATUSES = (
    "met",
    "not met",
    "partly",
    "not yet due",
    "not measurable in public data",
    "data not here",
    "context",
)
ANSWER = ("value", "evidence", "as_at", "status")


class ClaimQueryError(RuntimeError):
    """The query of a claim failed or did not return one row of value, evidence, as_at."""


@dataclass(frozen=True)
class Answer:
    """What the query of a claim returned.

    Attributes:
        value: the metric in the claim's unit; None when not known.
        evidence: a sentence.
        as_at: day of the evidence; None when its source gives none.
        status: the query's own judgement, where a threshold cannot express it.
    """

    value: float | None
    evidence: str
    as_at: date | None
    status: str | None = None


def ask(connection: duckdb.DuckDBPyConnection, claim: Claim) -> Answer | None:
    """Run the query of a claim.

    Args:
        connection: DuckDB with the schemas dims, facts, marts and measures.
        claim: a claim with a query.

    Returns:
        The answer, or None when the query returned no row or an empty one.

    Raises:
        ClaimQueryError: when the SQL fails, returns other columns, several rows or an unknown
            status; the message names the claim.
    """
    place = f"pipeline/reference/claims.yaml: claim {claim.id}"
    try:
        # executed, not connection.sql(): a relation is planned once for its columns and again to run
        asked = connection.execute(str(claim.query))
        columns, rows = [str(c[0]) for c in asked.description or ()], asked.fetchall()
    except duckdb.Error as error:
        raise ClaimQueryError(f"{place}: the query failed: {error}; correct the query") from error
    if not set(ANSWER[:3]) <= set(columns) <= set(ANSWER) or len(rows) > 1:
        raise ClaimQueryError(
            f"{place}: the query returned {len(rows)} rows of {', '.join(columns)}; "
            f"expected at most one row of {', '.join(ANSWER[:3])} and perhaps status"
        )
    if not rows:
        return None
    row: dict[str, Any] = dict(zip(columns, rows[0], strict=True))
    value = None if row["value"] is None else float(row["value"])
    if value is None and row["evidence"] is None:
        return None
    status = row.get("status")
    if status is not None and status not in STATUSES:
        raise ClaimQueryError(f"{place}: unknown status {status!r}; expected {', '.join(STATUSES)}")
    # A hole in the data can empty a whole sentence; the figure must not get lost with it.
    plain = f"{claim.metric}: {value} {claim.unit or ''}".strip() + "."
    return Answer(value, str(row["evidence"] or plain).strip(), row["as_at"], status)


def judge(claim: Claim, answer: Answer | None, today: date) -> str:
    """The status of a claim.

    The order matters: what is reached counts at any time; before the due date nothing has failed;
    a later due date than the evidence leaves the question open.

    Args:
        claim: the claim; a claim without a query is not measurable.
        answer: what its query returned.
        today: the day of judgement.

    Returns:
        One of ``STATUSES``.
    """
    if claim.query is None:
        return "not measurable in public data"
    if answer is None:
        return "data not here"
    open_until = claim.due is not None and claim.due >= today
    if answer.status in ("met", "context"):
        return answer.status
    if answer.status is not None:
        return "not yet due" if open_until else answer.status
    if claim.threshold is None:
        return "context"
    if answer.value is None:
        return "not yet due" if open_until else "data not here"
    if claim.direction == "at least" and answer.value >= claim.threshold:
        return "met"
    if claim.direction == "below" and answer.value < claim.threshold:
        return "met"
    if open_until:
        return "not yet due"
    if claim.partly_from is not None and answer.value >= claim.partly_from:
        return "partly"
    if claim.due is not None and answer.as_at is not None and answer.as_at < claim.due:
        return "data not here"
    return "not met"
