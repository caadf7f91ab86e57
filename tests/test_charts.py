"""Charts say what the data say, leave out what is incomplete, and never show missing as zero."""

from __future__ import annotations

import datetime as dt
import json
import re

import plotly.graph_objects as go
import polars as pl
import pytest
import site_frames as frames
from site_frames import of, share_row

from pipeline.charts import CHARTS, theme
from pipeline.charts.answer import answer, together
from pipeline.charts.bands import lay_out
from pipeline.charts.format import money
from pipeline.charts.model import in_short
from pipeline.charts.records import DOUBTED_FROM
from pipeline.charts.selection import best_year, find_measure, headline
from pipeline.charts.sketch import Sketch
from pipeline.charts.strip import Strip, draw_strips
from pipeline.charts.trust import Origin, gap_by_year, share_by_year
from pipeline.charts.trust_parts import months_by_year
from pipeline.quality.rules import all_rules
from pipeline.reference.claims import claims
from pipeline.schema import all_tables
from pipeline.store.tables import plain

YEARS = ("2019/20", "2020/21", "2021/22", "2022/23")


def with_shares(rows):
    tables = frames.tables(1)
    return tables | {
        "marts.digital_share": of("marts.digital_share", rows),
        "marts.coverage": frames.empty_tables()["marts.coverage"],
    }


@pytest.fixture(scope="module")
def several():
    return frames.tables(12, YEARS)


@pytest.mark.parametrize("chart_id", CHARTS)
def test_every_chart_carries_what_a_reader_needs(several, chart_id):
    chart = CHARTS[chart_id](several)
    assert not chart.is_empty
    assert chart.id == chart_id
    assert chart.title
    assert not chart.title.endswith(".")
    assert "Open Government Licence v3.0" in chart.licence
    assert chart.definition
    assert chart.source
    assert "22 November 2026" in chart.vintage
    assert chart.coverage.endswith(".")
    assert chart.alt
    assert chart.n > 0
    assert chart.table.height > 0
    assert {c.name for c in chart.columns} & set(chart.table.columns)
    assert chart.body.data


@pytest.mark.parametrize("chart_id", CHARTS)
def test_every_chart_copes_with_empty_tables(chart_id):
    chart = CHARTS[chart_id](frames.empty_tables())
    assert chart.is_empty
    assert chart.title


@pytest.mark.parametrize("chart_id", CHARTS)
def test_every_chart_copes_with_missing_tables(chart_id):
    assert CHARTS[chart_id]({}).is_empty


@pytest.mark.parametrize("chart_id", CHARTS)
def test_every_chart_copes_with_one_trust(chart_id):
    assert CHARTS[chart_id](frames.tables(1)).id == chart_id


@pytest.mark.parametrize("chart_id", CHARTS)
def test_a_chart_needs_only_the_tables_it_declares(several, chart_id):
    spec = CHARTS[chart_id]
    declared = {k: v for k, v in several.items() if k in {*spec.needs, *spec.optional}}
    assert spec(declared).title == spec(several).title
    assert set(spec.needs) <= set(all_tables())


@pytest.mark.parametrize("chart_id", CHARTS)
def test_a_chart_is_the_same_every_time(several, chart_id):
    shuffled = {k: v.sample(fraction=1, shuffle=True, seed=7) for k, v in several.items()}
    first, second = CHARTS[chart_id](several), CHARTS[chart_id](shuffled)
    assert first.title == second.title
    assert first.body.to_json() == second.body.to_json()


@pytest.mark.parametrize("chart_id", CHARTS)
def test_the_demonstration_is_marked_on_every_figure(chart_id):
    chart = CHARTS[chart_id](frames.tables(12, YEARS, is_demo=True))
    assert chart.is_demo
    assert "DEMONSTRATION" in chart.body.to_json()
    assert "DEMONSTRATION" in chart.figure.layout.title.text


@pytest.mark.parametrize("chart_id", CHARTS)
def test_plotly_knows_every_property_of_every_chart_and_changes_none(several, chart_id):
    worlds = (several, {}, frames.tables(1), frames.tables(40, YEARS, is_demo=True))
    for chart in map(CHARTS[chart_id], worlds):
        said = json.loads(chart.body.to_json())
        del said["layout"]["template"]
        assert said == {"data": chart.sketch.data, "layout": chart.sketch.layout}


