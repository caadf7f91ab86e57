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
from pipeline.charts.strip import Strip, draw_strips

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
    TableColumn("why", "Why there is no figure"),
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
    missing = _without_figure(tables, heads)
    rows_missing = [
        {"definition": d, "title": t, "kind": k, "financial_year": None, "n": 0, "why": why}
        for d, t, k, why in missing
    ]
    table = pl.concat(
        [pl.DataFrame(rows), pl.DataFrame(rows_missing)] if missing else [pl.DataFrame(rows)],
        how="diagonal_relaxed",
    ).sort("definition")
    benchmark = heads[0].benchmark
    strips = len(heads) + len(missing)
    reach = max([benchmark * 110, *(100 * v for h in heads for v in h.counted["share"])])
    body = draw_strips(
        [
            Strip(
                label=f"<b>{label(h.measure.definition, 6, 1)}</b> "
                f"{label(h.measure.title, 22, 3)}<br>{h.year}, n = {h.n}",
                values=[100 * v for v in h.counted["share"]],
                hovers=[
                    "<b>"
                    + plotly_text(short_name(r["organisation_name"], r["organisation_code"]))
                    + f"</b><br>{h.measure.definition} {h.year}: {percent(r['share'])}, badge "
                    f"{r['badge']}"
                    for r in h.counted.iter_rows(named=True)
                ],
            )
            for h in heads
        ],
        lambda v: percent(v / 100),
        empty_rows=len(missing),
    )
    body.update_yaxes(
        tickvals=list(range(strips)),
        ticktext=[
            *body.layout["yaxis"]["ticktext"],
            *(f"<b>{label(d, 6, 1)}</b> {label(t, 22, 3)}" for d, t, _, _ in missing),
        ],
    )
    shapes, notes = theme.vertical_references(benchmark)
    # A definition without a figure keeps its row and says why: leaving it out would hide the hole.
    for at, (_, _, _, why) in enumerate(missing, len(heads)):
        notes.append(
            {
                "x": 0.01,
                "xref": "paper",
                "xanchor": "left",
                "y": at,
                "yref": "y",
                "align": "left",
                "text": label(f"not available: {why}", 29, 4),
                "showarrow": False,
                "bgcolor": theme.PAPER,
            }
        )
    body.update_layout(shapes=shapes, annotations=notes, margin={"t": 50, "b": 44, "r": 8})
    body.update_xaxes(
        range=[min(0, *(100 * (r["p10"] or 0) for r in rows)), reach * 1.04],
        ticksuffix="%",
        title="share of expenditure",
        showgrid=False,
    )
    gone = f"; {listing([m[0] for m in missing])} cannot be computed" if missing else ""
    # The middle of 28 trusts beside that of one says nothing, unless it is said of how many.
    alike = len({r["n"] for r in rows}) == 1
    parts = [
        f"{percent(r['median'])} under {r['definition']}"
        + ("" if alike else f" ({plural(r['n'], 'trust')})")
        for r in rows
    ]
    reached = sum(1 for r in rows if r["reached"])
    level = exact_percent(benchmark)
    ends = (
        f"no trust reaches {level}"
        if not reached
        else f"some trust reaches {level} under {reached} of {plural(len(rows), 'definition')}"
    )
    whose = "One trust's" if {r["n"] for r in rows} == {1} else "The middle trust's"
    title = f"{whose} share is {listing(parts)}; {ends}{gone}"
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
        sketch=body,
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


def _without_figure(tables: Tables, heads: list[Headline]) -> list[tuple[str, str, str, str]]:
    """Definitions that no trust can be measured by: identifier, title, kind, commonest reason."""
    known = {h.measure.definition for h in heads}
    coverage = frame(tables, "marts.coverage")
    # Asked of trusts that have every other figure: for the others the reason is a missing file.
    known_of = [set(h.counted["organisation_code"]) for h in heads]
    measured = sorted(set.intersection(*known_of) or set.union(*known_of))
    years = sorted({h.year for h in heads})
    found: dict[str, tuple[str, str, str, str]] = {}
    for measure in sorted(all_measures(tables), key=lambda m: m.definition):
        if measure.definition in known or measure.definition in found:
            continue
        reasons = (
            coverage.filter(
                (pl.col("definition") == measure.definition)
                & (pl.col("denominator") == heads[0].measure.denominator)
                & pl.col("organisation_code").is_in(measured)
                & pl.col("financial_year").is_in(years)
            )
            .group_by("reason")
            .len()
            .sort(["len", "reason"], descending=[True, False])
        )
        why = reasons["reason"][0] if reasons.height else "its sources are not here."
        found[measure.definition] = (measure.definition, measure.title, measure.kind, why)
    return list(found.values())
