"""Versions: every one is kept, nothing is overwritten, and changes are said aloud."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fetch_servers import HOST, SPEND, fetch_from, one_file, server, source, stored

from pipeline.catalogue import Catalogue, latest_versions, version_path, versions_of
from pipeline.fetch import FetchBusyError, FileProfile, compare, fetch, profile
from pipeline.fetch.keeping import keep
from pipeline.fetch.ledger import Ledger, LedgerEntry

__all__ = ["server"]

TESTS = Path(__file__).resolve().parent
WHEN = dt.datetime(2026, 4, 1, 9, 30, tzinfo=dt.UTC)


def test_a_changed_file_becomes_a_version_beside_the_first(server, tmp_path):
    server.serve("/spend.csv")
    fetch_from(server, tmp_path)
    changed = SPEND.replace(b"30000.00", b"31000.00")
    server.serve("/spend.csv", changed)
    report = fetch_from(server, tmp_path)
    assert report.outcomes[0].state == "new version"
    names = list(stored(tmp_path))
    assert names[0] == "spend_over_25k/ABC/spend.csv"
    assert re.fullmatch(r"spend_over_25k/ABC/spend~\d{8}T\d{6}Z\.csv", names[1])
    assert list(stored(tmp_path).values()) == [SPEND, changed]
    latest = versions_of(tmp_path / "spend_over_25k/ABC/spend.csv")[-1]
    assert latest.read_bytes() == changed


def test_a_return_to_the_first_content_is_a_version_too(server, tmp_path):
    changed = SPEND.replace(b"30000.00", b"31000.00")
    for content in (SPEND, changed, SPEND):
        server.serve("/spend.csv", content)
        fetch_from(server, tmp_path)
    versions = versions_of(tmp_path / "spend_over_25k/ABC/spend.csv")
    assert [one.read_bytes() for one in versions] == [SPEND, changed, SPEND]


def test_a_file_put_here_by_hand_is_never_overwritten(server, tmp_path):
    mine = tmp_path / "spend_over_25k/ABC/spend.csv"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"my own,file\n")
    server.serve("/spend.csv")
    assert fetch_from(server, tmp_path).outcomes[0].state == "new version"
    assert mine.read_bytes() == b"my own,file\n"
    assert len(stored(tmp_path)) == 2


def test_a_file_that_lost_half_its_rows_and_a_month_is_reported(server, tmp_path):
    both = SPEND + SPEND.replace(b"/04/2020", b"/05/2020").split(b"\n", 1)[1]
    server.serve("/spend.csv", both)
    fetch_from(server, tmp_path)
    server.serve("/spend.csv", SPEND)
    report = fetch_from(server, tmp_path)
    said = " ".join(report.outcomes[0].warnings)
    assert "rows 57 -> 29 (-49%)" in said
    assert "months no longer in it: 2020-05" in said


@pytest.mark.parametrize(("rows", "said"), [(124, False), (125, False), (126, True), (74, True)])
def test_a_quarter_more_or_less_is_tolerated_and_no_more(rows, said):
    warnings = compare(FileProfile(1000, 100), FileProfile(1000, rows))
    assert bool(warnings) is said


def test_rows_and_months_are_counted_alike_in_csv_and_workbook(tmp_path):
    import polars as pl

    frame = pl.DataFrame(
        {"Date": [dt.date(2020, 4, 3), dt.date(2020, 5, 4)], "Amount": [30000.0, 40000.0]}
    )
    frame.write_csv(tmp_path / "a.csv")
    frame.write_excel(tmp_path / "a.xlsx")
    for name in ("a.csv", "a.xlsx"):
        counted = profile(tmp_path / name)
        assert counted.rows == 3
        assert counted.months == {"2020-04", "2020-05"}


def test_a_workbook_that_cannot_be_read_still_has_a_size(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"PK\x03\x04 no workbook")
    assert profile(tmp_path / "a.xlsx") == FileProfile(16)


def test_version_names_sort_in_time_and_keep_double_endings(tmp_path):
    base = tmp_path / "HOME 01 - April.pdf.csv"
    later = version_path(base, WHEN)
    assert later.name == "HOME 01 - April.pdf~20260401T093000Z.csv"
    assert version_path(later, WHEN + dt.timedelta(days=1)).name.count("~") == 1
    for path in (later, base):
        path.write_text("x")
    assert versions_of(base) == [base, later]
    assert latest_versions([base, later, tmp_path / "other.csv"]) == [
        later,
        tmp_path / "other.csv",
    ]


def test_a_tilde_that_marks_no_version_is_part_of_the_name(tmp_path):
    odd = tmp_path / "a~b.csv"
    assert latest_versions([odd, tmp_path / "a.csv"]) == sorted([odd, tmp_path / "a.csv"])


def _new(folder: Path, content: str) -> Path:
    path = folder / "new.part"
    path.write_text(content)
    return path


def test_two_versions_in_one_second_both_stay(tmp_path):
    target = tmp_path / "spend.csv"
    places = [keep(_new(tmp_path, str(n)), target, WHEN) for n in range(3)]
    assert [path.read_text() for path in places] == ["0", "1", "2"]
    assert len(set(places)) == 3


def test_without_hard_links_nothing_is_overwritten_either(tmp_path, monkeypatch):
    def no_links(*_: object) -> None:
        raise OSError("hard links are not supported here")

    monkeypatch.setattr(os, "link", no_links)
    target = tmp_path / "spend.csv"
    assert keep(_new(tmp_path, "first"), target, WHEN) == target
    second = keep(_new(tmp_path, "second"), target, WHEN)
    assert second != target
    assert target.read_text() == "first"
    assert second.read_text() == "second"


def test_a_ledger_cut_short_by_a_crash_is_still_read_and_continued(tmp_path):
    entry = LedgerEntry("2026-04-01T09:30:00+00:00", "file", "s", "a.csv", "https://x/a.csv")
    Ledger(tmp_path).add(entry)
    path = tmp_path / ".fetch/ledger.jsonl"
    path.write_bytes(path.read_bytes() + b'{"at": "2026-04-02", "ev')
    again = Ledger(tmp_path)
    assert again.latest("file", "s", "a.csv") == entry
    other = LedgerEntry("2026-04-03T09:30:00+00:00", "file", "s", "b.csv", "https://x/b.csv")
    again.add(other)
    assert Ledger(tmp_path).latest("file", "s", "b.csv") == other


def test_the_ledger_says_where_each_file_came_from(server, tmp_path):
    server.serve("/spend.csv", etag='"v1"')
    fetch_from(server, tmp_path)
    (line,) = (tmp_path / ".fetch/ledger.jsonl").read_text().splitlines()
    noted = json.loads(line)
    assert noted["address"] == f"https://{HOST}/spend.csv"
    assert noted["stored_as"] == "spend_over_25k/ABC/spend.csv"
    assert noted["etag"] == '"v1"'


def test_a_dry_run_writes_nothing_at_all(server, tmp_path):
    raw = tmp_path / "raw"
    server.serve("/spend.csv")
    report = fetch_from(server, raw, dry_run=True)
    assert report.counts() == {"would fetch": 1}
    assert not raw.exists()
    assert server.requests == []


def test_a_dry_run_looks_at_pages_but_not_at_files(server, tmp_path):
    pages = source(
        landing_page=f"https://{HOST}/page", links=({"address": r"\.csv$"},), formats=("csv",)
    )
    server.serve("/page", b"<html><a href='/x.csv'>x</a></html>", kind="text/html")
    report = fetch_from(server, tmp_path / "raw", Catalogue((pages,)), dry_run=True)
    assert [one.path for one in report.outcomes if one.state == "would fetch"] == ["x.csv"]
    assert not (tmp_path / "raw").exists()
    assert not server.asked("/x.csv")


def test_two_fetches_into_one_tree_do_not_run_at_once(server, tmp_path, monkeypatch):
    from filelock import FileLock

    monkeypatch.setattr("pipeline.fetch.run.LOCK_SECONDS", 0.1)
    (tmp_path / ".fetch").mkdir()
    with FileLock(tmp_path / ".fetch/lock"), pytest.raises(FetchBusyError, match="another fetch"):
        fetch_from(server, tmp_path)


def test_no_unfinished_file_is_left_among_the_raw_files(server, tmp_path):
    server.serve("/spend.csv")
    fetch_from(server, tmp_path, one_file())
    assert list((tmp_path / ".fetch/partial").iterdir()) == []


CRASHING = """
import sys
from pathlib import Path
from fetch_servers import one_file
from pipeline.fetch import fetch
fetch(one_file(), Path(sys.argv[1]), mirror=sys.argv[2])
"""


def test_a_fetch_killed_in_the_middle_leaves_no_half_file_and_is_continued(server, tmp_path):
    path = "/spend_over_25k/ABC/spend.csv"
    server.rules[path] = lambda h: h.drip(SPEND, 0.001, {"ETag": '"v1"'})
    mirror = f"http://127.0.0.1:{server.port}"
    raw = tmp_path / "raw"
    process = subprocess.Popen(
        [sys.executable, "-c", CRASHING, str(raw), mirror],
        env={**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent}"},
    )
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up and process.poll() is None:
        parts = list((raw / ".fetch/partial").glob("*.part"))
        if any(300 < one.stat().st_size < len(SPEND) for one in parts):
            break
        time.sleep(0.005)
    process.kill()
    process.wait()
    assert stored(raw) == {}
    server.serve(path, etag='"v1"')
    report = fetch(one_file(), raw, mirror=mirror)
    assert report.ok, report.sentences()
    assert stored(raw) == {"spend_over_25k/ABC/spend.csv": SPEND}
    assert server.requests[-1].headers["Range"].startswith("bytes=")
