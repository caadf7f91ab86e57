"""What an analyst is told about a check, an asset and a chart."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import dagster as dg
import pytest

from pipeline.catalogue.periods import last_month_of
from pipeline.definitions import build_defs
from pipeline.defs.checks import result_of
from pipeline.defs.freshness import policy_of
from pipeline.defs.resources import Product
from pipeline.quality import CheckResult
from pipeline.settings import Settings


def failing(severity: str) -> CheckResult:
    rows = [{"source_row": 7, "supplier": "<b>Acme</b> [x](javascript:1)"}]
    return CheckResult(
        "facts.payment",
        "no_future_month",
        "No payment lies in the future. If not: look at the file's dates.",
        severity,  # type: ignore[arg-type]
        passed=False,
        observed="3 of 10 rows break it <script>",
        failing_rows=3,
        sample=json.dumps(rows),
    )


def holding() -> CheckResult:
    return CheckResult("facts.payment", "key_is_unique", "Each key once.", "blocking", True)


def test_a_failed_check_says_the_sentence_the_count_and_shows_the_rows(tmp_path: Path) -> None:
    settings = Settings(out=tmp_path, site_url="https://example.org/five")
    told = result_of([holding(), failing("blocking")], settings)
    assert not told.passed
    assert told.severity == dg.AssetCheckSeverity.ERROR
    assert "No payment lies in the future" in (told.description or "")
    assert told.metadata["failing_rows"].value == 3
    records = told.metadata["rows: no_future_month"].value.records  # type: ignore[union-attr]
    assert records[0].data["source_row"] == 7
    link = told.metadata["data quality page (of the last publication)"].value
    assert link == "https://example.org/five/quality.html#check-facts.payment-no_future_month"
    words = told.metadata["all expectations"].value
    assert "**FAILS**" in words  # type: ignore[operator]
    assert "<script>" not in words  # type: ignore[operator]


def test_a_warning_does_not_stop_and_all_held_passes(tmp_path: Path) -> None:
    settings = Settings(out=tmp_path)
    warned = result_of([holding(), failing("warning")], settings)
    assert (warned.passed, warned.severity) == (False, dg.AssetCheckSeverity.WARN)
    held = result_of([holding()], settings)
    assert held.passed
    assert isinstance(
        held.metadata["data quality page (of the last publication)"], dg.PathMetadataValue
    )


def test_the_anchor_of_a_check_is_on_the_data_quality_page(demo_build) -> None:
    page = (demo_build[0].out / "charts" / "quality.html").read_text(encoding="utf-8")
    assert 'id="check-facts.payment-' in page
    assert page.count('id="check-') > 100


@pytest.mark.parametrize(
    ("field", "value"),
    [("benchmark", 7), ("threads", 0), ("preview_rows", 101), ("picture_width", 10)],
)
def test_a_launchpad_value_out_of_bounds_is_refused_before_anything_runs(field, value) -> None:
    job = build_defs().resolve_job_def("refresh_charts")
    config = {"resources": {"product": {"config": {field: value}}}}
    with pytest.raises(dg.DagsterError) as refused:
        job.execute_in_process(run_config=config)
    assert field in str(refused.value.__cause__)


def test_an_empty_launchpad_runs_as_the_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIVEPERCENT_BENCHMARK", "0.03")
    assert Product().given().benchmark == 0.03
    assert Product(benchmark=0.04).given().benchmark == 0.04


@pytest.mark.parametrize(
    ("period", "month"),
    [
        ("2024-02-01", (2024, 2)),
        ("2024-02", (2024, 2)),
        ("2023/24", (2024, 3)),
        ("1999/00", (2000, 3)),
        ("2025", (2025, 12)),
        ("2023/25", None),
        ("soon", None),
        (None, None),
    ],
)
def test_the_month_in_which_a_period_ends(period, month) -> None:
    assert last_month_of(period) == (None if month is None else dt.date(*month, 1))


def test_a_folder_is_looked_at_as_often_as_its_publisher_releases() -> None:
    monthly = policy_of("spend_over_25k")
    assert monthly is not None
    assert monthly.warn_window.to_timedelta() == dt.timedelta(days=31)  # type: ignore[attr-defined]
    assert policy_of("epr_suppliers") is None


def _alone(product: Product, key: str, **config: object) -> dg.ExecuteInProcessResult:
    job = dg.define_asset_job("alone", selection=dg.AssetSelection.assets(key.split("/")))
    defs = dg.Definitions.merge(
        build_defs({"product": product}), dg.Definitions(jobs=[job])
    ).resolve_job_def("alone")
    given = {"resources": {"product": {"config": config}}} if config else {}
    return defs.execute_in_process(run_config=given, raise_on_error=False)


def test_nothing_is_published_where_nothing_has_been_made(tmp_path: Path) -> None:
    """The page says what to start, and no half of a build is left."""
    (tmp_path / "raw" / "workforce").mkdir(parents=True)
    (tmp_path / "raw" / "workforce" / "nothing.csv").write_text("a,b\n1,2\n")
    product = Product(raw=str(tmp_path / "raw"), out=str(tmp_path / "out"))
    result = _alone(product, "published/publication")
    assert not result.success
    failed = next(e for e in result.all_node_events if e.is_step_failure)
    assert "Start the job refresh" in str(failed.step_failure_data.user_failure_data)
    assert not (tmp_path / "out" / "builds").exists()


def test_a_value_out_of_bounds_ends_the_run_before_a_step(tmp_path: Path) -> None:
    result = _alone(Product(out=str(tmp_path)), "charts/funnel", benchmark=0.9)
    assert not result.success
    assert not [e for e in result.all_events if e.is_step_start]
    failed = next(e for e in result.all_events if e.is_failure)
    told = failed.event_specific_data.error.to_string()  # type: ignore[union-attr]
    assert "benchmark" in told
    assert "less than or equal to 0.5" in told
