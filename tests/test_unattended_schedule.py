"""Dagster runs the refresh by its schedule, on a clock that the test moves."""

from __future__ import annotations

import datetime as dt
import json
import logging
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import dagster._daemon
import pytest
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import ModuleTarget
from dagster._scheduler.scheduler import launch_scheduled_runs

from pipeline.definitions import build_defs
from pipeline.defs.history import prune_runs
from pipeline.defs.keys import key_of, raw_key
from pipeline.defs.resources import Product
from pipeline.demo import Truth
from pipeline.refresh import Summary
from pipeline.settings import Settings
from pipeline.store.publish import current_build

NO_PAGE = b"<!DOCTYPE html><html><body>Sorry, not here</body></html>"
MINUTE = dt.timedelta(minutes=1)
LIMIT_SECONDS = 240


class Schedule:
    """The scheduler's loop with a clock of its own; runs are launched as in production."""

    def __init__(self, instance: dg.DagsterInstance, workspace: WorkspaceProcessContext) -> None:
        self.instance, self.workspace = instance, workspace
        self.now = dt.datetime(2026, 12, 3, 4, 59, 30, tzinfo=dt.UTC)
        self.times: dict = {}
        self.log = logging.getLogger("scheduler")
        self.tick()  # the first look only notes that the schedule is on

    def tick(self) -> None:
        for error in launch_scheduled_runs(
            self.workspace, self.log, end_datetime_utc=self.now, iteration_times=self.times
        ):
            assert error is None, error

    def a_minute_later(self) -> dg.DagsterRun:
        """Move the clock on; the finished run that the tick launched."""
        before = {run.run_id for run in self.instance.get_runs()}
        self.now += MINUTE
        self.tick()
        launched = [run for run in self.instance.get_runs() if run.run_id not in before]
        assert [run.job_name for run in launched] == ["unattended_refresh"]
        for _ in range(LIMIT_SECONDS * 4):
            run = self.instance.get_run_by_id(launched[0].run_id)
            if run is not None and run.is_finished:
                return run
            time.sleep(0.25)
        raise AssertionError(f"the run is still {run}")


@pytest.fixture
def schedule(
    demo_build: tuple[Settings, Summary], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Schedule]:
    shutil.copytree(demo_build[0].raw, tmp_path / "raw")
    shutil.copytree(demo_build[0].out, tmp_path / "out", symlinks=True)
    (tmp_path / "mirror" / "spend_over_25k").mkdir(parents=True)
    for name, value in {
        "RAW": tmp_path / "raw",
        "OUT": tmp_path / "out",
        "MIRROR": tmp_path / "mirror",
        "FETCH_ATTEMPTS": 1,
        "SCHEDULE_CRON": "* * * * *",
        "SCHEDULE_RUNNING": "true",
    }.items():
        monkeypatch.setenv(f"FIVEPERCENT_{name}", str(value))
    home = tmp_path / "home"
    home.mkdir()
    at_once = {"module": "dagster._core.run_coordinator", "class": "DefaultRunCoordinator"}
    overrides = {"telemetry": {"enabled": False}, "run_coordinator": at_once}
    with (
        dg.DagsterInstance.local_temp(str(home), overrides=overrides) as instance,
        WorkspaceProcessContext(
            instance,
            ModuleTarget("pipeline.definitions", None, str(tmp_path), "pipeline.definitions"),
        ) as workspace,
    ):
        yield Schedule(instance, workspace)


def digests(folder: Path) -> list[dict]:
    return [json.loads(p.read_bytes()) for p in sorted(folder.glob("out/digests/2*/digest.json"))]


