"""Register of the demonstration's organisations, in the register's own formats.

Belongs here: ``organisations/*``. Does not belong here: what the organisations do.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from pipeline.demo.places import Board, Trust
from pipeline.demo.world import World, start_year

SOURCE = "organisations"
_TYPES = {
    "Acute": "Acute and Acute & Community Trusts",
    "Specialist": "Acute Specialist Trusts",
    "Mental Health": "Mental Health & Learning Disability and Mental Health, Learning Disability & "
    "Community Trusts",
    "Community": "Community Trusts",
    "Ambulance": "Ambulance Trusts",
}


def _write(path: Path, rows: Sequence[Sequence[str]], quote_all: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as out:
        quoting = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
        csv.writer(out, lineterminator="\r\n", quoting=quoting).writerows(rows)


def _register_row(world: World, trust: Trust, board: Board) -> list[str]:
    """One line of the headerless register: 27 fields."""
    number = world.trusts.index(trust) + 1
    closed = ""
    if trust.last < len(world.years):
        closed = f"{start_year(world.years[trust.last])}0331"
    fields = [""] * 27
    fields[0:4] = [trust.code, trust.name.upper(), board.region_code, board.code]
    fields[4:10] = [
        "DEMONSTRATION HOUSE", f"{number} INVENTED ROAD", "", "NOWHERE", "", f"ZZ{number} 1ZZ"
    ]  # fmt: skip
    fields[10:12] = [f"{2001 + number % 15}0401", closed]
    if trust.is_care_trust:
        fields[13] = "T"
    fields[21] = "0"
    fields[23] = "Z"
    return fields


def write_organisations(raw_dir: Path, world: World) -> None:
    """Write register, care trusts, the register of a year earlier, boards, successions, directory.

    One trust has changed boards between the two registers; the merged and the closed trust carry
    a closing date; one trust is listed among the care trusts only.
    """
    folder = raw_dir / SOURCE
    plain = [t for t in world.trusts if not t.is_care_trust]
    care = [t for t in world.trusts if t.is_care_trust]
    _write(folder / "etr.csv", [_register_row(world, t, t.board_now) for t in plain], True)
    _write(folder / "etr_2025-07.csv", [_register_row(world, t, t.board) for t in plain], True)
    _write(folder / "ect.csv", [_register_row(world, t, t.board_now) for t in care], True)
    _write(
        folder / "icb_names_codes_dec_2024.csv",
        [
            ["ICB24CD", "ICB24CDH", "ICB24NM", "ObjectId"],
            *([f"E549{i:05d}", b.code, b.name, str(i)] for i, b in enumerate(world.boards, 1)),
        ],
    )
    merged = [t for t in world.trusts if t.successor]
    _write(
        folder / "successions.csv",
        [
            ["old_code", "new_code", "date"],
            *([t.code, str(t.successor), f"{start_year(world.years[t.last])}0401"] for t in merged),
        ],
    )
    _write(
        folder / "directory_trusts_2026-08.csv",
        [
            [
                "ods_code", "name", "alt_names", "type", "region", "ics", "predecessor_codes",
                "merger_date",
            ],
            *(_directory_row(world, t) for t in world.trusts if t.last == len(world.years)),
        ],
    )  # fmt: skip
    _write(
        folder / "directory_icbs_2026-08.csv",
        [
            ["ods_code", "name", "alt_names", "region", "predecessor_codes", "merger_date"],
            *([b.code, f"{b.short_name} ICB", "", b.region_name, "", ""] for b in world.boards),
        ],
    )


def _directory_row(world: World, trust: Trust) -> list[str]:
    taken = [t for t in world.trusts if t.successor == trust.code]
    dates = {f"{start_year(world.years[t.last])}-04-01" for t in taken}
    short = trust.name.split(" NHS ")[0]
    names = [short, trust.abbreviation, *(t.name for t in taken)]
    if trust.first_name != trust.name:
        names.append(trust.first_name)
    return [
        trust.code, trust.name, ";".join(names), _TYPES[trust.sector], trust.board_now.region_name,
        trust.board_now.short_name, ";".join(t.code for t in taken), ";".join(sorted(dates)),
    ]  # fmt: skip
