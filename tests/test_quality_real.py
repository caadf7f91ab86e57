"""On the real public files: every published figure is reproduced, and damage is noticed."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from quality_frames import gate_failures, run_gate

from pipeline.quality import CheckResult
from pipeline.reference.golden import golden_figures
from pipeline.refresh.context import Run
from pipeline.refresh.run import read_sources
from pipeline.settings import Settings
from pipeline.store import TableStore

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def real_store(real_raw: Path, tmp_path_factory: pytest.TempPathFactory) -> TableStore:
    """The facts of the real files."""
    run = Run(Settings(raw=real_raw, out=tmp_path_factory.mktemp("real"), offline=True))
    read_sources(run, {})
    return run.store


@pytest.fixture(scope="module")
def results(real_store: TableStore) -> list[CheckResult]:
    return run_gate(real_store, "facts")


def test_every_published_figure_applies_and_is_reproduced(results):
    golden = {r.check_name: r for r in results if r.suite == "golden"}
    assert set(golden) == {figure.id for figure in golden_figures()}
    assert [r for r in golden.values() if not r.passed] == []
    assert {f.id: f.severity for f in golden_figures()} == {
        k: r.severity for k, r in golden.items()
    }


def test_the_real_files_pass_the_gate(results):
    assert gate_failures(results) == []


def test_every_real_row_is_accounted_for(results):
    passed = {r.check_name for r in results if r.suite == "meta.source_file" and r.passed}
    assert passed >= {
        "rows_add_up",
        "payments_equal_rows_kept",
        "pounds_equal_pounds_kept",
        "rejected_rows_are_kept_aside",
    }


def copy_of(store: TableStore, root: Path, name: str) -> TableStore:
    other = TableStore(root)
    other.write(name, store.read(name))
    return other


def test_one_lost_provider_among_two_hundred_is_named(real_store, tmp_path):
    store = copy_of(real_store, tmp_path, "facts.account_line")
    frame = store.read("facts.account_line")
    largest = frame.filter(
        (pl.col("financial_year") == "2022/23") & (pl.col("sub_code") == "EXP0390")
    ).sort("value")["organisation_name"][-1]
    kept = (pl.col("organisation_name") != largest) | (pl.col("financial_year") != "2022/23")
    store.write("facts.account_line", frame.filter(kept))
    assert {r.check_name for r in gate_failures(run_gate(store, "facts"))} == {
        "operating_expenditure_2022_23",
        "providers_2022_23",
    }


def test_one_misread_amount_in_the_accounts_is_named(real_store, tmp_path):
    store = copy_of(real_store, tmp_path, "facts.account_line")
    frame = store.read("facts.account_line").with_row_index()
    total = (pl.col("financial_year") == "2020/21") & (pl.col("sub_code") == "EXP0390")
    row = frame.filter(total).sort("value")["index"][-1]
    ten = pl.when(pl.col("index") == row).then(pl.col("value") / 10).otherwise("value")
    store.write("facts.account_line", frame.with_columns(value=ten).drop("index"))
    assert {r.check_name for r in gate_failures(run_gate(store, "facts"))} == {
        "operating_expenditure_2020_21"
    }


def test_one_lost_care_setting_is_named(real_store, tmp_path):
    store = copy_of(real_store, tmp_path, "facts.maturity")
    frame = store.read("facts.maturity")
    several = (
        frame.filter((pl.col("year") == 2025) & (pl.col("organisation_kind") == "trust"))
        .group_by("organisation_name")
        .agg(pl.col("care_setting").unique().sort())
        .filter(pl.col("care_setting").list.len() > 1)
        .sort("organisation_name")
    )
    name, setting = several["organisation_name"][0], several["care_setting"][0][0]
    lost = (pl.col("organisation_name") == name) & (pl.col("care_setting") == setting)
    store.write("facts.maturity", frame.filter(~lost))
    failed = gate_failures(run_gate(store, "facts"))
    assert {r.check_name for r in failed} == {"maturity_rows_2025"}
