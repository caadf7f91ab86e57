"""Digital maturity: where trusts of one care setting stand on each pillar.

Belongs here: charts of ``marts.maturity``. Does not belong here: maturity beside spending, which is
an association and has its own chart.
"""

from __future__ import annotations

import polars as pl

from pipeline.charts import theme
from pipeline.charts.format import decimal, label, plotly_text, plural
from pipeline.charts.model import Chart, TableColumn, Tables, nothing_to_show
from pipeline.charts.selection import any_demo, frame, source_text, vintage_text

SOURCES = ("digital_maturity",)
SUMMARIES = ("mean_of_pillars", "overall_comparable")
CAVEAT = (
    "Scores are self-assessed and the publisher asks not to rank by them: compare within a care "
    "setting, listed by name."
)
DEFINITION = (
    "Digital Maturity Assessment: each organisation scores itself from 1 (low) to 5 (high) on the "
    "seven pillars of What Good Looks Like."
)


def pillar_rows(tables: Tables, kind: str = "trust") -> pl.DataFrame:
    """Scores of single pillars in the latest year that has them, for trusts (or ``icb``).

    Args:
        tables: marts.maturity.
        kind: ``trust`` or ``icb``; compared with the beginning of ``organisation_kind``.
    """
    rows = frame(tables, "marts.maturity").filter(
        ~pl.col("pillar").is_in(SUMMARIES) & pl.col("score").is_not_null()
    )
    is_board = pl.col("organisation_kind").str.to_lowercase().str.contains("board|icb|icp")
    rows = rows.filter(is_board if kind == "icb" else ~is_board)
    if rows.is_empty():
        return rows
    return rows.filter(pl.col("year") == pl.col("year").max())


def settings_of(rows: pl.DataFrame) -> list[str]:
    """Care settings, the largest first."""
    sizes = rows.group_by("care_setting").agg(pl.col("organisation_name").n_unique().alias("n"))
    return sizes.sort(["n", "care_setting"], descending=[True, False])["care_setting"].to_list()


def pillars_of(rows: pl.DataFrame) -> list[str]:
    """Pillars in the publisher's order where known, then by name."""
    order = [
        "well led",
        "ensure smart foundations",
        "safe practice",
        "support workforce",
        "support people",
        "empower people",
        "improve care",
        "healthy populations",
    ]
    place = {name: i for i, name in enumerate(order)}
    names = rows["pillar"].unique().to_list()
    return sorted(names, key=lambda p: (place.get(p.lower().replace("_", " "), 99), p))


def pillar_title(pillar: str) -> str:
    """A pillar's identifier as words."""
    words = pillar.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


DISTRIBUTION_COLUMNS = (
    TableColumn("care_setting", "Care setting"),
    TableColumn("pillar", "Pillar"),
    TableColumn("n", "Trusts", "count"),
    TableColumn("lowest", "Lowest", "score"),
    TableColumn("p25", "Lower quartile", "score"),
    TableColumn("median", "Median", "score"),
    TableColumn("p75", "Upper quartile", "score"),
    TableColumn("highest", "Highest", "score"),
)


def maturity_distribution(tables: Tables) -> Chart:
    """Median and quartiles of every pillar, by care setting.

    Args:
        tables: marts.maturity.
    """
    chart_id = "maturity-distribution"
    source, vintage = source_text(tables, SOURCES), vintage_text(tables, SOURCES)
    rows = pillar_rows(tables)
    if rows.is_empty():
        why = "No digital maturity scores are here"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    score = pl.col("score")
    table = rows.group_by("care_setting", "pillar").agg(
        pl.len().cast(pl.Int64).alias("n"),
        score.min().alias("lowest"),
        score.quantile(0.25, "linear").alias("p25"),
        score.median().alias("median"),
        score.quantile(0.75, "linear").alias("p75"),
        score.max().alias("highest"),
    )
    settings, pillars = settings_of(rows), pillars_of(rows)
    table = table.sort(
        pl.col("care_setting").replace_strict(settings, list(range(len(settings)))),
        pl.col("pillar").replace_strict(pillars, list(range(len(pillars)))),
    )
    body = theme.new_figure(60 + 26 * (table.height + len(settings)))
    y, ticks, labels, positions = 0, [], [], []
    previous = None
    for row in table.iter_rows(named=True):
        if row["care_setting"] != previous:
            previous = row["care_setting"]
            ticks.append(y)
            labels.append(f"<b>{label(previous, 24, 1)}</b> ({row['n']})")
            y += 1
        ticks.append(y)
        labels.append(label(pillar_title(row["pillar"]), 26, 1))
        positions.append(y)
        y += 1
    for low, high, width, colour, name in (
        ("lowest", "highest", 2, theme.MISSING, "lowest to highest"),
        ("p25", "p75", 10, theme.PALE_BLUE, "middle half of trusts"),
    ):
        xs, ys = [], []
        for row, at in zip(table.iter_rows(named=True), positions, strict=True):
            xs += [row[low], row[high], None]
            ys += [at, at, None]
        body.add_scatter(
            x=xs,
            y=ys,
            mode="lines",
            line={"color": colour, "width": width},
            name=name,
            hoverinfo="skip",
        )
    body.add_scatter(
        x=table["median"].to_list(),
        y=positions,
        mode="markers+text",
        meta=theme.HALO,
        marker={"color": theme.BLUE, "size": 10},
        text=[decimal(v) for v in table["median"]],
        textposition="top center",
        textfont={"size": 10, "color": theme.MUTED},
        name="median",
        hovertext=[
            f"<b>{plotly_text(pillar_title(r['pillar']))}</b>, {plotly_text(r['care_setting'])}"
            f"<br>median {decimal(r['median'], 2)}, middle half {decimal(r['p25'], 2)} to "
            f"{decimal(r['p75'], 2)}<br>{plural(r['n'], 'trust')}"
            for r in table.iter_rows(named=True)
        ],
        hoverinfo="text",
    )
    body.update_yaxes(
        tickmode="array",
        tickvals=ticks,
        ticktext=labels,
        range=[y - 0.5, -0.7],
        showgrid=False,
        zeroline=False,
        fixedrange=True,
    )
    body.update_xaxes(range=[0.9, 5.1], dtick=1, title="score from 1 (low) to 5 (high)")
    body.update_layout(showlegend=True, margin={"t": 44, "b": 48, "r": 8})
    largest = table.filter(pl.col("care_setting") == settings[0])
    weakest = largest.sort("median", "pillar").row(0, named=True)
    strongest = largest.sort(["median", "pillar"], descending=[True, False]).row(0, named=True)
    year = rows["year"][0]
    title = (
        f"In {year} the middle {settings[0].lower()} trust scored lowest on "
        f"{pillar_title(weakest['pillar']).lower()} ({decimal(weakest['median'])} of 5) and "
        f"highest on {pillar_title(strongest['pillar']).lower()} ({decimal(strongest['median'])})"
    )
    demo = any_demo(rows)
    if demo:
        theme.mark_demonstration(body)
    trusts = rows["organisation_name"].n_unique()
    return Chart(
        id=chart_id,
        title=title,
        subtitle="Dot: median. Thick line: middle half of trusts. Thin line: lowest to highest.",
        sketch=body,
        definition=DEFINITION,
        denominator="",
        source=source,
        vintage=vintage,
        n=trusts,
        coverage=f"{plural(trusts, 'trust')} in {plural(len(settings), 'care setting')}; a trust "
        "can appear in several.",
        alt=title,
        table=table,
        columns=DISTRIBUTION_COLUMNS,
        caveat=CAVEAT,
        is_demo=demo,
    )
