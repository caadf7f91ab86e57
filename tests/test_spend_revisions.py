"""Files published twice: exact copies and named revisions are kept, flagged and counted once."""

from __future__ import annotations

from pathlib import Path

import pytest
from spend_files import files, put, read, table

from pipeline.ingest.files import list_raw_files
from pipeline.ingest.payments.lines import PaymentLines
from pipeline.ingest.payments.republished import revision_of


def counted(found: PaymentLines) -> int:
    return found.lines.filter(~found.lines["is_superseded"]).height


def test_an_exact_copy_under_another_name_is_kept_and_not_counted(tmp_path: Path) -> None:
    put(tmp_path, "Spend April 2020.csv", table(4))
    put(tmp_path, "Spend April 2020 copy of website.csv", table(4))
    found = read(tmp_path)
    assert found.lines.height == 24
    assert counted(found) == 12
    copy = next(r for r in found.reports if "copy" in r.path)
    assert copy.is_superseded
    assert "exact copy of 'Spend April 2020.csv'" in copy.to_row()["warnings"]


def test_the_same_bytes_of_two_publishers_are_two_files(tmp_path: Path) -> None:
    put(tmp_path, "April.csv", table(4), "RZZ")
    put(tmp_path, "April.csv", table(4), "RZY")
    assert not any(f.superseded_by for f in list_raw_files(tmp_path))


@pytest.mark.parametrize(
    "later",
    [
        "Spend April 2020 v2.csv",
        "Spend April 2020 (1).csv",
        "Spend April 2020 REVISED.csv",
        "Spend_April_2020_amended.csv",
        "Spend April 2020 FINAL.csv",
        "April 2020 - corrected.csv",
    ],
)
def test_a_named_revision_of_the_same_month_replaces_the_first(tmp_path: Path, later: str) -> None:
    put(tmp_path, "Spend April 2020.csv", table(4))
    put(tmp_path, later, table(4, add=100))
    put(tmp_path, "Spend May 2020.csv", table(5))
    found = files(tmp_path)
    assert found["Spend April 2020.csv"].superseded_by == found[later].path
    assert found[later].superseded_by is None
    assert found["Spend May 2020.csv"].superseded_by is None


def test_a_draft_is_replaced_by_the_list_itself(tmp_path: Path) -> None:
    put(tmp_path, "Spend April 2020.csv", table(4))
    put(tmp_path, "Spend April 2020 draft v2.csv", table(4, add=100))
    found = files(tmp_path)
    assert (
        found["Spend April 2020 draft v2.csv"].superseded_by == found["Spend April 2020.csv"].path
    )
    assert found["Spend April 2020.csv"].superseded_by is None


def test_of_three_versions_the_last_counts(tmp_path: Path) -> None:
    for i, name in enumerate(("April 2020.csv", "April 2020 v2.csv", "April 2020 v3.csv")):
        put(tmp_path, name, table(4, add=i))
    found = files(tmp_path)
    assert found["April 2020.csv"].superseded_by == found["April 2020 v3.csv"].path
    assert found["April 2020 v2.csv"].superseded_by == found["April 2020 v3.csv"].path
    assert counted(read(tmp_path)) == 12


@pytest.mark.parametrize("other", ["Spend May 2020 v2.csv", "Cards April 2020 revised.csv"])
def test_another_month_or_another_subject_replaces_nothing(tmp_path: Path, other: str) -> None:
    put(tmp_path, "Spend April 2020.csv", table(4))
    put(tmp_path, other, table(5))
    assert not any(f.superseded_by for f in list_raw_files(tmp_path))


def test_two_files_of_the_same_payments_without_a_word_of_revision_are_warned_of(
    tmp_path: Path,
) -> None:
    put(tmp_path, "Spend April 2020.csv", table(4))
    put(
        tmp_path,
        "Transparency April 2020.csv",
        table(4) + "30/04/2020,Drugs,Ward,New Ltd,9,30000\n",
    )
    found = read(tmp_path)
    assert counted(found) == 25
    assert any("payments stand in" in w for r in found.reports for w in r.warnings)


def test_a_revision_that_cannot_be_read_replaces_nothing(tmp_path: Path) -> None:
    put(tmp_path, "April 2020.csv", table(4))
    put(tmp_path, "April 2020 v2.csv", "<html><body>403</body></html>")
    found = read(tmp_path)
    assert counted(found) == 12
    assert any("cannot be read; this one counts" in w for r in found.reports for w in r.warnings)


@pytest.mark.parametrize(
    ("name", "rank"),
    [("a.csv", 0), ("a v1.csv", 0), ("a v3.csv", 2), ("a (2).csv", 2), ("a Revised.csv", 1000),
     ("a final v2.csv", 500), ("finals 2020.csv", 0), ("a draft.csv", -10_000), ("a draft v2.csv", -9_999),
     ("revenue 2020.csv", 0), ("dv20.csv", 0), ("over 25k v2020.csv", 0)],
)  # fmt: skip
def test_words_of_revision(name: str, rank: int) -> None:
    assert revision_of(name)[1] == rank


@pytest.mark.parametrize(
    "later",
    [
        "Spend April 2020 rev1.csv",
        "Spend April 2020 - reissued.csv",
        "Spend April 2020 replacement.csv",
    ],
)
def test_more_words_that_name_a_revision(tmp_path: Path, later: str) -> None:
    put(tmp_path, "Spend April 2020.csv", table(4))
    put(tmp_path, later, table(4, add=1))
    found = {f.path.rpartition("/")[2]: f.superseded_by for f in list_raw_files(tmp_path)}
    assert found == {"Spend April 2020.csv": f"spend_over_25k/RZZ/{later}", later: None}


def test_downloads_under_one_name_may_be_of_different_months(tmp_path: Path) -> None:
    for month, name in enumerate(
        ("spend.csv", "spend (1).csv", "spend (2).csv", "spend_final.csv"), 4
    ):
        put(tmp_path, name, table(month))
    assert counted(read(tmp_path)) == 48


def test_a_revision_of_a_file_whose_name_tells_no_month_replaces_it(tmp_path: Path) -> None:
    put(tmp_path, "spend.csv", table(4))
    put(tmp_path, "spend revised.csv", table(5))
    found = {f.path.rpartition("/")[2]: f.superseded_by for f in list_raw_files(tmp_path)}
    assert found["spend.csv"] == "spend_over_25k/RZZ/spend revised.csv"
