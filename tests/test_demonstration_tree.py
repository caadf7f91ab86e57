"""The demonstration is made once, says where it cannot be, and takes no place that is not its own."""

from __future__ import annotations

import threading
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

import pipeline.demo
from pipeline.cli import app
from pipeline.defs.resources import Product
from pipeline.refresh import RefreshFailedError
from pipeline.refresh.demonstration import demonstration_tree, or_demonstration
from pipeline.settings import DEMONSTRATION_MARKER, Settings


def test_two_that_ask_at_once_get_one_tree(tmp_path, monkeypatch):
    made: list[Path] = []
    begun = threading.Event()

    def slowly(folder: Path) -> None:
        made.append(folder)
        begun.set()
        folder.mkdir(parents=True)
        for i in range(200):  # the other one has begun before this one is done
            (folder / f"{i}.csv").write_text("x", encoding="utf-8")
        (folder / DEMONSTRATION_MARKER).write_text("", encoding="utf-8")

    monkeypatch.setattr(pipeline.demo, "generate", slowly)
    settings = Settings(out=tmp_path / "out")
    old = settings.out / ".demonstration" / "raw-old"
    old.mkdir(parents=True)
    got: list[Path] = []
    asking = [
        threading.Thread(target=lambda: got.append(demonstration_tree(settings))) for _ in range(2)
    ]
    asking[0].start()
    assert begun.wait(10)
    asking[1].start()
    for one in asking:
        one.join(30)
    assert len(made) == 1
    assert len(got) == 2
    assert got[0] == got[1]
    assert len(list(got[0].iterdir())) == 201
    assert not old.exists()


def test_a_folder_that_is_a_file_is_named_and_not_a_traceback(tmp_path):
    wrong = tmp_path / "out"
    wrong.write_text("", encoding="utf-8")
    told = CliRunner().invoke(app, ["refresh", "--demo", "--out", str(wrong)])
    assert told.exit_code == 1
    assert "Failed: Not a directory" in told.output
    assert str(wrong) in told.output.replace("\n", "")


@pytest.fixture
def no_generator(monkeypatch):
    """Whoever would make the demonstration fails the test."""
    monkeypatch.setattr(
        pipeline.demo, "generate", lambda _: pytest.fail("the demonstration was made")
    )


def test_a_folder_that_was_named_and_is_not_there_is_never_the_demonstration(
    tmp_path, monkeypatch, no_generator
):
    raw, out = tmp_path / "dtaa", tmp_path / "out"
    with pytest.raises(RefreshFailedError, match="there is no folder"):
        Product(raw=str(raw), out=str(out)).settings()
    monkeypatch.setenv("FIVEPERCENT_RAW", str(raw))
    told = CliRunner().invoke(app, ["refresh", "--out", str(out)])
    assert told.exit_code == 1
    assert f"there is no folder {raw}" in told.output.replace("\n", "")


def test_an_empty_folder_that_was_named_for_one_run_is_never_the_demonstration(
    tmp_path, no_generator
):
    raw, out = tmp_path / "raw", tmp_path / "out"
    raw.mkdir()
    with pytest.raises(RefreshFailedError, match="no files below"):
        Product(raw=str(raw), out=str(out)).settings()
    told = CliRunner().invoke(app, ["refresh", "--raw", str(raw), "--out", str(out)])
    assert told.exit_code == 1
    assert "no files below" in told.output


@pytest.mark.parametrize("is_real", [True, False])
def test_the_demonstration_takes_no_real_publications_place(tmp_path, monkeypatch, is_real):
    raw, out = tmp_path / "raw", tmp_path / "out"
    raw.mkdir()
    about = out / "current" / "parquet" / "meta" / "build.parquet"
    about.parent.mkdir(parents=True)
    pl.DataFrame({"is_demo": [not is_real]}).write_parquet(about)
    monkeypatch.setattr("pipeline.refresh.demonstration.demonstration_tree", lambda _: tmp_path)
    settings = Settings(raw=raw, out=out)
    if is_real:
        with pytest.raises(RefreshFailedError, match="is about real organisations"):
            or_demonstration(settings)
    else:
        assert or_demonstration(settings).raw == tmp_path


def test_ctrl_c_says_what_became_of_the_publication(tmp_path, monkeypatch):
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.refresh.demonstration.demonstration_tree", stopped)
    told = CliRunner().invoke(app, ["refresh", "--demo", "--out", str(tmp_path / "out")])
    assert told.exit_code == 130
    assert "stopped. Nothing half made is published" in told.output
