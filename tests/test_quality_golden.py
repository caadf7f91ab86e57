"""Published figures: which apply, when a difference stops publication, and when it does not."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from quality_frames import changed, checked, gate_failures, rows, run_gate, store_of
from quality_worlds import fact_world

from pipeline.quality import table_checked
from pipeline.quality.engine import opened
from pipeline.quality.golden import run_golden
from pipeline.reference.golden import golden_figures

FIGURES = {figure.id: figure for figure in golden_figures()}


def accounts(year: str, providers: int, total_bn: float, foundation: int | None = None):
    """Accounts of fictional providers with a given sum; half of them foundation trusts."""
    foundation = providers // 2 if foundation is None else foundation
    return rows(
        "facts.account_line",
        *(
            {
                "organisation_code": f"Z{i:03}",
                "organisation_name": f"P{i} NHS {'Foundation ' if i < foundation else ''}Trust",
                "financial_year": year,
                "value": total_bn * 1e6 / providers,
            }
            for i in range(providers)
        ),
    )


def golden(tmp_path, **frames: pl.DataFrame) -> dict[str, Any]:
    """Results of the golden checks by identifier."""
    store = store_of(tmp_path, **frames)
    names = [name.replace("__", ".") for name in frames]
    with opened(store, names) as connection:
        return {r.check_name: r for r in run_golden(connection, names)}


def test_the_published_total_and_count_are_reproduced(tmp_path):
    found = golden(tmp_path, facts__account_line=accounts("2020/21", 219, 106.69))
    assert set(found) == {"operating_expenditure_2020_21", "providers_2020_21"}
    assert all(r.passed and r.severity == "blocking" for r in found.values())


@pytest.mark.parametrize("total, passed", [(106.65, True), (106.55, False), (106.85, False)])
def test_the_total_may_differ_by_its_tolerance_only(tmp_path, total, passed):
    found = golden(tmp_path, facts__account_line=accounts("2020/21", 219, total))
    assert found["operating_expenditure_2020_21"].passed is passed


def test_a_lost_provider_stops_publication_and_the_check_is_named(tmp_path):
    store = store_of(tmp_path, facts__account_line=accounts("2020/21", 218, 106.2))
    stopped = gate_failures(run_gate(store, "facts"))
    assert {(r.suite, r.check_name) for r in stopped} == {
        ("golden", "operating_expenditure_2020_21"),
        ("golden", "providers_2020_21"),
    }
    assert "219 providers" in stopped[1].sentence
    assert "218 providers" in (stopped[1].observed or "")


def test_the_demonstration_is_not_compared_with_real_figures(tmp_path):
    store = store_of(tmp_path, facts__account_line=accounts("2020/21", 218, 1.0))
    assert gate_failures(run_gate(store, "facts", is_demo=True)) == []


def test_one_workbook_of_two_is_not_compared_with_the_total(tmp_path):
    only_foundation = accounts("2020/21", 148, 71.7, foundation=148)
    assert golden(tmp_path, facts__account_line=only_foundation) == {}
    only_trusts = accounts("2020/21", 71, 34.9, foundation=0)
    assert golden(tmp_path / "b", facts__account_line=only_trusts) == {}


def test_a_year_without_a_published_figure_is_not_compared(tmp_path):
    assert golden(tmp_path, facts__account_line=accounts("2024/25", 205, 140.0)) == {}


def test_accounts_without_the_total_line_are_not_compared(tmp_path):
    frame = accounts("2020/21", 219, 106.7).with_columns(sub_code=pl.lit("EXP0130"))
    assert golden(tmp_path, facts__account_line=frame) == {}


def test_a_later_publication_with_more_providers_warns_but_does_not_stop(tmp_path):
    found = golden(tmp_path, facts__account_line=accounts("2019/20", 226, 94.5))
    assert {r.severity for r in found.values()} == {"warning"}
    assert not any(r.passed for r in found.values())
    assert "later publication" in found["providers_2019_20"].observed


def test_an_extract_of_a_few_providers_warns_but_does_not_stop(tmp_path):
    store = store_of(tmp_path, facts__account_line=accounts("2020/21", 4, 2.0))
    results = run_gate(store, "facts")
    assert gate_failures(results) == []
    assert any("extract" in (r.observed or "") for r in results)


def maturity(year: int, trusts: int, extra_rows: int, score: float = 2.46) -> pl.DataFrame:
    """Pillar scores of trusts (one setting each, some two) and 42 boards."""
    pillars = [f"pillar {i}" for i in range(7)]
    settings = [(f"T{i}", "Acute", "trust") for i in range(trusts)]
    settings += [(f"T{i}", "Community", "trust") for i in range(extra_rows)]
    settings += [(f"B{i}", "ICB", "icb") for i in range(42)]
    return rows(
        "facts.maturity",
        *(
            {
                "organisation_name": name,
                "care_setting": setting,
                "organisation_kind": kind,
                "year": year,
                "pillar": pillar,
                "score": score,
            }
            for name, setting, kind in settings
            for pillar in pillars
        ),
    )


def test_the_maturity_assessment_of_2025_is_recognised(tmp_path):
    found = golden(tmp_path, facts__maturity=maturity(2025, 204, 81))
    assert {key: r.passed for key, r in found.items()} == {
        "maturity_trusts_2025": True,
        "maturity_rows_2025": True,
        "maturity_boards_2025": True,
        "maturity_acute_mean_2025": True,
    }


def test_a_different_mean_is_a_warning_only(tmp_path):
    found = golden(tmp_path, facts__maturity=maturity(2025, 204, 81, score=2.6))
    assert {k for k, r in found.items() if not r.passed} == {"maturity_acute_mean_2025"}
    assert found["maturity_acute_mean_2025"].severity == "warning"


def test_lost_maturity_rows_stop_publication(tmp_path):
    found = golden(tmp_path, facts__maturity=maturity(2025, 204, 80))
    assert not found["maturity_rows_2025"].passed
    assert found["maturity_rows_2025"].severity == "blocking"


def test_a_third_version_with_one_more_trust_does_not_stop_publication(tmp_path):
    found = golden(tmp_path, facts__maturity=maturity(2025, 205, 81))
    trusts = found["maturity_trusts_2025"]
    assert not trusts.passed
    assert trusts.severity == "warning"
    assert found["maturity_boards_2025"].passed


def test_results_of_2026_make_the_figures_of_2025_inapplicable(tmp_path):
    both = pl.concat([maturity(2025, 190, 10), maturity(2026, 190, 10)])
    assert golden(tmp_path, facts__maturity=both) == {}


def epr(as_at: dt.date | None, trusts: int, without: int) -> pl.DataFrame:
    return rows(
        "facts.epr",
        *(
            {
                "organisation_code": f"Z{i:03}",
                "supplier": None if i < without else "Maker",
                "has_epr": i >= without,
                "as_at": as_at,
            }
            for i in range(trusts)
        ),
    )


def test_the_list_of_october_2024_has_twenty_trusts_without_a_record_system(tmp_path):
    day = dt.date(2024, 10, 1)
    assert all(r.passed for r in golden(tmp_path, facts__epr=epr(day, 209, 20)).values())
    wrong = golden(tmp_path / "b", facts__epr=epr(day, 209, 0))
    assert {k for k, r in wrong.items() if not r.passed} == {"epr_without_2024_10"}


@pytest.mark.parametrize("as_at", [dt.date(2025, 10, 1), None])
def test_a_list_of_another_day_is_not_compared(tmp_path, as_at):
    assert golden(tmp_path, facts__epr=epr(as_at, 205, 5)) == {}


def workforce(month: dt.date, trusts: int, boards: int, parts: float = 100.0) -> pl.DataFrame:
    return rows(
        "facts.workforce",
        *(
            {
                "organisation_code": f"Z{i:03}",
                "month": month,
                "publication": "turnover",
                "cluster_group": "Acute" if i < trusts else "Integrated Care Board",
                "is_total": is_total,
                "staff_group": "All staff groups" if is_total else "Nurses",
                "fte": 100.0 if is_total else parts,
            }
            for i in range(trusts + boards)
            for is_total in (True, False)
        ),
    )


def test_workforce_of_october_2025_has_205_trusts_and_42_boards(tmp_path):
    found = golden(tmp_path, facts__workforce=workforce(dt.date(2025, 10, 1), 205, 42))
    assert len(found) == 3
    assert all(r.passed for r in found.values())


def test_staff_groups_that_miss_the_totals_stop_publication(tmp_path):
    frame = workforce(dt.date(2025, 10, 1), 205, 42)
    frame = changed(frame, 1, fte=90.0)
    frame = changed(frame, 3, fte=110.0)  # the other way round: the sum alone would not show it
    found = golden(tmp_path, facts__workforce=frame)
    assert {k for k, r in found.items() if not r.passed} == {"workforce_parts_2025_10"}
    assert found["workforce_parts_2025_10"].observed.startswith("20 FTE")


def test_another_month_or_publication_is_not_compared(tmp_path):
    assert golden(tmp_path, facts__workforce=workforce(dt.date(2025, 11, 1), 204, 42)) == {}
    core = workforce(dt.date(2025, 10, 1), 150, 42).with_columns(publication=pl.lit("core_1"))
    assert golden(tmp_path / "b", facts__workforce=core) == {}


def records(years: dict[str, tuple[int, float, float]]) -> pl.DataFrame:
    """Records cost: by year the trusts, and millions on site and off site."""
    return rows(
        "facts.records_cost",
        *(
            {
                "organisation_code": f"Z{i:03}",
                "financial_year": year,
                "on_site_gbp": on * 1e6 / trusts,
                "off_site_gbp": off * 1e6 / trusts,
                "total_gbp": (on + off) * 1e6 / trusts,
            }
            for year, (trusts, on, off) in years.items()
            for i in range(trusts)
        ),
    )


def test_records_cost_of_2023_24_splits_into_both_sites(tmp_path):
    found = golden(tmp_path, facts__records_cost=records({"2023/24": (193, 178.36, 66.29)}))
    assert {k: r.passed for k, r in found.items()} == {
        "records_cost_2023_24": True,
        "records_cost_on_site_2023_24": True,
        "records_cost_off_site_2023_24": True,
    }


def test_a_records_return_that_goes_on_to_2024_25_may_revise_earlier_years(tmp_path):
    frame = records({"2023/24": (193, 170.0, 60.0), "2024/25": (190, 170.0, 60.0)})
    assert golden(tmp_path, facts__records_cost=frame) == {}


def test_a_golden_result_knows_the_table_it_is_about(tmp_path):
    store = store_of(tmp_path, facts__epr=epr(dt.date(2024, 10, 1), 209, 20))
    results = run_gate(store, "facts")
    assert {table_checked(r) for r in results} == {"facts.epr"}


def test_every_figure_says_where_it_comes_from():
    assert all("NHS England" in figure.citation for figure in FIGURES.values())
    assert {f.severity for f in FIGURES.values() if "mean" in f.id} == {"warning"}


def test_a_small_world_passes_the_whole_gate_with_warnings_at_most(tmp_path):
    store = store_of(tmp_path, **{n.replace(".", "__"): f for n, f in fact_world().items()})
    assert gate_failures(run_gate(store, "facts")) == []
    assert all(r.severity == "warning" for r in checked(store).values())
