"""From raw files to the publication, on the demonstration: what a stranger gets."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import polars as pl
import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.demo import Truth
from pipeline.refresh import Summary, refresh
from pipeline.schema import all_tables
from pipeline.settings import Settings

pytestmark = pytest.mark.processes

Build = tuple[Settings, Summary]


def ask(settings: Settings, sql: str) -> list[tuple]:
    connection = duckdb.connect(str(settings.out / "fivepercent.duckdb"), read_only=True)
    try:
        return connection.sql(sql).fetchall()
    finally:
        connection.close()


def test_every_table_of_the_contract_is_published_with_its_columns(demo_build: Build) -> None:
    settings, _ = demo_build
    found = ask(
        settings,
        "select table_schema || '.' || table_name, column_name from information_schema.columns "
        "join information_schema.tables using (table_schema, table_name) where table_type = 'BASE TABLE' "
        "and table_schema in ('dims', 'facts', 'marts', 'meta') order by ordinal_position",
    )
    columns: dict[str, list[str]] = {}
    for name, column in found:
        columns.setdefault(name, []).append(column)
    assert {n: t.polars.names() for n, t in all_tables().items()} == columns


def test_every_table_and_column_explains_itself(demo_build: Build) -> None:
    settings, _ = demo_build
    assert ask(settings, "select table_name from duckdb_tables() where comment is null") == []
    silent = ask(
        settings,
        "select table_name, column_name from duckdb_columns() where comment is null "
        "and table_name in (select table_name from duckdb_tables()) and not internal",
    )
    assert silent == []


def test_every_published_line_of_the_demonstration_is_found(
    demo_build: Build, small_demo: tuple[Path, Truth]
) -> None:
    settings, _ = demo_build
    found = ask(
        settings,
        "select organisation_code, count(*), sum(amount_gbp) from facts.payment "
        "where not is_superseded group by 1 order by 1",
    )
    truth = small_demo[1].payments
    latest = set(truth["source_file"].unique().to_list())
    superseded = {
        r[0] for r in ask(settings, "select path from meta.source_file where is_superseded")
    }
    expected = (
        truth.filter(pl.col("source_file").is_in(list(latest - superseded)))
        .group_by("organisation_code")
        .agg(pl.len(), pl.col("amount_gbp").cast(pl.Float64).sum())
        .sort("organisation_code")
    )
    assert [(c, n) for c, n, _ in found] == [(c, n) for c, n, _ in expected.iter_rows()]
    for (_, _, pounds), (_, _, truly) in zip(found, expected.iter_rows(), strict=True):
        assert float(pounds) == pytest.approx(truly, abs=0.01)


def test_every_row_of_every_file_is_accounted_for(demo_build: Build) -> None:
    settings, _ = demo_build
    assert (
        ask(
            settings,
            "select path from meta.source_file where rows_read <> rows_kept + rows_rejected + rows_ignored",
        )
        == []
    )
    assert ask(settings, "select count(*) from meta.source_file where status = 'read'")[0][0] > 100


def test_everything_made_from_the_demonstration_says_so(demo_build: Build) -> None:
    settings, summary = demo_build
    assert summary.is_demo
    for name, table in all_tables().items():
        if "is_demo" in table.polars.names():
            assert ask(settings, f"select count(*) from {name} where not is_demo") == [(0,)], name
    assert "DEMONSTRATION" in ask(settings, "select notice from meta.build")[0][0]
    for page in (settings.out / "charts").rglob("*.html"):
        assert "DEMONSTRATION" in page.read_text(encoding="utf-8"), page


def test_a_share_is_its_numerator_over_its_denominator(demo_build: Build) -> None:
    settings, _ = demo_build
    rows = ask(
        settings,
        "select share, numerator_gbp::double, denominator_gbp::double, share_lower, share_upper, benchmark, "
        "gap_pp, gap_gbp::double "
        "from marts.digital_share where share is not null",
    )
    assert len(rows) > 20
    for share, top, bottom, lower, upper, benchmark, gap_pp, gap_gbp in rows:
        assert share == pytest.approx(top / bottom)
        assert lower <= share <= upper
        assert gap_pp == pytest.approx(100 * (benchmark - share), abs=1e-9)
        assert gap_gbp == pytest.approx(benchmark * bottom - top, abs=0.01)


def test_capital_in_the_accounts_equals_the_truth_of_the_generator(
    demo_build: Build, small_demo: tuple[Path, Truth]
) -> None:
    settings, _ = demo_build
    rows = ask(
        settings,
        "select organisation_code, financial_year, numerator_gbp::double from marts.digital_share "
        "where definition = 'D0' and denominator = 'operating_expenditure'",
    )
    found = {(code, year): pounds for code, year, pounds in rows}
    truth = small_demo[1].trust_year.filter(pl.col("digital_capital_gbp").is_not_null())
    assert len(found) >= 0.9 * truth.height
    for row in truth.iter_rows(named=True):
        key = (row["organisation_code"], row["financial_year"])
        if key in found:
            assert found[key] == pytest.approx(row["digital_capital_gbp"], rel=0.01), key


def test_a_second_refresh_finds_nothing_to_do_and_keeps_the_build(
    small_demo: tuple[Path, Truth], demo_build: Build
) -> None:
    settings, first = demo_build
    again = refresh(settings)
    assert not again.published
    assert again.build_id == first.build_id
    assert again.checks == first.checks


def test_the_parquet_files_hold_what_the_database_holds(demo_build: Build) -> None:
    settings, _ = demo_build
    for name in ("marts.digital_share", "dims.organisation", "meta.source_file"):
        schema, table = name.split(".")
        frame = pl.read_parquet(settings.out / "parquet" / schema / f"{table}.parquet")
        assert frame.height == ask(settings, f"select count(*) from {name}")[0][0]
        assert frame.columns == all_tables()[name].polars.names()


def test_query_answers_and_cannot_reach_files_or_change_anything(demo_build: Build) -> None:
    settings, _ = demo_build
    runner = CliRunner()

    def run(sql: str, *more: str):
        return runner.invoke(app, ["query", sql, "--out", str(settings.out), *more])

    counted = run("select count(*) as n from marts.digital_share", "--json")
    assert counted.exit_code == 0
    assert json.loads(counted.stdout)[0]["n"] > 0
    for hostile in (
        "select * from read_csv('/etc/hostname')",
        "copy dims.icb to '/tmp/stolen.csv'",
        "drop table meta.build",
        "attach '/tmp/other.duckdb'",
        "set enable_external_access = true",
    ):
        assert run(hostile).exit_code == 2, hostile


def test_status_and_doctor_answer_for_people_and_machines(demo_build: Build) -> None:
    settings, _ = demo_build
    runner = CliRunner()
    places = ["--out", str(settings.out), "--raw", str(settings.raw)]
    told = runner.invoke(app, ["status", *places, "--json"])
    assert told.exit_code == 0
    body = json.loads(told.stdout)
    assert body["build"]["is_demo"] is True
    assert {c["state"] for c in body["calendar"]} <= {"here", "missing", "late", "not yet due"}
    assert "DEMONSTRATION" in runner.invoke(app, ["status", *places]).stdout
    looked = runner.invoke(app, ["doctor", *places, "--json"])
    assert looked.exit_code == 0, looked.stdout
    assert {"python", "database", "disk"} <= {f["name"] for f in json.loads(looked.stdout)}


def test_wrong_use_ends_with_two_and_says_what_to_do(tmp_path: Path) -> None:
    runner = CliRunner()
    assert runner.invoke(app, ["refresh", "--raw", str(tmp_path / "none")]).exit_code == 2
    assert runner.invoke(app, ["query", "select 1", "--out", str(tmp_path)]).exit_code == 1
    assert runner.invoke(app, ["refresh", "--benchmark", "7"]).exit_code == 2
    assert runner.invoke(app, ["inspect", str(tmp_path / "none.csv")]).exit_code == 2


@pytest.mark.parametrize(
    "command", ["refresh", "fetch", "inspect", "status", "query", "ui", "doctor"]
)
def test_every_command_has_help_with_an_example(command: str) -> None:
    told = CliRunner().invoke(app, [command, "--help"])
    assert told.exit_code == 0
    assert "Example" in told.stdout
