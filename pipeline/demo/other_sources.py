"""The smaller sources of the demonstration, from record systems to the price index.

Belongs here: one writer for each of the small publications (record systems, records cost, data
platform, security, virtual wards, prices). Does not belong here: anything that
accounts or payments must agree with.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.demo.places import Trust
from pipeline.demo.suppliers import SUPPLIERS
from pipeline.demo.workbook import NOTE, open_workbook, write_rows
from pipeline.demo.world import World, start_year

_EPR_TYPE = {
    "Mental Health": "Mental Health and Community (Combined)",
    "Specialist": "Acute",
}
_RECORD_YEARS = ("201718", "201819", "201920", "202021", "202122", "202223", "202324")


def _write(path: Path, rows: Sequence[Sequence[object]], encoding: str = "utf-8") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding=encoding) as out:
        csv.writer(out, lineterminator="\r\n").writerows(rows)


def _alive(world: World) -> list[tuple[int, Trust]]:
    return [(i, t) for i, t in enumerate(world.trusts) if t.last == len(world.years)]


def write_epr(raw_dir: Path, world: World) -> None:
    """Write the list of record systems: the day stands in the sheet's name, a sheet is hidden."""
    rng = np.random.default_rng([world.seed, 10])
    rows: list[list[object]] = [
        ["Organisation Code", "Organisation", "Trust Type (Primary)", "Supplier (Primary EPR)"]
    ]
    for i, trust in _alive(world):
        kind = _EPR_TYPE.get(trust.sector, trust.sector)
        if trust.sector == "Mental Health" and i % 3 == 0:
            kind = "Mental Health " if i % 2 else "Mental Health"
        supplier = SUPPLIERS["epr"][int(rng.integers(0, 7))]
        if world.maturity[i] < 2.0 and rng.random() < 0.6:
            supplier = "No EPR -  in process of getting one"
        elif trust.sector == "Ambulance":
            supplier = "Generic or In House EPR Provider"
        rows.append([trust.code, trust.name.upper(), kind, supplier])
    path = raw_dir / "epr_suppliers" / "secondary_trusts_primary_epr_suppliers_20240101.xlsx"
    with open_workbook(path) as book:
        write_rows(book.add_worksheet("EPR Suppliers 01.10.24"), rows)
        hidden = book.add_worksheet("hiddenSheet")
        write_rows(hidden, [[NOTE], ["Acute", "Mental Health", "Community"]])
        hidden.very_hidden()


def write_records_cost(raw_dir: Path, world: World) -> None:
    """Write records cost by trust and year; costs fall after a record system goes live."""
    rng = np.random.default_rng([world.seed, 11])
    groups = ("off", "on", "service_provision", "type", "total")
    head: list[object] = ["trust_code", "trust_name"]
    head += [f"mrc_{group}_{year}" for group in groups for year in _RECORD_YEARS]
    rows: list[list[object]] = [head]
    golive = {
        int(trust): int(year)
        for trust, year in world.plan.filter("golive").select("trust", "year").iter_rows()
    }
    first = start_year(world.years[0])
    for i, trust in _alive(world):
        opex = float(world.plan.filter(world.plan["trust"] == i)["operating_expenditure"][0])
        level = opex * 0.0022 * np.exp(rng.normal(0, 0.5))
        off_part = float(rng.uniform(0.1, 0.45)) if i % 3 else 0.0
        off: list[object] = []
        on: list[object] = []
        total: list[object] = []
        for position in range(len(_RECORD_YEARS)):
            year = 2017 + position
            value = level * 1.01**position * np.exp(rng.normal(0, 0.06))
            if i in golive and year > first + golive[i]:
                value *= 0.62
            off.append(round(value * off_part, 0))
            on.append(round(value * (1 - off_part), 0))
            total.append(round(value * off_part, 0) + round(value * (1 - off_part), 0))
        provision = ["Internal", "Hybrid", "External"][int(rng.integers(0, 3))]
        kind = "2. Electronic" if world.maturity[i] > 3 else "3. Mixed"
        taken = [t.name.upper() for t in world.trusts if t.successor == trust.code]
        # A row of a merged trust names both.
        name = ", ".join([*taken, trust.name.upper()])
        years = len(_RECORD_YEARS)
        old = "Extenal" if provision == "External" else provision
        rows.append([
            trust.code, name, *off, *on, old, old, *[provision] * (years - 2), kind[3:],
            *[kind] * (years - 1), *total,
        ])  # fmt: skip
    _write(raw_dir / "medical_records_cost" / "trust_mrc_clean.csv", rows)


def write_platform(raw_dir: Path, world: World) -> None:
    """Write the list of organisations that are live on the data platform."""
    rng = np.random.default_rng([world.seed, 12])
    rows: list[list[object]] = [[
        "organisation_type", "list_index", "name", "fdp_live", "fdp_reporting_benefits",
        "source_page", "source_file", "matched_nhs_code", "match_method", "match_confidence",
        "matched_region", "matched_sector", "matched_provider_type",
    ]]  # fmt: skip
    page = "DEMONSTRATION - organisations live with a data platform.pdf"
    number = 0
    for i, trust in _alive(world):
        if rng.random() > 0.3 + 0.15 * (world.maturity[i] - 1.5):
            continue
        number += 1
        kind = "NHS Foundation Trust" if trust.is_foundation(trust.name) else "NHS Trust"
        # The page uses a typographic apostrophe.
        rows.append([
            "NHS trust", number, trust.name.replace("'", "’"), True, bool(rng.random() < 0.6), 1,
            page, trust.code, "exact_normalised_tac_provider_name", 1.0, trust.board.region_name,
            trust.sector, kind,
        ])  # fmt: skip
    for number, board in enumerate(world.boards[: max(1, len(world.boards) - 1)], 1):
        name = f"NHS {board.short_name} ICB"
        rows.append(["ICB", number, name, True, False, 5, page, "", "unmatched", 0.0, "", "", ""])
    _write(raw_dir / "fdp" / "fdp_live_organisations_extracted.csv", rows, "utf-8-sig")


