"""Digital maturity: every sheet, any year, one scale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from ingest_files import assert_every_row_accounted, files_of, put, register, workbook

from pipeline.ingest.result import SourceResult
from pipeline.ingest.sources.maturity import PILLARS, read_maturity
from pipeline.schema import table

BOARD = "NHS THORNMERE AND WESTMOOR INTEGRATED CARE BOARD"
TRUST = "ST ELMO'S AND THORNMERE HOSPITALS NHS FOUNDATION TRUST"


def sheet(title: str, header: list[str], *rows: list[Any]) -> list[list[Any]]:
    """A score sheet as published: blank first row and column, header on row 11, notes below."""
    top: list[list[Any]] = [
        [],
        [None, title],
        *[[]] * 6,
        [None, "England"],
        [None, "Organisation Details"],
    ]
    notes: list[list[Any]] = [
        [],
        [None, "Source: NHS England Digital Maturity Assessment (DMA)"],
        [None, "Copyright © 2026, NHS England"],
    ]
    return [*top, [None, *header], *[[None, *r] for r in rows], *notes]


def official(year: int) -> bytes:
    details = ["Region", "ICS", "Provider", "Care Setting"]
    return workbook(
        {
            "Introduction ": [["Digital Maturity Assessment"], ["Data Report"]],
            f"SC - {year} Pillar Summary": sheet(
                f"{year} DMA: Secondary Care Provider Response Data",
                [*details, *PILLARS],
                ["LONDON", BOARD, TRUST, "Acute", 2.8, 2.4, 2, 2, 1.9, 2, 1.4],
                ["LONDON", BOARD, TRUST, "Community", 3, 3, 3, 3, 3, 3, None],
            ),
            f"SC - {year - 2001} vs {year - 2000} Overall DMA": sheet(
                "Comparable DMA domains only ",
                [*details, f"{year} Average", f"{year - 1} Average"],
                ["LONDON", BOARD, TRUST, "Acute", 2.130952381, 2.464285714],
            ),
            f"ICB - {year} Pillar Summary": sheet(
                f"{year} DMA: ICB Response Data",
                ["Region", "ICS", *PILLARS],
                ["LONDON", BOARD, 2, 4, 3.3, 1.5, 2, 2.8, 2.6],
            ),
            f"{year} Pillar Summary (ICB PC)": sheet(
                f"{year} DMA: ICB Response Data (Primary Care)",
                [
                    "Region",
                    "ICS",
                    "Well Led",
                    "Ensuring Smart Foundations",
                    "Support People",
                    "Empower People",
                    "Improve care",
                ],
                ["LONDON", BOARD, 5, 4, 3, 2, 1],
            ),
        },
        hidden=[f"{year} Pillar Summary (ICB PC)"],
    )


def read(raw: Path) -> SourceResult:
    names = register(
        ("RZ1", "St Elmo's and Thornmere Hospitals NHS Foundation Trust"),
        ("QZ1", "NHS Thornmere and Westmoor Integrated Care Board"),
    )
    result = read_maturity(files_of(raw, "digital_maturity"), names)
    assert_every_row_accounted(result)
    contract = table("facts.maturity")
    assert result.frame.schema == contract.polars
    if result.frame.height:
        assert not result.frame.select(pl.struct(contract.key).is_duplicated().any()).item()
    return result


@pytest.mark.parametrize("year", [2025, 2027])
def test_every_sheet_is_read_whatever_the_year(tmp_path: Path, year: int) -> None:
    put(tmp_path, "digital_maturity/assessment.xlsx", official(year))
    result = read(tmp_path)
    counts = dict(
        result.frame.group_by("care_setting", "year")
        .len()
        .select(pl.concat_str(["care_setting", "year"], separator=" "), "len")
        .rows()
    )
    assert counts == {
        f"Acute {year}": 8, f"Acute {year - 1}": 1, f"Community {year}": 7,
        f"ICB {year}": 7, f"ICB primary care {year}": 5,
    }  # fmt: skip
    assert result.reports[0].rows_kept == 5


def test_the_published_average_is_not_the_mean_of_the_pillars(tmp_path: Path) -> None:
    put(tmp_path, "digital_maturity/assessment.xlsx", official(2025))
    overall = read(tmp_path).frame.filter(pl.col("pillar") == "overall_comparable")
    assert dict(overall.select("year", "score").rows()) == {2025: 2.130952381, 2024: 2.464285714}


def test_the_hidden_primary_care_sheet_uses_the_same_pillar_names(tmp_path: Path) -> None:
    put(tmp_path, "digital_maturity/assessment.xlsx", official(2025))
    primary = read(tmp_path).frame.filter(pl.col("care_setting") == "ICB primary care")
    assert dict(primary.select("pillar", "score").rows()) == {
        "Well Led": 5, "Ensure Smart Foundations": 4, "Support Workforce": 3, "Empower People": 2, "Improve Care": 1,
    }  # fmt: skip
    assert primary["organisation_kind"].unique().to_list() == ["icb"]
    assert primary["organisation_code"].unique().to_list() == ["QZ1"]


def test_a_missing_score_is_null_not_zero(tmp_path: Path) -> None:
    put(tmp_path, "digital_maturity/assessment.xlsx", official(2025))
    frame = read(tmp_path).frame
    row = frame.row(
        by_predicate=(pl.col("care_setting") == "Community")
        & (pl.col("pillar") == "Healthy Populations"),
        named=True,
    )
    assert row["score"] is None
    assert row["organisation_code"] == "RZ1"


def test_self_assessments_from_0_to_100_are_refused(tmp_path: Path) -> None:
    old = workbook(
        {
            "Scores": [
                ["Digital maturity self-assessment 2016"],
                ["Provider", "Readiness", "Capabilities", "Infrastructure"],
                [TRUST, 73, 41, 66],
            ]
        }
    )
    put(tmp_path, "digital_maturity/2016.xlsx", old)
    mixed = workbook(
        {
            "2016": [
                ["Region", "ICS", "Provider", "Care Setting", "Well Led"],
                ["X", BOARD, TRUST, "Acute", 64],
            ]
        }
    )
    put(tmp_path, "digital_maturity/2016b.xlsx", mixed)
    result = read(tmp_path)
    assert result.frame.height == 0
    for report in result.reports:
        assert report.status == "set aside"
        assert "0 to 100" in (report.reason or "")


def test_a_workbook_without_a_year_is_refused(tmp_path: Path) -> None:
    body = workbook(
        {
            "Scores": [
                ["Region", "ICS", "Provider", "Care Setting", *PILLARS],
                ["L", BOARD, TRUST, "Acute", *[3] * 7],
            ]
        }
    )
    put(tmp_path, "digital_maturity/scores.xlsx", body)
    assert "which year" in (read(tmp_path).reports[0].reason or "")
