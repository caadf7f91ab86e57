"""Workforce of the demonstration: staff in post, in the three layouts the publisher has used.

Belongs here: ``workforce/*``. Does not belong here: total posts by trust (``world``).
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.demo.world import World, start_year

SOURCE = "workforce"
_STAMP = (2024, 1, 1, 0, 0, 0)
_CLUSTER = {
    "Acute": ("Acute", "Acute - Medium"),
    "Specialist": ("Acute", "Acute - Specialist"),
    "Mental Health": ("Mental Health", "Mental Health and Learning Disability"),
    "Community": ("Community Provider Trust", "Community Provider Trust"),
    "Ambulance": ("Ambulance", "Ambulance Trust"),
}
_CLINICAL = "001_Professionally qualified clinical staff"
_SUPPORT = "025_Support to clinical staff"
_INFRASTRUCTURE = "035_NHS infrastructure support"
# Group, prefix in Core files, parent group with prefix, share of posts: ordinary and ambulance.
_GROUPS = (
    ("HCHS Doctors (exc. Resident doctors and equivalents)", "003", _CLINICAL, 0.08, 0.002),
    ("Nurses & health visitors", "010", _CLINICAL, 0.29, 0.02),
    ("Midwives", "014", _CLINICAL, 0.02, 0.0),
    ("Ambulance staff", "016", _CLINICAL, 0.0, 0.42),
    ("Scientific, therapeutic & technical staff", "018", _CLINICAL, 0.13, 0.01),
    ("Support to doctors, nurses & midwives", "026", _SUPPORT, 0.22, 0.02),
    ("Support to ambulance staff", "030", _SUPPORT, 0.0, 0.33),
    ("Support to ST&T staff", "032", _SUPPORT, 0.06, 0.0),
    ("Central functions", "040", _INFRASTRUCTURE, 0.075, 0.08),
    ("Hotel, property & estates", "042", _INFRASTRUCTURE, 0.065, 0.04),
    ("Senior managers", "036", _INFRASTRUCTURE, 0.012, 0.012),
    ("Managers", "038", _INFRASTRUCTURE, 0.028, 0.03),
)  # fmt: skip
_BANDS = (
    "Band 2", "Band 3", "Band 4", "Band 5", "Band 6", "Band 7", "Band 8a", "Band 8b", "Band 8c",
)  # fmt: skip
_BAND_SHARE = np.array([0.08, 0.16, 0.18, 0.15, 0.14, 0.13, 0.09, 0.05, 0.02])
TURNOVER_FILE = "Turnover benchmarking 2. Staff group and organisation, monthly, Oct-25.csv"
CORE_1_FILE = "Core 1. Staff group and organisation, Oct-25.csv"
CORE_5_FILE = "Core 5. Staff group, care setting, level and grade, Oct-25.csv"


def _text(rows: Sequence[Sequence[object]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode("utf-8")


def _shares(world: World) -> np.ndarray:
    """Share of posts by trust and staff group; central functions follow the world's admin posts."""
    rng = np.random.default_rng([world.seed, 9])
    shares = np.array(
        [[g[4] if t.sector == "Ambulance" else g[3] for g in _GROUPS] for t in world.trusts]
    )
    shares = shares * np.exp(rng.normal(0, 0.12, shares.shape))
    central = [g[0] for g in _GROUPS].index("Central functions")
    # Trusts that spend more on digital have somewhat more people in central functions.
    shares[:, central] *= np.exp(0.25 * rng.normal(0, 1, len(world.trusts)))
    return shares / shares.sum(axis=1, keepdims=True)


def _alive(world: World, year: int) -> dict[int, float]:
    rows = world.plan.filter(world.plan["year"] == year).select("trust", "wte").iter_rows()
    return {int(trust): float(wte) for trust, wte in rows}


def _count(fte: float) -> int:
    return max(1, round(fte * 1.13))


