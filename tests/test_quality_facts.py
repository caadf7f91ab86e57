"""Gate 1: clean facts pass, whole-file faults are noticed, and a gate never falls over."""

from __future__ import annotations

import datetime as dt
import json

import polars as pl
import pytest
from quality_frames import (
    broken_by_query,
    changed,
    checked,
    gate_failures,
    rows,
    run_gate,
    severity_of,
    store_of,
    with_copy,
)
from quality_worlds import FILE, fact_world, store_of_world

from pipeline.quality import results_frame


@pytest.fixture(scope="module")
def world() -> dict[str, pl.DataFrame]:
    return fact_world()


def test_clean_facts_pass_every_check(tmp_path, world):
    results = run_gate(store_of_world(tmp_path, world), "facts", is_demo=True)
    assert [r for r in results if not r.passed] == []
    assert {r.suite for r in results} == set(world)
    assert all(r.failing_rows == 0 and r.sample is None for r in results)


def test_empty_tables_pass(tmp_path, world):
    empty = {name: frame.clear() for name, frame in world.items() if name != "dims.measure"}
    assert checked(store_of_world(tmp_path, empty)) == {}


def test_an_empty_store_has_no_checks(tmp_path):
    assert run_gate(store_of(tmp_path), "facts") == []


def test_a_single_spend_file_and_nothing_else_passes_the_gate(tmp_path, world):
    store = store_of_world(
        tmp_path, {n: world[n] for n in ("facts.payment", "meta.source_file", "meta.rejected_row")}
    )
    results = run_gate(store, "facts")
    assert gate_failures(results) == []
    assert {r.check_name for r in results}.isdisjoint(
        {"organisation_is_known", "category_is_known"}
    )


def test_a_table_the_gate_does_not_know_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"marts\.coverage"):
        run_gate(store_of(tmp_path), "facts", tables=["marts.coverage"])


@pytest.mark.parametrize("lost", [1, 3])
def test_a_payment_lost_between_reader_and_table_is_noticed(tmp_path, world, lost):
    less = world | {"facts.payment": world["facts.payment"][lost:]}
    broken = checked(store_of_world(tmp_path, less), tables=["meta.source_file"])
    assert set(broken) == {
        "meta.source_file/payments_equal_rows_kept",
        "meta.source_file/pounds_equal_pounds_kept",
    }
    sample = json.loads(broken["meta.source_file/payments_equal_rows_kept"].sample or "")
    assert sample == [{"path": FILE, "rows_kept": 24, "payments": 24 - lost}]


def test_payments_of_a_file_nobody_read_are_noticed(tmp_path, world):
    more = world | {
        "facts.payment": with_copy(world["facts.payment"], 0, source_file="from nowhere.csv")
    }
    broken = checked(store_of_world(tmp_path, more), tables=["meta.source_file"])
    assert set(broken) == {"meta.source_file/payments_equal_rows_kept"}


def test_a_penny_is_noticed(tmp_path, world):
    for pounds, fails in ((12 * 30_900.0 + 0.01, True), (12 * 30_900.0, False)):
        frame = changed(world["meta.source_file"], 0, pounds_kept=pounds)
        store = store_of_world(tmp_path / str(fails), world | {"meta.source_file": frame})
        assert bool(checked(store, tables=["meta.source_file"])) is fails


@pytest.mark.parametrize("rejected", [0, 2])
def test_rejected_rows_are_counted_file_by_file(tmp_path, world, rejected):
    frame = changed(world["meta.source_file"], 0, rows_rejected=rejected, rows_read=25 + rejected)
    store = store_of_world(tmp_path, world | {"meta.source_file": frame})
    assert "meta.source_file/rejected_rows_are_kept_aside" in checked(
        store, tables=["meta.source_file"]
    )


def test_many_rejected_rows_are_worth_a_look_but_do_not_stop_publication(tmp_path, world):
    rejected = rows(
        "meta.rejected_row", *({"source_file": FILE, "source_row": 50 + i} for i in range(4))
    )
    frame = changed(world["meta.source_file"], 0, rows_rejected=4, rows_read=29)
    store = store_of_world(
        tmp_path, world | {"meta.source_file": frame, "meta.rejected_row": rejected}
    )
    results = run_gate(store, "facts", is_demo=True)
    assert [r.check_name for r in results if not r.passed] == ["few_rows_rejected"]
    assert gate_failures(results) == []


