"""Two builds compared: what differs, and only causes that can have moved a figure."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipeline.compare import Build, NotABuildError, compare, read_build
from pipeline.compare.build import COLUMNS, PARTS, READ
from pipeline.compare.causes import UNEXPLAINED
from pipeline.refresh import Summary
from pipeline.schema import POLARS_TYPES, all_tables
from pipeline.settings import Settings

APRIL, MAY, ACCOUNTS = (
    "spend_over_25k/XX1/2021-04.csv",
    "spend_over_25k/XX1/2021-05.csv",
    "provider_accounts/2021-22.xlsx",
)


def frame(columns: dict[str, str], rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = {name: POLARS_TYPES[kind] for name, kind in columns.items()}
    return pl.DataFrame(
        [{name: row.get(name) for name in columns} for row in rows], schema=schema, orient="row"
    )


def a_file(path: str, **more: Any) -> dict[str, Any]:
    source, _, rest = path.partition("/")
    code = rest.split("/")[0] if source == "spend_over_25k" else None
    told = {"path": path, "sha256": path, "source_id": source, "organisation_code": code}
    return told | {"status": "read", "rows_kept": 9, "is_superseded": False} | more


def a_figure(code: str, definition: str, numerator: float, denominator: float, **more: Any):
    told = {"organisation_code": code, "financial_year": "2021/22", "definition": definition}
    told |= {"denominator": "operating_expenditure", "benchmark": 0.05, "badge": "A"}
    told |= {"numerator_gbp": numerator, "denominator_gbp": denominator}
    return told | {"share": numerator / denominator} | more


def a_part(table: str, path: str, code: str, year: str | None = "2021/22") -> dict[str, Any]:
    told = {"facts_table": table, "source_file": path, "organisation_code": code}
    return told | {"financial_year": year, "lines": 9}


def a_build(**given: list[dict[str, Any]]) -> Build:
    rows: dict[str, list[dict[str, Any]]] = {
        "about": [{"build_id": "b", "version": "1", "is_demo": True, "rules_version": "r1"}],
        "files": [a_file(APRIL), a_file(ACCOUNTS)],
        "parts": [
            a_part("facts.payment", APRIL, "XX1"),
            a_part("facts.account_line", ACCOUNTS, "XX1"),
            a_part("facts.account_line", ACCOUNTS, "XX2"),
        ],
        "figures": [a_figure(c, d, 2e6, 1e8) for c in ("XX1", "XX2") for d in ("D0", "D1")],
        "measures": [
            {"definition": d, "denominator": "operating_expenditure", "numerator_sql": "select 1"}
            for d in ("D0", "D1")
        ],
    } | given
    columns = {"columns": COLUMNS, "parts": PARTS} | {f: c for f, (_, c) in READ.items()}
    return Build(**{name: frame(kinds, rows.get(name, [])) for name, kinds in columns.items()})


def causes(old: Build, new: Build) -> dict[tuple[str, str], list[str]]:
    changed = compare(old, new).figures
    key = changed.select("organisation_code", "definition", "causes").iter_rows()
    return {(code, definition): found for code, definition, found in key}


def test_the_same_build_twice_is_the_same() -> None:
    assert compare(a_build(), a_build()).is_same


def test_a_new_file_is_the_cause_for_its_own_trust_and_for_payments_only() -> None:
    new = a_build(
        files=[a_file(APRIL), a_file(MAY), a_file(ACCOUNTS)],
        parts=[a_part("facts.payment", p, "XX1") for p in (APRIL, MAY)]
        + [a_part("facts.account_line", ACCOUNTS, c) for c in ("XX1", "XX2")],
        figures=[
            a_figure("XX1", "D0", 2e6, 1e8),
            a_figure("XX1", "D1", 3e6, 1e8),
            a_figure("XX2", "D0", 2e6, 1e8),
            a_figure("XX2", "D1", 2e6, 1e8),
        ],
    )
    found = compare(a_build(), new)
    assert causes(a_build(), new) == {("XX1", "D1"): [f"new file: {MAY}"]}
    row = found.figures.row(0, named=True)
    assert row["delta_pp"] == pytest.approx(1.0)
    assert (row["numerator_gbp_old"], row["numerator_gbp_new"]) == (2e6, 3e6)
    assert found.files.select("path", "change").rows() == [(MAY, "new")]


def test_a_file_of_another_year_is_no_cause() -> None:
    new = a_build(
        files=[a_file(APRIL), a_file(MAY), a_file(ACCOUNTS)],
        parts=[a_part("facts.payment", MAY, "XX1", "2019/20")],
        figures=[a_figure("XX1", "D1", 3e6, 1e8)],
    )
    old = a_build(figures=[a_figure("XX1", "D1", 2e6, 1e8)])
    assert causes(old, new) == {("XX1", "D1"): [UNEXPLAINED]}


def test_revised_accounts_move_denominators_and_are_named_where_the_denominator_moved() -> None:
    old = a_build(figures=[a_figure("XX1", "D1", 2e6, 1e8), a_figure("XX2", "D1", 2e6, 1e8)])
    new = a_build(
        files=[a_file(APRIL, sha256="other"), a_file(ACCOUNTS, sha256="other")],
        figures=[a_figure("XX1", "D1", 2e6, 2e8), a_figure("XX2", "D1", 2e6, 2e8)],
    )
    assert causes(old, new) == {
        ("XX1", "D1"): [f"revised file: {ACCOUNTS}"],
        ("XX2", "D1"): [f"revised file: {ACCOUNTS}"],
    }


def test_a_later_version_beside_the_first_is_a_revision() -> None:
    later = "spend_over_25k/XX1/2021-04~20260101T000000Z.csv"
    new = a_build(files=[a_file(APRIL, is_superseded=True), a_file(later), a_file(ACCOUNTS)])
    assert dict(compare(a_build(), new).files.select("path", "change").iter_rows()) == {
        APRIL: "superseded",
        later: "revised",
    }


def test_rules_move_payments_and_measures_their_own_definition() -> None:
    old = a_build(figures=[a_figure("XX2", d, 2e6, 1e8) for d in ("D0", "D1")])
    new = a_build(
        about=[{"build_id": "c", "version": "1", "is_demo": True, "rules_version": "r2"}],
        figures=[a_figure("XX2", d, 3e6, 1e8) for d in ("D0", "D1")],
        measures=[
            {
                "definition": d,
                "denominator": "operating_expenditure",
                "numerator_sql": {"D0": "select 2", "D1": "select 1"}[d],
            }
            for d in ("D0", "D1")
        ],
    )
    assert causes(old, new) == {
        ("XX2", "D0"): ["measure change: the numerator of D0 over operating_expenditure changed"],
        ("XX2", "D1"): ["rule change: the classification rules changed"],
    }


def test_another_benchmark_is_named_where_it_moved() -> None:
    old = a_build(parameters=[{"name": "benchmark", "value": 0.05}])
    new = a_build(
        parameters=[{"name": "benchmark", "value": 0.03}],
        figures=[a_figure("XX1", "D1", 2e6, 1e8, benchmark=0.03), a_figure("XX2", "D1", 2e6, 1e8)],
    )
    assert causes(old, new)["XX1", "D1"] == ["parameter change: benchmark: 0.05 to 0.03"]


def test_a_correction_is_a_cause() -> None:
    old = a_build(figures=[a_figure("XX1", "D1", 2e6, 1e8)])
    new = a_build(
        figures=[a_figure("XX1", "D1", 1e6, 1e8)],
        corrections=[{"correction_id": "c-7", "source_file": APRIL, "rows_affected": 1}],
    )
    assert causes(old, new) == {("XX1", "D1"): ["correction: c-7"]}


def test_figures_come_and_go_with_their_reason() -> None:
    old = a_build(figures=[a_figure("XX1", "D1", 2e6, 1e8)])
    new = a_build(files=[a_file(ACCOUNTS)], figures=[a_figure("XX2", "D1", 2e6, 1e8)])
    found = compare(old, new).figures.select("organisation_code", "change", "causes").rows()
    assert found == [("XX1", "gone", [f"file gone: {APRIL}"]), ("XX2", "new", [UNEXPLAINED])]


def as_now(code: str, numerator: float, made_of: str) -> dict[str, Any]:
    return a_figure(code, "D1", numerator, 1e8) | {
        "made_of": made_of,
        "is_pro_forma": made_of != code,
    }


def test_a_merger_tells_of_the_figures_of_today_though_none_as_reported_differs() -> None:
    reported = [a_figure("XX1", "D1", 1e6, 1e8), a_figure("XX2", "D1", 2e6, 1e8)]
    old = a_build(figures=reported, as_now=[as_now("XX1", 1e6, "XX1"), as_now("XX2", 2e6, "XX2")])
    new = a_build(figures=reported, as_now=[as_now("XX1", 3e6, "XX1, XX2")])
    found = compare(old, new)
    assert found.figures.is_empty()
    assert not found.is_same
    assert found.as_now.select("organisation_code", "change", "numerator_gbp_new").rows() == [
        ("XX1", "changed", 3e6),
        ("XX2", "gone", None),
    ]
    assert found.as_now["causes"].to_list() == [
        ["made of XX1, XX2; before of XX1"],
        ["made of XX2 before; now counted with its successor, or not at all"],
    ]


def test_a_figure_of_today_is_told_once_where_it_is_the_one_reported() -> None:
    old = a_build(
        figures=[a_figure("XX1", "D1", 1e6, 1e8), a_figure("XX2", "D1", 2e6, 1e8)],
        as_now=[as_now("XX1", 1e6, "XX1"), as_now("XX3", 2e6, "XX2, XX3")],
    )
    new = a_build(
        figures=[a_figure("XX1", "D1", 5e6, 1e8), a_figure("XX2", "D1", 6e6, 1e8)],
        as_now=[as_now("XX1", 5e6, "XX1"), as_now("XX3", 6e6, "XX2, XX3")],
    )
    found = compare(old, new)
    assert found.figures["organisation_code"].to_list() == ["XX1", "XX2"]
    assert found.as_now.select("organisation_code", "causes").rows() == [
        ("XX3", ["made of XX2, XX3, of which a figure as reported differs"])
    ]


def test_what_an_older_version_kept_has_no_figures_of_today(tmp_path: Path) -> None:
    new = a_build(figures=[a_figure("XX1", "D1", 1e6, 1e8)], as_now=[as_now("XX1", 1e6, "XX1")])
    new.save(tmp_path)
    (tmp_path / "as_now.parquet").unlink()
    assert compare(read_build(tmp_path), new).is_same


def test_tables_columns_and_rows_are_compared() -> None:
    def columns(*named: tuple[str, str, int]) -> list[dict[str, Any]]:
        return [dict(zip(COLUMNS, one, strict=True)) for one in named]

    old = a_build(columns=columns(("marts.a", "x", 3), ("marts.a", "y", 3), ("marts.b", "x", 1)))
    new = a_build(columns=columns(("marts.a", "x", 5), ("marts.a", "z", 5), ("marts.c", "x", 2)))
    tables = compare(old, new).tables.rows(named=True)
    told = [(t["table_name"], t["change"], t["delta"]) for t in tables]
    assert told == [("marts.a", "kept", 2), ("marts.b", "removed", -1), ("marts.c", "added", 2)]
    assert (tables[0]["columns_added"], tables[0]["columns_removed"]) == (["z"], ["y"])


def test_a_check_fails_anew_still_or_no_longer() -> None:
    def check(name: str, passed: bool) -> dict[str, Any]:
        return {"suite": "s", "check_name": name, "passed": passed, "severity": "warning"}

    old = a_build(checks=[check("a", True), check("b", False), check("c", False)])
    new = a_build(checks=[check("a", False), check("b", False), check("c", True), check("d", True)])
    assert compare(old, new).checks.select("check_name", "change").rows() == [
        ("c", "holds again"),
        ("a", "newly failing"),
        ("b", "still failing"),
    ]


def test_a_demonstration_is_not_compared_with_real_figures_in_silence() -> None:
    real = a_build(about=[{"build_id": "r", "is_demo": False}])
    assert not compare(a_build(), real).comparable


def test_database_parquet_and_what_is_kept_read_alike(demo_build, tmp_path: Path) -> None:
    out = demo_build[0].out
    database = read_build(out / "fivepercent.duckdb")
    parquet = read_build(out / "current")
    database.save(tmp_path / "kept")
    kept = read_build(tmp_path / "kept")
    for field in dataclasses.fields(Build):
        first = getattr(database, field.name)
        order = first.columns
        for other in (parquet, kept):
            assert_frame_equal(
                first.sort(order), getattr(other, field.name).sort(order), check_exact=True
            )
    assert compare(database, parquet).is_same
    assert set(database.columns["table_name"]) == set(all_tables())
    assert database.parts.height > 50
    assert database.is_demo


def test_a_column_an_older_build_lacks_is_null(tmp_path: Path) -> None:
    (tmp_path / "meta").mkdir()
    pl.DataFrame({"build_id": ["old"], "built_at": [dt.datetime(2020, 1, 1)]}).write_parquet(
        tmp_path / "meta" / "build.parquet"
    )
    build = read_build(tmp_path)
    assert build.build_id == "old"
    assert build.about["rules_version"].to_list() == [None]
    assert build.figures.is_empty()


def test_what_is_no_build_is_refused_with_what_was_expected(tmp_path: Path) -> None:
    (tmp_path / "text.duckdb").write_text("no database")
    for path in (tmp_path / "text.duckdb", tmp_path / "nothing", tmp_path):
        with pytest.raises(NotABuildError, match=r"fivepercent\.duckdb|DuckDB"):
            read_build(path)


def test_the_ends_of_parquet_files_tell_what_the_database_tells(
    demo_build: tuple[Settings, Summary],
) -> None:
    current = demo_build[0].out / "current"
    files, database = read_build(current), read_build(current / "fivepercent.duckdb")
    assert files.columns.equals(database.columns)
    assert files.columns["table_name"].n_unique() > 40
    for field in ("figures", "files", "checks", "about"):
        assert getattr(files, field).equals(getattr(database, field)), field


def test_a_file_that_is_cut_short_is_no_build(tmp_path: Path) -> None:
    folder = tmp_path / "parquet" / "marts"
    folder.mkdir(parents=True)
    pl.DataFrame({"n": range(1000)}).write_parquet(folder / "peer.parquet")
    whole = (folder / "peer.parquet").read_bytes()
    (folder / "peer.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(NotABuildError, match=r"marts\.peer cannot be read"):
        read_build(tmp_path)