def test_plotly_refuses_a_property_that_it_does_not_know():
    sketch = Sketch(height=100)
    sketch.add_scatter(x=[1], y=[2], colour="red")
    with pytest.raises(ValueError, match="colour"):
        sketch.checked()


def test_what_is_set_later_leaves_what_was_set_before_beside_it():
    sketch = Sketch(margin={"t": 1, "b": 2}, meta=None)
    sketch.update_layout(margin={"t": 5, "l": None}, title="Words")
    sketch.update_xaxes(title="pounds", range=[0, None])
    sketch.update_xaxes(title={"standoff": 4})
    assert sketch.layout == {
        "margin": {"t": 5, "b": 2},
        "title": {"text": "Words"},
        "xaxis": {"title": {"text": "pounds", "standoff": 4}, "range": [0, None]},
    }


def test_plotly_knows_the_theme():
    figure = go.Figure(layout={"template": theme.template()})
    assert figure.layout.template.to_plotly_json() == theme.template()


def test_a_picture_on_its_own_carries_source_and_licence(several):
    chart = CHARTS["share-lollipop"](several)
    notes = " ".join(a.text for a in chart.figure.layout.annotations if a.name == "footnote")
    assert "Open Government" in notes
    assert "Source:" in notes
    assert "footnote" not in {a.name for a in chart.body.layout.annotations}


def test_the_title_is_the_finding():
    rows = [share_row(i, share=0.012) for i in range(8)]
    rows += [share_row(8, share=0.03), share_row(9, share=0.025)]
    chart = CHARTS["share-lollipop"](with_shares(rows))
    assert chart.title == (
        "None of 10 trusts published 5% of expenditure as digital payments in 2020/21; "
        "8 were under 2%"
    )


def test_badge_c_is_drawn_but_never_counted():
    rows = [share_row(0, share=0.01), share_row(1, share=0.09, badge="C", months=3)]
    tables = with_shares(rows)
    head = headline(tables)
    assert head is not None
    assert head.n == 1
    assert head.left_out == 1
    whole = together(head)
    assert whole is not None
    assert whole.share == pytest.approx(0.01)
    chart = CHARTS["share-lollipop"](tables)
    assert "9.0%" not in chart.title
    assert chart.table.height == 2
    assert "reached" not in answer(tables).sentence.replace("did not reach it", "")


def test_the_gap_is_summed_over_trusts_below_the_benchmark_only():
    rows = [
        share_row(0, share=0.01, expenditure=100e6),
        share_row(1, share=0.08, expenditure=100e6),
        share_row(2, share=0.0, expenditure=900e6, badge="C", months=2),
    ]
    chart = CHARTS["gap-pounds"](with_shares(rows))
    title, ends = chart.title.split(" (range ")
    assert title == "1 trust was £4m short of 5% of expenditure in 2020/21"
    row = chart.table.filter(pl.col("organisation_code") == "Z000").row(0, named=True)
    assert ends == f"{money(row['gap_low_gbp'])} to {money(row['gap_high_gbp'])})"


def test_all_trusts_together_are_a_ratio_of_sums_not_a_mean_of_shares():
    rows = [
        share_row(0, share=0.01, expenditure=900e6),
        share_row(1, share=0.04, expenditure=100e6),
    ]
    head = headline(with_shares(rows))
    assert head is not None
    whole = together(head)
    assert whole is not None
    assert whole.share == pytest.approx(0.013)
    assert whole.lower < whole.share < whole.upper


def test_the_answer_states_its_range_and_coverage():
    found = answer(frames.tables(12))
    assert "against a recommended 5%" in found.sentence
    assert "lies between" in found.uncertainty
    assert "lower bound" in found.uncertainty
    least, most = re.search(r" a year short \(range £(\d+)m to £(\d+)m\)", found.gap).groups()
    whole = together(headline(frames.tables(12)))
    assert int(least) * 1e6 < whole.gap < int(most) * 1e6
    assert "not published counts as not spent" in found.gap
    assert "11 of 12 trusts" in found.coverage


def test_one_early_publisher_does_not_become_the_latest_year():
    rows = pl.DataFrame({"financial_year": ["2020/21"] * 10 + ["2021/22"]})
    assert best_year(rows) == "2020/21"
    rows = pl.DataFrame({"financial_year": ["2020/21"] * 10 + ["2021/22"] * 5})
    assert best_year(rows) == "2021/22"


