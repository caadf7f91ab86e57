"""The demonstration's tree is made once, whoever asks, and says so where it cannot be made."""

from __future__ import annotations

import threading
from pathlib import Path

from typer.testing import CliRunner

import pipeline.demo
from pipeline.cli import app
from pipeline.refresh.demonstration import demonstration_tree
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


def test_ctrl_c_says_what_became_of_the_publication(tmp_path, monkeypatch):
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.refresh.demonstration.demonstration_tree", stopped)
    told = CliRunner().invoke(app, ["refresh", "--demo", "--out", str(tmp_path / "out")])
    assert told.exit_code == 130
    assert "stopped. Nothing half made is published" in told.output
