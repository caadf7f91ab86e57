"""Names of the demonstration: trusts, boards and regions that do not exist.

Belongs here: who the fictional organisations are called and which code they bear. Does not belong
here: how large they are or what they spend (``world``), and what they buy (``ledger``).
"""

from __future__ import annotations

from dataclasses import dataclass

CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
REGIONS = (("Y98", "Demonstration East"), ("Y99", "Demonstration West"))

_BOARDS = (
    "Eastmarsh",
    "Northmere and Kestermoor",
    "Vellacombe, Ashquay and Wychmere",
    "Greywether",
)

# Name, sector, abbreviation used in file names, number of its board. "FT" is a foundation trust,
# "T" an NHS trust.
_TRUSTS = (
    ("Northmere University Hospitals|FT", "Acute", "NMUH", 1),
    ("Eastmarsh Hospitals|T", "Acute", "EAST", 0),
    ("St Elwyn's University Hospital|FT", "Acute", "STEL", 0),
    ("Brackwater & Fennimoor|FT", "Acute", "BRFE", 3),
    ("Vellacombe Partnership|FT", "Mental Health", "VELP", 2),
    ("Ashquay Hospitals|T", "Acute", "ASHQ", 2),
    ("Greywether Community Health|T", "Community", "GWCH", 3),
    ("Kestermoor Teaching Hospitals|FT", "Acute", "KEST", 1),
    ("Northmere and Kestermoor Mental Health|FT", "Mental Health", "NKMH", 1),
    ("Wendlebrook General Hospital|T", "Acute", "WEND", 0),
    ("Demonstration East Ambulance Service|T", "Ambulance", "DEAS", 0),
    ("The Harrowfen Eye Hospital|FT", "Specialist", "HEYE", 2),
    ("Pellingate, Rookhaven and Skelmarsh Hospitals|T", "Acute", "PRSH", 0),
    ("Thistlecombe Health and Care|FT", "Mental Health", "THAC", 2),
    ("Embersleigh Hospitals|FT", "Acute", "EMBH", 2),
    ("Oxenmoor Community Healthcare|T", "Community", "OXCH", 3),
    ("Rookhaven and Larkhollow Hospitals|FT", "Acute", "ROLA", 3),
    ("Queen Aldith's Children's|FT", "Specialist", "QACH", 1),
    ("Wychmere Care|T", "Mental Health", "WYCH", 2),
    ("Dunsparrow University Hospital|FT", "Acute", "DUNS", 1),
    ("Demonstration West Ambulance Service|FT", "Ambulance", "DWAS", 1),
    ("Merrowdale Hospitals|T", "Acute", "MERR", 1),
    ("Eastmarsh Partnership|FT", "Mental Health", "EAMP", 0),
    ("Cawdermouth and Stanburrow Hospitals|FT", "Acute", "CAST", 0),
    ("The Royal Underwold Orthopaedic Hospital|T", "Specialist", "RUOH", 1),
    ("Ravensyke Hospitals|T", "Acute", "RAVS", 2),
    ("Yarrowdene Mental Health|T", "Mental Health", "YARM", 1),
    ("Lowenford and Nettleholt Hospitals|FT", "Acute", "LONE", 0),
    ("Penhallard Hospitals|T", "Acute", "PENH", 3),
    ("Greywether Partnership|FT", "Mental Health", "GWPT", 3),
)
RENAMED_FROM = "Nettleholt District Hospitals|T"
RENAMED_TO = "Lowenford and Nettleholt Hospitals|FT"
CARE_TRUST = "Wychmere Care|T"
MERGED = "Oxenmoor Community Healthcare|T"
MERGED_INTO = "Rookhaven and Larkhollow Hospitals|FT"
CLOSED = "The Royal Underwold Orthopaedic Hospital|T"

# Stems for a demonstration larger than the thirty trusts above (benchmarks of national size).
_STEMS = tuple(
    first + second
    for first in ("Ald", "Brin", "Cor", "Dray", "Elm", "Farn", "Gorse", "Hazel", "Isen", "Jarrow")
    for second in ("fordham", "quay", "wether", "combe", "marrow", "syke", "holt", "burrow")
)
_EXTRA = (
    ("Hospitals|FT", "Acute"),
    ("Hospitals|T", "Acute"),
    ("Mental Health|FT", "Mental Health"),
    ("General Hospital|T", "Acute"),
    ("Community Healthcare|T", "Community"),
    ("Teaching Hospitals|FT", "Acute"),
    ("Specialist Hospital|FT", "Specialist"),
    ("Ambulance Service|T", "Ambulance"),
)


