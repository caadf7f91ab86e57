"""Which columns the columns of the marts are made of, read from their SQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.defs.lineage import reads_of
from pipeline.marts import MART_ORDER
from pipeline.marts.columns import cached_column_sources, column_sources
from pipeline.marts.milestones import LEDGER_MARTS
from pipeline.schema import all_tables, table

SQL_MARTS = [m for m in MART_ORDER if m not in LEDGER_MARTS]


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, list[tuple[str, str]]]]:
    return {mart: column_sources(mart) for mart in SQL_MARTS}


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
    for mart, columns in found.items():
        assert list(columns) == table(mart).polars.names()
        reads = set(reads_of(mart))
        for column, sources in columns.items():
            for name, source in sources:
                assert source in all_tables()[name].polars.names(), (mart, column)
                assert name in reads, f"{mart}.{column} is made of {name}, which it does not read"


def test_few_columns_are_made_of_nothing(found) -> None:
    bare = {f"{m}.{c}" for m, columns in found.items() for c, s in columns.items() if not s}
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


def test_a_second_look_is_read_from_the_folder_and_a_stale_one_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = tmp_path / "columns-0123456789abcdef.json"
    stale.write_text("{}")
    first = cached_column_sources("marts.rank_stability", tmp_path)
    assert not stale.exists()
    monkeypatch.setattr("pipeline.marts.columns.column_sources", lambda name: pytest.fail(name))
    assert cached_column_sources("marts.rank_stability", tmp_path) == first
    assert first["financial_year"] == [("marts.digital_share", "financial_year")]
