"""The sensor: one run for what is new, none for what a run moved or read itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import dagster as dg
import pytest

from pipeline.definitions import build_defs
from pipeline.defs.keys import ALL_YEARS
from pipeline.defs.resources import Product
from pipeline.defs.sensors import new_raw_files
from pipeline.demo import Truth
from pipeline.refresh.context import Run
from pipeline.refresh.inbox import sort_inbox
from pipeline.refresh.run import read_sources
from pipeline.settings import Settings


class Watch:
    """The sensor with its cursor, as the daemon keeps it."""

    def __init__(self, raw: Path, out: Path) -> None:
        self.product = Product(raw=str(raw), out=str(out))
        self.settings = Settings(raw=raw, out=out)
        self.instance = dg.DagsterInstance.ephemeral()
        self.cursor: str | None = None

    def tick(self) -> list[dg.RunRequest]:
        with dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, resources={"product": self.product}
        ) as context:
            said = list(new_raw_files(context))
            self.cursor = context.cursor
        return [one for one in said if isinstance(one, dg.RunRequest)]

    def read(self) -> None:
        """What the run a sensor starts does up to the account of files."""
        run = Run(self.settings)
        sort_inbox(run)
        read_sources(run, {})


@pytest.fixture
def watch(small_demo: tuple[Path, Truth], tmp_path: Path) -> Watch:
    shutil.copytree(small_demo[0], tmp_path / "raw")
    watch = Watch(tmp_path / "raw", tmp_path / "out")
    assert len(watch.tick()) == 1
    watch.read()
    assert watch.tick() == []
    return watch


def later_version(watch: Watch) -> Path:
    original = sorted((watch.settings.raw / "spend_over_25k").rglob("*.csv"))[0]
    dropped = watch.settings.raw / "inbox" / original.parent.name / original.name
    dropped.parent.mkdir(parents=True)
    dropped.write_bytes(b"".join(original.read_bytes().splitlines(keepends=True)[:-1]))
    return dropped


def test_a_dropped_file_starts_one_run_and_its_filing_starts_none(watch: Watch) -> None:
    dropped = later_version(watch)
    requests = watch.tick()
    assert len(requests) == 1
    assert (
        requests[0].tags["dagster/asset_partition_range_start"]
        == ALL_YEARS["dagster/asset_partition_range_start"]
    )
    assert watch.tick() == []
    watch.read()
    assert not dropped.exists()
    assert watch.tick() == []
    assert watch.tick() == []


def test_a_file_that_stays_in_the_inbox_starts_one_run_only(watch: Watch) -> None:
    (watch.settings.raw / "inbox").mkdir()
    (watch.settings.raw / "inbox" / "notes.txt").write_text("buy milk\n")
    assert len(watch.tick()) == 1
    watch.read()
    assert watch.tick() == []


def test_no_second_run_while_one_is_at_work(watch: Watch) -> None:
    run = dg.DagsterRun(job_name="refresh", status=dg.DagsterRunStatus.STARTED)
    watch.instance.add_run(run)
    later_version(watch)
    assert watch.tick() == []
    watch.instance.delete_run(run.run_id)
    assert len(watch.tick()) == 1


def test_what_changes_after_the_run_read_it_starts_another(watch: Watch) -> None:
    path = sorted((watch.settings.raw / "spend_over_25k").rglob("*.csv"))[0]
    content = path.read_bytes()
    path.write_bytes(content.swapcase())  # same size, other content
    assert len(watch.tick()) == 1
    watch.read()
    path.write_bytes(content)
    assert len(watch.tick()) == 1, "back to an earlier state is a change too"
    watch.read()
    path.unlink()
    assert len(watch.tick()) == 1


def test_unfinished_files_and_reading_matter_start_nothing(watch: Watch) -> None:
    (watch.settings.raw / "inbox").mkdir()
    for name in ("a.csv.part", "~$b.xlsx", ".c", "README.md"):
        (watch.settings.raw / "inbox" / name).write_text("x")
    assert watch.tick() == []


def test_an_empty_raw_folder_starts_nothing(tmp_path: Path) -> None:
    watch = Watch(tmp_path / "raw", tmp_path / "out")
    assert watch.tick() == []


def test_the_graph_files_the_inbox_before_any_source_is_listed() -> None:
    graph = build_defs().resolve_asset_graph()
    inbox = dg.AssetKey(["raw", "inbox"])
    listed = [k for k in graph.get_all_asset_keys() if k.path[0] == "raw" and k != inbox]
    assert len(listed) > 5
    assert all(graph.get(key).parent_keys == {inbox} for key in listed)


def test_the_asset_says_what_it_filed(watch: Watch) -> None:
    dropped = later_version(watch)
    result = (
        build_defs({"product": watch.product})
        .resolve_implicit_global_asset_job_def()
        .execute_in_process(asset_selection=[dg.AssetKey(["raw", "inbox"])])
    )
    assert result.success
    (event,) = result.get_asset_materialization_events()
    metadata = event.step_materialization_data.materialization.metadata
    assert metadata["dagster/row_count"].value == 1
    assert metadata["stay"].value == 0
    assert not dropped.exists()
