"""The table macros against a second computation in plain Python over the Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import polars as pl
import pytest

from pipeline.refresh import Summary
from pipeline.settings import Settings

SPENT = "operating_expenditure_less_impairments"
Row = dict[str, Any]


@pytest.fixture(scope="module")
def file(demo_build: tuple[Settings, Summary]) -> Iterator[duckdb.DuckDBPyConnection]:
    path = demo_build[0].out / "fivepercent.duckdb"
    connection = duckdb.connect(str(path), read_only=True)
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def parquet(demo_build: tuple[Settings, Summary]):
    folder = demo_build[0].out / "parquet"
    return lambda name: pl.read_parquet(folder / f"{name.replace('.', '/')}.parquet").to_dicts()


def rows_of(file: duckdb.DuckDBPyConnection, sql: str) -> list[Row]:
    """Rows as dictionaries."""
    return file.sql(sql).pl().to_dicts()


@pytest.mark.parametrize("benchmark", [0.0, 0.02, 0.05, 0.9])
def test_a_share_is_set_against_any_benchmark(file, parquet, benchmark: float) -> None:
    found = rows_of(file, f"from share_vs_benchmark('d1', '{SPENT}', {benchmark})")
    wanted = [
        r
        for r in parquet("marts.digital_share")
        if r["definition"] == "D1" and r["denominator"] == SPENT
    ]
    assert len(found) == len(wanted) > 0
    by_key = {(r["organisation_code"], r["financial_year"]): r for r in wanted}
    for row in found:
        source = by_key[row["organisation_code"], row["financial_year"]]
        numerator, denominator = float(source["numerator_gbp"]), float(source["denominator_gbp"])
        assert float(row["gap_gbp"]) == pytest.approx(
            benchmark * denominator - numerator, abs=0.006
        )
        assert row["gap_pp"] == pytest.approx(100 * (benchmark - numerator / denominator))
        if source["share_upper"] < benchmark:
            assert row["position"] == "below"
        elif source["share_lower"] >= benchmark:
            assert row["position"] == "above"
        else:
            assert row["position"] == "cannot tell"
    assert rows_of(file, f"from share_vs_benchmark('D9', '{SPENT}', 0.05)") == []


def test_real_terms_multiply_by_the_ratio_of_the_deflators(file, parquet) -> None:
    index = {r["financial_year"]: r["index_value"] for r in parquet("facts.deflator")}
    found = rows_of(file, "from real_terms('2019/20')")
    source = {
        tuple(r[k] for k in ("organisation_code", "financial_year", "definition", "denominator")): r
        for r in parquet("marts.digital_share")
    }
    assert len(found) == len(source)
    for row in found:
        key = tuple(
            row[k] for k in ("organisation_code", "financial_year", "definition", "denominator")
        )
        factor = index["2019/20"] / index[row["financial_year"]]
        for real, nominal in (("numerator_real_gbp", "numerator_gbp"), ("gap_real_gbp", "gap_gbp")):
            assert float(row[real]) == pytest.approx(
                float(source[key][nominal]) * factor, abs=0.006
            )
        assert row["reason"] is None
    without = rows_of(file, "from real_terms('1900/01')")
    assert len(without) == len(found)
    assert {r["numerator_real_gbp"] for r in without} == {None}
    assert {r["reason"] for r in without} == {"No deflator of 1900/01 is here; see facts.deflator."}


def test_trusts_are_compared_in_the_order_asked_with_their_best_year(file, parquet) -> None:
    shares = [
        r
        for r in parquet("marts.digital_share")
        if r["definition"] == "D1" and r["denominator"] == SPENT
    ]
    codes = sorted({r["organisation_code"] for r in shares}, reverse=True)
    asked = [codes[0], "NOBODY", *codes[1:]]
    found = rows_of(file, f"from compare({asked})")
    assert [r["code"] for r in found] == asked
    assert found[1]["name"] is None
    assert found[1]["share"] is None
    assert rows_of(file, f"from compare({[code.lower() for code in asked]})") == found
    maturity = parquet("marts.maturity")
    for row in [found[0], *found[2:]]:
        own = [r for r in shares if r["organisation_code"] == row["code"]]
        best = max(own, key=lambda r: (r["badge"] != "C", r["financial_year"]))
        for column in ("financial_year", "share", "share_lower", "share_upper", "badge"):
            assert row[column] == best[column], (row["code"], column)
        scores = [
            r
            for r in maturity
            if r["organisation_code"] == row["code"] and r["pillar"] == "mean_of_pillars"
        ]
        if scores:
            latest = max(r["year"] for r in scores)
            values = [r["score"] for r in scores if r["year"] == latest]
            assert row["maturity_year"] == latest
            assert row["maturity"] == pytest.approx(sum(values) / len(values))


def test_a_profile_holds_every_share_and_every_category_of_the_trust(file, parquet) -> None:
    code = min(r["organisation_code"] for r in parquet("marts.spend_mix"))
    found = rows_of(file, f"from trust_profile('{code.lower()}')")
    shares = {
        (r["item"], r["period"]): (r["value"], r["lower"], r["upper"])
        for r in found
        if r["theme"] == "share"
    }
    wanted = {
        (f"{r['definition']} / {r['denominator']}", r["financial_year"]): (
            r["share"],
            r["share_lower"],
            r["share_upper"],
        )
        for r in parquet("marts.digital_share")
        if r["organisation_code"] == code
    }
    assert shares == wanted
    spent = {
        (r["item"], r["period"]): r["value"]
        for r in found
        if r["theme"] == "spending" and r["unit"] == "GBP"
    }
    by_category: dict[tuple[str, str], float] = {}
    for r in parquet("marts.spend_mix"):
        if r["organisation_code"] == code and r["digital"] == "yes":
            key = (r["category"], r["financial_year"])
            by_category[key] = by_category.get(key, 0.0) + float(r["amount_gbp"])
    assert spent == pytest.approx(by_category)
    assert rows_of(file, "from trust_profile('NOBODY')") == []


def test_a_badge_is_explained_by_the_months_that_are_missing(file, parquet) -> None:
    months = parquet("marts.coverage_month")
    for code in sorted({r["organisation_code"] for r in months}):
        for row in rows_of(file, f"from why_badge('{code}') where definition = 'D1'"):
            missing = sorted(
                f"{m['month']:%Y-%m}"
                for m in months
                if m["organisation_code"] == code
                and m["financial_year"] == row["financial_year"]
                and not m["is_present"]
            )
            assert (row["months_missing"] or "") == ", ".join(missing)
            if not row["has_expense_type"] or row["months_present"] < row["months_for_b"]:
                assert row["badge"] == "C"
            else:
                assert row["badge"] in {"A", "B"}


def test_a_payment_leads_to_its_file_and_row(file, demo_build: tuple[Settings, Summary]) -> None:
    settings = demo_build[0]
    import hashlib

    path, sheet, line, amount = file.execute(
        "select source_file, source_sheet, source_row, amount_gbp from facts.payment"
        " where source_file like '%.csv' and source_sheet = ''"
        " order by amount_gbp desc, source_file, source_row limit 1"
    ).fetchall()[0]
    (found,) = rows_of(file, f"from where_from('{path}', '{sheet}', {line})")
    raw = settings.raw / path
    assert found["sha256"] == hashlib.sha256(raw.read_bytes()).hexdigest()
    assert found["amount_gbp"] == amount
    published = raw.read_bytes().decode("cp1252").splitlines()[line - 1]
    digits = f"{int(amount)}"
    assert digits in published.replace(",", "")
    assert rows_of(file, f"from where_from('{path}', '{sheet}', 999999)") == []


def test_a_word_is_found_by_its_name_first(file) -> None:
    found = rows_of(file, "from what_is('share_upper')")
    assert found[0]["column_name"] == "share_upper"
    assert found[0]["table_name"].startswith("marts.")
    assert any(
        "VAT" in r["meaning"] or "vat" in (r["caveat"] or "")
        for r in rows_of(file, "from what_is('vat')")
    )
