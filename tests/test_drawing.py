"""Pages drawn in a process beside the refresh are those drawn here, and are not published before the gates."""

from __future__ import annotations

import hashlib
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from quality_worlds import marts_spoiled

from pipeline.refresh import ahead, refresh
from pipeline.refresh.drawing import Drawer, Drawn, Pages, draw
from pipeline.refresh.publishing import LATE
from pipeline.refresh.run import RefreshFailedError
from pipeline.schema import all_tables
from pipeline.settings import Settings
from pipeline.store.publish import current_build

if TYPE_CHECKING:
    from pipeline.refresh import Summary

pytestmark = pytest.mark.processes


@pytest.fixture
def asked(demo_build: tuple[Settings, Summary], tmp_path: Path) -> Pages:
    names = tuple(n for n in all_tables() if not n.startswith("facts.") and n not in LATE)
    return Pages(demo_build[0].tables, names, LATE, tmp_path / "charts", "A site", None, ())


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_pages_are_those_drawn_here_and_what_tells_of_the_checks_waits_for_them(
    asked: Pages, tmp_path: Path
) -> None:
    there: list[bool] = []

    def settled() -> None:
        there.append((asked.folder / "quality.html").exists())

    with Drawer() as drawer:
        drawn = drawer.draw(asked, settled)
    found = hashes(asked.folder)
    shutil.rmtree(asked.folder)
    assert draw(asked, lambda: None) == drawn
    assert drawn.pages > 20
    assert hashes(asked.folder) == found
    assert there == [False]


def test_a_process_that_is_lost_costs_time_and_no_page(asked: Pages) -> None:
    def lost() -> None:
        process = drawer.get_ready()
        process._process.kill()
        process._process.wait()

    with Drawer() as drawer:
        drawn = drawer.draw(asked, lost)
    found = hashes(asked.folder)
    shutil.rmtree(asked.folder)
    assert draw(asked, lambda: None) == drawn
    assert hashes(asked.folder) == found


def test_what_drawing_runs_into_there_is_raised_here(asked: Pages) -> None:
    asked.folder.write_text("a file where the site should go")
    with Drawer() as drawer, pytest.raises(FileExistsError):
        drawer.draw(asked, lambda: None)


def test_nobody_draws_any_more_when_a_gate_has_failed(asked: Pages) -> None:
    """What is drawn into a folder that is being removed stays behind."""

    def failing() -> None:
        while not asked.folder.exists():
            time.sleep(0.01)
        raise RefreshFailedError("a gate failed")

    with Drawer() as drawer:
        process = drawer.get_ready()._process
        with pytest.raises(RefreshFailedError):
            drawer.draw(asked, failing)
        assert process.poll() is not None
    shutil.rmtree(asked.folder)


def test_nothing_is_published_that_was_drawn_when_a_gate_fails(
    demo_build: tuple[Settings, Summary], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    shutil.copytree(demo_build[0].out, out, symlinks=True)
    before = current_build(out)
    asked: list[Pages] = []
    drawn: list[Drawn] = []
    own = Drawer.draw

    def noting(self: Drawer, what: Pages, settled: Any) -> Drawn:
        asked.append(what)
        drawn.append(own(self, what, settled))
        return drawn[-1]

    marts_spoiled(monkeypatch)
    monkeypatch.setattr(Drawer, "draw", noting)
    monkeypatch.setattr(ahead.os, "cpu_count", lambda: 2)
    with pytest.raises(RefreshFailedError, match=r"blocking check.* on marts failed"):
        refresh(Settings(raw=demo_build[0].raw, out=out, offline=True), force=True)
    assert len(asked) == 1
    assert drawn == []
    assert current_build(out) == before
    assert [path.name for path in (out / "builds").iterdir()] == [before]