def test_trusts_in_a_band_are_listed_by_name_not_by_share():
    rows = of(
        "marts.digital_share",
        [
            share_row(0, share=0.0101, name="BEECH NHS TRUST"),
            share_row(1, share=0.0140, name="ALDER NHS TRUST"),
            share_row(2, share=0.0100, name="CEDAR NHS TRUST"),
        ],
    )
    names = lay_out(rows, 0.05).rows.sort("y")["name"].to_list()
    assert names == ["Alder", "Beech", "Cedar"]


def test_every_share_falls_into_exactly_one_band():
    rows = of(
        "marts.digital_share",
        [share_row(i, share=s) for i, s in enumerate((-0.001, 0, 0.015, 0.02, 0.05, 0.4))],
    )
    layout = lay_out(rows, 0.05)
    assert layout.rows.height == 6
    assert layout.rows["y"].n_unique() == 6


def test_the_top_band_says_none_when_nobody_reached_it():
    layout = lay_out(of("marts.digital_share", [share_row(0, share=0.01)]), 0.05)
    assert "5% and over: none" in layout.tick_labels[0]


def test_a_missing_month_is_grey_with_a_dash_never_a_zero():
    chart = CHARTS["coverage-months"](frames.tables(3))
    heat = chart.body.data[0]
    missing = [t for row in heat.text for t in row if t]
    assert set(missing) == {"–"}
    assert len(missing) == 2
    hover = [h for row in heat.hovertext for h in row if "missing" in h]
    assert len(hover) == 2
    assert not any("£0" in h for h in hover)


def test_a_missing_maturity_score_is_not_drawn():
    tables = frames.tables(4)
    rows = tables["marts.maturity"].filter(
        ~((pl.col("organisation_code") == "Z000") & (pl.col("pillar") == "well_led"))
    )
    chart = CHARTS["maturity-heatmap"](tables | {"marts.maturity": rows})
    assert sum(v is None for v in chart.body.data[0].z[1]) == 1
    assert chart.body.data[0].text[1].count("–") == 1


def test_possible_payments_are_not_in_the_total_of_the_mix():
    tables = frames.tables(3)
    chart = CHARTS["spend-mix"](tables)
    yes = tables["marts.spend_mix"].filter(pl.col("digital") == "yes")["amount_gbp"].sum()
    assert chart.table["amount_gbp"].sum() == pytest.approx(yes)
    assert chart.table["part"].sum() == pytest.approx(1)
    assert chart.table["possible_gbp"].sum() > 0


def test_the_mix_leaves_out_trusts_with_an_incomplete_year():
    chart = CHARTS["spend-mix"](frames.tables(7))
    assert chart.n == 6
    assert "1 is left out, because its data are incomplete (badge C)" in chart.coverage


def test_a_whole_year_that_is_left_out_is_not_called_incomplete():
    tables = frames.tables(3)
    shares = tables["marts.digital_share"].filter(
        pl.col("organisation_code") != frames.trust_code(0)
    )
    chart = CHARTS["spend-mix"](tables | {"marts.digital_share": shares})
    assert "1 is left out" in chart.coverage
    assert "its accounts are not here" in chart.coverage
    assert "incomplete year" not in chart.coverage


def test_real_pounds_of_years_come_from_the_mart():
    rows = [
        share_row(0, year, share=0.02) | {"numerator_real_gbp": real, "price_year": "2023/24"}
        for year, real in (("2020/21", 7e6), ("2021/22", 6e6))
    ]
    chart = CHARTS["share-over-time"](with_shares(rows))
    assert chart.table["real_pounds"].to_list() == [7e6, 6e6]
    assert "Digital, prices of 2023/24" in [c.label for c in chart.columns]


def test_real_pounds_are_unknown_where_those_of_one_trust_are():
    rows = [
        share_row(0, share=0.02) | {"numerator_real_gbp": 7e6, "price_year": "2023/24"},
        share_row(1, share=0.02) | {"numerator_real_gbp": None, "price_year": "2023/24"},
    ]
    assert CHARTS["share-over-time"](with_shares(rows)).table["real_pounds"].to_list() == [None]


def test_capital_does_not_stand_in_for_incomplete_payments():
    rows = of(
        "marts.digital_share",
        [share_row(0, definition="D0", share=0.006), share_row(0, share=0.02, badge="C")],
    )
    nothing = ("", "")
    head = headline(with_shares([share_row(0)]))
    chart = share_by_year(
        "Z000", "One", rows, {"D1": head.measure}, Origin(nothing, nothing, nothing)
    )
    assert chart.title.startswith("2.0% of expenditure in 2020/21 under D1")
    assert chart.title.endswith("; incomplete (badge C)")


