"""Made-up rows of the marts about suppliers, staff, records, promises and the like.

Belongs here: rows of marts beyond shares, mix, coverage and maturity. Does not belong here: those
(``site_frames``).
"""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import polars as pl

BASE = ("D1", "opex_less_impairments")


def policy_tables(
    names: dict[int, str], years: tuple[str, ...], *, is_demo: bool, boards: int
) -> dict[str, pl.DataFrame]:
    """Further marts for the trusts of ``names``.

    Args:
        names: Names by number of the trust.
        years: Financial years.
        is_demo: Whether rows carry the demonstration's mark.
        boards: How many boards the trusts belong to.
    """
    from site_frames import EVIL, SECTORS, of, trust_code

    def who(i: int) -> dict[str, Any]:
        return {
            "organisation_code": trust_code(i),
            "organisation_name": names[i],
            "sector": SECTORS[i % 5],
            "is_demo": is_demo,
        }

    marts: dict[str, list[dict[str, Any]]] = {
        "supplier": [
            {
                "supplier": name,
                "financial_year": year,
                "is_named": named,
                "amount_gbp": 9e6 / (s + 1),
                "lines": 40 - s,
                "trusts": max(len(names) - s, 1),
                "share_of_digital": 0.2 / (s + 1),
                "is_epr_supplier": s == 1,
                "trusts_with_history": 0,
                "year_cr5": 0.41,
                "is_demo": is_demo,
            }
            for year in years
            for s, (name, named) in enumerate(
                (
                    (EVIL, True),
                    ("Bracken Systems", True),
                    ("=Formula Ltd", True),
                    ("0012345", False),
                )
            )
        ],
        "funding_pattern": [
            who(i)
            | {
                "financial_year": year,
                "months_present": 12,
                "digital_gbp": 12e6,
                "march_gbp": 1e6 * (1 + abs(math.sin(i + y))),
                "year_end_index": 1 + abs(math.sin(i + y)),
                "complete_years": len(years),
                "mean_absolute_change": 0.1 + 0.02 * i if len(years) > 2 else None,
                "cv_real": 0.2 if len(years) > 2 else None,
            }
            for i in names
            if i % 3
            for y, year in enumerate(years)
        ],
        "workforce": [
            who(i)
            | {
                "month": dt.date(2025, 10, 1),
                "proxy": "central functions",
                "all_fte": 5000.0,
                "proxy_fte": 5.0 * (60 + i),
                "is_suppressed": False,
                "per_1000_fte": 60.0 + i,
                "sector_median": 70.0,
                "note": "A proxy.",
            }
            for i in names
        ],
        "maturity_and_spend_trust": [
            who(i)
            | {
                "definition": BASE[0],
                "denominator": BASE[1],
                "maturity_year": 2025,
                "pillar": "mean_of_pillars",
                "score": 2 + (i % 7) / 5,
                "care_settings": 1,
                "mean_share": 0.01 + i / 1000,
                "years_used": 1,
                "first_year": years[-1],
                "last_year": years[-1],
            }
            for i in names
        ],
        "maturity_and_spend": [
            {
                "definition": BASE[0],
                "denominator": BASE[1],
                "maturity_year": 2025,
                "pillar": "mean_of_pillars",
                "sector": sector,
                "trusts": len(names),
                "spearman": 0.2,
                "spearman_lower": -0.1,
                "spearman_upper": 0.5,
                "caution": "Association, not cause.",
                "is_demo": is_demo,
            }
            for sector in ("All", "Within sectors")
        ],
        "records_cost": [
            who(i)
            | {
                "financial_year": year,
                "on_site_gbp": 9e5,
                "off_site_gbp": 1e5,
                "cost_gbp": 1e6,
                "cost_real_gbp": 1e6 * 1.05 ** (len(years) - 1 - y),
                "price_year": years[-1],
            }
            for i in names
            for y, year in enumerate(years)
        ],
        "capital_revenue": [
            who(i)
            | {
                "financial_year": year,
                "capital_reference": 0.34,
                "it_asset_age": 0.5 + 0.01 * (i % 20),
                "it_gross_cost_gbp": 20e6,
                "it_accumulated_depreciation_gbp": 10e6,
                "badge": "A",
            }
            for i in names
            for year in years
        ],
        "icb_spread": [
            {
                "financial_year": year,
                "definition": BASE[0],
                "denominator": BASE[1],
                "boards": boards,
                "trusts": len(names),
                "sd_within_boards": 0.008 - 0.001 * y,
                "sd_between_boards": 0.006,
                "icc": 0.4,
                "is_demo": is_demo,
            }
            for y, year in enumerate(years)
        ],
        "rank_stability": [
            {
                "financial_year": year,
                "definition": "D0",
                "denominator": BASE[1],
                "other_definition": BASE[0],
                "other_denominator": BASE[1],
                "trusts": len(names),
                "spearman": 0.6,
                "spearman_lower": 0.2,
                "spearman_upper": 0.85,
                "mean_places_moved": 2.5,
                "is_demo": is_demo,
            }
            for year in years
        ],
        "peer": [
            who(i)
            | {
                "peer_code": trust_code((i + 1) % len(names)),
                "peer_name": names[(i + 1) % len(names)],
                "nearness": 1,
                "distance": 0.3,
                "peer_sector": SECTORS[(i + 1) % 5],
                "peer_maturity": 2.9,
                "is_worth_a_call": i % 2 == 0,
                "reason": "Maturity is higher by a quarter of a point at a similar share.",
            }
            for i in names
        ],
        "milestone": [
            {
                "claim_id": f"c{c}",
                "theme": theme,
                "claim": f"{EVIL} will be done",
                "kind": "target",
                "said_by": "A minister",
                "said_on": "2021",
                "citation": "A white paper, 2021",
                "url": "javascript:alert(1)",
                "due": dt.date(2024, 3, 31),
                "metric": "Trusts with it",
                "status": status,
                "evidence": "Counted on 1 October 2024.",
                "caveat": "Counts differ.",
                "is_demo": is_demo,
            }
            for c, (theme, status) in enumerate(
                (
                    ("Records", "met"),
                    ("Records", "not met"),
                    ("App", "not measurable in public data"),
                    ("App", "data not here"),
                )
            )
        ],
        "promised_money": [
            {
                "promise_id": "p1",
                "programme": "Beds with screens",
                "promised_gbp": 2e9,
                "promised_by": "A minister",
                "promised_on": "2021",
                "citation": "A white paper, 2021",
                "url": "https://www.example.org/paper",
                "period": "three years",
                "note": "Overlaps with others.",
                "is_demo": is_demo,
            }
        ],
    }
    found = {}
    for mart, rows in marts.items():
        allowed = set(of(f"marts.{mart}", []).columns)
        found[f"marts.{mart}"] = of(
            f"marts.{mart}", [{k: v for k, v in r.items() if k in allowed} for r in rows]
        )
    return found
