"""The definition ladder: the same question under every definition, side by side.

Belongs here: charts that compare definitions of ``marts.digital_share``. Does not belong here:
charts of one definition.
"""

from __future__ import annotations

import polars as pl

from pipeline.charts import theme
from pipeline.charts.format import (
    exact_percent,
    label,
    listing,
    percent,
    plotly_text,
    plural,
    short_name,
)
from pipeline.charts.model import Chart, TableColumn, Tables, nothing_to_show
from pipeline.charts.selection import (
    Headline,
    all_measures,
    any_demo,
    frame,
    headline,
    source_text,
    vintage_text,
)
from pipeline.charts.share import SOURCES

LADDER_COLUMNS = (
    TableColumn("definition", "Definition"),
    TableColumn("title", "What it counts"),
    TableColumn("kind", "Kind"),
    TableColumn("financial_year", "Year"),
    TableColumn("n", "Trusts", "count"),
    TableColumn("p10", "10th percentile", "percent"),
    TableColumn("median", "Median", "percent"),
    TableColumn("p90", "90th percentile", "percent"),
    TableColumn("reached", "At or above the benchmark", "count"),
)


def headlines(tables: Tables) -> list[Headline]:
    """The best-covered latest year of every definition, for the default denominator."""
    first = headline(tables)
    if first is None:
        return []
    shares = frame(tables, "marts.digital_share")
    names = sorted(shares.filter(pl.col("share").is_not_null())["definition"].unique())
    found = []
    for name in names:
        head = headline(tables, name, first.measure.denominator)
        if head is not None and head.n:
            found.append(head)
    return found


def definition_ladder(tables: Tables) -> Chart:
    """One strip of trusts for each definition, with median and the band from P10 to P90.

    Args:
        tables: marts.digital_share, marts.coverage, dims.measure.
    """
    chart_id = "definition-ladder"
    source, vintage = source_text(tables, SOURCES), vintage_text(tables, SOURCES)
    heads = headlines(tables)
    if not heads:
        why = "No share is known under any definition"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    rows = []
    for head in heads:
        share = head.counted["share"]
        rows.append(
            {
                "definition": head.measure.definition,
                "title": head.measure.title,
                "kind": head.measure.kind,
                "financial_year": head.year,
                "n": head.n,
                "p10": share.quantile(0.1, "linear"),
                "median": share.median(),
                "p90": share.quantile(0.9, "linear"),
                "reached": head.counted.filter(pl.col("share") >= head.benchmark).height,
            }
        )
    table = pl.DataFrame(rows)
    benchmark = heads[0].benchmark
    body = theme.new_figure(80 + 92 * len(heads))
    reach = benchmark * 110
    for at, head in enumerate(heads):
        row = rows[at]
        points = head.counted.sort("share", "organisation_code")
        values = [v * 100 for v in points["share"]]
        reach = max(reach, *values)
        body.add_scatter(
            x=[row["p10"] * 100, row["p90"] * 100],
            y=[at, at],
            mode="lines",
            line={"color": theme.PALE_BLUE, "width": 30},
            hoverinfo="skip",
        )
        body.add_scatter(
            x=[round(v, 4) for v in values],
            # Spread over five lines, in order of share, so that equal shares do not hide each other.
            y=[at + ((i % 5) - 2) * 0.085 for i in range(len(values))],
            mode="markers",
            marker={"color": theme.BLUE, "size": 7, "opacity": 0.7},
            hovertext=[
                f"<b>{plotly_text(short_name(r['organisation_name'], r['organisation_code']))}</b>"
                f"<br>{head.measure.definition} {head.year}: {percent(r['share'])}, badge "
                f"{r['badge']}"
                for r in points.iter_rows(named=True)
            ],
            hoverinfo="text",
        )
        body.add_scatter(
            x=[row["median"] * 100],
            y=[at],
            mode="markers",
            marker={
                "symbol": "line-ns",
                "size": 34,
                "line": {"color": theme.INK, "width": 3},
            },
            hoverinfo="skip",
        )
        body.add_scatter(
            x=[row["median"] * 100],
            y=[at - 0.3],
            mode="text",
            text=[f"median {percent(row['median'])}"],
            textposition="top center",
            textfont={"size": 11},
            hoverinfo="skip",
        )
    body.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(heads))),
        ticktext=[
            f"<b>{label(h.measure.definition, 6, 1)}</b> {label(h.measure.title, 22, 3)}"
            f"<br>{h.year}, n = {h.n}"
            for h in heads
        ],
        range=[len(heads) - 0.5, -0.75],
        showgrid=False,
        zeroline=False,
        fixedrange=True,
    )
    shapes, notes = theme.vertical_references(benchmark)
    body.update_layout(shapes=shapes, annotations=notes, margin={"t": 50, "b": 44, "r": 8})
    body.update_xaxes(
        range=[min(0, *(100 * (r["p10"] or 0) for r in rows)), reach * 1.04],
        ticksuffix="%",
        title="share of expenditure",
        showgrid=False,
    )
    parts = [f"{percent(r['median'])} under {r['definition']}" for r in rows]
    reached = sum(1 for r in rows if r["reached"])
    level = exact_percent(benchmark)
    ends = (
        f"no trust reaches {level} under any"
        if not reached
        else f"some trust reaches {level} under {reached} of {plural(len(rows), 'definition')}"
    )
    title = f"The middle trust's share is {listing(parts)}; {ends}"
    demo = any_demo(*(h.counted for h in heads))
    if demo:
        theme.mark_demonstration(body)
    return Chart(
        id=chart_id,
        title=title,
        subtitle=(
            "Dot: one trust. Bar: median. Band: from the 10th to the 90th percentile. Each "
            "definition in its own best-covered latest year. "
            + theme.REFERENCE_SENTENCE.format(benchmark=level)
        ),
        body=body,
        definition=" ".join(h.measure.definition_text for h in heads),
        denominator=heads[0].measure.denominator_text,
        source=source,
        vintage=vintage,
        n=max(h.n for h in heads),
        coverage="; ".join(f"{h.measure.definition}: {h.coverage.rstrip('.')}" for h in heads)
        + ".",
        alt=title,
        table=table,
        columns=LADDER_COLUMNS,
        caveat=(
            "Definitions measure different things in different years: compare them, never add them "
            "up. Payments already contain capital cash."
        ),
        is_demo=demo,
    )


