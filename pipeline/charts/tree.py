"""Digital payments as areas: groups and categories in one picture.

Belongs here: the treemap of ``marts.spend_mix``. Does not belong here: bars (``mix``).
"""

from __future__ import annotations

import polars as pl

from pipeline.charts import theme
from pipeline.charts.format import money, percent, plotly_text, plural
from pipeline.charts.mix import (
    GROUPS,
    MIX_COLUMNS,
    SOURCES,
    category_titles,
    coverage_sentence,
    mix_frame,
    year_rows,
)
from pipeline.charts.model import Chart, Tables, nothing_to_show
from pipeline.charts.selection import any_demo, source_text, vintage_text


def spend_treemap(tables: Tables) -> Chart:
    """Groups and categories of digital payments, each as large as its pounds.

    Args:
        tables: marts.spend_mix, marts.digital_share, dims.category.
    """
    chart_id = "spend-treemap"
    source, vintage = source_text(tables, SOURCES), vintage_text(tables, SOURCES)
    found = year_rows(tables)
    mix = mix_frame(found[1], category_titles(tables)) if found else pl.DataFrame()
    # An area cannot be negative: a category with more credits than payments is in the table only.
    drawn = mix.filter(pl.col("amount_gbp") > 0) if mix.height else mix
    if found is None or drawn.is_empty():
        why = "No digital payments are here to draw"
        return nothing_to_show(chart_id, why, source=source, vintage=vintage)
    year, rows, left_out = found
    total = float(drawn["amount_gbp"].sum())
    ids, labels, parents, values, colours, hover = [], [], [], [], [], []
    for group, _, colour in GROUPS:
        part = drawn.filter(pl.col("group") == group)
        if part.is_empty():
            continue
        pounds = float(part["amount_gbp"].sum())
        ids.append(f"group {group}")
        labels.append(theme.words_on(colour, f"{group} {percent(pounds / total)}"))
        parents.append("")
        values.append(round(pounds))
        colours.append(colour)
        hover.append(f"<b>{group}</b><br>{money(pounds)}, {percent(pounds / total)}")
        for row in part.iter_rows(named=True):
            ids.append(f"category {row['category']}")
            labels.append(
                theme.words_on(colour, plotly_text(row["title"]), money(row["amount_gbp"]))
            )
            parents.append(f"group {group}")
            values.append(round(row["amount_gbp"]))
            colours.append(colour)
            hover.append(
                f"<b>{plotly_text(row['title'])}</b><br>{money(row['amount_gbp'])}, "
                f"{percent(row['part'])}<br>{plural(row['lines'], 'line')}"
            )
    # A parent's area is the sum of its parts; rounding must not leave it smaller.
    sums: dict[str, int] = {}
    for parent, value in zip(parents, values, strict=True):
        if parent:
            sums[parent] = sums.get(parent, 0) + value
    values = [sums.get(i, v) for i, v in zip(ids, values, strict=True)]
    body = theme.new_figure(460)
    body.add_treemap(
        ids=ids,
        labels=labels,
        parents=parents,
        values=values,
        branchvalues="total",
        sort=True,
        marker={"colors": colours, "line": {"color": theme.PAPER, "width": 2}},
        hovertext=hover,
        hoverinfo="text",
        textinfo="label",
        pathbar={"visible": False},
        tiling={"pad": 2},
        textfont={"size": 13},
    )
    body.update_layout(
        margin={"t": 6, "b": 6, "l": 4, "r": 4}, uniformtext={"minsize": 9, "mode": "hide"}
    )
    groups = dict(drawn.group_by("group").agg(pl.col("amount_gbp").sum()).rows())
    largest = min(groups, key=lambda g: (-groups[g], g))
    trusts = rows["organisation_code"].n_unique()
    title = (
        f"{largest} took the largest part of digital payments in {year}: "
        f"{money(groups[largest])} of {money(total)}"
    )
    demo = any_demo(rows)
    if demo:
        theme.mark_demonstration(body)
    return Chart(
        id=chart_id,
        title=title,
        subtitle=(
            "Area: pounds of payments classed as digital, by group and category. Blue: basics; green: "
            "care systems; yellow: corporate and data; purple: services and people; grey: other."
        ),
        sketch=body,
        definition="Payments under the spend-over-£25,000 rule classed as digital, by category.",
        denominator="All payments of the same trusts classed as digital.",
        source=source,
        vintage=vintage,
        n=trusts,
        coverage=coverage_sentence(trusts, left_out, year),
        alt=title,
        table=mix.select([c.name for c in MIX_COLUMNS]),
        columns=MIX_COLUMNS,
        caveat="Most smaller invoices and all pay are not in published payments.",
        is_demo=demo,
    )
