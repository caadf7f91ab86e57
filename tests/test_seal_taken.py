"""Files that a build takes over from the one before are sealed as they were published, and forced once."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from pipeline.store import seal
from pipeline.store.publish import Staging, stage, switch
from pipeline.store.seal import SEAL, damage, file_hash, finish, taken_over

FILES = ("fivepercent.duckdb", "charts/a.html", "charts/data/b.csv", "charts/data/c.csv")


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """A published build."""
    return switch(filled(stage(tmp_path, "20260101T000000Z-aaaaaaaa")), keep=3)


def filled(staging: Staging, **others: str) -> Staging:
    for name in FILES:
        path = staging.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(others.get(path.stem, name))
    return staging


def following(tmp_path: Path, earlier: Path) -> Staging:
    """The next build: a page and a table are second names, another table a copy, the database is new."""
    staging = filled(stage(tmp_path, "20260102T000000Z-bbbbbbbb"), fivepercent="new")
    for name in ("charts/a.html", "charts/data/b.csv"):
        (staging.folder / name).unlink()
        os.link(earlier / name, staging.folder / name)
    shutil.copyfile(earlier / "charts/data/c.csv", staging.folder / "charts/data/c.csv")
    return staging


def test_only_second_names_of_files_of_the_build_before_have_a_known_hash(
    tmp_path: Path, earlier: Path
) -> None:
    staging = following(tmp_path, earlier)
    expected = {n: file_hash(earlier / n) for n in ("charts/a.html", "charts/data/b.csv")}
    assert taken_over(staging.folder, earlier) == expected
    # A file of its own that has two names here, and a link to the file, are not the file before.
    page = staging.folder / "charts/a.html"
    page.unlink()
    page.write_text("other")
    os.link(page, staging.folder / "charts/again.html")
    table = staging.folder / "charts/data/b.csv"
    table.unlink()
    table.symlink_to(earlier / "charts/data/b.csv")
    assert taken_over(staging.folder, earlier) == {}
    (earlier / SEAL).write_text("damaged")
    assert taken_over(following(tmp_path, earlier).folder, earlier) == {}


def test_a_build_with_files_taken_over_is_sealed_as_it_is(
    tmp_path: Path, earlier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    real = seal.file_hash
    monkeypatch.setattr(seal, "file_hash", lambda path: read.append(path.name) or real(path))
    staging = following(tmp_path, earlier)
    final = switch(staging, keep=3, known=taken_over(staging.folder, earlier))
    assert sorted(read) == ["c.csv", "fivepercent.duckdb"]
    told = json.loads((final / SEAL).read_text())
    assert told == {name: real(final / name) for name in FILES}
    assert damage(final) == damage(earlier) == []


def test_what_is_done_to_a_file_after_it_was_taken_over_is_found_and_not_sealed(
    tmp_path: Path, earlier: Path
) -> None:
    staging = following(tmp_path, earlier)
    (earlier / "charts/a.html").write_text("something else")  # and so the page of the new build
    final = switch(staging, keep=3, known=taken_over(staging.folder, earlier))
    assert damage(final) == ["charts/a.html is not what was published"]


def test_all_but_what_was_forced_with_the_build_before_is_forced(
    tmp_path: Path, earlier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    staging = following(tmp_path, earlier)
    forced: set[str] = set()
    real = os.fsync

    def noting(handle: int) -> None:
        forced.add(os.path.relpath(Path(f"/proc/self/fd/{handle}").readlink(), staging.folder))
        real(handle)

    monkeypatch.setattr(seal.os, "fsync", noting)
    switch(staging, keep=3, known=taken_over(staging.folder, earlier))
    own = {"fivepercent.duckdb", "charts/data/c.csv", SEAL, "charts", "charts/data", "."}
    assert own <= forced
    assert forced.isdisjoint({"charts/a.html", "charts/data/b.csv"})


def test_a_part_is_hashed_and_forced_while_others_are_made_and_not_again(
    tmp_path: Path, earlier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    staging = following(tmp_path, earlier)
    forced: list[str] = []
    real = os.fsync

    def noting(handle: int) -> None:
        forced.append(os.path.relpath(Path(f"/proc/self/fd/{handle}").readlink(), staging.folder))
        real(handle)

    monkeypatch.setattr(seal.os, "fsync", noting)
    taken = taken_over(staging.folder, earlier)
    site = finish(staging.folder, staging.charts, taken)
    assert site == {n: file_hash(staging.folder / n) for n in FILES if n.startswith("charts/")}
    assert sorted(forced) == ["charts", "charts/data", "charts/data/c.csv"]
    forced.clear()
    (staging.folder / "charts/late.html").write_text("after all")  # nobody should, and it is sealed
    final = switch(staging, keep=3, known=site)
    assert {"fivepercent.duckdb", SEAL, "charts/late.html", "charts", "charts/data", "."} <= {
        *forced
    }
    assert forced.count("charts/data/c.csv") == 0
    assert damage(final) == []
    assert "charts/late.html" in json.loads((final / SEAL).read_text())
