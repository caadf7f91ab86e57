"""A file that several ask for is hashed once, and again after it was written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.store import seal
from pipeline.store.seal import Hashes, file_hash


def test_a_file_is_hashed_once_until_it_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, read = tmp_path / "a", list[Path]()
    path.write_bytes(b"first")
    monkeypatch.setattr(seal, "file_hash", lambda p: read.append(p) or file_hash(p))
    hashes = Hashes()
    assert [hashes.of(path), hashes.of(path)] == [file_hash(path)] * 2
    assert read == [path]
    was = path.stat()
    while path.stat().st_ctime_ns == was.st_ctime_ns:  # the system's clock ticks in milliseconds
        path.write_bytes(b"other")  # as long, in place, and with the old time put back
        os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert path.stat().st_mtime_ns == was.st_mtime_ns
    assert hashes.of(path) == file_hash(path)
    assert read == [path, path]


def test_a_file_put_in_the_place_of_another_is_hashed(tmp_path: Path) -> None:
    hashes, path, other = Hashes(), tmp_path / "a", tmp_path / "b"
    path.write_bytes(b"first")
    before = hashes.of(path)
    other.write_bytes(b"other")
    other.replace(path)
    assert hashes.of(path) == file_hash(path) != before


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    hashes, path = Hashes(), tmp_path / "a"
    path.write_bytes(b"first")
    hashes.of(path)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        hashes.of(path)
