"""The demonstration's other sources follow the publishers' layouts and agree with each other."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import polars as pl
import pytest
from python_calamine import CalamineWorkbook

from pipeline.demo import Truth, generate
from pipeline.demo.ledger import BUCKETS, KINDS
from pipeline.demo.suppliers import SUPPLIERS

YEARS = ("2020/21", "2021/22", "2022/23", "2023/24")


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    raw = tmp_path_factory.mktemp("sources") / "raw"
    return raw, generate(raw, density=0.15)


def _sheet(path: Path, name: str) -> list[list[object]]:
    book = CalamineWorkbook.from_path(str(path))
    return book.get_sheet_by_name(name).to_python(skip_empty_area=False)  # type: ignore[return-value]


def _csv(path: Path, encoding: str = "utf-8") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding=encoding), newline="")))


def _accounts(raw: Path, year: str) -> pl.DataFrame:
    """Both workbooks of a year as published: organisation, code, main code, sub code, value."""
    label = f"{year[:4]}-{year[5:]}"
    rows = []
    for kind, sheet in (("NHS-trusts", "All Data"), ("NHS-foundation-trusts", "All data")):
        path = raw / "provider_accounts" / f"TAC-data-published-in-{kind}-accounts-for-{label}.xlsx"
        providers = _sheet(path, "List of Providers")
        assert providers[0] == ["Full name of Provider", "NHS code", "Region", "Sector", "Comments"]
        codes = {str(p[0]): str(p[1]) for p in providers[1:]}
        for name, _, _, main, _, sub, value in _sheet(path, sheet)[1:]:
            rows.append((codes[str(name)], str(main), str(sub), float(value)))  # type: ignore[arg-type]
    return pl.DataFrame(rows, schema=["code", "main", "sub", "value"], orient="row")


@pytest.mark.parametrize("year", YEARS)
def test_accounts_say_what_the_truth_says(demonstration: tuple[Path, Truth], year: str) -> None:
    raw, truth = demonstration
    lines = _accounts(raw, year)
    true = truth.trust_year.filter(pl.col("financial_year") == year).sort("organisation_code")
    total = lines.filter(main="A08CY01", sub="EXP0390").sort("code")
    assert total["code"].to_list() == true["organisation_code"].to_list()
    assert (total["value"] * 1000).to_list() == pytest.approx(
        true["operating_expenditure_gbp"].to_list()
    )
    columns = ["A13CY02", "A13CY05", "A13CY06", "A13CY08", "A14CY08"]
    additions = ["INT0060", "INT0080", "INT0090", "PPE0060", "PPE0070", "PPE0080", "PPE0090"]
    digital = (
        lines.filter(pl.col("main").is_in(columns) & pl.col("sub").is_in(additions))
        .group_by("code")
        .agg(pl.col("value").sum() * 1000)
        .sort("code")
    )
    assert digital["value"].to_list() == pytest.approx(true["digital_capital_gbp"].to_list())


@pytest.mark.parametrize("year", YEARS)
def test_parts_of_the_accounts_add_up_to_their_totals(
    demonstration: tuple[Path, Truth], year: str
) -> None:
    lines = _accounts(demonstration[0], year)
    for main, whole, parts in (
        ("A08CY01", "EXP0390", lines["sub"].str.starts_with("EXP")),
        ("A09CY01", "STA0490", lines["sub"].is_between(pl.lit("STA0370"), pl.lit("STA0480"))),
    ):
        here = lines["main"] == main
        total = lines.filter(here & (lines["sub"] == whole)).group_by("code").agg("value")
        added = lines.filter(here & parts & (lines["sub"] != whole)).group_by("code")
        both = total.explode("value").join(added.agg(sum=pl.col("value").sum()), on="code")
        assert both["value"].to_list() == pytest.approx(both["sum"].to_list())
    it, everything = (
        lines.filter(main=main, sub="PPE0060")["value"].sum() for main in ("A14CY08", "A14CY01")
    )
    assert 0 < it < 0.5 * everything


def test_a_prior_year_repeats_the_current_year_before(demonstration: tuple[Path, Truth]) -> None:
    raw, _ = demonstration
    earlier = _accounts(raw, "2021/22").filter(main="A08CY01", sub="EXP0390")
    repeated = _accounts(raw, "2022/23").filter(main="A08PY01", sub="EXP0390")
    both = repeated.join(earlier, on="code", suffix="_before")
    assert both.height == repeated.height > 25
    assert both["value"].to_list() == both["value_before"].to_list()


def test_headers_of_the_accounts_change_after_2021_22(demonstration: tuple[Path, Truth]) -> None:
    folder = demonstration[0] / "provider_accounts"
    for year, first, last in (
        ("2021-22", "Organisation Name", "Value number"),
        ("2022-23", "OrganisationName", " Total "),
    ):
        path = folder / f"TAC-data-published-in-NHS-trusts-accounts-for-{year}.xlsx"
        header = _sheet(path, "All Data")[0]
        assert (header[0], header[-1]) == (first, last)


def test_the_illustrative_workbook_explains_every_code_used(
    demonstration: tuple[Path, Truth],
) -> None:
    raw, _ = demonstration
    for year in ("2020/21", "2023/24"):
        label = f"{year[:4]}-{year[5:]}"
        path = raw / "provider_accounts" / f"{label}-NHS-Provider-TAC-Illustrative-file.xlsx"
        known: set[str] = set()
        for name in CalamineWorkbook.from_path(str(path)).sheet_names:
            known |= {str(cell) for row in _sheet(path, name) for cell in row}
        lines = _accounts(raw, year)
        assert set(lines["main"]) | set(lines["sub"]) <= known


def test_leases_of_it_appear_with_ifrs_16_only(demonstration: tuple[Path, Truth]) -> None:
    raw, _ = demonstration
    assert not _accounts(raw, "2021/22")["sub"].str.starts_with("ROU").any()
    assert _accounts(raw, "2022/23").filter(main="A14ACY05", sub="ROU0070").height > 3


def test_useful_lives_are_years_among_the_pounds(demonstration: tuple[Path, Truth]) -> None:
    lives = _accounts(demonstration[0], "2023/24").filter(pl.col("sub") == "PPE0540")
    assert set(lives["main"]) == {"A14CY15", "A14CY16"}
    assert lives["value"].is_between(1, 20).all()


def test_maturity_headers_stand_on_row_11_behind_a_blank_column(
    demonstration: tuple[Path, Truth],
) -> None:
    raw, truth = demonstration
    path = raw / "digital_maturity" / "digital_maturity_assessment_2024_2025.xlsx"
    rows = _sheet(path, "SC - 2025 Pillar Summary")
    assert rows[10][:5] == ["", "Region", "ICS", "Provider", "Care Setting"]
    names = [str(r[3]) for r in rows[11:] if r[3]]
    assert len(names) > len(set(names)) > 20
    known = {n.upper() for n in truth.organisations["name"]}
    assert set(names) <= known | {n.replace("&", "AND") for n in known}
    scores = [s for r in rows[11:] if r[3] for s in r[5:]]
    assert all(isinstance(s, float) and 1 <= s <= 5 for s in scores)
    closed = truth.organisations.filter(pl.col("last_year").is_not_null())["name"]
    assert not set(names) & {n.upper() for n in closed}
    book = CalamineWorkbook.from_path(str(path))
    assert sum(name.endswith(" ") for name in book.sheet_names) == 2


def test_maturity_goes_with_spending_only_weakly(demonstration: tuple[Path, Truth]) -> None:
    _, truth = demonstration
    spent = truth.trust_year.group_by("organisation_code").agg(
        share=(pl.col("digital_nonpay_gbp") / pl.col("operating_expenditure_gbp")).mean()
    )
    both = truth.organisations.join(spent, on="organisation_code")
    rank = both.select(pl.corr("maturity", "share", method="spearman")).item()
    assert -0.2 < rank < 0.75


def test_staff_groups_add_up_in_every_workforce_file(demonstration: tuple[Path, Truth]) -> None:
    folder = demonstration[0] / "workforce"
    turnover = pl.DataFrame(
        _csv(folder / "Turnover benchmarking 2. Staff group and organisation, monthly, Oct-25.csv")
    ).filter(pl.col("TYPE") == "Denominator at end of period")
    fte = turnover.with_columns(pl.col("FTE").cast(pl.Float64)).group_by("REPORTING_ORG_CODE").agg(
        whole=pl.col("FTE").filter(pl.col("STAFF_GROUP_1_NAME") == "All staff groups").sum(),
        parts=pl.col("FTE").filter(pl.col("STAFF_GROUP_1_NAME") != "All staff groups").sum(),
    )  # fmt: skip
    assert fte["whole"].to_list() == pytest.approx(fte["parts"].to_list(), abs=0.01)
    core = pl.DataFrame(_csv(folder / "Core 1. Staff group and organisation, Oct-25.csv"))
    by_core = core.group_by("ORG_CODE").agg(core=pl.col("FTE").cast(pl.Float64).sum())
    both = fte.join(by_core, left_on="REPORTING_ORG_CODE", right_on="ORG_CODE")
    assert both["whole"].to_list() == pytest.approx(both["core"].to_list(), abs=0.01)
    central = core.filter(pl.col("STAFF_GROUP_1") == "Central functions")
    share = central["FTE"].cast(pl.Float64).sum() / both["core"].sum()
    assert 0.05 < share < 0.11


def test_the_older_workforce_zip_gains_systems_from_2022(
    demonstration: tuple[Path, Truth],
) -> None:
    folder = demonstration[0] / "workforce"
    heads = {}
    for path in sorted(folder.glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            (name,) = archive.namelist()
            heads[path.stem[-4:]] = archive.read(name).decode().splitlines()[0].split(",")
            assert name.endswith("Staff Group and Organisation.csv")
    assert list(heads) == ["2021", "2022", "2023", "2024"]
    assert "ICS code" not in heads["2021"]
    assert "ICS code" in heads["2022"]


def test_the_register_is_headerless_with_27_quoted_fields(
    demonstration: tuple[Path, Truth],
) -> None:
    raw, truth = demonstration
    rows = []
    for name in ("etr.csv", "ect.csv"):
        text = (raw / "organisations" / name).read_text(encoding="utf-8")
        rows += list(csv.reader(io.StringIO(text)))
        assert text.startswith('"Z')
    assert {len(r) for r in rows} == {27}
    assert {r[0] for r in rows} == set(truth.organisations["organisation_code"])
    closed = {r[0]: r[11] for r in rows if r[11]}
    gone = truth.organisations.filter(pl.col("last_year").is_not_null())
    assert set(closed) == set(gone["organisation_code"])


def test_a_merger_a_closing_a_new_name_and_a_new_board_happen(
    demonstration: tuple[Path, Truth],
) -> None:
    raw, truth = demonstration
    (succession,) = _csv(raw / "organisations" / "successions.csv")
    old, new = succession["old_code"], succession["new_code"]
    assert succession["date"] == "20220401"
    years = truth.trust_year.group_by("organisation_code").agg("financial_year")
    of = {c: sorted(y) for c, y in years.iter_rows()}
    assert of[old] == ["2020/21", "2021/22"]
    assert of[new] == list(YEARS)
    organisations = truth.organisations
    closed = organisations.filter(pl.col("last_year").is_not_null() & pl.col("successor").is_null())
    assert closed["last_year"].to_list() == ["2022/23"]
    assert (organisations["name"] != organisations["first_name"]).sum() == 1
    assert (organisations["icb_code"] != organisations["icb_code_now"]).sum() == 1


def test_a_successor_grows_by_what_it_takes_over(demonstration: tuple[Path, Truth]) -> None:
    _, truth = demonstration
    merged = truth.organisations.filter(pl.col("successor").is_not_null()).row(0, named=True)
    opex = {
        (c, y): o
        for c, y, o in truth.trust_year.select(
            "organisation_code", "financial_year", "operating_expenditure_gbp"
        ).iter_rows()
    }
    before = opex[merged["organisation_code"], "2021/22"] + opex[merged["successor"], "2021/22"]
    assert opex[merged["successor"], "2022/23"] == pytest.approx(before * 1.065, rel=0.08)


def test_records_cost_falls_after_a_record_system_goes_live(
    demonstration: tuple[Path, Truth],
) -> None:
    rows = _csv(demonstration[0] / "medical_records_cost" / "trust_mrc_clean.csv")
    falls = [float(r["mrc_total_202324"]) / float(r["mrc_total_201718"]) for r in rows]
    assert sum(f < 0.8 for f in falls) >= 2
    assert sum(f > 0.9 for f in falls) > len(falls) / 2
    assert any(r["trust_name"].count(" NHS ") == 2 for r in rows)


def test_virtual_ward_headers_stand_on_row_16_and_the_denominator_changes(
    demonstration: tuple[Path, Truth],
) -> None:
    folder = demonstration[0] / "virtual_wards"
    early = _sheet(folder / "VW202307.xlsx", "Virtual Ward Data")[15]
    late = _sheet(folder / "VW202407.xlsx", "Virtual Ward Data")[15]
    assert early[1:4] == ["Region", "Region Code", "ICB code"]
    assert "aged 16" in str(early[7])
    assert "aged 16" not in str(late[7])
    assert "\n" in str(early[5])


def test_every_kind_of_payment_is_complete() -> None:
    assert {k.bucket for k in KINDS} == set(BUCKETS)
    for kind in KINDS:
        assert kind.trade in SUPPLIERS, kind.types
        assert bool(kind.category) == (kind.digital != "no"), kind.types
    assert sum(k.hard is not None for k in KINDS) >= 8
    names = [n for pool in SUPPLIERS.values() for n in pool]
    assert len(names) == len(set(names))
