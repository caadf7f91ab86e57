"""The list of charts: which tables each needs, which question it answers, where it stands.

Belongs here: one entry a chart. Does not belong here: how a chart is drawn.
"""

from __future__ import annotations

from pipeline.charts import (
    board_map,
    capital,
    coverage,
    gap,
    ladder,
    maturity,
    maturity_map,
    mix,
    mix_by_trust,
    months,
    ranks,
    series,
    share,
    spread,
    tree,
)
from pipeline.charts.model import ChartSpec

_SHARE = ("marts.digital_share", "marts.coverage", "dims.measure")
_ABOUT = ("meta.source", "meta.build")

_ALL = (
    ChartSpec(
        id="share-lollipop",
        needs=_SHARE,
        optional=_ABOUT,
        build=share.share_lollipop,
        question="How far was each trust from the benchmark, and how sure are we?",
        page="index",
    ),
    ChartSpec(
        id="gap-pounds",
        needs=_SHARE,
        optional=_ABOUT,
        build=gap.gap_pounds,
        question="How many pounds a year are missing to the benchmark?",
        page="index",
    ),
    ChartSpec(
        id="spend-mix",
        needs=("marts.spend_mix", "marts.digital_share", "dims.category"),
        optional=_ABOUT,
        build=mix.spend_mix,
        question="What is digital money spent on, and how much of it on the basics?",
        page="index",
    ),
    ChartSpec(
        id="coverage-months",
        needs=("marts.coverage_month",),
        optional=_ABOUT,
        build=months.coverage_months,
        question="Which months did each trust publish?",
        page="index",
    ),
    ChartSpec(
        id="definition-ladder",
        needs=_SHARE,
        optional=_ABOUT,
        build=ladder.definition_ladder,
        question="Does the answer depend on what counts as digital?",
        page="definitions",
    ),
    ChartSpec(
        id="share-over-time",
        needs=_SHARE,
        optional=(*_ABOUT, "facts.deflator"),
        build=series.share_over_time,
        question="How did the share change, and has any trust ever reached the benchmark?",
        page="definitions",
    ),
    ChartSpec(
        id="caterpillar",
        needs=_SHARE,
        optional=_ABOUT,
        build=spread.caterpillar,
        question="How widely does expenditure on digital vary?",
        page="definitions",
    ),
    ChartSpec(
        id="funnel",
        needs=_SHARE,
        optional=_ABOUT,
        build=spread.funnel,
        question="Is the spread larger than size explains?",
        page="definitions",
    ),
    ChartSpec(
        id="rank-agreement",
        needs=_SHARE,
        optional=_ABOUT,
        build=ranks.rank_agreement,
        question="Do definitions agree on who spends more?",
        page="definitions",
    ),
    ChartSpec(
        id="board-map",
        needs=("marts.icb_share", "dims.icb", *_SHARE),
        optional=_ABOUT,
        build=board_map.board_map,
        question="How do integrated care boards differ?",
        page="boards",
    ),
    ChartSpec(
        id="spend-treemap",
        needs=("marts.spend_mix", "marts.digital_share", "dims.category"),
        optional=_ABOUT,
        build=tree.spend_treemap,
        question="Which kinds of digital spending are large?",
        page="spending",
    ),
    ChartSpec(
        id="capital-revenue",
        needs=("marts.spend_mix", "marts.digital_share"),
        optional=_ABOUT,
        build=capital.capital_and_revenue,
        question="Is capital used where revenue is needed?",
        page="spending",
    ),
    ChartSpec(
        id="mix-by-trust",
        needs=("marts.spend_mix", "marts.digital_share", "dims.category"),
        optional=_ABOUT,
        build=mix_by_trust.mix_by_trust,
        question="How does the mix differ between trusts?",
        page="spending",
    ),
    ChartSpec(
        id="coverage-years",
        needs=("marts.coverage_month",),
        optional=_ABOUT,
        build=months.coverage_years,
        question="Which years did each trust publish in full?",
        page="coverage",
    ),
    ChartSpec(
        id="coverage-status",
        needs=("marts.coverage", "marts.digital_share", "dims.measure"),
        optional=_ABOUT,
        build=coverage.coverage_status,
        question="For how many trusts can each definition be computed?",
        page="coverage",
    ),
    ChartSpec(
        id="maturity-distribution",
        needs=("marts.maturity",),
        optional=_ABOUT,
        build=maturity.maturity_distribution,
        question="On which pillars of digital maturity are trusts strong or weak?",
        page="maturity",
    ),
    ChartSpec(
        id="maturity-heatmap",
        needs=("marts.maturity",),
        optional=_ABOUT,
        build=maturity_map.maturity_heatmap,
        question="Where is each trust behind on digital maturity?",
        page="maturity",
    ),
)

CHARTS: dict[str, ChartSpec] = {spec.id: spec for spec in _ALL}
