"""Organisations through time: mergers, splits and boards change who is added up, never how much."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from marts_store import DEFAULT, accounts, build_raw, steady, store_of

from pipeline.demo import generate
from pipeline.store import TableStore
from pipeline.store.tables import plain

YEAR = "2020/21"


def _succession(
    old: str, new: str, weight: float = 1.0, day: date = date(2022, 4, 1)
) -> dict[str, object]:
    return {"old_code": old, "new_code": new, "date": day, "weight": weight, "basis": "test"}


def _trust(code: str, size: float, digital: float) -> tuple[list, list]:
    books = accounts(
        code, YEAR, opex=size, staff=0.6 * size, depreciation=0.04 * size, additions=0.04 * size
    )
    return books, steady(code, YEAR, digital=digital, other=20 * digital)


def _store(
    root: Path, trusts: dict[str, tuple[float, float]], successions: list, **more: object
) -> TableStore:
    made = [_trust(code, *sizes) for code, sizes in trusts.items()]
    return store_of(
        root,
        payments=[p for _, paid in made for p in paid],
        account_lines=[a for books, _ in made for a in books],
        successions=successions,
        **more,  # type: ignore[arg-type]
    )


def _sums(store: TableStore, name: str) -> pl.DataFrame:
    keys = ["financial_year", "definition", "denominator"]
    return (
        store.read(name)
        .group_by(keys)
        .agg(pl.col("numerator_gbp", "denominator_gbp").sum())
        .sort(keys)
    )


def _equal_sums(store: TableStore) -> None:
    reported, now = _sums(store, "marts.digital_share"), _sums(store, "marts.digital_share_as_now")
    assert reported.height == now.height > 0
    for column in ("numerator_gbp", "denominator_gbp"):
        both = (frame[column].cast(pl.Float64).to_list() for frame in (now, reported))
        assert next(both) == pytest.approx(next(both), rel=1e-12)


def test_a_merger_shows_both_trusts_once_under_the_new_code(tmp_path: Path) -> None:
    store = _store(tmp_path, {"T01": (1e5, 1e5), "T02": (3e5, 2e5)}, [_succession("T01", "T02")])
    now = store.read("marts.digital_share_as_now").filter(definition="D1", denominator=DEFAULT)
    assert now["organisation_code"].to_list() == ["T02"]
    row = now.row(0, named=True)
    assert row["numerator_gbp"] == pytest.approx(12 * 3e5)
    assert row["denominator_gbp"] == pytest.approx(4e8)
    assert (row["parts"], row["parts_expected"], row["made_of"], row["is_pro_forma"]) == (
        2,
        2,
        "T01, T02",
        True,
    )
    assert row["share_lower"] <= row["share"] <= row["share_upper"]
    _equal_sums(store)


def test_a_split_divides_by_weight_and_chains_are_followed_to_the_end(tmp_path: Path) -> None:
    chain = [
        _succession("T01", "T02", 0.72),
        _succession("T01", "T03", 0.28),
        _succession("T03", "T04", day=date(2023, 4, 1)),
        _succession("T05", "T04", day=date(2023, 4, 1)),
    ]
    sizes = (1e5, 1e5)
    trusts = {"T01": sizes, "T02": sizes, "T03": sizes, "T05": sizes}
    store = _store(tmp_path, trusts, chain)
    now = store.read("marts.digital_share_as_now").filter(definition="D1", denominator=DEFAULT)
    money = dict(plain(now).select("organisation_code", "numerator_gbp").iter_rows())
    assert money == pytest.approx({"T02": 1.72 * 1.2e6, "T04": 2.28 * 1.2e6})
    _equal_sums(store)


def test_codes_that_succeed_each_other_in_a_circle_do_not_multiply_money(tmp_path: Path) -> None:
    circle = [_succession("T01", "T02"), _succession("T02", "T01", day=date(2024, 4, 1))]
    store = _store(tmp_path, {"T01": (1e5, 1e5), "T02": (1e5, 1e5)}, circle)
    _equal_sums(store)


def test_a_merged_share_that_lacks_a_part_is_badge_c(tmp_path: Path) -> None:
    books, paid = _trust("T01", 1e5, 1e5)
    other, _ = _trust("T02", 1e5, 1e5)
    store = store_of(
        tmp_path,
        payments=paid,
        account_lines=[*books, *other],
        successions=[_succession("T01", "T02")],
    )
    row = (
        store.read("marts.digital_share_as_now")
        .filter(definition="D1", denominator=DEFAULT)
        .row(0, named=True)
    )
    assert (row["organisation_code"], row["parts"], row["parts_expected"], row["badge"]) == (
        "T02",
        1,
        2,
        "C",
    )


def test_the_board_is_that_of_the_financial_year(tmp_path: Path) -> None:
    member = [
        {
            "organisation_code": "T01",
            "icb_code": "QA1",
            "valid_from": date(2022, 7, 1),
            "valid_to": date(2023, 3, 30),
            "basis": "t",
        },
        {
            "organisation_code": "T01",
            "icb_code": "QB2",
            "valid_from": date(2023, 3, 31),
            "basis": "t",
        },
    ]
    years = ("2020/21", "2021/22", "2022/23")
    books = [
        line for y in years for line in accounts("T01", y, opex=1e5, staff=6e4, depreciation=4e3)
    ]
    store = store_of(
        tmp_path,
        payments=[p for y in years for p in steady("T01", y, digital=1e5, other=2e6)],
        account_lines=books,
        memberships=member,
    )
    rows = store.read("marts.digital_share").filter(definition="D1", denominator=DEFAULT)
    assert dict(rows.select("financial_year", "icb_code").iter_rows()) == {
        "2020/21": "QA1",
        "2021/22": "QA1",
        "2022/23": "QB2",
    }
    boards = store.read("marts.icb_share").filter(definition="D1", denominator=DEFAULT)
    assert sorted(boards.select("icb_code", "financial_year").rows()) == [
        ("QA1", "2020/21"),
        ("QA1", "2021/22"),
        ("QB2", "2022/23"),
    ]


def test_sums_are_equal_in_both_views_of_the_demonstration_with_its_mergers(tmp_path: Path) -> None:
    truth = generate(
        tmp_path / "raw", trusts=30, boards=3, years=["2020/21", "2021/22", "2022/23"], density=0.03
    )
    store = build_raw(tmp_path / "raw", tmp_path / "out")
    assert truth.organisations["successor"].drop_nulls().len() > 0
    _equal_sums(store)
    now = store.read("marts.digital_share_as_now")
    gone = set(truth.organisations.drop_nulls("successor")["organisation_code"])
    assert not gone & set(now["organisation_code"])
    assert now["is_pro_forma"].any()
    current = dict(
        store.read("dims.organisation").select("organisation_code", "current_code").iter_rows()
    )
    assert all(current[code] == code for code in now["organisation_code"])


@pytest.mark.real
def test_every_code_with_accounts_ends_at_a_code_of_today(real_raw: Path, tmp_path: Path) -> None:
    from reference import today_of
    from reference_tables import tables_of

    store = build_raw(real_raw, tmp_path)
    tables = tables_of(store, ["dims.organisation", "dims.succession", "facts.account_line"])
    open_now = {
        o["organisation_code"]
        for o in tables["dims.organisation"]
        if o["current_code"] == o["organisation_code"]
    }
    today = today_of(tables)
    for code in {a["organisation_code"] for a in tables["facts.account_line"]} - {None}:
        ends = today(code)
        assert sum(ends.values()) == pytest.approx(1)
        assert set(ends) <= open_now, (code, ends)
    _equal_sums(store)
