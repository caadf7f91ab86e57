"""What a refresh finds on the real public files, against figures published elsewhere."""

from __future__ import annotations

import duckdb
import pytest

from pipeline.refresh import Summary
from pipeline.settings import Settings

pytestmark = pytest.mark.real
Build = tuple[Settings, Summary]

#: Rows and pounds (millions) that a correct reader finds in the London collection of 2020/21.
LONDON = {
    "R1H": (2399, 503.64),
    "R1K": (1399, 214.20),
    "RF4": (1169, 221.23),
    "RJ2": (1453, 169.74),
    "RJZ": (1738, 436.34),
    "RQM": (1447, 275.11),
    "RQX": (1065, 105.05),
    "RVR": (2528, 402.99),
    "RYJ": (2750, 647.07),
}
#: Provider operating expenditure: GBP billion and number of providers (method, golden checks).
OPERATING_EXPENDITURE = {
    "2019/20": (93.4, 225),
    "2020/21": (106.7, 219),
    "2021/22": (113.9, 215),
    "2022/23": (124.2, 212),
    "2023/24": (130.8, 206),
}


def ask(build: Build, sql: str) -> list[tuple]:
    connection = duckdb.connect(str(build[0].out / "fivepercent.duckdb"), read_only=True)
    try:
        return connection.sql(sql).fetchall()
    finally:
        connection.close()


def test_rows_and_pounds_of_each_trust_are_those_of_a_correct_reader(real_build: Build) -> None:
    found = {
        code: (rows, float(pounds))
        for code, rows, pounds in ask(
            real_build,
            "select organisation_code, count(*), sum(amount_gbp) from facts.payment group by 1",
        )
    }
    for code, (rows, millions) in LONDON.items():
        assert found[code][0] == pytest.approx(rows, rel=0.002), code
        assert found[code][1] / 1e6 == pytest.approx(millions, rel=0.002), code
    assert 68_000 < found["RJ1"][0] < 71_000


def test_every_file_is_accounted_for(real_build: Build) -> None:
    listed = ask(
        real_build, "select count(*) from meta.source_file where source_id = 'spend_over_25k'"
    )
    assert listed == [(95,)]
    assert ask(real_build, "select count(*) from meta.source_file where status = 'set aside'") == [
        (0,)
    ]
    assert (
        ask(
            real_build,
            "select path from meta.source_file where rows_read <> rows_kept + rows_rejected + rows_ignored",
        )
        == []
    )


@pytest.mark.parametrize("year", OPERATING_EXPENDITURE)
def test_provider_totals_equal_the_published_ones(real_build: Build, year: str) -> None:
    billions, providers = OPERATING_EXPENDITURE[year]
    found = ask(
        real_build,
        "select sum(value) / 1e6, count(*) from facts.account_line "
        f"where main_code = 'A08CY01' and sub_code = 'EXP0390' and financial_year = '{year}'",
    )
    assert found[0][0] == pytest.approx(billions, abs=0.1)
    assert found[0][1] == providers


def test_all_maturity_trusts_carry_a_code(real_build: Build) -> None:
    assert ask(
        real_build,
        "select count(distinct organisation_name), count(distinct organisation_code) from facts.maturity "
        "where organisation_kind = 'trust' and year = 2025",
    ) == [(204, 204)]


def test_the_ten_trusts_have_a_share_with_an_interval_and_a_badge(real_build: Build) -> None:
    rows = ask(
        real_build,
        "select organisation_code, share, share_lower, share_upper, badge from marts.digital_share "
        "where definition = 'D1' and denominator = 'operating_expenditure_less_impairments' "
        "and financial_year = '2020/21'",
    )
    assert len(rows) == 10
    badges = {code: badge for code, *_, badge in rows}
    assert badges["RJ1"] == "C"  # five of twelve months are here
    for code, share, lower, upper, _ in rows:
        assert 0.002 < lower < share < upper < 0.12, code


def test_balance_sheet_rows_are_flagged_and_kept_out(real_build: Build) -> None:
    loans = ask(
        real_build,
        "select bool_and(is_balance_sheet), max(amount_gbp) from facts.payment "
        "where expense_type ilike 'Long Trm Loans%'",
    )
    assert loans[0][0] is True
    assert float(loans[0][1]) == pytest.approx(120.6e6, rel=0.001)


def test_what_cannot_be_computed_says_why(real_build: Build) -> None:
    reasons = ask(
        real_build,
        "select distinct reason from marts.coverage where definition = 'D0' and status = 'not available'",
    )
    assert any("additions to information technology" in r[0] for r in reasons)


def test_old_and_new_files_have_no_blocking_failure(real_build: Build) -> None:
    failed = ask(
        real_build,
        "select check_name from meta.check_result where severity = 'blocking' and not passed",
    )
    assert failed == []
    assert ask(
        real_build, "select count(*) >= 10 from meta.check_result where suite = 'golden'"
    ) == [(True,)]
