"""The answer in one sentence, with its uncertainty and its coverage.

Belongs here: the sentences at the top of the home page, computed from ``marts.digital_share``. Does
not belong here: charts.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pipeline.charts.format import be, exact_percent, in_range, money, percent, plural, span
from pipeline.charts.model import Tables
from pipeline.charts.selection import Headline, headline


@dataclass(frozen=True)
class Answer:
    """What the home page says first.

    Attributes:
        sentence: The answer.
        gap: The same in pounds.
        uncertainty: How sure it is.
        coverage: How much of the sector it covers.
    """

    sentence: str
    gap: str
    uncertainty: str
    coverage: str


@dataclass(frozen=True)
class Together:
    """All counted trusts as one: sums, and the share at both ends of every interval."""

    share: float
    lower: float
    upper: float
    numerator: float
    expenditure: float
    gap: float


def together(head: Headline) -> Together | None:
    """The counted trusts taken together, or None when there is none.

    The ends assume that every trust is at the same end of its interval, so the range is wide on
    purpose: errors of classification and capture are shared, they do not cancel.
    """
    rows = head.counted.filter(pl.col("denominator_gbp") > 0)
    if rows.is_empty():
        return None
    base = float(rows["denominator_gbp"].sum())
    ends = rows.select(
        (pl.col("share_lower").fill_null(pl.col("share")) * pl.col("denominator_gbp")).sum(),
        (pl.col("share_upper").fill_null(pl.col("share")) * pl.col("denominator_gbp")).sum(),
    ).row(0)
    numerator = float(rows["numerator_gbp"].sum())
    return Together(
        share=numerator / base,
        lower=ends[0] / base,
        upper=ends[1] / base,
        numerator=numerator,
        expenditure=base,
        gap=head.benchmark * base - numerator,
    )


def answer(tables: Tables) -> Answer:
    """The answer to "how far is each trust from the benchmark" from the default definition.

    Args:
        tables: marts.digital_share, marts.coverage, dims.measure, dims.organisation.
    """
    head = headline(tables)
    if head is None:
        return Answer(
            "The files here do not yet allow a share of expenditure for any trust.",
            "",
            "Nothing can be said about uncertainty without a figure.",
            "A share needs provider accounts and published payments of the same trusts and years: add what "
            "is missing, then build again.",
        )
    level = exact_percent(head.benchmark)
    whole = together(head)
    if whole is None:
        return Answer(
            f"No trust has a complete enough year in {head.year} to be compared with {level}.",
            "",
            "Incomplete data (badge C) are shown in grey and are not counted.",
            head.coverage,
        )
    reached = head.counted.filter(pl.col("share") >= head.benchmark).height
    maybe = head.counted.filter(
        (pl.col("share") < head.benchmark) & (pl.col("share_upper") >= head.benchmark)
    ).height
    verb = head.measure.spent.format(level=percent(whole.share))
    place = head.place(tables)
    subject = f"One trust{place}" if head.n == 1 else f"{plural(head.n, 'trust')}{place} together"
    none = {0: "none of them reached it" if head.n > 1 else "it did not reach it"}
    reach = none.get(
        reached, f"{reached} of {head.n} reached it" if head.n > 1 else "it reached it"
    )
    sentence = f"{subject} {verb} in {head.year}, against a recommended {level}; {reach}."
    least, most = ((head.benchmark - end) * whole.expenditure for end in (whole.upper, whole.lower))
    gap = (
        f"That is {money(whole.gap)} a year short{in_range(least, most, money)}"
        if whole.gap > 0
        else f"That is {money(-whole.gap)} a year above{in_range(-most, -least, money)}"
    )
    if head.measure.kind == "lower bound":
        gap += "; what was not published counts as not spent"
    if head.measure.is_capital:
        gap += "; it counts capital alone, nothing that is paid from revenue"
    nature = {
        "lower bound": " The figure is a lower bound: most small invoices and all pay are not in it.",
        "estimate": " The figure is an estimate.",
        "counted": f" {head.measure.first_caveat}",
    }.get(head.measure.kind, "")
    ends = span(whole.lower, whole.upper)
    sure = (
        f"Allowing for errors of measurement the share lies between {ends.replace(' to ', ' and ')}."
        if ends
        else "The figures are from audited accounts and have no range of measurement error."
        if head.measure.is_capital
        else "No range of measurement error is known."
    )
    possible = (
        f" At the upper end of its range, {plural(maybe, 'more trust' if reached else 'trust')} "
        f"would reach {level}."
        if maybe
        else ""
    )
    return Answer(
        sentence,
        f"{gap}.",
        f"{sure}{possible}{nature}{_estimates(tables, head)}",
        f"{head.coverage}{_missing_months(head)}",
    )


def _estimates(tables: Tables, head: Headline) -> str:
    """What the estimates that go further say of the same year, where the headline is a lower bound."""
    if head.measure.kind != "lower bound":
        return ""
    told = []
    for definition, what in (
        ("D2", "unpublished spending"),
        ("D3", "unpublished spending and pay"),
    ):
        other = headline(tables, definition, head.measure.denominator)
        whole = together(other) if other is not None and other.year == head.year else None
        if other is None or whole is None:
            continue
        above = other.counted.filter(pl.col("share") >= other.benchmark).height
        reach = "none is" if not above else "1 trust is" if above == 1 else f"{above} trusts are"
        told.append(
            f"with {what} ({definition}) {percent(whole.share)}, range {percent(whole.lower)} to "
            f"{percent(whole.upper)}, and {reach} at {exact_percent(other.benchmark)} or above"
        )
    return f" Estimates: {'; '.join(told)}." if told else ""


def _missing_months(head: Headline) -> str:
    """How many months the counted trusts lack, because a lower bound is lower without them."""
    months = head.counted["months_present"].drop_nulls()
    missing = 12 * len(months) - int(months.sum() or 0)
    if not missing:
        return ""
    whose = "trust's" if len(months) == 1 else "trusts'"
    verb = be(missing, past=False)
    return f" {missing} of the counted {whose} {12 * len(months)} months {verb} missing."
