"""Checks made in a process beside the refresh stop a publication as those made here do."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from quality_worlds import marts_spoiled

from pipeline.quality import run_gate, suite_for
from pipeline.refresh import ahead, drawing, refresh
from pipeline.refresh import run as refresh_run
from pipeline.refresh.checking import Checker
from pipeline.refresh.context import Run
from pipeline.refresh.drawing import Drawer
from pipeline.refresh.process import Process
from pipeline.refresh.run import RefreshFailedError
from pipeline.schema import table
from pipeline.settings import Settings
from pipeline.site.writer import Writer
from pipeline.store import TableStore
from pipeline.store.publish import current_build

if TYPE_CHECKING:
    from pipeline.refresh import Summary

pytestmark = pytest.mark.processes

TABLES = ["facts.epr", "meta.source_file"]


@pytest.fixture
def store(demo_build: tuple[Settings, Summary]) -> TableStore:
    return TableStore(demo_build[0].tables)


def names(store: TableStore) -> dict[str, list[str]]:
    """All checks of some tables that can be asked of a store."""
    return {
        name: [
            c.check_name for c in suite_for(table(name)) if all(store.exists(n) for n in c.needs)
        ]
        for name in TABLES
    }


def test_the_results_are_those_of_checks_made_here(store: TableStore) -> None:
    with Checker() as checker:
        found = checker.ask_library(store, names(store))
    assert found == run_gate(store, "facts", tables=TABLES, is_demo=True)
    assert len(found) > 10


def test_a_process_that_is_lost_costs_time_and_no_check(
    store: TableStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Process.work

    def dying(self: Process, told: object) -> Any:
        self._process.kill()
        self._process.wait()
        return work(self, told)

    monkeypatch.setattr(Process, "work", dying)
    with Checker() as checker:
        found = checker.ask_library(store, names(store))
    assert found == run_gate(store, "facts", tables=TABLES, is_demo=True)


def test_what_goes_wrong_there_goes_wrong_here(store: TableStore) -> None:
    with Checker() as checker, pytest.raises(KeyError, match=r"marts\.none"):
        checker.ask_library(store, {"marts.none": ["key_is_unique"]})


def spoiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Facts lose a value they need after they were read, and before they are checked."""
    read_sources = refresh_run.read_sources

    def read(run: Run, tables: dict[str, int]) -> None:
        read_sources(run, tables)
        path = run.store.files("facts.epr")[0]
        path.unlink()
        rows = pl.DataFrame({"source_file": ["x"]}).with_columns(
            pl.lit(None, kind).alias(name)
            for name, kind in run.store.scan("facts.epr").collect_schema().items()
            if name != "source_file"
        )
        rows.write_parquet(path)

    monkeypatch.setattr(refresh_run, "read_sources", read)


@pytest.mark.parametrize("marts_fail", [False, True])
def test_facts_that_fail_their_checks_stop_the_publication_though_marts_were_begun(
    demo_build: tuple[Settings, Summary],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    marts_fail: bool,
) -> None:
    out = tmp_path / "out"
    shutil.copytree(demo_build[0].out, out, symlinks=True)
    before = current_build(out)
    spoiled(monkeypatch)
    if marts_fail:
        monkeypatch.setattr(refresh_run, "build_marts", lambda *_, **__: 1 / 0)
    monkeypatch.setattr(ahead.os, "cpu_count", lambda: 2)
    with pytest.raises(RefreshFailedError, match=r"blocking check.* on facts failed") as failed:
        refresh(Settings(raw=demo_build[0].raw, out=out, offline=True), force=True)
    assert re.search(r"rows? breaks? it, such as \[\{.*organisation_code", str(failed.value))
    assert current_build(out) == before
    assert [path.name for path in (out / "builds").iterdir()] == [before]


def test_marts_that_fail_their_checks_stop_the_publication_though_pages_were_drawn(
    demo_build: tuple[Settings, Summary], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    shutil.copytree(demo_build[0].out, out, symlinks=True)
    before = current_build(out)

    marts_spoiled(monkeypatch)
    monkeypatch.setattr(ahead.os, "cpu_count", lambda: 2)
    drawn: list[Path] = []
    write = Writer.page

    def noting(self: Writer, name: str, template: str, context: dict[str, Any]) -> None:
        drawn.append(self.out_dir / name)
        write(self, name, template, context)

    monkeypatch.setattr(Writer, "page", noting)
    monkeypatch.setattr(Drawer, "draw", lambda _, *asked: drawing.draw(*asked))  # to be watched
    with pytest.raises(RefreshFailedError, match=r"blocking check.* on marts failed"):
        refresh(Settings(raw=demo_build[0].raw, out=out, offline=True), force=True)
    names = {path.name for path in drawn}
    assert "index.html" in names
    assert "quality.html" not in names  # it tells of the checks, and waits for them
    assert current_build(out) == before
    assert [path.name for path in (out / "builds").iterdir()] == [before]
