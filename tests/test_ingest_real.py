"""The readers on the real public files, against published figures."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from ingest_files import assert_every_row_accounted

from pipeline.ingest.files import RawFile, list_raw_files
from pipeline.ingest.names import Register
from pipeline.ingest.recognise import recognise
from pipeline.ingest.result import SourceResult
from pipeline.ingest.sources.accounts import read_accounts
from pipeline.ingest.sources.deflator import read_deflator
from pipeline.ingest.sources.epr import read_epr
from pipeline.ingest.sources.maturity import PILLARS, read_maturity
from pipeline.ingest.sources.organisations import OrganisationsResult, read_organisations
from pipeline.ingest.sources.platform import read_platform
from pipeline.ingest.sources.records_cost import read_records_cost
from pipeline.ingest.sources.security import read_security
from pipeline.ingest.sources.virtual_wards import read_virtual_wards
from pipeline.ingest.sources.workforce import read_workforce
from pipeline.ingest.tabular import read_grids
from pipeline.schema import table

pytestmark = pytest.mark.real

READERS = {
    "provider_accounts": ("facts.account_line", read_accounts),
    "digital_maturity": ("facts.maturity", read_maturity),
    "workforce": ("facts.workforce", read_workforce),
    "epr_suppliers": ("facts.epr", read_epr),
    "medical_records_cost": ("facts.records_cost", read_records_cost),
    "gdp_deflator": ("facts.deflator", read_deflator),
    "fdp": ("facts.platform", read_platform),
    "dspt": ("facts.security", read_security),
    "virtual_wards": ("facts.virtual_ward", read_virtual_wards),
}


@pytest.fixture(scope="module")
def files(real_raw: Path) -> dict[str, list[RawFile]]:
    grouped: dict[str, list[RawFile]] = {}
    for file in list_raw_files(real_raw):
        grouped.setdefault(file.source_id, []).append(file)
    return grouped


@pytest.fixture(scope="module")
def organisations(files: dict[str, list[RawFile]]) -> OrganisationsResult:
    return read_organisations(files["organisations"], is_demo=False)


@pytest.fixture(scope="module")
def names(organisations: OrganisationsResult) -> Register:
    return organisations.register()


@pytest.fixture(scope="module")
def read(files: dict[str, list[RawFile]], names: Register) -> dict[str, SourceResult]:
    return {s: reader(files[s], names) for s, (_, reader) in READERS.items()}


@pytest.mark.parametrize("source_id", READERS)
def test_every_real_file_is_read_and_every_row_accounted(
    read: dict[str, SourceResult], source_id: str
) -> None:
    result = read[source_id]
    assert_every_row_accounted(result)
    contract = table(READERS[source_id][0])
    assert result.frame.schema == contract.polars
    assert not result.frame.select(pl.struct(contract.key).is_duplicated().any()).item()
    assert result.rejected.height == 0
    for column in contract.columns:
        if not column.nullable:
            assert result.frame[column.name].null_count() == 0, column.name
    expected = {"not data"} if source_id in ("provider_accounts", "workforce") else set()
    assert {r.status for r in result.reports} - expected == {"read"}


@pytest.mark.parametrize(
    ("year", "billions", "providers"),
    [
        ("2019/20", 93.4, 225),
        ("2020/21", 106.7, 219),
        ("2021/22", 113.9, 215),
        ("2022/23", 124.2, 212),
        ("2023/24", 130.8, 206),
    ],
)
def test_operating_expenditure_of_all_providers_is_the_published_total(
    read: dict[str, SourceResult], year: str, billions: float, providers: int
) -> None:
    lines = read["provider_accounts"].frame.filter(
        (pl.col("sub_code") == "EXP0390") & (pl.col("financial_year") == year)
    )
    assert lines["value"].sum() / 1e6 == pytest.approx(billions, abs=0.1)
    assert lines["organisation_code"].n_unique() == lines.height == providers
    assert lines["organisation_code"].null_count() == 0
    assert lines["line"].str.starts_with("Total operating expenditure").all()
    assert lines["unit"].unique().to_list() == ["GBP thousand"]


def test_trusts_without_a_code_in_the_accounts_are_found_by_name(
    read: dict[str, SourceResult],
) -> None:
    codes = dict(
        read["provider_accounts"].frame.select("organisation_name", "organisation_code").rows()
    )
    assert codes["Salford Royal NHS Foundation Trust"] == "RM3"
    assert codes["The Pennine Acute Hospitals NHS Trust"] == "RW6"
    assert codes["University Hospitals Bristol NHS Foundation Trust"] == "RA7"


def test_average_staff_numbers_are_not_pounds(read: dict[str, SourceResult]) -> None:
    lines = read["provider_accounts"].frame
    assert lines.filter(pl.col("sub_code") == "STA0490")["unit"].unique().to_list() == ["WTE"]


def test_maturity_has_204_trusts_all_with_a_code(read: dict[str, SourceResult]) -> None:
    pillars = read["digital_maturity"].frame.filter(
        (pl.col("organisation_kind") == "trust") & pl.col("pillar").is_in(PILLARS)
    )
    assert pillars["organisation_name"].n_unique() == pillars["organisation_code"].n_unique() == 204
    assert pillars.select("organisation_name", "care_setting").unique().height == 285
    assert pillars["organisation_code"].null_count() == 0
    assert "RHU" in pillars["organisation_code"]
    assert "RVN" not in pillars["organisation_code"]
    boards = read["digital_maturity"].frame.filter(pl.col("organisation_kind") == "icb")
    assert boards["organisation_code"].n_unique() == 42
    acute = pillars.filter((pl.col("care_setting") == "Acute") & (pl.col("year") == 2025))
    assert acute["score"].mean() == pytest.approx(2.46, abs=0.03)


def test_medical_records_cost_is_the_published_total(read: dict[str, SourceResult]) -> None:
    sums = (
        read["medical_records_cost"]
        .frame.group_by("financial_year")
        .agg(pl.col("total_gbp", "on_site_gbp", "off_site_gbp").sum() / 1e6)
    )
    by_year = {row[0]: row[1:] for row in sums.rows()}
    assert by_year["2017/18"][0] == pytest.approx(264.3, abs=0.1)
    assert by_year["2023/24"] == pytest.approx((244.7, 178.4, 66.3), abs=0.1)


def test_209_trusts_of_which_20_without_a_record_system(read: dict[str, SourceResult]) -> None:
    frame = read["epr_suppliers"].frame
    assert (frame.height, frame.filter(~pl.col("has_epr")).height) == (209, 20)
    assert frame["trust_type"].n_unique() == 5


def test_workforce_has_205_trusts_and_42_boards_and_adds_up(read: dict[str, SourceResult]) -> None:
    frame = read["workforce"].frame.filter(pl.col("publication") == "turnover")
    kinds = frame.group_by(board=pl.col("cluster_group") == "Integrated Care Board").agg(
        pl.col("organisation_code").n_unique()
    )
    assert dict(kinds.rows()) == {True: 42, False: 205}
    sums = frame.group_by("organisation_code").agg(
        total=pl.col("fte").filter("is_total").sum(),
        parts=pl.col("fte").filter(~pl.col("is_total")).sum(),
    )
    assert (sums["total"] - sums["parts"]).abs().max() < 0.01  # type: ignore[operator]


def test_every_platform_organisation_has_its_own_code(read: dict[str, SourceResult]) -> None:
    frame = read["fdp"].frame
    assert frame["organisation_code"].n_unique() == frame.height == 164
    board = frame.filter(pl.col("organisation_name") == "NHS Cambridgeshire and Peterborough ICB")
    assert board["organisation_code"].to_list() == ["QUE"]


def test_boards_36_today_and_42_before_april_2026(organisations: OrganisationsResult) -> None:
    icb = organisations.icb
    assert icb.filter(pl.col("valid_to").is_null()).height == 36
    assert icb.filter(pl.col("valid_from") == pl.date(2022, 7, 1)).height == 42
    assert icb["icb_name"].null_count() == 0
    split = organisations.icb_membership.filter(pl.col("icb_code") == "QJG")["organisation_code"]
    later = organisations.icb_membership.filter(
        pl.col("organisation_code").is_in(split.to_list())
        & (pl.col("valid_from") == pl.date(2026, 4, 1))
    )
    assert set(later["icb_code"]) == {"D7T5G", "T6Y0W"}


@pytest.mark.parametrize(
    ("old", "new"),
    [("R1C", "RW1"), ("RY9", "RAX"), ("RRP", "G6V2S"), ("TAF", "G6V2S"), ("RAP", "RAL"), ("RNK", "G6V2S"),
     ("RY2", "RWW"), ("RVJ", "RA7"), ("RW3", "R0A"), ("RXH", "RYR"), ("RW6", "RM3"), ("R1H", "R1H")],
)  # fmt: skip
def test_what_became_of_a_trust(organisations: OrganisationsResult, old: str, new: str) -> None:
    current = dict(organisations.organisation.select("organisation_code", "current_code").rows())
    assert current[old] == new


def test_successions_add_up_and_end_in_an_open_trust(organisations: OrganisationsResult) -> None:
    sums = organisations.succession.group_by("old_code").agg(pl.col("weight").sum())
    assert sums["weight"].is_between(0.999, 1.001).all()
    frame = organisations.organisation
    still_open = set(frame.filter(pl.col("closed").is_null())["organisation_code"])
    recent = frame.filter((pl.col("kind") == "trust") & (pl.col("closed") >= pl.date(2017, 4, 1)))
    lost = recent.filter(~pl.col("current_code").is_in(still_open))["organisation_code"].to_list()
    # Mid Staffordshire closed as a shell in 2017; Project Nightingale was never opened.
    assert sorted(lost) == ["R0C", "RJD"]
    assert not {"RQF", "RT4", "RYT"} & set(frame["organisation_code"])


def test_every_register_name_finds_its_own_code(
    organisations: OrganisationsResult, names: Register
) -> None:
    frame = organisations.organisation.filter(pl.col("kind") == "trust")
    wrong = [
        (c, n, names.match(n.upper()))
        for c, n in frame.select("organisation_code", "name").rows()
        if names.match(n.upper()) != c
    ]
    assert wrong == []


def test_every_real_file_is_recognised_by_content(files: dict[str, list[RawFile]]) -> None:
    wrong = []
    for source_id, some in files.items():
        for file in some if source_id != "spend_over_25k" else some[::7]:
            found = recognise(read_grids(file.absolute.read_bytes()))
            if found.source_id != source_id:
                wrong.append((file.path, found))
    assert wrong == []