def write_workforce(raw_dir: Path, world: World) -> None:
    """Write turnover benchmarking, Core 1 and Core 5 for October 2025, and a zip a year before.

    In every file the component groups add up to ``All staff groups``.
    """
    folder = raw_dir / SOURCE
    folder.mkdir(parents=True, exist_ok=True)
    shares = _shares(world)
    now = _alive(world, len(world.years) - 1)
    turnover: list[list[object]] = [[
        "PERIOD", "TYPE", "NHSE_REGION_CODE", "NHSE_REGION_NAME", "ICS_CODE", "ICS_NAME",
        "REPORTING_ORG_NAME", "REPORTING_ORG_CODE", "CLUSTER_GROUP", "BENCHMARK_GROUP",
        "STAFF_GROUP_1_NAME", "HC", "FTE",
    ]]  # fmt: skip
    core_head = [
        "DATA_MONTH", "DATA_LEVEL", "NHSE_REGION_CODE", "NHSE_REGION_NAME", "ICS_CODE", "ICS_NAME",
        "ORG_CODE", "ORG_NAME", "MAIN_STAFF_GROUP", "STAFF_GROUP_1",
    ]  # fmt: skip
    core_1: list[list[object]] = [[*core_head, "FTE", "HEADCOUNT"]]
    core_5: list[list[object]] = [
        [*core_head, "STAFF_GROUP_2", "CARE_SETTING", "LEVEL", "GRADE", "FTE", "HEADCOUNT"]
    ]
    for i, wte in now.items():
        trust = world.trusts[i]
        board = trust.board_now
        place = [board.region_code, board.region_name, board.code, board.short_name]
        fte = np.round(shares[i] * wte * 1.03, 5)
        heads = [_count(v) if v else 0 for v in fte]
        groups = [(g, f, h) for g, f, h in zip(_GROUPS, fte.tolist(), heads, strict=True) if f]
        rows = [
            (
                "All staff groups",
                sum(h for *_, h in groups),
                round(sum(f for _, f, _ in groups), 5),
            ),
            *((g[0], h, f) for g, f, h in groups),
        ]
        for kind, factor in (
            ("Denominator at start of period", 0.995), ("Denominator at end of period", 1.0),
            ("Joiners", 0.011), ("Leavers", 0.01),
        ):  # fmt: skip
            turnover.extend(
                ["202509 to 202510", kind, *place, trust.name, trust.code, *_CLUSTER[trust.sector],
                 group, round(h * factor), round(f * factor, 5)]
                for group, h, f in rows
            )  # fmt: skip
        lead = ["2025-10-31", "Organisation", *place, trust.code, trust.name]
        core_1.extend(
            [*lead, g[2][4:], g[0], f, h] for g, f, h in groups
        )  # fmt: skip
        for g, f, _ in groups:
            if not g[2].startswith("035"):
                continue
            setting = "002_Hotel, Property & Estates" if g[1] == "042" else "001_Central Functions"
            level = "002_Manager" if "anager" in g[0] else "003_Clerical & Administrative"
            bands = np.round(_BAND_SHARE * f, 5)
            core_5.extend(
                [*lead, g[2], f"{g[1]}_{g[0]}", f"{int(g[1]) + 1:03d}_{g[0]}", setting, level,
                 band, b, _count(b)]
                for band, b in zip(_BANDS, bands.tolist(), strict=True)
                if b > 0
            )  # fmt: skip
    (folder / TURNOVER_FILE).write_bytes(_text(turnover))
    (folder / CORE_1_FILE).write_bytes(_text(core_1))
    (folder / CORE_5_FILE).write_bytes(_text(core_5))
    for year, financial_year in enumerate(world.years):
        _write_zip(folder, world, shares, year, start_year(financial_year) + 1)


def _write_zip(folder: Path, world: World, shares: np.ndarray, year: int, calendar: int) -> None:
    """Write the zip of March ``calendar``; systems have codes of their own from 2022 on."""
    with_systems = calendar >= 2022
    head: list[object] = ["Date", "NHSE_Region_Code", "NHSE_Region_Name"]
    if with_systems:
        head += ["ICS code", "ICS name"]
    head += [
        "Org Code", "Org Name", "Cluster Group", "Benchmark Group", "Staff Group Sort Order",
        "Staff Group", "Data Type", "Total",
    ]  # fmt: skip
    rows: list[list[object]] = [head]
    for i, wte in _alive(world, year).items():
        trust = world.trusts[i]
        place: list[object] = [
            f"31/03/{calendar}",
            trust.board.region_code,
            trust.board.region_name,
        ]
        if with_systems:
            place += [trust.board.code, trust.board.short_name]
        place += [trust.code, trust.name_in(year), *_CLUSTER[trust.sector]]
        fte = np.round(shares[i] * wte, 5)
        parents = {}
        for g, f in zip(_GROUPS, fte.tolist(), strict=True):
            parents[g[2]] = round(parents.get(g[2], 0.0) + f, 5)
        lines = [(1, "All staff groups", round(float(fte.sum()), 5))]
        lines += [(int(p[:3]) + 1, p[4:], f) for p, f in parents.items()]
        lines += [(int(g[1]) + 2, g[0], f) for g, f in zip(_GROUPS, fte.tolist(), strict=True) if f]
        for order, group, f in sorted(lines):
            rows.append([*place, f"{order:02d}", group, "FTE", f])
            rows.append([*place, f"{order:02d}", group, "HC", _count(f)])
    name = f"NHS Workforce Statistics, March {calendar} Staff Group and Organisation.csv"
    path = (
        folder / f"NHS Workforce Statistics, Trusts and core organisations - March {calendar}.zip"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name, _STAMP), _text(rows), zipfile.ZIP_DEFLATED)