def test_the_label_of_a_median_stays_in_the_picture():
    strips = [Strip("low", [0.0, 0.1], ["", ""]), Strip("high", [0.9, 1.0], ["", ""])]
    labels = [s for s in draw_strips(strips, str).data if s.get("mode") == "text"]
    assert [s["textposition"] for s in labels] == ["top right", "top left"]


def test_months_after_a_trust_closed_are_not_missing():
    tables = frames.tables(2)
    cells = tables["marts.coverage_month"]
    first = pl.col("organisation_code") == frames.trust_code(0)
    late = first & (pl.col("month") >= dt.date(2020, 10, 1))
    cells = cells.with_columns(
        is_open=~late, is_present=pl.when(first).then(~late).otherwise(pl.col("is_present"))
    )
    chart = CHARTS["coverage-months"](tables | {"marts.coverage_month": cells})
    assert chart.title.endswith("18 of 18 months are present")
    assert chart.table["missing"].to_list() == ["", ""]
    mine = plain(cells.filter(first))
    own = months_by_year("Z000", mine, Origin(("", ""), ("", ""), ("", "")))
    assert own.title == "6 of 6 months of 2020/21 in which the trust existed are here"
    assert own.body.data[0].z[0] == [1] * 6 + [None] * 6
    assert "–" not in own.body.data[0].text[0]


def test_few_suppliers_are_not_called_five():
    chart = CHARTS["top-suppliers"](frames.tables(3))
    assert chart.title.startswith("3 named suppliers received")


def test_the_part_of_five_suppliers_says_that_it_is_of_named_ones():
    rows = frames.tables(3)["marts.supplier"]
    more = [rows.with_columns(pl.col("supplier") + f" {i}") for i in range(3)]
    chart = CHARTS["top-suppliers"](frames.tables(3) | {"marts.supplier": pl.concat(more)})
    assert chart.title.startswith("Five suppliers receive")
    assert "of published digital payments to named suppliers in" in chart.title


def test_another_benchmark_moves_the_words():
    rows = [share_row(i, share=0.01) | {"benchmark": 0.03} for i in range(3)]
    tables = with_shares(rows)
    assert "3% of expenditure" in CHARTS["share-lollipop"](tables).title
    assert "recommended 3%" in answer(tables).sentence


def test_names_with_markup_reach_no_figure_as_markup(several):
    tables = frames.tables(8, names={0: frames.EVIL, 1: frames.QUOTED})
    for spec in CHARTS.values():
        assert "<script" not in spec(tables).body.to_json().replace("\\u003c", "<")


def test_an_interval_that_holds_zero_is_no_association():
    chart = CHARTS["maturity-and-spend"](frames.tables(12))
    assert chart.title.startswith("Spending and maturity show no clear association")
    assert "not cause" in chart.caveat


def test_a_definition_without_a_figure_keeps_its_row_and_says_why():
    tables = frames.tables(9)
    without = tables["marts.digital_share"].filter(pl.col("definition") != "D0")
    coverage = tables["marts.coverage"].with_columns(
        pl.when(pl.col("definition") == "D0")
        .then(pl.lit("The accounts hold no such line."))
        .otherwise(pl.col("reason"))
        .alias("reason")
    )
    chart = CHARTS["definition-ladder"](
        tables | {"marts.digital_share": without, "marts.coverage": coverage}
    )
    assert "D0 cannot be computed" in chart.title
    row = chart.table.filter(pl.col("definition") == "D0").row(0, named=True)
    assert row["why"] == "The accounts hold no such line."
    assert row["median"] is None


def test_a_real_sum_over_some_trusts_only_is_not_drawn():
    tables = frames.tables(6, YEARS)
    rows = tables["marts.records_cost"].with_columns(
        pl.when((pl.col("organisation_code") == "Z000") & (pl.col("financial_year") == YEARS[0]))
        .then(None)
        .otherwise(pl.col("cost_real_gbp"))
        .alias("cost_real_gbp")
    )
    table = CHARTS["records-cost"](tables | {"marts.records_cost": rows}).table
    assert table["cost_real_gbp"].null_count() == 1
    assert table["cost_gbp"][0] == 6e6


