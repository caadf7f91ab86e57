"""Payments by financial year: a year is written alone, and never against the account of files."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from pipeline.demo import Truth
from pipeline.refresh import payments, sources
from pipeline.refresh.context import Run
from pipeline.settings import Settings


@pytest.fixture
def run(small_demo: tuple[Path, Truth], tmp_path: Path) -> Run:
    shutil.copytree(small_demo[0], tmp_path / "raw")
    run = Run(Settings(raw=tmp_path / "raw", out=tmp_path / "out"))
    sources.build_organisations(run)
    return run


def kept_by_files(run: Run) -> int:
    reports = pl.read_parquet(run.settings.work / "parts" / "spend_over_25k.files.parquet")
    return int(reports["rows_kept"].sum())


def stored(run: Run) -> int:
    return run.store.read("facts.payment").height


def test_one_year_on_an_empty_store_leaves_no_file_half_counted(run: Run) -> None:
    payments.build_payments(run, sources.register_of(run), years=["2022/23"])
    assert stored(run) == kept_by_files(run) > 0
    assert run.counters["years_also_written"] >= 1


def test_one_year_leaves_the_others_untouched_and_their_lines_unclassified(run: Run) -> None:
    register = sources.register_of(run)
    payments.build_payments(run, register)

    def again() -> tuple[Run, set[str]]:
        before = {p.name: p.stat().st_mtime_ns for p in run.store.files("facts.payment")}
        later = Run(run.settings)
        payments.build_payments(later, register, years=["2022/23"])
        after = {p.name: p.stat().st_mtime_ns for p in run.store.files("facts.payment")}
        return later, {n for n in after if after[n] != before[n]}

    same, written = again()
    assert written == set()  # the year asked for is as it should be
    assert same.counters["rows_classified"] == 0
    lines = run.store.read("facts.payment").filter(financial_year="2022/23")
    (run.settings.raw / lines["source_file"][0]).unlink()
    less, written = again()
    assert written == {"2022-23.parquet"}
    assert 0 < less.counters["rows_classified"] < lines.height
    assert less.counters["years_also_written"] == 0


def test_a_file_of_another_year_that_changed_is_not_left_behind(run: Run) -> None:
    register = sources.register_of(run)
    payments.build_payments(run, register)
    lines = run.store.read("facts.payment")
    path = lines.filter(pl.col("financial_year") == "2021/22")["source_file"].value_counts(
        sort=True
    )
    gone = run.settings.raw / path["source_file"][0]
    gone.unlink()
    again = Run(run.settings)
    payments.build_payments(again, register, years=["2022/23"])
    assert stored(again) == kept_by_files(again) < lines.height
    assert again.counters["years_also_written"] >= 1
