"""Digital maturity assessment of the demonstration, in the layout of the 2024 and 2025 results.

Belongs here: ``digital_maturity/*``. Does not belong here: the trusts' latent maturity (``world``).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.demo.places import Trust
from pipeline.demo.workbook import NOTE, open_workbook, write_rows
from pipeline.demo.world import World

if TYPE_CHECKING:
    from xlsxwriter.workbook import Workbook

SOURCE = "digital_maturity"
FILE = "digital_maturity_assessment_2024_2025.xlsx"
PILLARS = (
    "Well Led", "Ensure Smart Foundations", "Safe Practice", "Support Workforce", "Empower People",
    "Improve Care", "Healthy Populations",
)  # fmt: skip
PRIMARY_CARE = (
    "Well Led", "Ensuring Smart Foundations", "Support People", "Empower People", "Improve care",
)  # fmt: skip
_OFFSET = np.array([0.25, 0.2, 0.05, -0.05, -0.2, -0.1, -0.15])
_FOOT = (
    "Source: demonstration of the fivepercent project, invented scores",
    "Not NHS England data",
)


def _settings(trust: Trust, number: int) -> list[str]:
    """Care settings a trust answers for; integrated trusts answer for several."""
    if trust.sector == "Mental Health":
        return ["Mental Health", "Community"] if number % 2 else ["Mental Health"]
    if trust.sector in ("Community", "Ambulance"):
        return [trust.sector]
    return ["Acute", "Community"] if number % 4 == 1 and trust.sector == "Acute" else ["Acute"]


def _published_name(name: str) -> str:
    # The publisher writes names in capitals and spells an ampersand out.
    return name.upper().replace("&", "AND")


def _sheet(
    book: Workbook, name: str, title: str, group: str, headers: Sequence[str],
    rows: Sequence[Sequence[object]], notes: Sequence[str] = (),
) -> None:  # fmt: skip
    page = book.add_worksheet(name)
    labels = sum(h in ("Region", "ICS", "Provider", "Care Setting") for h in headers)
    above: list[list[object]] = [
        [], [title], [NOTE], [], [], [], [], [], ["England"],
        ["Organisation Details", *[None] * (labels - 1), group], list(headers),
    ]  # fmt: skip
    below = [[], [], *([n] for n in notes), *([f] for f in _FOOT)]
    write_rows(page, [*above, *rows, *below], 0, 1)
    if "(ICB PC)" in name:
        page.hide()


def write_maturity(raw_dir: Path, world: World) -> None:
    """Write the workbook: trusts and boards, 2025 pillars and 2024 against 2025.

    Trusts that no longer exist are absent, and so is one that did not take part. Names are in
    capitals; there are no codes; integrated trusts have several rows; headers are on row 11 of
    sheets two of whose names end in a blank.
    """
    rng = np.random.default_rng([world.seed, 8])
    alive = [i for i, t in enumerate(world.trusts) if t.last == len(world.years)]
    if len(alive) > 5:
        del alive[3]
    pillars: list[list[object]] = []
    overall: list[list[object]] = []
    for i in alive:
        trust = world.trusts[i]
        for setting in _settings(trust, i):
            scores = world.maturity[i] + _OFFSET + rng.normal(0, 0.3, 7)
            scores = np.clip(np.round(scores, 1), 1, 5)
            label: list[object] = [
                trust.board.region_name.upper(),
                trust.board.name.upper(),
                _published_name(trust.name),
                setting,
            ]
            pillars.append([*label, *scores.tolist()])
            now = float(np.clip(world.maturity[i] + rng.normal(0, 0.08), 1, 5))
            then = float(np.clip(now - 0.12 + rng.normal(0, 0.2), 1, 5))
            overall.append([*label, round(now, 9), round(then, 9)])
    boards: list[list[object]] = []
    boards_overall: list[list[object]] = []
    primary: list[list[object]] = []
    for board in world.boards:
        label = [board.region_name.upper(), board.name.upper()]
        scores = np.clip(np.round(2.5 + rng.normal(0, 0.6, 7), 1), 1, 5)
        boards.append([*label, *scores.tolist()])
        mean = float(scores.mean())
        boards_overall.append([*label, round(mean, 9), round(max(1.0, mean - 0.25), 9)])
        primary.append([*label, *np.round(rng.uniform(1, 5, 5), 1).tolist()])

    trust_head = ["Region", "ICS", "Provider", "Care Setting"]
    board_head = ["Region", "ICS"]
    averages = ["2025 Average", "2024 Average"]
    comparable = "Overall DMA Score - for comparable domains only"
    with open_workbook(raw_dir / SOURCE / FILE) as book:
        intro = book.add_worksheet("Introduction ")
        write_rows(intro, [["Digital Maturity Assessment 2025"], ["Data Report"], [NOTE]], 5, 1)
        _sheet(
            book,
            "SC - 2025 Pillar Summary",
            "2025 DMA: Secondary Care Provider Response Data",
            "DMA Pillar Scores - Containing all DMA domains",
            [*trust_head, *PILLARS],
            pillars,
        )
        _sheet(
            book,
            "SC - 24 vs 25 Overall DMA",
            "2024 and 2025 DMA: Secondary Care Provider Response Data - Comparable domains only ",
            f"{comparable} 1",
            [*trust_head, *averages],
            overall,
            ["Notes:", "1) Comparable domains only, so not the mean of the pillars."],
        )
        _sheet(
            book,
            "ICB - 2025 Pillar Summary",
            "2025 DMA: ICB Response Data",
            "DMA Pillar Scores - Containing all DMA domains",
            [*board_head, *PILLARS],
            boards,
        )
        _sheet(
            book,
            "ICB -24 vs 25 Overall DMA ",
            "2024 and 2025 DMA: ICB Response Data - Comparable DMA domains only ",
            comparable,
            [*board_head, *averages],
            boards_overall,
        )
        _sheet(
            book,
            "2025 Pillar Summary (ICB PC)",
            "2025 DMA: ICB Response Data (Primary Care)",
            "DMA Pillar Scores",
            [*board_head, *PRIMARY_CARE],
            primary,
        )
