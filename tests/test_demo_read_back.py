"""The product's own reader finds in the demonstration exactly what was put into it."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipeline.demo import Truth, generate
from pipeline.ingest.spend.reader import SpendBatch, SpendInput, read_spend

PLACE = ["source_file", "source_sheet", "source_row"]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> tuple[Truth, SpendBatch]:
    raw = tmp_path_factory.mktemp("read_back")
    truth = generate(raw, trusts=18, years=["2021/22", "2022/23"], density=0.3)
    files = truth.files["source_file"].to_list()
    return truth, read_spend([SpendInput(file, (raw / file).read_bytes) for file in files])


def test_every_line_and_every_pound_is_read(read: tuple[Truth, SpendBatch]) -> None:
    truth, batch = read
    assert batch.rejected.height == 0
    both = truth.payments.join(batch.lines, on=PLACE, how="full", suffix="_read", coalesce=True)
    assert both.height == truth.payments.height == batch.lines.height
    difference = both["amount_gbp"].cast(pl.Float64) - both["amount_gbp_read"]
    assert difference.abs().max() < 0.005  # type: ignore[operator]


@pytest.mark.parametrize(
    "column",
    ["month", "payment_date", "supplier", "expense_type", "expense_area", "description"],
)
def test_what_the_file_says_is_what_is_read(read: tuple[Truth, SpendBatch], column: str) -> None:
    truth, batch = read
    both = truth.payments.join(batch.lines, on=PLACE, suffix="_read")
    true = pl.col(column)
    if both[column].dtype == pl.String:  # the reader collapses blanks and line breaks
        true = true.str.replace_all(r"\s+", " ").str.strip_chars()
    wrong = both.filter(true.ne_missing(pl.col(f"{column}_read")))
    assert wrong.is_empty(), wrong.select("layout", column, f"{column}_read").head(3)


def test_exact_duplicates_are_flagged_and_nothing_else(read: tuple[Truth, SpendBatch]) -> None:
    truth, batch = read
    both = truth.payments.join(batch.lines, on=PLACE, suffix="_read")
    assert both["is_duplicate"].sum() > 5
    assert both.filter(pl.col("is_duplicate") != pl.col("is_duplicate_read")).is_empty()


def test_files_of_the_demonstration_exist_below_the_root(read: tuple[Truth, SpendBatch]) -> None:
    truth, batch = read
    assert set(batch.reports) == set(truth.files["source_file"])
    assert {Path(file).parts[0] for file in batch.reports} == {"spend_over_25k"}
    assert {report.status for report in batch.reports.values()} == {"read"}
