"""Two small consistent worlds of fictional trusts, for the tests of validation: facts, and marts."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest
from quality_frames import rows, store_of

from pipeline.quality import suite_for
from pipeline.refresh.context import Run
from pipeline.schema import table
from pipeline.store import TableStore

MONTHS = [dt.date(2020, m, 1) for m in range(4, 13)] + [dt.date(2021, m, 1) for m in (1, 2, 3)]
FILE = "spend_over_25k/ZZ1/2020-21.csv"
MATURITY_FILE = "digital_maturity/2025.csv"
POUNDS = ("pounds_read", "pounds_corrected", "pounds_kept", "pounds_rejected", "pounds_ignored")
PILLARS = ("a", "b", "c", "d", "e", "f", "g")


def fact_world() -> dict[str, pl.DataFrame]:
    """Consistent facts of two fictional trusts of one board in 2020/21; every check holds."""
    month = [{"month": m, "payment_date": m.replace(day=9), "source_file": FILE} for m in MONTHS]
    lines = [m | {"source_row": 2 * i + 2} for i, m in enumerate(month)] + [
        m | {"source_row": 2 * i + 3, "digital": "yes", "category": "devices", "amount_gbp": 900}
        for i, m in enumerate(month)
    ]
    groups = [("All staff groups", 100.0), ("Nurses", 60.0), ("Central functions", 40.0)]
    day = dt.date(2025, 10, 1)
    return {
        "dims.organisation": rows(
            "dims.organisation",
            *(
                {
                    "organisation_code": c,
                    "icb_code": "QZ1",
                    "current_code": c,
                    "opened": dt.date(2010, 4, 1),
                    "closed": None,
                }
                for c in ("ZZ1", "ZZ2")
            ),
        ),
        "dims.icb": rows("dims.icb", {"icb_code": "QZ1"}),
        "dims.icb_membership": rows(
            "dims.icb_membership",
            {"organisation_code": "ZZ1", "icb_code": "QZ1", "valid_to": dt.date(2022, 6, 30)},
            {"organisation_code": "ZZ1", "icb_code": "QZ1", "valid_from": dt.date(2022, 7, 1)},
        ).with_columns(pl.col("valid_to").replace(dt.date(2020, 4, 1), None)),
        "dims.succession": rows(
            "dims.succession",
            {"old_code": "ZZ8", "new_code": "ZZ1", "weight": 0.5},
            {"old_code": "ZZ8", "new_code": "ZZ2", "weight": 0.5},
        ),
        "dims.measure": rows(
            "dims.measure",
            {"definition": "D0", "denominator": "opex"},
            {"definition": "D1", "denominator": "opex", "is_default": True},
        ),
        "dims.category": rows(
            "dims.category",
            {"category": "devices"},
            {"category": "print_records", "upper_bound_only": True},
        ),
        "dims.parameter": rows(
            "dims.parameter",
            {"name": "benchmark", "value": 0.05},
            {"name": "months_for_a", "value": 12},
            {"name": "months_for_b", "value": 9},
            {"name": "month_lines", "value": 5},
            {"name": "month_part", "value": 0.05},
            {"name": "months_for_estimate", "value": 3},
        ),
        "facts.payment": rows("facts.payment", *lines),
        "facts.account_line": rows(
            "facts.account_line",
            {},
            {"sub_code": "EXP0130", "value": 250_000},
            {"organisation_code": "ZZ2", "organisation_name": "Fictional Trust"},
        ),
        "facts.workforce": rows(
            "facts.workforce",
            *(
                {
                    "organisation_code": "ZZ1",
                    "month": day,
                    "staff_group": group,
                    "fte": fte,
                    "headcount": fte,
                    "is_total": group == "All staff groups",
                    "publication": "turnover",
                }
                for group, fte in groups
            ),
        ),
        "facts.maturity": rows(
            "facts.maturity",
            *(
                {
                    "organisation_name": "FICTIONAL",
                    "year": 2025,
                    "pillar": p,
                    "score": 2.5,
                    "source_file": MATURITY_FILE,
                }
                for p in (*PILLARS, "overall_comparable")
            ),
        ),
        "facts.epr": rows(
            "facts.epr",
            {"organisation_code": "ZZ1", "supplier": "Maker", "has_epr": True},
            {"organisation_code": "ZZ2", "supplier": None, "has_epr": False},
        ),
        "facts.records_cost": rows(
            "facts.records_cost", {"on_site_gbp": 10.0, "off_site_gbp": 5.0, "total_gbp": 15.0}
        ),
        "facts.platform": rows("facts.platform", {}),
        "facts.security": rows("facts.security", {}),
        "facts.virtual_ward": rows("facts.virtual_ward", {"occupancy": 0.8}),
        "facts.deflator": rows(
            "facts.deflator",
            {"financial_year": "2019/20", "index_value": 97.0},
            {"financial_year": "2020/21", "index_value": 100.0},
        ),
        "meta.source_file": rows(
            "meta.source_file",
            {
                "path": FILE,
                "rows_read": 26,
                "rows_kept": 24,
                "rows_rejected": 1,
                "rows_ignored": 1,
                "pounds_read": 12 * 30_900.0 + 500.0,
                "pounds_corrected": -20.5,
                "pounds_kept": 12 * 30_900.0,
                "pounds_rejected": 79.5,
                "pounds_ignored": 400.0,
            },
            {
                "path": MATURITY_FILE,
                "sha256": "m",
                "source_id": "digital_maturity",
                "rows_read": 2,
                "rows_rejected": 0,
                "facts_table": "facts.maturity",
                "facts_made": len(PILLARS) + 1,
            }
            | dict.fromkeys(POUNDS),
        ),
        "meta.rejected_row": rows("meta.rejected_row", {"source_file": FILE, "source_row": 99}),
    }


def mart_world() -> dict[str, pl.DataFrame]:
    """The facts of :func:`fact_world` with marts that agree with them; every check holds."""
    digital, opex = 12 * 900.0, 400_000_000.0
    share = digital / opex
    d1 = {
        "organisation_code": "ZZ1",
        "definition": "D1",
        "denominator": "opex",
        "numerator_gbp": digital,
        "denominator_gbp": opex,
        "share": share,
        "share_lower": share * 0.8,
        "share_upper": share * 1.2,
        "benchmark": 0.05,
        "gap_pp": (0.05 - share) * 100,
        "gap_gbp": 0.05 * opex - digital,
        "months_present": 12,
        "badge": "A",
        "icb_code": "QZ1",
    }
    combinations = [
        {"organisation_code": c, "definition": d, "denominator": "opex", "months_present": 12}
        for c in ("ZZ1", "ZZ2")
        for d in ("D0", "D1")
    ]
    published = {
        "is_present": True,
        "is_open": True,
        "lines": 2,
        "amount_gbp": 30_900.0,
        "digital_gbp": 900.0,
    }
    missing = {
        "is_present": False,
        "is_open": True,
        "lines": 0,
        "amount_gbp": None,
        "digital_gbp": None,
    }
    assessed = {
        "organisation_name": "FICTIONAL",
        "year": 2025,
        "score": 2.5,
        "setting_p25": 3.0,
        "setting_median": 3.5,
        "setting_n": 1,
        "gap_to_p25": 0.5,
    }
    mix = {"organisation_code": "ZZ1", "digital": "yes", "category": "devices", "nature": "unknown"}
    return fact_world() | {
        "marts.digital_share": rows("marts.digital_share", d1),
        "marts.icb_share": rows(
            "marts.icb_share",
            {
                "icb_code": "QZ1",
                "definition": "D1",
                "denominator": "opex",
                "trusts": 1,
                "trusts_counted": 1,
                "numerator_gbp": digital,
                "denominator_gbp": opex,
                "share": share,
                "lowest_share": share,
                "highest_share": share,
            },
        ),
        "marts.spend_mix": rows(
            "marts.spend_mix",
            mix | {"amount_gbp": digital, "lines": 12, "share_of_digital": 1.0},
        ),
        "marts.coverage": rows("marts.coverage", *combinations).with_columns(
            status=pl.when((pl.col("organisation_code") == "ZZ1") & (pl.col("definition") == "D1"))
            .then(pl.lit("available"))
            .otherwise(pl.lit("not available"))
        ),
        "marts.coverage_month": rows(
            "marts.coverage_month",
            *(
                {"organisation_code": code, "month": month, **cells}
                for month in MONTHS
                for code, cells in (("ZZ1", published), ("ZZ2", missing))
            ),
        ),
        "marts.maturity": rows(
            "marts.maturity",
            *(
                assessed | {"pillar": pillar}
                for pillar in (*PILLARS, "overall_comparable", "mean_of_pillars")
            ),
        ),
    }


def store_of_world(
    root: Path, world: dict[str, pl.DataFrame], only: str | None = None
) -> TableStore:
    """A working store with every frame of a world, or only what the checks of one table read."""
    if only is not None:
        read = {only, *(n for c in suite_for(table(only)) for n in c.needs)}
        world = {name: frame for name, frame in world.items() if name in read}
    return store_of(root, **{name.replace(".", "__"): frame for name, frame in world.items()})


def marts_spoiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every refresh computes a mart that its checks must refuse."""
    from pipeline.refresh import run as refresh_run

    compute = refresh_run.compute_marts

    def spoil(run: Run, tables: dict[str, int]) -> None:
        compute(run, tables)
        shares = run.store.read("marts.digital_share")
        run.store.write("marts.digital_share", shares.with_columns(benchmark=pl.lit(7.0)))

    monkeypatch.setattr(refresh_run, "compute_marts", spoil)