RANK_COLUMNS = (
    TableColumn("one", "One"),
    TableColumn("other", "Other"),
    TableColumn("financial_year", "Year"),
    TableColumn("n", "Trusts in both", "count"),
    TableColumn("rank_correlation", "Rank correlation", "score2"),
)
FEWEST_FOR_RANKS = 5


def rank_agreement(tables: Tables) -> Chart:
    """How far definitions and denominators put trusts in the same order (Spearman).

    Args:
        tables: marts.digital_share, marts.coverage, dims.measure.
    """
    chart_id = "rank-agreement"
    source, vintage = source_text(tables, SOURCES), vintage_text(tables, SOURCES)
    head = headline(tables)
    if head is None:
        why = "No share is known, so definitions cannot be compared"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    rows = frame(tables, "marts.digital_share").filter(
        pl.col("share").is_not_null()
        & (pl.col("badge") != "C")
        & (pl.col("financial_year") == head.year)
    )
    base = (head.measure.definition, head.measure.denominator)
    known = {(m.definition, m.denominator) for m in all_measures(tables)}
    pairs = []
    own = _ranked(rows, *base)
    for definition, denominator in sorted(
        {*rows.select("definition", "denominator").unique().rows()} & known
        if known
        else {*rows.select("definition", "denominator").unique().rows()}
    ):
        if (definition, denominator) == base:
            continue
        both = own.join(_ranked(rows, definition, denominator), on="organisation_code")
        if both.height < FEWEST_FOR_RANKS:
            continue
        correlation = both.select(pl.corr("share", "share_right", method="spearman")).item()
        if correlation is None or correlation != correlation:
            continue
        pairs.append(
            {
                "one": " / ".join(base).replace("_", " "),
                "other": f"{definition} / {denominator}".replace("_", " "),
                "financial_year": head.year,
                "n": both.height,
                "rank_correlation": float(correlation),
            }
        )
    if not pairs:
        why = f"Too few trusts have two definitions in {head.year} to compare their order"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    table = pl.DataFrame(pairs)
    body = theme.new_figure(64 + 32 * len(pairs))
    body.add_scatter(
        x=[round(p["rank_correlation"], 3) for p in pairs],
        y=list(range(len(pairs))),
        mode="markers+text",
        marker={"color": theme.BLUE, "size": 11},
        text=[f"  {p['rank_correlation']:.2f}" for p in pairs],
        textposition="middle right",
        hovertext=[f"{plotly_text(p['other'])}<br>{plural(p['n'], 'trust')}" for p in pairs],
        hoverinfo="text",
        cliponaxis=False,
    )
    body.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(pairs))),
        ticktext=[label(p["other"], 24, 2) for p in pairs],
        range=[len(pairs) - 0.5, -0.5],
        fixedrange=True,
        zeroline=False,
    )
    low = min(0.0, *(p["rank_correlation"] for p in pairs))
    body.update_xaxes(range=[low - 0.05, 1.15], title="rank correlation (1: the same order)")
    body.update_layout(margin={"t": 12, "b": 46, "r": 8})
    worst = min(pairs, key=lambda p: (p["rank_correlation"], p["other"]))
    title = (
        f"The order of trusts agrees least with {worst['other']} (rank correlation "
        f"{worst['rank_correlation']:.2f}), {head.year}"
    )
    demo = any_demo(rows)
    if demo:
        theme.mark_demonstration(body)
    return Chart(
        id=chart_id,
        title=title,
        subtitle=(
            f"Each definition and denominator against {pairs[0]['one']}. Where the dot is far from "
            "1, who looks high depends on the definition."
        ),
        body=body,
        definition="Spearman rank correlation of shares over trusts with badge A or B.",
        denominator=head.measure.denominator_text,
        source=source,
        vintage=vintage,
        n=max(p["n"] for p in pairs),
        coverage=head.coverage,
        alt=title,
        table=table,
        columns=RANK_COLUMNS,
        caveat="Agreement of order says nothing about the level of the shares.",
        is_demo=demo,
    )


def _ranked(rows: pl.DataFrame, definition: str, denominator: str) -> pl.DataFrame:
    return rows.filter(
        (pl.col("definition") == definition) & (pl.col("denominator") == denominator)
    ).select("organisation_code", "share")