def test_three_ticks_leave_publications_digests_and_an_alert(
    schedule: Schedule, tmp_path: Path
) -> None:
    """The second tick meets a source that fails; the third brings a revised file and repairs it."""
    first = schedule.a_minute_later()
    assert first.status == dg.DagsterRunStatus.SUCCESS
    before = current_build(tmp_path / "out")

    broken = tmp_path / "mirror" / "workforce" / "counts.csv"
    broken.parent.mkdir()
    broken.write_bytes(NO_PAGE)
    looked = schedule.instance.get_latest_materialization_event(raw_key("workforce"))
    second = schedule.a_minute_later()
    assert second.status == dg.DagsterRunStatus.SUCCESS
    assert current_build(tmp_path / "out") == before
    # Nobody could look: the freshness of the source goes on ageing, that of others does not.
    assert looked == schedule.instance.get_latest_materialization_event(raw_key("workforce"))
    dspt = schedule.instance.get_latest_materialization_event(raw_key("dspt"))
    assert dspt is not None
    assert dspt.run_id == second.run_id

    broken.unlink()
    original = sorted((tmp_path / "raw" / "spend_over_25k").rglob("*.csv"))[0]
    revised = tmp_path / "mirror" / original.relative_to(tmp_path / "raw")
    revised.parent.mkdir(parents=True, exist_ok=True)
    revised.write_bytes(b"".join(original.read_bytes().splitlines(keepends=True)[:-3]))
    third = schedule.a_minute_later()
    assert third.status == dg.DagsterRunStatus.SUCCESS
    assert current_build(tmp_path / "out") != before

    told = digests(tmp_path)
    assert [d["end"] for d in told] == ["unchanged", "unchanged", "published"]
    assert [bool(d["troubles"]) for d in told] == [False, True, False]
    assert "workforce" in told[1]["troubles"][0]
    assert told[2]["files_all"] >= 1
    assert told[2]["figures_all"] > 0
    share = schedule.instance.get_latest_materialization_event(key_of("marts.digital_share"))
    assert share is not None
    assert share.run_id == third.run_id
    log = schedule.instance.compute_log_manager.get_log_data
    keys = schedule.instance.all_logs(second.run_id, of_type=dg.DagsterEventType.LOGS_CAPTURED)
    captured = keys[0].dagster_event.logs_captured_data  # type: ignore[union-attr]
    stderr = log([second.run_id, "compute_logs", captured.file_key]).stderr or b""
    assert stderr.count(b"ALERT attention: Not every source could be fetched") == 1


def test_a_run_that_cannot_publish_fails_and_says_that_it_has_told_somebody(
    small_demo: tuple[Path, Truth], tmp_path: Path
) -> None:
    product = Product(raw=str(tmp_path / "nothing"), out=str(tmp_path / "out"))
    job = build_defs({"product": product}).resolve_job_def("unattended_refresh")
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, raise_on_error=False)
        assert not result.success
        run = instance.get_run_by_id(result.run_id)
        assert run is not None
        assert run.tags["fivepercent/alert"] == "sent"
    assert digests(tmp_path)[0]["end"] == "failed"


def test_a_job_that_dies_raises_an_alert_and_one_that_told_does_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from pipeline.defs.unattended import TOLD, tell_failures

    @dg.job
    def refresh() -> None:
        @dg.op
        def dies() -> None:
            raise ValueError("out of memory")

        dies()

    product = Product(raw=str(tmp_path), out=str(tmp_path / "out"))
    for tags, alerts in (({}, 1), ({TOLD: "sent"}, 0)):
        caplog.clear()
        with dg.DagsterInstance.ephemeral() as instance:
            result = refresh.execute_in_process(instance=instance, raise_on_error=False, tags=tags)
            failure = result.get_run_failure_event()
            context = dg.build_run_status_sensor_context(
                "tell_failures",
                dagster_event=failure,
                dagster_instance=instance,
                dagster_run=result.dagster_run,
                resources={"product": product},
            ).for_run_failure()
            tell_failures(context)
        told = [r for r in caplog.records if r.getMessage().startswith("ALERT failed")]
        assert len(told) == alerts


def test_old_runs_go_but_for_what_the_catalogue_shows() -> None:
    """Three runs of one asset: the newest stays although it is old, as its partition's maker does."""

    @dg.asset
    def plain() -> None: ...

    parts = dg.StaticPartitionsDefinition(["a", "b"])

    @dg.asset(partitions_def=parts)
    def split() -> None: ...

    with dg.DagsterInstance.ephemeral() as instance:
        runs = [dg.materialize([plain], instance=instance).run_id for _ in range(3)]
        split_runs = [
            dg.materialize([split], instance=instance, partition_key=key).run_id
            for key in ("a", "a", "b")
        ]
        later = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
        assert prune_runs(instance, dt.datetime.now(dt.UTC) - dt.timedelta(days=1)) == 0
        assert prune_runs(instance, later) == 3
        left = {run.run_id for run in instance.get_runs()}
        assert left == {runs[2], split_runs[1], split_runs[2]}
        assert instance.get_materialized_partitions(dg.AssetKey("split")) == {"a", "b"}
