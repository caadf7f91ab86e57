"""How widely shares vary between trusts, and how much of that their size explains.

Belongs here: the caterpillar and the funnel of ``marts.digital_share``. Does not belong here: charts
that name each trust on an axis (``share``).
"""

from __future__ import annotations

import math

import polars as pl

from pipeline.charts import theme
from pipeline.charts.format import exact_percent, money, percent, plotly_text, plural, short_name
from pipeline.charts.model import Chart, TableColumn, Tables, nothing_to_show
from pipeline.charts.selection import any_demo, as_float, headline, source_text, vintage_text
from pipeline.charts.share import SHARE_COLUMNS, SOURCES, hover_of_share

FEWEST_FOR_LIMITS = 8
Z95, Z998 = 1.96, 3.09
#: With fewer the ends of a tenth are hardly a trust.
FEW_TRUSTS = 20


def caterpillar(tables: Tables) -> Chart:
    """Every counted trust's share with its interval, sorted, over the band from P10 to P90.

    Names stand in the hover and the table only, so that the picture shows the spread and no ranks.

    Args:
        tables: marts.digital_share, marts.coverage, dims.measure.
    """
    chart_id = "caterpillar"
    source, vintage = source_text(tables, SOURCES), vintage_text(tables, SOURCES)
    head = headline(tables)
    if head is None or head.n < 2:
        why = "Fewer than two trusts can be counted, so there is no spread to show"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    rows = head.counted.sort("share", "organisation_code")
    share = [v * 100 for v in rows["share"]]
    upper = [v * 100 for v in rows["share_upper"].fill_null(rows["share"])]
    lower = [v * 100 for v in rows["share_lower"].fill_null(rows["share"])]
    p10, p90 = (as_float(rows["share"].quantile(q, "linear")) or 0 for q in (0.1, 0.9))
    body = theme.new_figure(400)
    shapes, notes = theme.horizontal_references(head.benchmark)
    shapes.append(
        {
            "type": "rect",
            "xref": "paper",
            "yref": "y",
            "x0": 0,
            "x1": 1,
            "y0": p10 * 100,
            "y1": p90 * 100,
            "fillcolor": theme.PALE_BLUE,
            "opacity": 0.35,
            "line": {"width": 0},
            "layer": "below",
        }
    )
    body.add_scatter(
        x=list(range(1, rows.height + 1)),
        y=[round(v, 4) for v in share],
        mode="markers",
        marker={
            "color": theme.BLUE,
            "size": 8 if rows.height < 80 else 6,
            "symbol": [theme.BADGE_SYMBOL[b] for b in rows["badge"]],
        },
        error_y={
            "type": "data",
            "array": [round(u - v, 4) for u, v in zip(upper, share, strict=True)],
            "arrayminus": [round(v - w, 4) for v, w in zip(share, lower, strict=True)],
            "color": theme.MUTED,
            "thickness": 1,
            "width": 0,
        },
        hovertext=[hover_of_share(r, head) for r in rows.iter_rows(named=True)],
        hoverinfo="text",
    )
    body.update_layout(shapes=shapes, annotations=notes, margin={"t": 14, "b": 34, "r": 42})
    body.update_xaxes(
        showticklabels=False,
        showgrid=False,
        zeroline=False,
        title="one mark for each trust, lowest share on the left",
    )
    body.update_yaxes(ticksuffix="%", rangemode="tozero")
    # "Nine in ten" of nine trusts would be a trust that is not there.
    few = rows.height < FEW_TRUSTS
    ends = (
        (as_float(rows["share"][0]) or 0, as_float(rows["share"][-1]) or 0) if few else (p10, p90)
    )
    ratio = f", {ends[1] / ends[0]:.1f} times as much" if ends[0] > 0 else ""
    # From low to high: do the ranges of one and the next meet?
    overlap = sum(top >= bottom for top, bottom in zip(upper[:-1], lower[1:], strict=True))
    pairs = plural(head.n - 1, "pair")
    told_apart = (
        f"The ranges of {overlap} of {pairs} of neighbours in this picture overlap: those cannot be "
        "told apart."
        if upper != lower
        else "These figures are from audited accounts and have no range."
        if head.measure.is_capital
        else "No range is known."
    )
    title = (
        f"The shares of {head.n} trusts run from {percent(ends[0])} to {percent(ends[1])}{ratio}, in "
        f"{head.year}"
        if few
        else f"Nine in ten trusts are above {percent(p10)} and nine in ten below "
        f"{percent(p90)}{ratio}, in {head.year}"
    )
    demo = any_demo(rows)
    if demo:
        theme.mark_demonstration(body)
    return Chart(
        id=chart_id,
        title=title,
        subtitle=(
            "Line through each mark: range of measurement error. Band: from the 10th to the 90th "
            f"percentile. {told_apart} "
            + theme.REFERENCE_SENTENCE.format(benchmark=exact_percent(head.benchmark))
        ),
        sketch=body,
        definition=head.measure.definition_text,
        denominator=head.measure.denominator_text,
        source=source,
        vintage=vintage,
        n=head.n,
        coverage=head.coverage,
        alt=title,
        table=rows.sort("organisation_name", "organisation_code").select(
            [c.name for c in SHARE_COLUMNS]
        ),
        columns=SHARE_COLUMNS,
        caveat="Sorted to show the spread, not to rank: trusts are not named on the axis.",
        is_demo=demo,
    )


