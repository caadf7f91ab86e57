"""Two names, or two files, for one provider of accounts: corrected, authorised in the year, or in doubt."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
from ingest_files import (
    ACCOUNTS_HEADER,
    assert_every_row_accounted,
    files_of,
    put,
    register,
    workbook,
)

from pipeline.ingest.result import SourceResult
from pipeline.ingest.sources.accounts import read_accounts

TRUSTS, FOUNDATIONS = "TAC NHS trusts 2023-24.xlsx", "TAC NHS foundation trusts 2023-24.xlsx"
BEFORE, AFTER = "Thornmere NHS Trust", "Thornmere NHS Foundation Trust"
Figures = Mapping[str, Mapping[tuple[str, str], float]]


def total(value: float) -> dict[tuple[str, str], float]:
    return {("A08CY01", "EXP0390"): value}


def read(raw: Path, files: Mapping[str, Figures], *codes: tuple[str, str]) -> SourceResult:
    """Read workbooks: file -> provider -> line -> figure; ``codes`` are in every list of providers."""
    for name, providers in files.items():
        rows: list[list[Any]] = [ACCOUNTS_HEADER]
        for provider, lines in providers.items():
            rows += [[provider, "TAC", "1", m, 1, s, v] for (m, s), v in lines.items()]
        listed = [["Full name of Provider", "NHS code"], *([who, code] for who, code in codes)]
        put(
            raw,
            f"provider_accounts/{name}",
            workbook({"List of Providers": listed, "All data": rows}),
        )
    found = read_accounts(
        files_of(raw, "provider_accounts"), register(("RZ1", AFTER), ("RZ2", "Westmoor NHS Trust"))
    )
    assert_every_row_accounted(found)
    return found


def spent(found: SourceResult) -> dict[str | None, float]:
    """Code -> its operating expenditure."""
    rows = found.frame.filter(sub_code="EXP0390").group_by("organisation_code")
    return dict(rows.agg(pl.col("value").sum()).iter_rows())


def told(found: SourceResult) -> str:
    return " | ".join(w for report in found.reports for w in report.warnings)


def test_a_trust_authorised_in_the_year_has_the_figures_of_both_parts(tmp_path: Path) -> None:
    parts = {
        TRUSTS: {
            BEFORE: total(30_000.0)
            | {
                ("A14CY08", "PPE0070"): 10.0,
                ("A14CY08", "PPE0190"): 900.0,
                ("A09CY01", "STA0490"): 700.0,
            }
        },
        FOUNDATIONS: {
            AFTER: total(80_000.0)
            | {
                ("A14CY08", "PPE0070"): 30.0,
                ("A14CY08", "PPE0190"): 950.0,
                ("A09CY01", "STA0490"): 720.0,
            }
        },
    }
    found = read(tmp_path, parts)
    rows = found.frame.filter(organisation_code="RZ1").group_by("sub_code")
    assert dict(rows.agg(pl.col("value").sum()).iter_rows()) == {
        "EXP0390": 110_000.0,  # spent in both parts
        "PPE0070": 40.0,  # bought in both parts
        "PPE0190": 950.0,  # owned, and people employed, at the end: not twice
        "STA0490": 720.0,
    }
    assert told(found).count("authorised in the year") == 2  # once in each file


def test_the_same_figures_under_the_name_of_today_count_once(tmp_path: Path) -> None:
    files = {
        "RECONSTRUCTED TAC 2023-24.xlsx": {AFTER: total(110_000.0)},
        TRUSTS: {BEFORE: total(110_000.4)},
    }
    found = read(tmp_path, files)
    assert spent(found) == {"RZ1": 110_000.4}
    assert "authorised" not in told(found)


def test_figures_that_differ_a_little_are_no_two_halves_of_a_year(tmp_path: Path) -> None:
    files = {
        "RECONSTRUCTED TAC 2023-24.xlsx": {AFTER: total(110_000.0)},
        TRUSTS: {BEFORE: total(112_000.0)},
    }
    found = read(tmp_path, files)
    assert spent(found) == {None: 222_000.0}
    assert "was given to none of them" in told(found)


def test_another_spelling_in_a_later_workbook_is_the_same_provider(tmp_path: Path) -> None:
    files = {
        "RECONSTRUCTED TAC 2023-24.xlsx": {"THORNMERE  NHS FOUNDATION TRUST": total(110_000.0)},
        FOUNDATIONS: {AFTER: total(112_000.0)},
    }
    found = read(tmp_path, files)
    assert spent(found) == {"RZ1": 112_000.0}
    assert any(r.is_superseded for r in found.reports)


def test_a_code_listed_for_two_providers_is_that_of_the_one_the_register_knows(
    tmp_path: Path,
) -> None:
    files = {FOUNDATIONS: {AFTER: total(80_000.0), "Moor End NHS Trust": total(50_000.0)}}
    found = read(tmp_path, files, (AFTER, "RZ1"), ("Moor End NHS Trust", "RZ1"))
    assert spent(found) == {"RZ1": 80_000.0, None: 50_000.0}
    assert "it is that of Thornmere NHS Foundation Trust" in told(found)


def test_a_code_listed_for_two_providers_nobody_knows_is_nobodys(tmp_path: Path) -> None:
    files = {FOUNDATIONS: {"Moor End NHS Trust": total(5.0), "Lowfold NHS Trust": total(7.0)}}
    found = read(tmp_path, files, ("Moor End NHS Trust", "RZ7"), ("Lowfold NHS Trust", "RZ7"))
    assert spent(found) == {None: 12.0}
