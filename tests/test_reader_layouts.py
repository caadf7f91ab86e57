"""Hundreds of invented layouts come back exactly: every payment, to the penny, from its own row."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reader_layouts import AXES, MONTH_ONLY, Expected, Plan, Written, make_plan, write

from pipeline.ingest.spend.reader import SpendBatch, SpendInput, read_spend

COMBINATIONS = 400


def _spoken(text: str, plan: Plan) -> str | None:
    """A text as the file's encoding can hold it, with single blanks."""
    if plan.container == "csv":
        text = text.encode(plan.encoding, "replace").decode(plan.encoding)
    return " ".join(text.split()) or None


def _truth(plan: Plan, line: Expected) -> dict[str, object]:
    p = line.payment
    described = plan.extra == "department of health"
    return {
        "source_sheet": line.sheet,
        "source_row": line.row,
        "payment_date": None if plan.dates in MONTH_ONLY else p.day,
        "month": p.day.replace(day=1),
        "supplier": _spoken(p.supplier, plan),
        "expense_type": None if plan.missing == "type" else p.expense_type,
        "expense_area": None if plan.missing == "area" else p.expense_area,
        "description": (p.description or None) if described else None,
        "transaction_reference": p.reference,
        "amount_gbp": p.pence / 100,
    }


def _wrong(plan: Plan, written: Written, batch: SpendBatch) -> str | None:
    """What differs between a file and what was read from it; None when nothing does."""
    report = batch.reports[written.path]
    if report.status != "read" or report.rows_rejected:
        return f"{report.status}: {report.reason}"
    truth = [_truth(plan, line) for line in written.lines]
    got = batch.lines.filter(batch.lines["source_file"] == written.path).select(truth[0].keys())
    if got.height != len(truth):
        return f"{got.height} rows instead of {len(truth)}"
    for row, true in zip(got.iter_rows(named=True), truth, strict=True):
        differs = {k: (true[k], row[k]) for k in true if row[k] != true[k]}
        if differs:
            return f"row {true['source_row']}: {differs}"
    if report.rows_read != report.rows_kept + report.rows_ignored:
        return "rows do not add up"
    return None


def _read(files: Sequence[Written]) -> SpendBatch:
    return read_spend([SpendInput(w.path, lambda w=w: w.data) for w in files])


def test_every_combination_of_layouts_round_trips_exactly() -> None:
    plans = [make_plan(seed) for seed in range(COMBINATIONS)]
    files = [write(plan) for plan in plans]
    batch = _read(files)
    wrong = [
        f"{plan}\n    {why}"
        for plan, written in zip(plans, files, strict=True)
        if (why := _wrong(plan, written, batch))
    ]
    assert not wrong, f"{len(wrong)} of {COMBINATIONS}:\n" + "\n".join(wrong[:10])


def test_the_combinations_differ_and_hold_every_value_of_every_axis() -> None:
    plans = [make_plan(seed) for seed in range(COMBINATIONS)]
    shapes = {tuple(v for k, v in vars(plan).items() if k != "seed") for plan in plans}
    assert len(shapes) >= 300
    for axis, values in AXES.items():
        assert {getattr(plan, axis) for plan in plans} >= set(values), axis


@pytest.mark.parametrize("sheets", ["one", "months", "zip"])
@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(min_value=10_000, max_value=10**6))
def test_any_other_combination_round_trips_too(sheets: str, seed: int) -> None:
    plan = make_plan(seed)
    written = write(plan)
    why = _wrong(plan, written, _read([written]))
    assert why is None, f"{plan}\n    {why}"