def over_dispersion(
    share: pl.Series, expenditure: pl.Series, target: float
) -> tuple[pl.Series, float]:
    """Standardised distances from ``target`` and their winsorised mean square.

    The variance of a share is taken to fall with expenditure; by how much typical trusts vary is
    estimated from the trusts themselves, with the outermost tenth on each side pulled in, so that a
    few unusual trusts do not widen the limits (multiplicative over-dispersion, Spiegelhalter 2005).

    Args:
        share: Shares.
        expenditure: Pounds, same length, positive.
        target: The share all together.

    Returns:
        Distances times the root of expenditure, and their winsorised mean square.
    """
    z = (share - target) * expenditure.sqrt()
    low, high = (z.quantile(q, "linear") for q in (0.1, 0.9))
    return z, as_float((z.clip(low, high) ** 2).mean()) or 0.0


FUNNEL_COLUMNS = (
    TableColumn("organisation_code", "Code"),
    TableColumn("organisation_name", "Trust"),
    TableColumn("denominator_gbp", "Expenditure", "money"),
    TableColumn("share", "Share", "percent"),
    TableColumn("limit_low", "Lower limit (95%)", "percent"),
    TableColumn("limit_high", "Upper limit (95%)", "percent"),
    TableColumn("badge", "Badge", "badge"),
)


def funnel(tables: Tables) -> Chart:
    """Share against expenditure with over-dispersed limits of typical variation.

    Args:
        tables: marts.digital_share, marts.coverage, dims.measure.
    """
    chart_id = "funnel"
    source, vintage = source_text(tables, SOURCES), vintage_text(tables, SOURCES)
    head = headline(tables)
    rows = None if head is None else head.counted.filter(pl.col("denominator_gbp") > 0)
    if head is None or rows is None or rows.height < FEWEST_FOR_LIMITS:
        why = f"Fewer than {FEWEST_FOR_LIMITS} trusts can be counted: too few for limits"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    rows = rows.sort("organisation_code")
    size = rows["denominator_gbp"]
    target = float(rows["numerator_gbp"].sum()) / float(size.sum())
    _, phi = over_dispersion(rows["share"], size, target)
    limit = Z95 * (phi / size).sqrt()
    table = rows.with_columns(
        (target - limit).clip(0).alias("limit_low"), (target + limit).alias("limit_high")
    )
    outside = table.filter(
        (pl.col("share") < pl.col("limit_low")) | (pl.col("share") > pl.col("limit_high"))
    )
    least, *_, most = size.sort().to_list()
    first, last = math.log10(least * 0.9), math.log10(most * 1.1)
    grid = [10 ** (first + (last - first) * i / 59) for i in range(60)]
    body = theme.new_figure(420)
    for z, dash, name in ((Z998, "dot", "99.8%"), (Z95, "solid", "95%")):
        for sign in (1, -1):
            ends = [target + sign * z * math.sqrt(phi / v) for v in grid]
            body.add_scatter(
                x=[round(v / 1e6, 3) for v in grid],
                y=[round(max(v, 0.0) * 100, 4) for v in ends],
                mode="lines",
                line={"color": theme.MUTED, "width": 1, "dash": dash},
                name=f"{name} of typical variation",
                showlegend=sign == 1,
                hoverinfo="skip",
            )
    codes = set(outside["organisation_code"])
    for inside in (True, False):
        part = [r for r in table.to_dicts() if (r["organisation_code"] not in codes) == inside]
        if not part:
            continue
        named = not inside and len(part) <= 8
        body.add_scatter(
            x=[round(r["denominator_gbp"] / 1e6, 3) for r in part],
            y=[round(r["share"] * 100, 4) for r in part],
            mode="markers+text" if named else "markers",
            meta=theme.HALO if named else None,
            name="within the limits" if inside else "outside the 95% limits",
            marker={
                "color": theme.BLUE if inside else theme.ORANGE,
                "symbol": "circle" if inside else "diamond",
                "size": 8 if inside else 10,
            },
            text=[
                plotly_text(short_name(r["organisation_name"], r["organisation_code"])[:28])
                for r in part
            ]
            if named
            else None,
            textposition="top center",
            textfont={"size": 10},
            hovertext=[hover_of_share(r, head) for r in part],
            hoverinfo="text",
            cliponaxis=False,
        )
    shapes, notes = theme.horizontal_references(head.benchmark)
    body.update_layout(
        shapes=shapes,
        annotations=notes,
        showlegend=True,
        margin={"t": 56, "b": 46, "r": 42},
        meta={"dropText": True},
    )
    low, high = least * 0.85, most * 1.15
    ticks = [v for v in (50e6, 100e6, 200e6, 500e6, 1e9, 2e9, 5e9) if low <= v <= high]
    body.update_xaxes(
        type="log",
        range=[math.log10(low / 1e6), math.log10(high / 1e6)],
        tickmode="array",
        tickvals=[v / 1e6 for v in ticks],
        ticktext=[money(v) for v in ticks],
        title="expenditure of the trust (log scale)",
        showgrid=False,
    )
    body.update_yaxes(ticksuffix="%", rangemode="tozero")
    title = (
        f"{outside.height} of {plural(rows.height, 'trust')} {'lies' if outside.height == 1 else 'lie'}"
        f" outside the limits of typical variation around {percent(target)} in {head.year}"
    )
    demo = any_demo(rows)
    if demo:
        theme.mark_demonstration(body)
    return Chart(
        id=chart_id,
        title=title,
        subtitle=(
            "Limits show how much trusts of a size typically differ (over-dispersed); they are not "
            "a test of significance, since payments are a census."
        ),
        sketch=body,
        definition=head.measure.definition_text,
        denominator=head.measure.denominator_text,
        source=source,
        vintage=vintage,
        n=rows.height,
        coverage=head.coverage,
        alt=title,
        table=table.sort("organisation_name", "organisation_code").select(
            [c.name for c in FUNNEL_COLUMNS]
        ),
        columns=FUNNEL_COLUMNS,
        caveat="A trust outside the limits is unusual, which is neither good nor bad.",
        is_demo=demo,
    )
