"""A build that somebody cites is kept, and can be made again from the hashes it names."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.demo import Truth
from pipeline.refresh import Summary
from pipeline.refresh.rebuild import InputsMissingError, rebuild
from pipeline.settings import Settings
from pipeline.store.publish import current_build, pin, stage, switch


def test_a_build_is_made_again_from_versions_found_by_their_content(
    small_demo: tuple[Path, Truth], demo_build: tuple[Settings, Summary], tmp_path: Path
) -> None:
    raw = tmp_path / "kept"
    shutil.copytree(small_demo[0], raw)
    # since the build a file was renamed by its publisher, and another one was added
    spend = sorted(p for p in (raw / "spend_over_25k").rglob("*.csv"))
    spend[0].rename(spend[0].with_name("renamed since.csv"))
    shutil.copyfile(spend[1], spend[1].with_name("new since.csv"))
    database = demo_build[0].out / "fivepercent.duckdb"
    done = rebuild(database, Settings(raw=raw, out=tmp_path / "unused"), tmp_path / "again")
    assert done.old == demo_build[1].build_id != done.new
    assert done.different == {}, done.notes
    assert "facts.payment" in done.same
    assert len(done.same) > 40


def test_a_demonstration_is_made_again_from_its_own_files_where_the_raw_folder_has_none(
    small_demo: tuple[Path, Truth],
    demo_build: tuple[Settings, Summary],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "raw").mkdir()
    seen: list[Path] = []

    def gathered(_: object, kept: Path, *__: object, **___: object) -> None:
        seen.append(kept)
        raise InputsMissingError

    monkeypatch.setattr("pipeline.refresh.rebuild.demonstration_tree", lambda _: small_demo[0])
    monkeypatch.setattr("pipeline.refresh.rebuild._gather", gathered)
    settings = Settings(raw=tmp_path / "raw", out=tmp_path / "unused")
    with pytest.raises(InputsMissingError):
        rebuild(demo_build[0].out / "fivepercent.duckdb", settings, tmp_path / "again")
    assert seen == [small_demo[0]]


def test_missing_inputs_are_named(
    small_demo: tuple[Path, Truth], demo_build: tuple[Settings, Summary], tmp_path: Path
) -> None:
    raw = tmp_path / "kept"
    shutil.copytree(small_demo[0], raw)
    gone = min((raw / "spend_over_25k").rglob("*.csv"))
    gone.unlink()
    database = demo_build[0].out / "fivepercent.duckdb"
    with pytest.raises(InputsMissingError, match="1 of") as error:
        rebuild(database, Settings(raw=raw, out=tmp_path / "unused"), tmp_path / "again")
    assert gone.relative_to(raw).as_posix() in str(error.value)
    told = CliRunner().invoke(
        app,
        ["rebuild", str(database), "--to", str(tmp_path / "b"), "--raw", str(raw)],
    )
    assert told.exit_code == 1


def test_a_pinned_build_is_never_removed(tmp_path: Path) -> None:
    for n in range(5):
        staging = stage(tmp_path, f"build-{n}")
        (staging.folder / "fivepercent.duckdb").write_text(str(n))
        switch(staging, keep=2)
        if n == 0:
            pin(tmp_path, "build-0")
    assert current_build(tmp_path) == "build-4"
    kept = sorted(p.name for p in (tmp_path / "builds").iterdir())
    assert kept == ["build-0", "build-3", "build-4"]
    done = CliRunner().invoke(app, ["pin", "build-0", "--off", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    switch(stage(tmp_path, "build-5"), keep=2)
    assert not (tmp_path / "builds" / "build-0").exists()
    with pytest.raises(FileNotFoundError, match="no build"):
        pin(tmp_path, "build-0")