def test_fewer_rows_and_a_doubtful_one_are_told_beside_the_cost_of_records():
    """Z000 stops reporting, so the sum falls; at the five others it does not. Z001 is implausible."""
    tables = frames.tables(6, YEARS)
    rows = tables["marts.records_cost"]
    first, last = rows["financial_year"].min(), rows["financial_year"].max()
    gone = (pl.col("organisation_code") == "Z000") & (pl.col("financial_year") == last)
    odd = (pl.col("organisation_code") == "Z001") & (pl.col("financial_year") == first)
    fewer = rows.with_columns(
        [pl.when(~gone).then(pl.col(c)).alias(c) for c in ("cost_gbp", "cost_real_gbp")]
    ).with_columns(pl.when(odd).then(6e7).otherwise(pl.col("cost_gbp")).alias("cost_gbp"))
    chart = CHARTS["records-cost"](tables | {"marts.records_cost": fewer})
    assert "at the 5 trusts with a cost in both years" in chart.title
    assert "though a check doubts it" in chart.caveat
    assert "£60m" in chart.caveat
    usual = CHARTS["records-cost"](tables)
    assert "in both years" not in usual.title
    assert "doubts" not in usual.caveat


def test_trusts_far_above_the_others_are_not_counted_as_ranges_that_overlap():
    """The ranges about 1.0% and 1.1% meet, those about 1.1% and 8% do not."""
    rows = [share_row(i, share=share) for i, share in enumerate((0.08, 0.010, 0.011))]
    assert "1 of 2 pairs of neighbours" in CHARTS["caterpillar"](with_shares(rows)).subtitle


def test_what_cannot_be_judged_is_counted_apart_from_what_was_not_met():
    chart = CHARTS["milestone-status"](frames.tables(3))
    assert chart.title == (
        "Of 4 claims, targets and promises: 1 met and 1 not met; "
        "2 cannot be judged from the data here"
    )


def test_unnamed_suppliers_are_in_the_total_but_not_among_the_names():
    chart = CHARTS["top-suppliers"](frames.tables(5))
    assert "0012345" not in chart.body.to_json()
    assert "without a name" in chart.coverage
    assert "0012345" in chart.table["supplier"].to_list()


def test_a_board_without_a_counted_trust_is_on_the_map_in_grey():
    tables = frames.tables(6)
    gone = tables["marts.icb_share"].filter(pl.col("icb_code") != "Q02")
    chart = CHARTS["board-map"](tables | {"marts.icb_share": gone})
    assert "1 board without a counted trust" in chart.coverage
    assert any(trace.name == "not known" for trace in chart.body.data)


def test_limits_of_the_funnel_narrow_with_size():
    table = CHARTS["funnel"](frames.tables(24)).table.sort("denominator_gbp")
    width = (table["limit_high"] - table["limit_low"]).to_list()
    assert width[0] > width[-1]


def test_the_month_map_measures_each_trust_by_its_own_plain_month(several):
    cells = several["marts.coverage_month"].filter(pl.col("digital_gbp").is_not_null())
    chart = CHARTS["month-heatmap"](several)
    row = chart.table.filter(pl.col("digital_gbp") > 0).row(0, named=True)
    own = cells.filter(
        (pl.col("organisation_code") == row["organisation_code"])
        & (pl.col("financial_year") == row["financial_year"])
        & pl.col("is_present")
    )["digital_gbp"].to_list()
    assert row["times"] == pytest.approx(row["digital_gbp"] * len(own) / float(sum(own)))


def test_a_month_that_is_not_here_is_a_dash_on_the_month_map_and_no_nought(several):
    holes = several["marts.coverage_month"].with_columns(
        pl.when(pl.col("month").dt.month() == 6)
        .then(False)
        .otherwise("is_present")
        .alias("is_present")
    )
    chart = CHARTS["month-heatmap"](several | {"marts.coverage_month": holes})
    drawn = chart.body.data[0]
    june = [row[2] for row in drawn.text]
    assert set(june) == {"–"}
    assert all(row[2] is None for row in drawn.z)


def test_the_change_of_maturity_is_of_comparable_domains_and_never_of_pillars(several):
    chart = CHARTS["maturity-change"](several)
    rows = several["marts.maturity"].filter(pl.col("pillar") == "overall_comparable")
    assert chart.table["change"].sort().to_list() == rows["change"].sort().to_list()
    pillars = several["marts.maturity"].filter(pl.col("pillar") != "overall_comparable")
    assert CHARTS["maturity-change"](several | {"marts.maturity": pillars}).is_empty


