"""What was read once is not read again, and a damaged entry is never believed."""

from __future__ import annotations

from pathlib import Path

import pytest
from polars.testing import assert_frame_equal
from spend_files import put, read, table

from pipeline.ingest.files import list_raw_files
from pipeline.ingest.payments.cache import SpendCache
from pipeline.ingest.payments.lines import PaymentLines, read_payment_lines
from pipeline.ingest.tabular import Limits
from pipeline.store.location import Folder


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    for month in range(4, 9):
        put(tmp_path / "raw", f"Spend {month}.csv", table(month))
    put(tmp_path / "raw", "odd.csv", table(9) + "no date,Drugs,Ward,Larkspur Ltd,1,1\n")
    put(tmp_path / "raw", "early.csv", table(10).replace("/10/", "/03/").replace("13/", "01/"))
    put(tmp_path / "raw", "picture.csv", "%PDF-1.7 nothing")
    put(
        tmp_path / "raw",
        "both ways.csv",
        table(3, n=1).replace("13/03", "01/02") + "03/04/2020,Drugs,Ward,B Ltd,1,30000\n",
    )
    for month in (4, 5):
        put(tmp_path / "raw", f"Spend {month}.csv", table(month), "RZY")
    return tmp_path / "raw"


def folder_of(cache: SpendCache) -> Path:
    assert isinstance(cache.where, Folder)
    return cache.where.root


def entries(cache: SpendCache) -> list[Path]:
    """The files of the cache: one a portion, and one for files read a second time."""
    return sorted(folder_of(cache).glob("*.arrow"))


def same(one: PaymentLines, other: PaymentLines) -> None:
    assert_frame_equal(one.lines, other.lines)
    assert_frame_equal(one.rejected, other.rejected)
    assert [r.to_row() for r in one.reports] == [r.to_row() for r in other.reports]


def test_cold_warm_and_half_warm_give_identical_frames(raw: Path, tmp_path: Path) -> None:
    cache = SpendCache(tmp_path / "cache")
    without = read(raw)
    cold, warm = read(raw, cache), read(raw, cache)
    assert cold.files_read > 0
    assert warm.files_read == 0
    same(cold, without)
    same(warm, without)
    for path in entries(cache)[::2]:
        path.unlink()
    half = read(raw, cache)
    assert 0 < half.files_read < cold.files_read
    same(half, without)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other"])
def test_a_damaged_entry_is_noticed_and_read_again(raw: Path, tmp_path: Path, damage: str) -> None:
    cache = SpendCache(tmp_path / "cache")
    cold = read(raw, cache)
    entry = min(entries(cache), key=lambda path: path.stat().st_size)
    data = entry.read_bytes()
    middle = len(data) // 2
    entry.write_bytes(
        {
            "cut": data[:middle],
            "flipped": data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :],
            "empty": b"",
            "other": b"ARROW1 not really",
        }[damage]
    )
    again = read(raw, cache)
    assert 0 < again.files_read < cold.files_read
    same(again, cold)
    assert entry.read_bytes() == data


def test_a_changed_file_is_read_again_and_the_old_entry_goes(raw: Path, tmp_path: Path) -> None:
    cache = SpendCache(tmp_path / "cache")
    read(raw, cache)
    before = len(entries(cache))
    put(raw, "Spend 4.csv", table(4, n=13))
    assert read(raw, cache).files_read == 1
    assert len(entries(cache)) == before
    same(read(raw, cache), read(raw))


def test_other_limits_read_again(raw: Path, tmp_path: Path) -> None:
    files = list_raw_files(raw)
    read_payment_lines(files, None, cache=SpendCache(tmp_path / "cache"))
    strict = Limits(max_bytes=100)
    found = read_payment_lines(
        files, None, cache=SpendCache(tmp_path / "cache", strict), limits=strict
    )
    assert found.files_read == len(files)
    assert found.lines.is_empty()
