"""What a change in the files does to the share: what the method says, and nothing else."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from marts_store import accounts, build_raw, payment, share, steady, store_of

from pipeline.classify import classify
from pipeline.demo import generate
from pipeline.quality import gate_failures, run_gate
from pipeline.store import TableStore

YEAR = "2020/21"
# Spent 100m: 60m pay, 4m depreciation, 36m non-pay, and 4m additions: 40m could be published.
BOOKS = accounts(
    "T01", YEAR, opex=102_000, impairments=2_000, staff=60_000, depreciation=4_000, additions=4_000
)
# Published 2m a month (24m a year, capture 0.6), of which 100,000 are digital.
PAID = steady("T01", YEAR, digital=100_000, other=1_900_000)


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> TableStore:
    return store_of(tmp_path_factory.mktemp("usual"), payments=PAID, account_lines=BOOKS)


def test_a_whole_year_has_the_share_of_its_pounds(usual: TableStore) -> None:
    d1, d2 = share(usual, "T01", "D1"), share(usual, "T01", "D2")
    assert d1["numerator_gbp"] == pytest.approx(1_200_000)
    assert d1["denominator_gbp"] == pytest.approx(100_000_000)
    assert d1["share"] == pytest.approx(0.012)
    assert d1["gap_gbp"] == pytest.approx(3_800_000)
    assert d1["capture_ratio"] == pytest.approx(0.6)
    assert d1["badge"] == "A"
    assert d2["numerator_gbp"] == pytest.approx(1_200_000 / 0.6)


def test_a_trust_without_expenditure_has_no_share_and_says_so(
    usual: TableStore, tmp_path: Path
) -> None:
    # additions and reversed impairments alone must not become what is divided by
    nothing = accounts(
        "T02", YEAR, opex=0, impairments=-500, staff=0, depreciation=0, additions=700, income=900
    )
    paid = [*PAID, *steady("T02", YEAR, digital=1_000, other=9_000)]
    store = store_of(tmp_path, payments=paid, account_lines=[*BOOKS, *nothing])
    shares = store.read("marts.digital_share").filter(pl.col("organisation_code") == "T02")
    assert set(shares["denominator"]) == {"operating_income"}
    said = store.read("marts.coverage").filter(pl.col("organisation_code") == "T02")
    d1 = said.filter(pl.col("definition") == "D1", pl.col("denominator") != "operating_income")
    assert d1.height == 3
    assert set(d1["status"]) == {"not available"}
    assert d1["reason"].str.contains("not above zero").all()
    assert share(store, "T01", "D1")["share"] == share(usual, "T01", "D1")["share"]
    assert gate_failures(run_gate(store, "marts", is_demo=True)) == []


def test_deleting_a_month_lowers_d1_and_the_badge_and_leaves_d2(
    usual: TableStore, tmp_path: Path
) -> None:
    without = [p for p in PAID if p["month"].month != 8]
    store = store_of(tmp_path, payments=without, account_lines=BOOKS)
    d1, d2 = share(store, "T01", "D1"), share(store, "T01", "D2")
    assert d1["share"] == pytest.approx(0.012 * 11 / 12)
    assert (d1["months_present"], d1["badge"]) == (11, "B")
    assert d1["capture_ratio"] == pytest.approx(0.6 * 11 / 12)
    # the capture ratio already knows about the month: correcting for both would give 12/11 too much
    assert d2["share"] == pytest.approx(share(usual, "T01", "D2")["share"])
    assert "11 of 12" in d2["estimate_note"]
    width = (d2["share_upper"] - d2["share_lower"]) / d2["share"]
    before = share(usual, "T01", "D2")
    assert width > (before["share_upper"] - before["share_lower"]) / before["share"]
    august = store.read("marts.coverage_month").filter(pl.col("month").dt.month() == 8)
    assert august["is_present"].to_list() == [False]
    assert august["amount_gbp"].to_list() == [None]


def test_two_months_are_too_few_for_an_estimate_and_coverage_says_so(tmp_path: Path) -> None:
    store = store_of(
        tmp_path,
        payments=steady("T01", YEAR, digital=1e5, other=1.9e6, months=(0, 1)),
        account_lines=BOOKS,
    )
    assert share(store, "T01", "D1")["badge"] == "C"
    with pytest.raises(KeyError):
        share(store, "T01", "D2")
    told = store.read("marts.coverage").filter(definition="D2")
    assert told["status"].unique().to_list() == ["not available"]
    assert "2 of 12 months" in told["reason"][0]


def test_more_published_than_spent_scales_nothing_down(tmp_path: Path) -> None:
    store = store_of(
        tmp_path, payments=steady("T01", YEAR, digital=1e5, other=4.9e6), account_lines=BOOKS
    )
    d1, d2 = share(store, "T01", "D1"), share(store, "T01", "D2")
    assert d1["capture_ratio"] == pytest.approx(1.5)
    assert d2["share"] == pytest.approx(d1["share"])
    assert d1["badge"] == "B"
    assert "more than was spent" in d1["badge_reason"]


@pytest.mark.parametrize("wording", ["Long Trm Loans - Non-Curr", "Loan repayment - DHSC"])
def test_a_loan_repayment_is_seen_as_balance_sheet(wording: str) -> None:
    line = pl.DataFrame(
        {
            "expense_type": [wording],
            "expense_area": ["Balance Sheet"],
            "supplier": ["DEPT OF HEALTH"],
            "description": [None],
        },
        schema=dict.fromkeys(
            ("expense_type", "expense_area", "supplier", "description"), pl.String
        ),
    )
    assert classify(line)["is_balance_sheet"].to_list() == [True]


def test_a_loan_repayment_of_120_million_changes_no_share(
    usual: TableStore, tmp_path: Path
) -> None:
    loan = payment(
        "T01", YEAR, 5, 120_600_000, is_balance_sheet=True, expense_type="Long Trm Loans - Non-Curr"
    )
    store = store_of(tmp_path, payments=[*PAID, loan], account_lines=BOOKS)
    for definition in ("D1", "D2"):
        mine, before = share(store, "T01", definition), share(usual, "T01", definition)
        assert {k: mine[k] for k in mine if k != "is_demo"} == {
            k: before[k] for k in before if k != "is_demo"
        }


def test_publishing_with_vat_raises_d1_by_the_tax_inside_its_interval_and_not_d2(
    usual: TableStore, tmp_path: Path
) -> None:
    gross = [p | {"amount_gbp": p["amount_gbp"] * 1.2} for p in PAID]
    store = store_of(tmp_path, payments=gross, account_lines=BOOKS)
    net, with_tax = share(usual, "T01", "D1"), share(store, "T01", "D1")
    assert with_tax["share"] == pytest.approx(1.2 * net["share"])
    assert net["share_lower"] <= with_tax["share"] <= net["share_upper"]
    assert with_tax["share_lower"] <= net["share"] <= with_tax["share_upper"]
    # the tax is in both parts of the capture ratio's correction
    assert share(store, "T01", "D2")["share"] == pytest.approx(share(usual, "T01", "D2")["share"])


def test_print_and_records_lines_and_possible_lines_move_the_upper_end_only(
    usual: TableStore, tmp_path: Path
) -> None:
    more = [
        payment("T01", YEAR, 3, 50_000, "yes", category="print_records"),
        payment("T01", YEAR, 4, 70_000, "possible", category="it_services"),
    ]
    store = store_of(tmp_path, payments=[*PAID, *more], account_lines=BOOKS)
    mine, before = share(store, "T01", "D1"), share(usual, "T01", "D1")
    assert mine["share"] == before["share"]
    assert mine["share_lower"] == before["share_lower"]
    assert mine["share_upper"] == pytest.approx(before["share_upper"] + 120_000 * 1.2 / 1e8)


def test_credits_lower_the_share_and_stay_negative(tmp_path: Path) -> None:
    store = store_of(
        tmp_path, payments=[*PAID, payment("T01", YEAR, 5, -200_000, "yes")], account_lines=BOOKS
    )
    assert share(store, "T01", "D1")["numerator_gbp"] == pytest.approx(1_000_000)


def test_a_repeated_line_counts_once_and_a_replaced_file_not_at_all(
    usual: TableStore, tmp_path: Path
) -> None:
    again = [
        payment("T01", YEAR, 0, 100_000, "yes", is_duplicate=True),
        payment("T01", YEAR, 0, 999_000, "yes", is_superseded=True),
    ]
    store = store_of(tmp_path, payments=[*PAID, *again], account_lines=BOOKS)
    assert share(store, "T01", "D1")["share"] == share(usual, "T01", "D1")["share"]


def test_copies_do_not_make_a_month_of_stray_lines(tmp_path: Path) -> None:
    stray = [
        payment("T01", YEAR, 11, 50_000, "no", transaction_reference=f"S{i}") for i in range(3)
    ]
    paid = [
        payment("T01", YEAR, month, 100_000, "no", transaction_reference=f"P{month}-{i}")
        for month in range(11)
        for i in range(100)
    ]
    copies = [line | {"is_duplicate": True} for line in [*stray, *stray]]
    store = store_of(tmp_path, payments=[*paid, *stray, *copies], account_lines=BOOKS)
    march = store.read("marts.coverage_month").filter(month=date(2021, 3, 1)).row(0, named=True)
    assert (march["lines"], march["is_present"]) == (3, False)
    assert share(store, "T01", "D1")["months_present"] == 11


@pytest.mark.parametrize("published, missing", [(6, 0), (5, 1)])
def test_a_trust_that_closed_in_the_year_is_not_stretched_to_twelve_months(
    tmp_path: Path, published: int, missing: int
) -> None:
    # Half a year of books: 40m could be published in six months, and nearly all of it is.
    paid = steady("T01", YEAR, digital=500_000, other=6_000_000, months=range(published))
    closed = {"organisation_code": "T01", "name": "T01", "kind": "trust", "is_demo": False}
    closed |= {"current_code": "T01", "sector": "Acute", "closed": date(2020, 9, 30)}
    store = store_of(
        tmp_path, payments=paid, account_lines=BOOKS, others={"dims.organisation": [closed]}
    )
    mine = share(store, "T01", "D2")
    spent = 500_000 * published
    captured = 6_500_000 * published / 40e6
    assert mine["numerator_gbp"] == pytest.approx(spent * max(6 / published, 1 / captured))
    assert mine["share_lower"] <= 3_000_000 / 1e8 <= mine["share_upper"]
    assert "The trust existed in 6 of 12 months." in mine["estimate_note"]
    assert "(the trust existed in 6): incomplete" in mine["badge_reason"]
    assert ("annualised" in mine["badge_reason"]) is bool(missing)
    months = store.read("marts.coverage_month").filter(organisation_code="T01")
    assert months.filter(~pl.col("is_present") & pl.col("is_open")).height == missing


@pytest.mark.parametrize(
    "amount, said, index",
    [
        (0, "No published line counts as digital", "No digital payments in the year."),
        (-5_000, "Credits exceed the digital", "Credits exceed the digital payments of the year."),
    ],
)
def test_a_year_without_digital_payments_does_not_look_certain(
    tmp_path: Path, amount: int, said: str, index: str
) -> None:
    paid = steady("T01", YEAR, digital=amount, other=1_900_000)
    store = store_of(tmp_path, payments=paid, account_lines=BOOKS)
    assert said in share(store, "T01", "D1")["estimate_note"]
    assert "does not tell what was missed" in share(store, "T01", "D2")["estimate_note"]
    pattern = store.read("marts.funding_pattern").row(0, named=True)
    assert (pattern["year_end_index"], pattern["year_end_reason"]) == (None, index)


def test_the_benchmark_is_one_setting(tmp_path: Path, usual: TableStore) -> None:
    store = store_of(tmp_path, payments=PAID, account_lines=BOOKS, benchmark=0.03)
    mine, before = share(store, "T01", "D1"), share(usual, "T01", "D1")
    assert (mine["benchmark"], before["benchmark"]) == (0.03, 0.05)
    assert mine["share"] == before["share"]
    assert mine["gap_gbp"] == pytest.approx(0.03 * 1e8 - 1.2e6)
    assert mine["gap_pp"] == pytest.approx(1.8)
    board = store.read("marts.icb_share").filter(
        definition="D1", denominator="operating_expenditure_less_impairments"
    )
    assert board["gap_gbp"].to_list() == pytest.approx([0.03 * 1e8 - 1.2e6])


def test_no_expense_type_gives_badge_c_and_a_wider_upper_end(
    usual: TableStore, tmp_path: Path
) -> None:
    untyped = [p | {"expense_type": None} for p in PAID]
    store = store_of(tmp_path, payments=untyped, account_lines=BOOKS)
    mine, before = share(store, "T01", "D1"), share(usual, "T01", "D1")
    assert mine["badge"] == "C"
    assert mine["share"] == before["share"]
    assert mine["share_upper"] > 1.5 * before["share_upper"]


@pytest.fixture(scope="module")
def raw_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    raw = tmp_path_factory.mktemp("tree") / "raw"
    generate(raw, trusts=4, boards=1, years=["2021/22"], density=0.6)
    return raw


def _only_file(raw: Path, code: str, word: str) -> Path:
    found = [p for p in (raw / "spend_over_25k" / code).iterdir() if word in p.name]
    assert len(found) == 1
    return found[0]


def test_an_exact_copy_of_a_file_under_another_name_changes_no_share(
    raw_tree: Path, tmp_path: Path
) -> None:
    raw = tmp_path / "raw"
    shutil.copytree(raw_tree, raw)
    file = _only_file(raw, "Z0A", "June")
    shutil.copyfile(file, file.with_name(f"copy of {file.name}"))
    before, after = build_raw(raw_tree, tmp_path / "before"), build_raw(raw, tmp_path / "after")
    mine, theirs = (share(s, "Z0A", "D1", "2021/22") for s in (after, before))
    assert mine["numerator_gbp"] == pytest.approx(theirs["numerator_gbp"])
    assert mine["capture_ratio"] == pytest.approx(theirs["capture_ratio"])
    june = [
        s.read("facts.payment").filter(
            pl.col("source_file").str.contains("June"), organisation_code="Z0A"
        )
        for s in (after, before)
    ]
    assert june[0].height == 2 * june[1].height > 0  # kept for the record, counted once


def test_deleting_a_file_removes_its_pounds_and_only_these(raw_tree: Path, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    shutil.copytree(raw_tree, raw)
    _only_file(raw, "Z0A", "June").unlink()
    before, after = build_raw(raw_tree, tmp_path / "before"), build_raw(raw, tmp_path / "after")
    june = before.read("marts.coverage_month").filter(
        (pl.col("organisation_code") == "Z0A") & (pl.col("month").dt.month() == 6)
    )
    assert june["digital_gbp"][0] > 0
    lost = (
        share(before, "Z0A", "D1", "2021/22")["numerator_gbp"]
        - share(after, "Z0A", "D1", "2021/22")["numerator_gbp"]
    )
    assert lost == pytest.approx(float(june["digital_gbp"][0]))
    others = [
        s.read("marts.digital_share")
        .filter(pl.col("organisation_code") != "Z0A", definition="D1")
        .drop("sector")
        for s in (before, after)
    ]
    assert others[0].equals(others[1])