def test_no_line_leads_to_a_year_of_which_months_are_missing():
    found = {"2019/20": "A", "2020/21": "A", "2021/22": "C"}
    rows = of("marts.digital_share", [share_row(0, y, badge=b) for y, b in found.items()])
    nothing = ("", "")
    chart = share_by_year("Z000", "One", rows, {}, Origin(nothing, nothing, nothing))
    line, marks = chart.body.data
    assert line.mode == "lines"
    assert [y is not None for y in line.y] == [True, True, False]
    assert marks.mode == "markers"
    assert len(marks.y) == 3
    assert marks.marker.symbol[-1] == "circle-open"
    alone = share_by_year("Z000", "One", rows.tail(1), {}, Origin(nothing, nothing, nothing))
    assert [trace.mode for trace in alone.body.data] == ["markers"]
    whole = share_by_year("Z000", "One", rows.head(2), {}, Origin(nothing, nothing, nothing))
    assert [trace.mode for trace in whole.body.data] == ["lines+markers"]  # said once


def test_a_share_without_a_range_has_no_whisker():
    exact = share_row(0, "2020/21", badge="A")
    exact |= {"share_lower": exact["share"], "share_upper": exact["share"]}
    for row, has in ((exact, False), (exact | {"share_upper": exact["share"] * 2}, True)):
        rows = of("marts.digital_share", [row])
        nothing = ("", "")
        chart = share_by_year("Z000", "One", rows, {}, Origin(nothing, nothing, nothing))
        assert (chart.body.data[0].error_y.array is not None) is has


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        ((0.92, 0.95, 0.97), "Other definitions put trusts in nearly the same order: 9 trusts"),
        ((0.20, 0.60, 0.85), "Who looks high depends on the definition: 9 trusts"),
        (
            (-0.26, 0.50, 0.91),
            "How far the definition decides who looks high is not clear from 9 trusts",
        ),
        (
            (0.60, 0.91, 0.98),
            "How far the definition decides who looks high is not clear from 9 trusts",
        ),
    ],
)
def test_agreement_of_order_is_told_with_its_interval_and_no_strength_beyond_it(interval, said):
    stability = of(
        "marts.rank_stability",
        [
            {
                "financial_year": "2020/21",
                "definition": "D1",
                "denominator": "opex_less_impairments",
                "other_definition": "D2",
                "other_denominator": "opex_less_impairments",
                "trusts": 9,
                "spearman": interval[1],
                "spearman_lower": interval[0],
                "spearman_upper": interval[2],
                "mean_places_moved": 2.0,
            }
        ],
    )
    chart = CHARTS["rank-agreement"](frames.tables(9) | {"marts.rank_stability": stability})
    low, middle, high = (f"{v:.2f}".replace("-", "−") for v in interval)
    assert chart.title == (
        f"{said}, rank correlation {middle}, interval {low} to {high} against D2 of opex less "
        "impairments, 2020/21"
    )
    whiskers = chart.sketch.data[0]["error_x"]
    assert whiskers["array"] == [pytest.approx(interval[2] - interval[1])]
    assert whiskers["arrayminus"] == [pytest.approx(interval[1] - interval[0])]


def test_agreement_without_an_interval_is_no_strength_and_has_no_whisker():
    row = {
        "financial_year": "2020/21", "definition": "D1", "denominator": "opex_less_impairments",
        "other_definition": "D2", "other_denominator": "opex_less_impairments", "trusts": 9,
        "spearman": 1.0, "spearman_lower": None, "spearman_upper": None, "mean_places_moved": 0.0,
        "reason": "No interval: both put these trusts in the same order, or exactly the reverse.",
    }  # fmt: skip
    stability = of("marts.rank_stability", [row])
    chart = CHARTS["rank-agreement"](frames.tables(9) | {"marts.rank_stability": stability})
    assert chart.title.startswith(
        "How far the definition decides who looks high is not clear from 9"
    )
    assert "rank correlation 1.00, of which no interval can be told" in chart.title
    assert chart.sketch.data[0]["error_x"]["array"] == [0]


@pytest.mark.parametrize("chart_id", CHARTS)
def test_words_that_a_line_of_reference_may_cross_have_an_edge(several, chart_id):
    sketch = CHARTS[chart_id](several).sketch
    lines = [s for s in sketch.layout.get("shapes", []) if s["type"] == "line"]
    for trace in sketch.data:
        if lines and "text" in trace.get("mode", ""):
            assert trace.get("meta") == theme.HALO
    if lines:  # a note inside the plot has no edge: it stands at the end of a line or has a ground
        for note in sketch.layout.get("annotations", []):
            is_beside = "paper" in (note.get("xref"), note.get("yref")) or note.get("name")
            assert is_beside or "bgcolor" in note, note["text"]