@pytest.mark.parametrize(
    "flag, check",
    [("is_duplicate", "few_duplicates"), ("is_balance_sheet", "balance_sheet_share_plausible")],
)
def test_flags_on_most_lines_are_suspicious(tmp_path, world, flag, check):
    frame = world["facts.payment"].with_columns(pl.lit(True).alias(flag))
    store = store_of_world(tmp_path, world | {"facts.payment": frame})
    broken = checked(store, tables=["facts.payment"])
    assert set(broken) == {f"facts.payment/{check}"}


def test_a_trust_that_spends_mostly_on_digital_is_suspicious(tmp_path, world):
    frame = changed(world["facts.payment"], 23, amount_gbp=2_000_000)
    broken = checked(
        store_of_world(tmp_path, world | {"facts.payment": frame}), tables=["facts.payment"]
    )
    assert set(broken) == {"facts.payment/digital_share_of_pounds_plausible"}


def test_a_billion_is_for_national_bodies_only(tmp_path, world):
    for kind, fails in (("national", False), ("trust", True)):
        changes = {
            "facts.payment": changed(world["facts.payment"], 0, amount_gbp=2_000_000_000),
            "dims.organisation": changed(world["dims.organisation"], 0, kind=kind),
        }
        broken = broken_by_query(store_of_world(tmp_path / kind, world | changes), "facts.payment")
        assert ("amount_below_one_billion" in broken) is fails


def test_a_file_without_suppliers_is_suspicious(tmp_path, world):
    frame = world["facts.payment"].with_columns(supplier=pl.lit(None, dtype=pl.String))
    broken = checked(
        store_of_world(tmp_path, world | {"facts.payment": frame}), tables=["facts.payment"]
    )
    assert set(broken) == {"facts.payment/supplier_is_given"}


def test_payments_long_after_a_trust_closed_are_suspicious(tmp_path, world):
    frame = changed(world["dims.organisation"], 0, closed=dt.date(2018, 4, 1))
    broken = checked(
        store_of_world(tmp_path, world | {"dims.organisation": frame}), tables=["facts.payment"]
    )
    assert set(broken) == {"facts.payment/organisation_existed"}


def test_lines_of_operating_expenditure_add_up_where_all_are_given(tmp_path, world):
    parts = [{"sub_code": f"EXP0{100 + i}", "value": 10_000.0} for i in range(20)]
    for total, fails in ((200_000.0, False), (230_000.0, True)):
        frame = rows("facts.account_line", {"value": total}, *parts)
        store = store_of(tmp_path / str(fails), facts__account_line=frame)
        broken = checked(store, is_demo=True)
        assert set(broken) == (
            {"facts.account_line/operating_expenditure_adds_up"} if fails else set()
        )


@pytest.mark.parametrize(
    ("odd", "of", "stops"),
    [(1, 2, False), (1, 100, False), (2, 100, False), (3, 100, True), (2, 50, True)],
)
def test_one_provider_without_expenditure_stops_nothing_and_many_do(tmp_path, odd, of, stops):
    frame = rows(
        "facts.account_line",
        *(
            {
                "organisation_code": f"R{i:02}",
                "organisation_name": f"Trust {i}",
                "value": 0.0 if i < odd else 200_000.0,
            }
            for i in range(of)
        ),
    )
    found = checked(store_of(tmp_path, facts__account_line=frame), is_demo=True)
    assert found["facts.account_line/operating_expenditure_is_positive"].failing_rows == odd
    assert bool(gate_failures(list(found.values()))) is stops


def test_an_organisation_without_its_total_row_is_noticed(tmp_path, world):
    store = store_of(tmp_path, facts__workforce=world["facts.workforce"][1:])
    assert set(checked(store, is_demo=True)) == {"facts.workforce/total_is_given"}


@pytest.mark.parametrize(
    ("named", "fails"),
    [("Central functions", False), ("Central Functions", False), ("Corporate services", True)],
)
def test_a_month_whose_central_functions_have_another_name_is_noticed(
    tmp_path, world, named, fails
):
    groups = ["Doctors", "Nurses", "Midwives", "Ambulance staff", named]
    parts = [{"staff_group": name, "is_total": False} for name in groups]
    found = checked(
        store_of(tmp_path, facts__workforce=rows("facts.workforce", *parts)), is_demo=True
    )
    assert ("facts.workforce/central_functions_are_counted" in found) is fails