@dataclass(frozen=True)
class Board:
    """One fictional integrated care board."""

    code: str
    name: str
    region_code: str
    region_name: str

    @property
    def short_name(self) -> str:
        """The system's name without ``NHS`` and ``Integrated Care Board``."""
        return self.name.removeprefix("NHS ").removesuffix(" Integrated Care Board")


@dataclass(frozen=True)
class Trust:
    """One fictional trust: its code, its names, its board, and what happens to it.

    ``last`` is an index into the years of the demonstration: the trust has data up to, but not
    including, that year. ``board`` is the board of the years covered, ``board_now`` today's.
    """

    code: str
    name: str
    sector: str
    abbreviation: str
    board: Board
    board_now: Board
    first_name: str
    renamed_in: int | None
    last: int
    successor: str | None
    is_care_trust: bool

    def name_in(self, year_index: int) -> str:
        """The name the trust bore in the given year of the demonstration."""
        if self.renamed_in is not None and year_index < self.renamed_in:
            return self.first_name
        return self.name

    @staticmethod
    def is_foundation(name: str) -> bool:
        """Whether a name is that of an NHS foundation trust."""
        return name.endswith("NHS Foundation Trust")


def _full(name: str) -> str:
    stem, kind = name.split("|")
    return f"{stem} NHS {'Foundation Trust' if kind == 'FT' else 'Trust'}"


def trust_code(index: int) -> str:
    """Code of the trust with this number: ``Z0A``, ``Z0B`` ... (no real trust code starts so)."""
    tens, letter = divmod(index, len(CODE_LETTERS))
    if tens > 9:
        raise ValueError(
            f"The demonstration has codes for {10 * len(CODE_LETTERS)} trusts; asked for number "
            f"{index + 1}. Ask for fewer trusts."
        )
    return f"Z{tens}{CODE_LETTERS[letter]}"


def make_boards(count: int) -> list[Board]:
    """Name the boards.

    Args:
        count: how many, at least 1.

    Returns:
        Boards coded ``QZ1``, ``QZ2`` ... in alternating regions.
    """
    names = [*_BOARDS, *(f"{stem} and District" for stem in _STEMS)]
    marks = "123456789" + CODE_LETTERS
    if not 1 <= count <= len(marks):
        raise ValueError(f"The demonstration has 1 to {len(marks)} boards; asked for {count}.")
    return [
        Board(f"QZ{marks[i]}", f"NHS {names[i]} Integrated Care Board", *REGIONS[i % 2])
        for i in range(count)
    ]


def make_trusts(count: int, boards: list[Board], years: int) -> list[Trust]:
    """Name the trusts, give each a board, and let one merge, one close and one change its name.

    Args:
        count: how many trusts.
        boards: from ``make_boards``.
        years: number of financial years; the events need at least three.

    Returns:
        Trusts in code order. The merger and the closing fall on a 1 April inside the period.
    """
    plan = list(_TRUSTS[:count])
    for extra in range(count - len(plan)):
        stem, turn = _STEMS[extra % len(_STEMS)], extra // len(_STEMS)
        style, sector = _EXTRA[(extra + turn) % len(_EXTRA)]
        name = f"{stem}{' Vale' * turn} {style}"
        plan.append((name, sector, f"X{extra:03d}", extra % len(boards)))
    codes = {name: trust_code(i) for i, (name, *_) in enumerate(plan)}
    third = 2 if years >= 3 else None
    made = []
    for i, (name, sector, abbreviation, place) in enumerate(plan):
        board = boards[place % len(boards)]
        last = years
        successor = None
        if third and name == MERGED and MERGED_INTO in codes:
            last, successor = third, codes[MERGED_INTO]
        if third and name == CLOSED:
            last = third + 1 if years > 3 else third
        renamed = third if name == RENAMED_TO else None
        # One trust has moved to the next board since the register of a year earlier.
        moved = i == 19 and len(boards) > 1
        made.append(
            Trust(
                code=codes[name],
                name=_full(name),
                sector=sector,
                abbreviation=abbreviation,
                board=board,
                board_now=boards[(place + 1) % len(boards)] if moved else board,
                first_name=_full(RENAMED_FROM) if renamed else _full(name),
                renamed_in=renamed,
                last=last,
                successor=successor,
                is_care_trust=name == CARE_TRUST,
            )
        )
    return made