def test_a_picture_on_its_own_has_edges_and_says_what_is_measured(several):
    figure = CHARTS["share-lollipop"](several).figure
    edged = [t for t in figure.data if t.mode == "text"]
    assert edged
    assert all(t.textfont.shadow == theme.EDGE for t in edged)
    foot = next(a.text for a in figure.layout.annotations if a.name == "footnote")
    assert foot.startswith("D1: ")
    assert "Divided by: " in foot


def test_costs_of_records_are_doubted_from_one_limit():
    """The check of facts owns it; claims and chart speak of rows that this check doubts."""
    pounds = f"{DOUBTED_FROM:.0f}"
    rule = next(r for r in all_rules()["facts.records_cost"] if r.check == "cost_is_plausible")
    assert rule.rows.split("total_gbp > ")[1].split()[0] == pounds
    assert f"GBP {DOUBTED_FROM / 1e6:.0f}m" in rule.expected
    told = [c for c in claims() if c.query and "facts.records_cost" in c.query]
    limits = re.findall(r"total_gbp <= (\S+)", " ".join(c.query or "" for c in told))
    assert limits
    assert {float(limit) for limit in limits} == {DOUBTED_FROM}


def test_a_definition_in_short_keeps_the_name_of_every_measure():
    assert in_short("D1: Payments. Published ones. Version 2. D2: Adjusted. As D1.") == (
        "D1: Payments. D2: Adjusted."
    )
    assert in_short("Cost of records, as trusts report it. Self-reported") == (
        "Cost of records, as trusts report it."
    )


def only_capital(trusts: int = 3):
    """Tables of trusts that have accounts and no payments: D0 over two denominators."""
    rows = [
        share_row(i, share=0.01, definition="D0", denominator=d, months=None, width=0.0)
        for i in range(trusts)
        for d in ("income", "opex_less_impairments")
    ]
    return with_shares(rows)


def test_accounts_alone_are_shown_over_the_default_denominator():
    head = headline(only_capital())
    assert head is not None
    assert (head.measure.definition, head.measure.denominator) == ("D0", "opex_less_impairments")


def test_audited_figures_have_no_range_and_are_told_to_be_capital_alone():
    tables = only_capital()
    said = answer(tables)
    assert "range" not in said.gap
    assert "capital alone" in said.gap
    assert "have no range of measurement error" in said.uncertainty
    assert " 1.0% and 1.0%" not in said.uncertainty
    for chart_id in ("gap-pounds", "caterpillar"):
        chart = CHARTS[chart_id](tables)
        assert "range of 0" not in f"{chart.title} {chart.subtitle}"
        assert "(range" not in chart.title
    assert "capital alone counted" in CHARTS["gap-pounds"](tables).title
    assert "have no range" in CHARTS["caterpillar"](tables).subtitle


def test_a_trust_above_the_level_has_its_range_the_right_way_round():
    row = share_row(0, share=0.07, expenditure=100e6)
    measure, nothing = find_measure({}, "D1", "opex_less_impairments"), ("", "")
    origin = Origin(nothing, nothing, nothing)
    chart = gap_by_year("Z0", pl.DataFrame([row]), measure, origin)
    low, high = ((row[end] - 0.05) * 100e6 for end in ("share_lower", "share_upper"))
    assert chart.title == (
        f"£2m above 5% of expenditure in 2020/21 under D1 (range {money(low)} to {money(high)})"
    )


def test_one_trust_is_spoken_of_in_the_singular():
    tables = with_shares([share_row(0, months=11)])
    assert "1 of the counted trust's 12 months is missing." in answer(tables).coverage
    chart = CHARTS["coverage-months"](frames.tables(1))
    assert re.match(r"\d+ of 12 months of 2020/21 (is|are) here, of 1 trust", chart.title)
    chart = CHARTS["coverage-years"](frames.tables(1))
    assert re.match(r"\d+ months? of 12 of 2020/21 here, of 1 trust", chart.title)