def write_security(raw_dir: Path, world: World) -> None:
    """Write the security toolkit snapshot; the text carries the year of the standard."""
    rng = np.random.default_rng([world.seed, 13])
    rows: list[list[object]] = [[
        "", "Code", "National Grouping", "High Level Health Geography", "lat", "long",
        "Organisation Name", "Status", "Date Of Publication", "Primary Sector",
        "Integrated Care Board (where available, from ODS)",
    ]]  # fmt: skip
    for number, (i, trust) in enumerate(_alive(world)):
        score = world.maturity[i] + rng.normal(0, 0.5)
        status = "22/23 Standards Met" if score > 2.1 else "22/23 Approaching Standards"
        status = "22/23 Standards Exceeded" if score > 3.3 else status
        name = trust.name if i % 3 == 0 else trust.name.upper()
        # Out at sea: the places do not exist.
        rows.append([
            number, trust.code, trust.board.region_code, trust.board.code, 55.0 + i / 100,
            -12.0 - i / 50, name, status, f"{1 + i % 28:02d}/06/2023", "NHS Trust",
            trust.board.name.upper(),
        ])  # fmt: skip
    _write(raw_dir / "dspt" / "dspt_trusts_snapshot_16_11_23.csv", rows)


def write_virtual_wards(raw_dir: Path, world: World) -> None:
    """Write three months of virtual wards; the denominator changes with the last."""
    rng = np.random.default_rng([world.seed, 14])
    population = np.round(rng.uniform(6e5, 2.4e6, len(world.boards)))
    rate = rng.uniform(10, 25, len(world.boards))
    for name, month, growth, all_ages in (
        ("VW202307", "July 2023", 1.0, False),
        ("VW202310", "October 2023", 1.1, False),
        ("VW202407", "July 2024", 1.25, True),
    ):
        people = np.round(population * (1.23 if all_ages else 1.0))
        capacity = np.round(rate * growth * population / 1e5)
        patients = np.round(capacity * rng.uniform(0.4, 1.15, len(world.boards)))
        age = "" if all_ages else " aged 16 years and over"
        short = "" if all_ages else " aged 16 and over"
        head: list[object] = [
            "Region", "Region Code", "ICB code", "Name", "Virtual Ward Capacity \n(see note 1) ",
            f"Virtual Ward Capacity per 100,000 GP registered population{age}\n(see note 2) ",
            f"GP registered population{short}\n(see note 3) ",
            "Patients in a Virtual Ward\n(see notes 1 and 4) ", "Occupancy %\n(see note 5) ",
        ]  # fmt: skip
        rows: list[list[object]] = [
            [], ["Title:", "Virtual Ward Capacity and Occupancy monthly statistics"], [],
            ["Summary:", NOTE], [], ["Month:", month], [], ["Data Source:", "Demonstration"], [],
            ["Basis:", "Integrated Care Board (ICB), England"], ["Published:", "Demonstration"],
            ["Revised:"], ["Status:", "Demonstration"], ["Contact:", "none"], [], head,
        ]  # fmt: skip
        total = capacity.sum()
        rows.append([
            "-", "-", "-", "ENGLAND*" if all_ages else "ENGLAND", total,
            round(total / people.sum() * 1e5, 1), people.sum(), patients.sum(),
            round(patients.sum() / total, 3),
        ])  # fmt: skip
        for i, board in enumerate(world.boards):
            occupancy: object = round(patients[i] / capacity[i], 3)
            if patients[i] > capacity[i]:
                occupancy = "*" if name == "VW202307" else "100%*"
            rows.append([
                board.region_name, board.region_code, board.code,
                board.name + (" " if i == 1 else ""), capacity[i],
                round(capacity[i] / people[i] * 1e5, 1), people[i], patients[i],
                occupancy,
            ])  # fmt: skip
        with open_workbook(raw_dir / "virtual_wards" / f"{name}.xlsx") as book:
            notes = book.add_worksheet("Notes")
            write_rows(notes, [[], ["Title:", "Virtual wards"], ["Notes:", NOTE]], 0, 1)
            write_rows(book.add_worksheet("Virtual Ward Data"), rows, 0, 1)


def write_deflator(raw_dir: Path) -> None:
    """Write a price index of 2.5% a year: an invented one, in the layout of the real one."""
    rows: list[list[object]] = [["", "fyear", "deflator", "index_deflator"]]
    rows += [[str(i), str(2017 + i), 2.5, round(1.025**i, 12)] for i in range(20)]
    _write(raw_dir / "gdp_deflator" / "deflator_2024.csv", rows)


def write_other_sources(raw_dir: Path, world: World) -> None:
    """Write every small source below ``raw_dir``."""
    write_epr(raw_dir, world)
    write_records_cost(raw_dir, world)
    write_platform(raw_dir, world)
    write_security(raw_dir, world)
    write_virtual_wards(raw_dir, world)
    write_deflator(raw_dir)
