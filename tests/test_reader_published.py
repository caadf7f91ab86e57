"""Every layout seen at a real publisher is read exactly, with invented payments in it."""

from __future__ import annotations

import pytest
from published_layouts import LAYOUTS, Published, written

from pipeline.ingest.spend.reader import SpendBatch, SpendInput, read_spend


@pytest.fixture(scope="module")
def batch() -> SpendBatch:
    items = []
    for number, layout in enumerate(LAYOUTS):
        data, _ = written(layout)
        items.append(SpendInput(f"spend_over_25k/R{number}/{layout.name}", lambda d=data: d))
    return read_spend(items)


@pytest.mark.parametrize("number", range(len(LAYOUTS)), ids=[x.who for x in LAYOUTS])
def test_a_published_layout_is_read_exactly(batch: SpendBatch, number: int) -> None:
    layout: Published = LAYOUTS[number]
    path = f"spend_over_25k/R{number}/{layout.name}"
    _, truth = written(layout)
    report = batch.reports[path]
    assert report.status == "read", report.reason
    got = batch.lines.filter(batch.lines["source_file"] == path).select(list(truth[0])).to_dicts()
    assert len(got) == len(truth)
    wrong = [(g, t) for g, t in zip(got, truth, strict=True) if g != t]
    assert not wrong, (report.sheets[0].columns, wrong[0])


def test_the_layouts_are_many_and_different() -> None:
    assert len({layout.columns for layout in LAYOUTS}) >= 50