def test_suppliers_are_of_the_latest_year_unless_it_is_far_from_full():
    def year_of(last: float) -> str:
        rows = [
            {
                "financial_year": year,
                "supplier": "Systems Ltd",
                "amount_gbp": amount,
                "is_named": True,
                "trusts": 2,
            }
            for year, amount in (("2019/20", 100.0), ("2020/21", last))
        ]
        tables = frames.tables(1) | {"marts.supplier": of("marts.supplier", rows)}
        return CHARTS["top-suppliers"](tables).title[-7:]

    assert year_of(60.0) == "2020/21"
    assert year_of(40.0) == "2019/20"


def test_a_nature_that_is_known_of_all_pounds_is_no_sentence(several):
    mix = several["marts.spend_mix"]
    known = mix.with_columns(
        pl.when(pl.col("nature") == "unknown")
        .then(pl.lit("revenue"))
        .otherwise("nature")
        .alias("nature")
    )
    chart = CHARTS["capital-revenue"](several | {"marts.spend_mix": known})
    assert "the line does not tell" not in chart.subtitle
    some = known.with_columns(
        pl.when(pl.int_range(pl.len()) % 2 == 0)
        .then(pl.lit("unknown"))
        .otherwise("nature")
        .alias("nature")
    )
    chart = CHARTS["capital-revenue"](several | {"marts.spend_mix": some})
    assert "of the last year the line does not tell." in chart.subtitle


def test_the_middle_of_many_and_of_one_are_not_told_alike():
    rows = [share_row(i, definition="D0", share=0.01, months=None, width=0.0) for i in range(3)]
    both = [*rows, share_row(0, share=0.02)]
    title = CHARTS["definition-ladder"](with_shares(both)).title
    assert "1.0% under D0 (3 trusts) and 2.0% under D1 (1 trust)" in title
    alike = [*rows, *(share_row(i, share=0.02) for i in range(3))]
    title = CHARTS["definition-ladder"](with_shares(alike)).title
    assert "1.0% under D0 and 2.0% under D1" in title


def test_why_a_definition_has_no_figure_is_asked_of_trusts_that_have_the_others():
    rows = [share_row(i, definition="D0", share=0.01, months=None, width=0.0) for i in range(3)]
    reasons = ["Nothing can be apportioned.", *["No payments of this trust are here."] * 2]
    coverage = of(
        "marts.coverage",
        [
            {
                "organisation_code": row["organisation_code"],
                "financial_year": "2020/21",
                "definition": "D2",
                "denominator": "opex_less_impairments",
                "status": "not available",
                "reason": reason,
            }
            for row, reason in zip(rows, reasons, strict=True)
        ],
    )
    tables = with_shares([*rows, share_row(0, share=0.02)]) | {"marts.coverage": coverage}
    table = CHARTS["definition-ladder"](tables).table
    why = dict(table.select("definition", "why").rows())
    assert why["D2"] == "Nothing can be apportioned."


def test_where_nothing_can_be_measured_the_default_denominator_is_named_in_words():
    tables = frames.tables(2)
    coverage = tables["marts.coverage"].with_columns(pl.lit("not available").alias("status"))
    lacking = {
        "marts.coverage": coverage,
        "marts.digital_share": tables["marts.digital_share"].clear(),
    }
    chart = CHARTS["coverage-status"](tables | lacking)
    assert chart.title.startswith("No usable figure exists for any of ")
    first = headline(tables)
    assert first is not None
    assert chart.denominator == first.measure.denominator_text


def test_no_part_of_ten_is_told_of_a_handful_of_trusts():
    few = CHARTS["caterpillar"](with_shares([share_row(i, share=0.01 + i / 100) for i in range(4)]))
    assert (
        few.title == "The shares of 4 trusts run from 1.0% to 4.0%, 4.0 times as much, in 2020/21"
    )
    many = CHARTS["caterpillar"](with_shares([share_row(i, share=0.01) for i in range(20)]))
    assert many.title.startswith("Nine in ten trusts are above 1.0%")
    several = frames.tables(6)["marts.workforce"]
    for rows, said in (
        (several.filter(pl.col("organisation_code") == "Z001"), r"1 trust has \d+ staff in "),
        (several, r"\d trusts have between \d+ and \d+ staff in "),
    ):
        title = CHARTS["workforce-proxy"]({"marts.workforce": rows}).title
        assert re.match(said, title), title


def test_one_trust_is_the_middle_of_nothing():
    title = CHARTS["definition-ladder"](with_shares([share_row(0, share=0.02)])).title
    assert title.startswith("One trust's share is 2.0% under D1")
