"""What was hashed ahead is believed of files that were not written since, and of no others."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from pipeline.ingest import files as module
from pipeline.ingest.files import RawFile, list_raw_files
from pipeline.ingest.hashing import Hashed, hashed, hashed_below
from pipeline.refresh.drawing import Drawer


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    for name in ("a/1.csv", "a/2.csv", "b/c/3.csv"):
        path = tmp_path / "raw" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "raw"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of files that were hashed here."""
    found: list[str] = []

    def noting(path: Any) -> Hashed:
        found.append(Path(path).name)
        return hashed(path)

    monkeypatch.setattr(module, "hashed", noting)
    return found


def true(files: list[RawFile]) -> bool:
    return [f.sha256 for f in files] == [
        hashlib.sha256(f.absolute.read_bytes()).hexdigest() for f in files
    ]


def test_what_a_process_hashed_ahead_is_not_hashed_again(raw: Path, read: list[str]) -> None:
    with Drawer(raw) as drawer:
        drawer.get_ready()
        files = list_raw_files(raw, drawer.hashes)
    assert read == []
    assert len(files) == 3
    assert files == list_raw_files(raw)
    assert true(files)


def test_a_file_written_since_is_hashed_again_though_its_size_and_its_date_are_the_same(
    raw: Path, read: list[str]
) -> None:
    before = hashed_below(raw)
    path = raw / "a/2.csv"
    told = path.stat()
    path.write_text("a/2.cs!")
    os.utime(path, ns=(told.st_atime_ns, told.st_mtime_ns))
    assert path.stat().st_mtime_ns == told.st_mtime_ns
    files = list_raw_files(raw, lambda: before)
    assert read == ["2.csv"]
    assert true(files)


def test_a_file_put_in_the_place_of_another_and_one_that_is_new_are_hashed(
    raw: Path, read: list[str]
) -> None:
    before = hashed_below(raw)
    (raw / "new").write_text("x/1.csv")
    (raw / "new").replace(raw / "a/1.csv")
    (raw / "b/4.csv").write_text("4")
    files = list_raw_files(raw, lambda: before)
    assert sorted(read) == ["1.csv", "4.csv"]
    assert true(files)


def test_a_process_that_was_lost_is_made_up_for(raw: Path, read: list[str]) -> None:
    with Drawer(raw) as drawer:
        process = drawer.get_ready()._process
        process.kill()
        process.wait()
        files = list_raw_files(raw, drawer.hashes)
    assert len(read) == len(files) == 3
    assert true(files)


def test_links_are_not_followed_and_what_is_hidden_is_not_hashed(raw: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("secret")
    (raw / "a/link.csv").symlink_to(tmp_path / "outside")
    (raw / "d").symlink_to(tmp_path)
    (raw / ".fetch").mkdir()
    (raw / ".fetch/page").write_text("kept by the downloader")
    assert sorted(hashed_below(raw)) == sorted(
        str(raw / name) for name in ("a/1.csv", "a/2.csv", "b/c/3.csv")
    )