def test_a_parquet_file_with_a_foreign_type_fails_instead_of_stopping_the_run(tmp_path, world):
    store = store_of_world(tmp_path, world)
    path = store.files("facts.epr")[0]
    world["facts.epr"].with_columns(pl.lit(1).alias("supplier")).drop("as_at").write_parquet(path)
    broken = checked(store, tables=["facts.epr"], is_demo=True)
    assert broken["facts.epr/columns_and_types"].failing_rows == 2
    assert broken["facts.epr/date_of_list_is_known"].failing_rows is None
    assert "could not be checked" in (broken["facts.epr/date_of_list_is_known"].observed or "")


def test_a_null_in_a_required_column_fails_with_its_record(tmp_path, world):
    store = store_of_world(tmp_path, world)
    path = store.files("facts.epr")[0]  # written past the store, which would refuse it
    changed(world["facts.epr"], 1, source_file=None).write_parquet(path)
    broken = checked(store, tables=["facts.epr"], is_demo=True)
    assert set(broken) == {"facts.epr/required_values_present"}
    assert (
        json.loads(broken["facts.epr/required_values_present"].sample or "")[0]["organisation_code"]
        == "ZZ2"
    )


def test_results_fit_the_published_table(tmp_path, world):
    store = store_of_world(tmp_path, world)
    frame = results_frame(run_gate(store, "facts", is_demo=True))
    store.write("meta.check_result", frame)
    assert frame.select("suite", "check_name").is_unique().all()


def test_cells_that_look_like_code_stay_text_in_the_sample(tmp_path, world):
    nasty = "{batch} '; drop view x; -- <script>" + "x" * 500
    frame = changed(world["facts.payment"], 0, amount_gbp=0, supplier=nasty)
    broken = checked(
        store_of_world(tmp_path, world | {"facts.payment": frame}), tables=["facts.payment"]
    )
    shown = json.loads(broken["facts.payment/amount_is_not_zero"].sample or "")[0]["supplier"]
    assert shown == nasty[:200]


@pytest.mark.parametrize("alike", [9, 10])
def test_accounts_under_the_year_of_another_are_noticed(tmp_path, world, alike):
    line = world["facts.account_line"].filter(
        (pl.col("main_code") == "A08CY01") & (pl.col("sub_code") == "EXP0390")
    )[:1]
    rows = [
        line.with_columns(
            organisation_name=pl.lit(f"Trust {n}"),
            organisation_code=pl.lit(f"ZX{n}"),
            financial_year=pl.lit(year),
            value=pl.lit(1000.0 + n + (year == "2021/22" and n >= alike)),
        )
        for n in range(12)
        for year in ("2020/21", "2021/22")
    ]
    schema = world["facts.account_line"].schema
    frame = pl.concat([row.cast(schema) for row in rows])
    store = store_of_world(tmp_path, world | {"facts.account_line": frame})
    broken = broken_by_query(store, "facts.account_line")
    assert ("years_are_not_alike" in broken) == (alike == 10)


@pytest.mark.parametrize(
    ("files", "kept", "stops"), [(19, 0, False), (20, 0, True), (20, 1, False)]
)
def test_a_reader_that_reads_no_file_of_payments_stops_the_publication(
    tmp_path, world, files, kept, stops
):
    """A fault of the program set every file aside, and a build without payments was published."""
    one = world["meta.source_file"][:1]
    rows = [
        one.with_columns(
            path=pl.lit(f"spend_over_25k/A/{n:02}.csv"),
            sha256=pl.lit(str(n)),
            source_id=pl.lit("spend_over_25k"),
            status=pl.lit("set aside"),
            reason=pl.lit("the reader failed"),
            rows_kept=pl.lit(kept if n == 0 else 0),
        )
        for n in range(files)
    ]
    frame = pl.concat([row.cast(world["meta.source_file"].schema) for row in rows])
    store = store_of_world(tmp_path, world | {"meta.source_file": frame}, "meta.source_file")
    broken = broken_by_query(store, "meta.source_file")
    assert ("some_payments_are_read" in broken) is stops
    assert severity_of("meta.source_file", "some_payments_are_read") == "blocking"
