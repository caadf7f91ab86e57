"""What was published first and what stands now, for files that were published again."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from pipeline.demo import Truth
from pipeline.ingest.files import RawFile
from pipeline.refresh.context import Run
from pipeline.refresh.revisions import counting_version, families, revisions
from pipeline.refresh.run import read_sources
from pipeline.schema import table
from pipeline.settings import Settings

FIRST = "spend_over_25k/RZ1/April 2021.csv"
SECOND = "spend_over_25k/RZ1/April 2021~20210601T000000Z.csv"
THIRD = "spend_over_25k/RZ1/April 2021~20220101T000000Z.csv"


def files(*told: tuple[str, str, int, float | None]) -> pl.DataFrame:
    """``meta.source_file`` of one publisher: path, status, rows kept, pounds kept."""
    latest = max(path for path, *_ in told)
    rows = [
        {
            "path": path,
            "sha256": "a",
            "bytes": 1,
            "layout": "csv",
            "rows_read": rows + 1,
            "rows_kept": rows,
            "rows_rejected": 0,
            "rows_ignored": 1,
            "source_id": path.split("/")[0],
            "status": status,
            "organisation_code": None if status == "set aside" else "RZ1",
            "pounds_kept": pounds,
            "is_superseded": path != latest,
        }
        for path, status, rows, pounds in told
    ]
    return pl.DataFrame(rows, schema=table("meta.source_file").polars)


def test_of_three_versions_the_first_and_the_last_are_compared() -> None:
    known = files(
        (FIRST, "read", 3, 30.0), (SECOND, "read", 4, 40.0), (THIRD, "partly read", 5, 50.0)
    )
    (row,) = revisions(known, [[FIRST, SECOND, THIRD]]).iter_rows(named=True)
    assert row == {
        "source_file": FIRST,
        "latest_file": THIRD,
        "organisation_code": "RZ1",
        "rows_first": 3,
        "rows_latest": 5,
        "pounds_first": 30.0,
        "pounds_latest": 50.0,
    }


def test_when_the_first_cannot_be_read_the_next_one_stands_for_it() -> None:
    known = files(
        (FIRST, "set aside", 0, None), (SECOND, "read", 4, 40.0), (THIRD, "read", 5, 50.0)
    )
    row = revisions(known, [[FIRST, SECOND, THIRD]]).row(0, named=True)
    assert (row["source_file"], row["rows_first"], row["pounds_first"]) == (SECOND, 4, 40.0)


def test_when_no_earlier_version_can_be_read_its_figures_are_unknown_not_zero() -> None:
    known = files((FIRST, "set aside", 0, 0.0), (THIRD, "read", 5, 50.0))
    row = revisions(known, [[FIRST, THIRD]]).row(0, named=True)
    assert (row["source_file"], row["rows_first"], row["pounds_first"]) == (FIRST, None, None)
    assert row["rows_latest"] == 5


def test_a_latest_version_that_cannot_be_read_is_unknown_and_its_publisher_is_not() -> None:
    known = files((FIRST, "read", 3, 30.0), (THIRD, "set aside", 0, None))
    row = revisions(known, [[FIRST, THIRD]]).row(0, named=True)
    assert (row["rows_latest"], row["pounds_latest"]) == (None, None)
    assert row["organisation_code"] == "RZ1"


def test_earlier_versions_of_sources_that_do_not_count_them_are_unknown() -> None:
    first, later = "workforce/Oct.csv", "workforce/Oct~20220101T000000Z.csv"
    known = files((first, "read", 0, None), (later, "read", 900, None))
    row = revisions(known, [[first, later]]).row(0, named=True)
    assert (row["rows_first"], row["rows_latest"]) == (None, 900)


def test_each_publication_has_its_own_row_and_files_published_once_have_none() -> None:
    other = [path.replace("RZ1", "RZ2") for path in (FIRST, SECOND)]
    known = pl.concat(
        [
            files((FIRST, "read", 3, 30.0), (SECOND, "read", 4, 40.0)),
            files(*((p, "read", 1, 1.0) for p in other)),
        ]
    )
    found = revisions(known, [[FIRST, SECOND], other])
    assert found["latest_file"].to_list() == [SECOND, other[1]]
    assert revisions(known, []).height == 0


def test_three_versions_on_disk_give_one_row_with_their_real_sums(
    small_demo: tuple[Path, Truth], tmp_path: Path
) -> None:
    raw = tmp_path / "raw"
    shutil.copytree(small_demo[0], raw)
    plain = {f.path for f in Run(Settings(raw=raw, out=tmp_path / "x")).files if f.superseded_by}
    original = next(
        p for p in sorted((raw / "spend_over_25k").rglob("*.csv")) if "~" not in p.name
        and p.relative_to(raw).as_posix() not in plain
    )  # fmt: skip
    lines = original.read_bytes().splitlines(keepends=True)
    for stamp, cut in (("20230101T000000Z", 4), ("20240101T000000Z", 2)):
        later = original.with_name(f"{original.stem}~{stamp}.csv")
        later.write_bytes(b"".join(lines[:-cut]))
    run = Run(Settings(raw=raw, out=tmp_path / "out"))
    read_sources(run, {})
    first = original.relative_to(raw).as_posix()
    row = run.store.read("meta.revision").row(
        by_predicate=pl.col("source_file") == first, named=True
    )
    assert row["latest_file"].endswith("~20240101T000000Z.csv")
    sums = dict(
        run.store.read("facts.payment")
        .group_by("source_file")
        .agg(pl.col("amount_gbp").sum())
        .iter_rows()
    )
    assert row["pounds_first"] == pytest.approx(float(sums[first]), abs=0.005)
    assert row["pounds_latest"] == pytest.approx(float(sums[row["latest_file"]]), abs=0.005)
    assert row["rows_latest"] == row["rows_first"] - 2


def raw_file(path: str, sha256: str, superseded_by: str | None = None) -> RawFile:
    return RawFile(path, Path(path), "spend_over_25k", "RZ1", sha256, 1, superseded_by)


def test_versions_stand_in_order_of_age_and_copies_are_none() -> None:
    named = "spend_over_25k/RZ1/April 2021 v2.csv"
    copy = "spend_over_25k/RZ1/copy.csv"
    found = families(
        [
            raw_file(THIRD, "c"),
            raw_file(named, "d", THIRD),
            raw_file(SECOND, "a", THIRD),
            raw_file(FIRST, "c", THIRD),  # the publisher went back to the first content
            raw_file(copy, "c", THIRD),
            raw_file("spend_over_25k/RZ1/May 2021.csv", "e"),
        ]
    )
    assert found == [[FIRST, named, SECOND, THIRD]]


def test_the_latest_readable_version_counts() -> None:
    assert counting_version([FIRST, SECOND, THIRD], {FIRST, SECOND, THIRD}) == THIRD
    assert counting_version([FIRST, SECOND, THIRD], {FIRST, SECOND}) == SECOND
    assert counting_version([FIRST, SECOND, THIRD], set()) == THIRD


def test_when_the_latest_of_three_cannot_be_read_the_one_before_is_what_stands() -> None:
    known = files(
        (FIRST, "read", 3, 30.0), (SECOND, "read", 4, 40.0), (THIRD, "set aside", 0, None)
    )
    row = revisions(known, [[FIRST, SECOND, THIRD]]).row(0, named=True)
    assert (row["source_file"], row["latest_file"], row["rows_latest"]) == (FIRST, SECOND, 4)
