"""Processes are started ahead on a guess, which never decides what is done."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.refresh import ahead, refresh
from pipeline.refresh.ahead import Ahead, seen
from pipeline.refresh.drawing import Drawer
from pipeline.refresh.process import Process
from pipeline.settings import Settings
from pipeline.store.tables import unfinished_name

if TYPE_CHECKING:
    from pipeline.refresh import Summary

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def published(
    demo_build: tuple[Settings, Summary], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """The demonstration published in one folder, and that folder as it was then in another.

    What was seen of raw files is noted with their whole paths, so each test works in the same folder.
    """
    folder = tmp_path_factory.mktemp("ahead")
    here, kept = folder / "here", folder / "kept"
    shutil.copytree(demo_build[0].raw, here / "raw")
    shutil.copytree(demo_build[0].out, here / "out", symlinks=True)
    refresh(Settings(raw=here / "raw", out=here / "out", offline=True), force=True)
    here.rename(kept)
    return here, kept


@pytest.fixture
def settings(published: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The demonstration published, with a raw tree of its own."""
    here, kept = published
    shutil.rmtree(here, ignore_errors=True)
    shutil.copytree(kept, here, symlinks=True)
    monkeypatch.setattr(ahead.os, "cpu_count", lambda: 2)
    return Settings(raw=here / "raw", out=here / "out", offline=True, threads=2)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Process]:
    found: list[Process] = []
    start = Process.__init__

    def noting(self: Process, *a: object, **k: object) -> None:
        found.append(self)
        start(self, *a, **k)  # type: ignore[arg-type]

    monkeypatch.setattr(Process, "__init__", noting)
    return found


def ended(process: Process) -> bool:
    return process._process.poll() is not None


def payments(settings: Settings) -> list[Path]:
    return sorted((settings.raw / "spend_over_25k").rglob("*.csv"))


def test_nothing_is_started_where_nothing_differs(
    settings: Settings, started: list[Process]
) -> None:
    with Ahead() as guess:
        guess.look(settings)
        assert guess.drawer() is None
    assert not refresh(settings).published
    assert started == []


def test_what_was_started_ahead_is_what_draws_and_the_library_of_the_checks_is_not_needed(
    settings: Settings, started: list[Process]
) -> None:
    payments(settings)[0].unlink()
    with Ahead() as guess:
        guess.look(settings)
        assert len(started) == 1
        guess.look(settings)
        assert refresh(settings, ahead=guess).published
    assert len(started) == 1
    assert all(map(ended, started))
    builds = [path.name for path in (settings.out / "builds").iterdir()]
    assert not [name for name in builds if name.startswith(".")]  # the copy became the database


def test_a_copy_of_the_database_that_a_killed_run_left_is_removed(settings: Settings) -> None:
    """Its name tells who made it, and no process has so high a number."""
    builds = settings.out / "builds"
    own = unfinished_name(builds / "fivepercent.duckdb")
    pid = str(os.getpid())
    left = own.with_name(own.name.replace(f".{pid}.", f".{2**22 + 1}."))
    left.write_bytes(b"half")
    own.write_bytes(b"half")
    refresh(settings)
    assert not left.exists()
    assert own.exists()


def test_a_change_that_names_and_sizes_do_not_show_is_published_all_the_same(
    settings: Settings, started: list[Process]
) -> None:
    path = payments(settings)[0]
    data = path.read_bytes()
    digit = next(n for n in range(len(data) - 1, 0, -1) if data[n : n + 1].isdigit())
    before = seen(settings.raw)
    path.write_bytes(data[:digit] + (b"1" if data[digit] != ord("1") else b"2") + data[digit + 1 :])
    assert seen(settings.raw) == before
    with Ahead() as guess:
        guess.look(settings)
        assert started == []
        assert refresh(settings, ahead=guess).published
    assert started
    assert all(map(ended, started))


def test_a_guess_in_vain_ends_what_it_started(settings: Settings, started: list[Process]) -> None:
    state = settings.work / "state.json"
    state.write_text(state.read_text().replace('"seen": "', '"seen": "0'))
    assert not refresh(settings).published
    assert len(started) == 1
    assert all(map(ended, started))


@pytest.mark.parametrize("state", ["", "{}", "[1]", None])
def test_without_a_publication_nothing_is_started_ahead(
    settings: Settings, started: list[Process], state: str | None
) -> None:
    path = settings.work / "state.json"
    path.unlink() if state is None else path.write_text(state)
    with Ahead() as guess:
        guess.look(settings)
        taken: Drawer | None = guess.drawer()
    assert taken is None
    assert started == []


def test_a_folder_that_may_not_be_read_is_another_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked after the publication too, where an error would make a refresh fail that has published."""
    (tmp_path / "shut").mkdir()
    (tmp_path / "shut" / "a.csv").write_text("a")
    open_state = ahead.seen(tmp_path)
    scan = os.scandir

    def refusing(path: str) -> Any:
        if path.endswith("shut"):
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(ahead.os, "scandir", refusing)
    assert ahead.seen(tmp_path) != open_state


def test_what_was_seen_is_noted_but_for_files_that_were_moved_meanwhile(
    settings: Settings,
) -> None:
    with Ahead() as guess:
        guess.look(settings)
        there = seen(settings.raw)
        late = payments(settings)[0]
        late.write_bytes(late.read_bytes() + b"\n")  # after it looked, so the next run will see it
        assert guess.seen(settings.raw) == there
        assert guess.seen(settings.raw.parent) == seen(settings.raw.parent)
        guess.forget_seen()
        assert guess.seen(settings.raw) == seen(settings.raw) != there
