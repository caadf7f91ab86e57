"""Which columns the columns of the marts are made of, read from their SQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import beside
from pipeline.defs.lineage import reads_of
from pipeline.marts import MART_ORDER, columns
from pipeline.marts.milestones import LEDGER_MARTS
from pipeline.schema import all_tables, table

SQL_MARTS = [m for m in MART_ORDER if m not in LEDGER_MARTS]


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, list[tuple[str, str]]]]:
    return {mart: columns.column_sources(mart) for mart in SQL_MARTS}


def test_a_share_is_made_of_payments_and_accounts_and_of_no_name(found) -> None:
    sources = found["marts.digital_share"]["share"]
    assert ("facts.payment", "amount_gbp") in sources
    assert ("facts.account_line", "value") in sources
    names = {"organisation_name", "supplier", "sector", "organisation_code"}
    assert not names & {c for _, c in sources}


def test_a_gap_is_made_of_what_the_share_is_and_of_the_benchmark(found) -> None:
    gap, share = found["marts.icb_share"]["gap_gbp"], found["marts.icb_share"]["share"]
    assert set(gap) - set(share) == {("marts.digital_share", "benchmark")}
    assert set(share) < set(gap)


def test_every_source_is_a_column_of_a_table_the_mart_reads(found) -> None:
    for mart, made_of in found.items():
        assert list(made_of) == table(mart).polars.names()
        reads = set(reads_of(mart))
        for column, sources in made_of.items():
            for name, source in sources:
                assert source in all_tables()[name].polars.names(), (mart, column)
                assert name in reads, f"{mart}.{column} is made of {name}, which it does not read"


def test_few_columns_are_made_of_nothing(found) -> None:
    bare = {f"{m}.{c}" for m, made_of in found.items() for c, s in made_of.items() if not s}
    counted = {"lines", "trusts", "boards", "parts", "parts_expected", "complete_years"}
    counted |= {"setting_n", "care_settings", "years_used"}
    words = {"reason", "volatility_reason", "caution", "proxy", "definition", "denominator"}
    assert {b.rpartition(".")[2] for b in bare} <= counted | words


def test_statistics_made_in_python_come_from_their_points(found) -> None:
    assert found["marts.maturity_and_spend"]["spearman"] == [
        ("marts.maturity_and_spend_trust", "mean_share"),
        ("marts.maturity_and_spend_trust", "score"),
    ]
    assert "marts.maturity_and_spend_trust" in reads_of("marts.maturity_and_spend")


@pytest.fixture
def kept_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is kept lies in a folder of the test, which is empty."""
    monkeypatch.setattr(beside, "_place", lambda path: tmp_path / "kept" / path.name)
    columns._kept.cache_clear()
    yield
    columns._kept.cache_clear()


@pytest.mark.usefixtures("kept_elsewhere")
def test_what_is_kept_is_what_was_read_and_is_not_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = "marts.rank_stability"
    first, formulas = columns.known_column_sources(name), columns.known_formulas(name)
    assert first["financial_year"] == [("marts.digital_share", "financial_year")]
    columns.keep_columns()
    columns._kept.cache_clear()
    monkeypatch.setattr(columns, "column_sources", lambda name: pytest.fail(name))
    monkeypatch.setattr(columns, "written_formulas", lambda name: pytest.fail(name))
    assert columns.known_column_sources(name) == first
    assert columns.known_formulas(name) == formulas != {}


@pytest.mark.usefixtures("kept_elsewhere")
def test_what_is_kept_of_other_sql_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    columns.keep_columns()
    columns._kept.cache_clear()
    sql_of = columns.sql_of
    monkeypatch.setattr(columns, "sql_of", lambda name: sql_of(name) + " -- changed")
    monkeypatch.setattr(columns, "column_sources", lambda name: {"read": [(name, "again")]})
    assert columns.known_column_sources("marts.peer") == {"read": [("marts.peer", "again")]}
