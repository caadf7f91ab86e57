"""The questions a reader comes with, each answered in a sentence or two at the top of the home page.

Belongs here: how sure, where the money went, who is most mature, what cannot be known. Does not
belong here: the first answer itself (``pipeline.charts.answer``) or figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipeline.charts.answer import Answer
from pipeline.charts.format import decimal, listing, money, percent, plural, short_name
from pipeline.charts.maturity import SUMMARIES
from pipeline.charts.mix import category_titles, title_of
from pipeline.charts.selection import Headline, best_year, frame, headline

Tables = Mapping[str, pl.DataFrame]
#: More names than this are a number, not a list.
MOST_NAMES = 4


@dataclass(frozen=True)
class Minute:
    """One question with its answer and the page that says more.

    Attributes:
        question: A few words.
        answer: A sentence or two.
        page: Address from the root of the site.
        more: Words of the link.
    """

    question: str
    answer: str
    page: str
    more: str


def minute(tables: Tables, answer: Answer) -> list[Minute]:
    """The questions that follow the first answer.

    Args:
        tables: marts.spend_mix, marts.supplier, marts.maturity, marts.coverage, dims.*.
        answer: What stands above them.
    """
    head = headline(tables)
    return [
        Minute(
            "How sure is that?",
            answer.uncertainty,
            "method.html#intervals",
            "What the range holds",
        ),
        Minute(
            "Where did the money go?", _money(tables, head), "spending.html", "More on spending"
        ),
        Minute("Who is most mature?", _mature(tables, head), "maturity.html", "More on maturity"),
        Minute(
            "What cannot be known?",
            f"{answer.coverage} Most payments under £25,000, the pay of digital staff and what "
            "national bodies pay for a trust are in no public file by trust.",
            "coverage.html",
            "What is missing, and why",
        ),
    ]


def _money(tables: Tables, head: Headline | None) -> str:
    """The largest kinds and suppliers of the counted trusts' digital payments of the year."""
    mix = frame(tables, "marts.spend_mix").filter(pl.col("digital") == "yes")
    own = mix.clear()
    if head is not None:
        codes = head.counted["organisation_code"].implode()
        own = mix.filter(
            (pl.col("financial_year") == head.year) & pl.col("organisation_code").is_in(codes)
        )
    if head is not None and (own["amount_gbp"].sum() or 0) > 0:
        whose = "their" if head.n > 1 else "its"
        text = _parts(tables, own, f"The largest parts of {whose} digital payments")
        return text + _suppliers(tables, head.year)
    # Payments of trusts or years without accounts have no share, and yet were spent on something.
    year = best_year(mix.select("organisation_code", "financial_year").unique())
    rest = mix.filter(pl.col("financial_year") == year) if year else mix
    if year is None or (rest["amount_gbp"].sum() or 0) <= 0:
        return "No digital payment is here."
    who = plural(rest["organisation_code"].n_unique(), "trust")
    said = (
        f"The largest parts of the digital payments of {who} in {year}, of which no share is known"
    )
    return _parts(tables, rest, said) + _suppliers(tables, year)


def _parts(tables: Tables, rows: pl.DataFrame, said: str) -> str:
    """The three largest kinds in ``rows``, which have a sum above nought."""
    kinds = (
        rows.group_by("category")
        .agg(pl.col("amount_gbp").sum())
        .sort("amount_gbp", "category", descending=[True, False])
    )
    total = float(kinds["amount_gbp"].sum())
    titles = category_titles(tables)
    named = [
        f"{title_of(r['category'], titles)} ({percent(r['amount_gbp'] / total)})"
        for r in kinds.head(3).to_dicts()
    ]
    return f"{said}: {listing(named)}."


def _suppliers(tables: Tables, year: str) -> str:
    """The three largest named suppliers of the year, over every payment here."""
    top = (
        frame(tables, "marts.supplier")
        .filter(
            (pl.col("financial_year") == year) & pl.col("is_named") & (pl.col("amount_gbp") > 0)
        )
        .sort("amount_gbp", "supplier", descending=[True, False])
        .head(3)
    )
    if top.is_empty():
        return ""
    names = [f"{r['supplier']} ({money(r['amount_gbp'])})" for r in top.to_dicts()]
    return f" The largest suppliers in all files here: {listing(names)}."


def _mature(tables: Tables, head: Headline | None) -> str:
    """The highest mean of the pillars, among the counted trusts and in England, largest setting."""
    rows = frame(tables, "marts.maturity").filter(
        (pl.col("pillar") == SUMMARIES[0])
        & pl.col("score").is_not_null()
        & ~pl.col("organisation_kind").str.to_lowercase().str.contains("board|icb|icp")
    )
    if rows.is_empty():
        return "No mean score of digital maturity is here."
    rows = rows.filter(pl.col("year") == pl.col("year").max())
    sizes = (
        rows.group_by("care_setting").len().sort("len", "care_setting", descending=[True, False])
    )
    setting = str(sizes["care_setting"][0])
    rows = rows.filter(pl.col("care_setting") == setting)
    year = rows["year"][0]
    parts = []
    if head is not None:
        own = rows.filter(
            pl.col("organisation_code").is_in(head.rows["organisation_code"].implode())
        )
        if own.height > 1:
            parts.append(f"highest of the {own.height} trusts with payments here: {_best(own)}")
    parts.append(f"highest of all {rows.height}: {_best(rows)}")
    text = "; ".join(parts)
    return (
        f"By their own assessment ({year}, {setting.lower()} care, mean of the pillars, 1 to 5): "
        f"{text}. Trusts score themselves and differences of a few tenths mean little."
    )


def _best(rows: pl.DataFrame) -> str:
    """Who has the highest score as it is shown, with one decimal."""
    shown = rows.with_columns(pl.col("score").round(1).alias("shown"))
    best: Any = shown["shown"].max()
    names = sorted(
        short_name(r["organisation_name"], r["organisation_code"])
        for r in shown.filter(pl.col("shown") == best).to_dicts()
    )
    who = listing(names) if len(names) <= MOST_NAMES else plural(len(names), "trust")
    return f"{who} ({decimal(best, 1)})"
