"""Frames in the published tables' exact schema about trusts that do not exist, for charts and site.

Belongs here: made-up rows of dims, marts and meta. Does not belong here: tests.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import polars as pl
from site_meta_frames import meta_tables
from site_policy_frames import policy_tables

from pipeline.schema import Column, all_tables, table

EVIL = "<script>alert(1)</script>"
QUOTED = 'O\'Hara "Quoted" & Sons'
SECTORS = ("Acute", "Mental Health", "Community", "Ambulance", "Specialist")
PILLARS = (
    "well_led",
    "ensure_smart_foundations",
    "safe_practice",
    "support_workforce",
    "empower_people",
    "improve_care",
    "healthy_populations",
)
CATEGORIES = {
    "devices": True,
    "network_telecoms": True,
    "hosting": True,
    "cyber": True,
    "epr": False,
    "clinical_systems": False,
    "corporate_systems": False,
    "data_analytics": False,
    "patient_facing": False,
    "it_services": False,
    "digital_people": False,
    "software_unspecified": False,
    "print_records": False,
}
_NAMES = (
    "BRINDLEMOOR UNIVERSITY HOSPITALS NHS FOUNDATION TRUST",
    "ST OSRIC'S AND FENWOLD HOSPITALS NHS TRUST",
    "MARLOWE VALE PARTNERSHIP NHS FOUNDATION TRUST",
    "HOLLIN AND QUARLEY COMMUNITY HEALTHCARE NHS TRUST",
    "NORTH TARNSHIRE AMBULANCE SERVICE NHS TRUST",
    "THE EVERLEIGH EYE HOSPITAL NHS FOUNDATION TRUST",
    "CASTLEWICK HOSPITALS NHS TRUST",
    "DUNMARROW, PELL AND SOUTH WYKE TEACHING HOSPITALS NHS FOUNDATION TRUST",
    "ASHBOURNE LEAS NHS FOUNDATION TRUST",
    "WESTERING MENTAL HEALTH NHS TRUST",
)


def of(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """A frame of table ``name`` from dictionaries; columns not given are null.

    A column that must not be null and is not given gets a plain value of its type, so that a new
    column of the contract does not break tests that are not about it.
    """
    contract = table(name)
    known = {c.name for c in contract.columns}
    for row in rows:
        unknown = set(row) - known
        if unknown:
            raise KeyError(f"{name} has no column {sorted(unknown)}")
    given = {column for row in rows for column in row}
    columns = {}
    for column in contract.columns:
        values = [row.get(column.name) for row in rows]
        if not column.nullable and column.name not in given:
            values = [_plain(column)] * len(rows)
        columns[column.name] = pl.Series(column.name, values, dtype=column.polars)
        if not column.nullable and columns[column.name].null_count():
            raise ValueError(f"{name}.{column.name} must not be null")
    return pl.DataFrame(columns)


def _plain(column: Column) -> Any:
    """A value that a column which must not be null may hold."""
    if column.allowed:
        return column.allowed[0]
    plain = {"VARCHAR": "", "BOOLEAN": False, "DATE": dt.date(2026, 1, 1), "DOUBLE": 0.0}
    return plain.get(column.type, 0)


def empty_tables() -> dict[str, pl.DataFrame]:
    """Every table of the contract without a row."""
    return {name: pl.DataFrame(schema=t.polars) for name, t in all_tables().items()}


def trust_name(i: int) -> str:
    """The name of trust ``i``: real-looking, but of nobody."""
    base = _NAMES[i % len(_NAMES)]
    return base if i < len(_NAMES) else base.replace(" NHS", f" {chr(65 + i // 10 % 26)}{i} NHS")


def trust_code(i: int) -> str:
    """Codes that the register does not give out."""
    return f"Z{i:03d}"


def _organisations(trusts: int, names: dict[int, str], boards: int, is_demo: bool) -> list[dict]:
    rows = []
    for i in range(trusts):
        board = i % boards
        rows.append(
            {
                "organisation_code": trust_code(i),
                "name": names.get(i, trust_name(i)),
                "sector": SECTORS[i % 5],
                "region": "NORTH TARNSHIRE" if board % 2 else "SOUTH TARNSHIRE",
                "icb_code": f"Q{board:02d}",
                "icb_name": f"NHS TARNSHIRE {board} INTEGRATED CARE BOARD",
                "opened": dt.date(2005, 4, 1),
                "current_code": trust_code(i),
                "is_demo": is_demo,
                "kind": "trust",
                "former_names": "Old Infirmary of Tarn; Tarn Cottage Hospital" if i == 1 else None,
            }
        )
    rows.append(
        {
            "organisation_code": "ZOLD",
            "name": "SKELTER BANK HOSPITALS NHS TRUST",
            "closed": dt.date(2019, 4, 1),
            "current_code": trust_code(0),
            "is_demo": is_demo,
            "kind": "trust",
        }
    )
    return rows


def _measures() -> list[dict]:
    words = {
        "D0": ("Digital capital in the accounts", "counted"),
        "D1": ("Published digital payments", "lower bound"),
        "D2": ("Published payments adjusted for capture", "estimate"),
    }
    rows = []
    for definition, (title, kind) in words.items():
        for denominator in ("opex_less_impairments", "operating_income"):
            rows.append(
                {
                    "definition": definition,
                    "denominator": denominator,
                    "title": title,
                    "denominator_title": denominator.replace("_", " ").capitalize(),
                    "formula": f"The formula of {definition}.",
                    "denominator_formula": "The whole year's sum from the accounts.",
                    "numerator_sql": "select 1",
                    "denominator_sql": "select 1",
                    "kind": kind,
                    "caveats": "A lower bound." if kind == "lower bound" else None,
                    "author": "Test",
                    "reviewed": dt.date(2026, 1, 1),
                    "version": "1",
                    "is_default": definition == "D1" and denominator == "opex_less_impairments",
                }
            )
    return rows


def share_row(
    i: int,
    year: str = "2020/21",
    *,
    share: float = 0.016,
    badge: str = "A",
    definition: str = "D1",
    denominator: str = "opex_less_impairments",
    name: str | None = None,
    months: int | None = 12,
    expenditure: float = 800e6,
    is_demo: bool = False,
    boards: int = 4,
    width: float = 0.35,
) -> dict[str, Any]:
    """One row of marts.digital_share with consistent sums."""
    return {
        "organisation_code": trust_code(i),
        "organisation_name": name or trust_name(i),
        "financial_year": year,
        "definition": definition,
        "denominator": denominator,
        "numerator_gbp": share * expenditure,
        "denominator_gbp": expenditure,
        "share": share,
        "share_lower": share * (1 - width),
        "share_upper": share * (1 + 2 * width),
        "benchmark": 0.05,
        "gap_pp": (0.05 - share) * 100,
        "gap_gbp": (0.05 - share) * expenditure,
        "months_present": months,
        "capture_ratio": 0.6,
        "badge": badge,
        "measure_version": "1",
        "is_demo": is_demo,
        "sector": SECTORS[i % 5],
        "icb_code": f"Q{i % boards:02d}",
        "badge_reason": {"A": "12 of 12 months.", "B": "10 of 12 months.", "C": "5 of 12 months."}[
            badge
        ],
    }


def tables(
    trusts: int = 6,
    years: tuple[str, ...] = ("2020/21",),
    *,
    names: dict[int, str] | None = None,
    is_demo: bool = False,
    boards: int = 4,
) -> dict[str, pl.DataFrame]:
    """All tables for ``trusts`` fictional trusts; every seventh has an incomplete year (C).

    Args:
        trusts: How many.
        years: Financial years.
        names: Names to use instead, by number of the trust.
        is_demo: Whether rows carry the demonstration's mark.
        boards: How many boards they belong to.
    """
    given = names or {}
    named = {i: given.get(i, trust_name(i)) for i in range(trusts)}
    found = empty_tables()
    shares, coverage, months, mix, maturity = [], [], [], [], []
    for i in range(trusts):
        badge = "C" if i % 7 == 6 else "B" if i % 3 == 2 else "A"
        present = {"A": 12, "B": 10, "C": 5}[badge]
        size = 200e6 + 37e6 * (i % 31)
        for y, year in enumerate(years):
            base = 0.008 + 0.004 * ((i * 7) % 11) / 3 + 0.001 * y + (0.04 if i == 4 else 0)
            for d, (definition, factor) in enumerate((("D0", 0.4), ("D1", 1.0), ("D2", 1.6))):
                for denominator, scale in (
                    ("opex_less_impairments", 1.0),
                    ("operating_income", 1.03),
                ):
                    shares.append(
                        share_row(
                            i,
                            year,
                            share=base * factor / scale,
                            badge=badge if d else "A",
                            definition=definition,
                            denominator=denominator,
                            name=named[i],
                            months=present if d else None,
                            expenditure=size * scale,
                            is_demo=is_demo,
                            boards=boards,
                            width=0.3 if d else 0.02,
                        )
                    )
                    coverage.append(
                        {
                            "organisation_code": trust_code(i),
                            "organisation_name": named[i],
                            "financial_year": year,
                            "definition": definition,
                            "denominator": denominator,
                            "status": "incomplete" if badge == "C" and d else "available",
                            "reason": "5 of 12 months." if badge == "C" and d else "Complete.",
                            "has_accounts": True,
                            "has_payments": True,
                            "months_present": present,
                            "is_demo": is_demo,
                        }
                    )
            first = int(year[:4])
            for m in range(12):
                here = m < present
                months.append(
                    {
                        "organisation_code": trust_code(i),
                        "organisation_name": named[i],
                        "financial_year": year,
                        "month": dt.date(first + (m + 3) // 12, (m + 3) % 12 + 1, 1),
                        "is_present": here,
                        "is_open": True,
                        "lines": 200 + i if here else 0,
                        "amount_gbp": 30e6 if here else None,
                        "digital_gbp": 0.5e6 if here else None,
                        "is_demo": is_demo,
                    }
                )
            for c, (category, basics) in enumerate(CATEGORIES.items()):
                amount = 1e5 * (1 + (i * 5 + c * 3) % 17)
                mix.append(
                    {
                        "organisation_code": trust_code(i),
                        "organisation_name": named[i],
                        "financial_year": year,
                        "digital": "possible" if category == "print_records" else "yes",
                        "category": category,
                        "nature": "capital" if c % 3 == 0 else "revenue",
                        "is_basics": basics,
                        "amount_gbp": amount,
                        "lines": 3 + c,
                        "is_demo": is_demo,
                    }
                )
        for p, pillar in enumerate(PILLARS):
            score = round(1.5 + 3 * abs(math.sin(i * 1.7 + p)), 1)
            maturity.append(
                {
                    "organisation_code": trust_code(i),
                    "organisation_name": named[i],
                    "organisation_kind": "Trust",
                    "region": "Tarnshire",
                    "year": 2025,
                    "care_setting": SECTORS[i % 4],
                    "pillar": pillar,
                    "score": score,
                    "setting_median": 2.6,
                    "setting_p25": 2.1,
                    "setting_n": trusts,
                    "gap_to_p25": max(0.0, 2.1 - score),
                    "is_demo": is_demo,
                }
            )
        maturity.append(
            maturity[-1]
            | {
                "pillar": "overall_comparable",
                "score": 2.5,
                "change": round(0.4 * math.sin(i * 2.3), 2),
                "gap_to_p25": None,
            }
        )
    found["dims.organisation"] = of(
        "dims.organisation", _organisations(trusts, named, boards, is_demo)
    )
    found["dims.measure"] = of("dims.measure", _measures())
    found["dims.category"] = of(
        "dims.category",
        [
            {
                "category": c,
                "title": c.replace("_", " ").capitalize(),
                "description": f"What belongs to {c}.",
                "is_basics": b,
                "upper_bound_only": c == "print_records",
            }
            for c, b in CATEGORIES.items()
        ],
    )
    found["dims.icb"] = of(
        "dims.icb",
        [
            {
                "icb_code": f"Q{b:02d}",
                "icb_name": f"NHS TARNSHIRE {b} INTEGRATED CARE BOARD",
                "region": "NORTH TARNSHIRE" if b % 2 else "SOUTH TARNSHIRE",
                "valid_from": dt.date(2022, 7, 1),
                "trusts": len([i for i in range(trusts) if i % boards == b]),
            }
            for b in range(boards)
        ],
    )
    found["marts.digital_share"] = of("marts.digital_share", shares)
    found["marts.coverage"] = of("marts.coverage", coverage)
    found["marts.coverage_month"] = of("marts.coverage_month", months)
    found["marts.spend_mix"] = of("marts.spend_mix", mix)
    found["marts.maturity"] = of("marts.maturity", maturity)
    found["marts.icb_share"] = _boards(found["marts.digital_share"], is_demo)
    found.update(policy_tables(named, years, is_demo=is_demo, boards=boards))
    found.update(meta_tables(trusts, is_demo))
    return found


def _boards(shares: pl.DataFrame, is_demo: bool) -> pl.DataFrame:
    keys = ["icb_code", "financial_year", "definition", "denominator"]
    rows = []
    for key, part in shares.group_by(keys, maintain_order=True):
        counted = part.filter(pl.col("badge") != "C")
        base = float(counted["denominator_gbp"].sum())
        rows.append(
            dict(zip(keys, key, strict=True))
            | {
                "icb_name": f"NHS TARNSHIRE {int(str(key[0])[1:])} INTEGRATED CARE BOARD",
                "trusts": part.height,
                "trusts_counted": counted.height,
                "numerator_gbp": float(counted["numerator_gbp"].sum()),
                "denominator_gbp": base,
                "share": float(counted["numerator_gbp"].sum()) / base if base else None,
                "share_lower": float((counted["share_lower"] * counted["denominator_gbp"]).sum())
                / base
                if base
                else None,
                "share_upper": float((counted["share_upper"] * counted["denominator_gbp"]).sum())
                / base
                if base
                else None,
                "lowest_share": counted["share"].min(),
                "highest_share": counted["share"].max(),
                "benchmark": 0.05,
                "gap_gbp": float(counted["gap_gbp"].sum()),
                "is_demo": is_demo,
            }
        )
    return of("marts.icb_share", rows)
