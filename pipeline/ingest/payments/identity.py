"""Whose file is it? Folder, entity column and file name against the register.

Belongs here: the decision and its reason. When the evidence is missing or contradicts itself the
file is set aside with the three best guesses, never booked to somebody by a guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

_CODE = re.compile(r"^[A-Z0-9]{3,5}$")
_NOT_A_NAME = (
    r"(?i)\b(?:over|spend(?:ing)?|expenditure|payments?|invoices?|transparency|report|data|"
    r"financial|month|monthly|year|fy|q[1-4]|final|publish(?:ed)?|website|jan|feb|mar|apr|may|jun|jul|"
    r"aug|sept?|oct|nov|dec|january|february|march|april|june|july|august|september|october|november|"
    r"december|above|greater than|trust wide)\b|£?\d+k?\b|[^A-Za-z&' ]+"
)


SHORTEST_NAME = 4
NEAR_BOARD = 93.0
#: Bodies that publish payments and are neither trusts nor boards: what they are, by code and name.
_NATIONAL = (
    (
        r"X24|NHSE|(?:X24 )?NHS ENGLAND(?: .{1,60})?|NHS COMMISSIONING BOARD",
        "NHS England",
    ),
    (
        r"XDH|DH|DEPARTMENT OF HEALTH(?: AND SOCIAL CARE)?|DHSC(?: CORE)?",
        "the Department of Health and Social Care",
    ),
    (r"X26|NHS DIGITAL", "NHS Digital"),
    (r"T1150|HEE|HEALTH EDUCATION ENGLAND", "Health Education England"),
    (r"UKHSA|(?:THE )?UK HEALTH SECURITY AGENCY", "the UK Health Security Agency"),
    (r"PHE|PUBLIC HEALTH ENGLAND", "Public Health England"),
    (r"NHSPS|NHS PROPERTY SERVICES(?: LTD| LIMITED)?", "NHS Property Services"),
    (r"T1430|NHSBSA|NHS BUSINESS SERVICES AUTHORITY", "the NHS Business Services Authority"),
    (r"NHSR|NHS RESOLUTION|NHS LITIGATION AUTHORITY", "NHS Resolution"),
    (r"NHSBT|NHS BLOOD AND TRANSPLANT", "NHS Blood and Transplant"),
    (
        r"MHRA|MEDICINES AND HEALTHCARE PRODUCTS REGULATORY AGENCY",
        "the Medicines and Healthcare products Regulatory Agency",
    ),
    (r"NICE|NATIONAL INSTITUTE FOR HEALTH AND (?:CARE|CLINICAL) EXCELLENCE", "NICE"),
    (r"CQC|CARE QUALITY COMMISSION", "the Care Quality Commission"),
    (r"HRA|HEALTH RESEARCH AUTHORITY", "the Health Research Authority"),
    (r"NHSI|NHS IMPROVEMENT|MONITOR|NHS TRUST DEVELOPMENT AUTHORITY", "NHS Improvement"),
    (r"NHSCFA|NHS COUNTER FRAUD AUTHORITY", "the NHS Counter Fraud Authority"),
    (r"NHSX", "NHSX"),
    (r"NHS PROFESSIONALS(?: LTD| LIMITED)?", "NHS Professionals"),
    (r"NHS SUPPLY CHAIN|SUPPLY CHAIN COORDINATION(?: LTD| LIMITED)?", "NHS Supply Chain"),
    (r"GENOMICS ENGLAND(?: LTD| LIMITED)?", "Genomics England"),
    (r".+ (?:CSU|COMMISSIONING SUPPORT UNIT)", "a commissioning support unit"),
    (r".+ (?:COUNTY|CITY|BOROUGH|DISTRICT) COUNCIL|.+ COUNCIL", "a council"),
    (
        r"(?:WELSH|SCOTTISH) GOVERNMENT|NORTHERN IRELAND (?:EXECUTIVE|DEPARTMENT OF HEALTH)",
        "a government of its own",
    ),
    (
        r"PUBLIC HEALTH WALES.*|VELINDRE.*|WELSH AMBULANCE.*|BETSI CADWALADR.*|CWM TAF.*|ANEURIN BEVAN.*"
        r"|CARDIFF AND VALE.*|HYWEL DDA.*|SWANSEA BAY.*|POWYS TEACHING.*|DIGITAL HEALTH AND CARE WALES"
        r"|HEALTH EDUCATION AND IMPROVEMENT WALES|NHS WALES.*|.+ UNIVERSITY (?:LOCAL )?HEALTH BOARD",
        "a body of the NHS in Wales",
    ),
    (
        r"NHS (?:LOTHIAN|TAYSIDE|GRAMPIAN|HIGHLAND|FIFE|BORDERS|FORTH VALLEY|LANARKSHIRE|ORKNEY|SHETLAND"
        r"|WESTERN ISLES|GREATER GLASGOW AND CLYDE|AYRSHIRE AND ARRAN|DUMFRIES AND GALLOWAY|SCOTLAND.*"
        r"|NATIONAL SERVICES SCOTLAND|EDUCATION FOR SCOTLAND|24)|PUBLIC HEALTH SCOTLAND|.+ NHS BOARD"
        r"|SCOTTISH AMBULANCE.*|GOLDEN JUBILEE.*",
        "a board of the NHS in Scotland",
    ),
    (
        r"(?:BELFAST|(?:SOUTH )?EASTERN|NORTHERN|SOUTHERN|WESTERN) (?:HSC|HEALTH AND SOCIAL CARE) TRUST"
        r"|NORTHERN IRELAND AMBULANCE.*|HSC .*|HEALTH AND SOCIAL CARE BOARD|BUSINESS SERVICES ORGANISATION",
        "a body of health and social care in Northern Ireland",
    ),
)
_COMMISSIONER = re.compile(r"(?i)\b(?:ccg|clinical commissioning group|pct|primary care trust)\b")


class Names(Protocol):
    """What identification needs of the register (``names.Register``)."""

    def code_known(self, code: str) -> bool:
        """Whether the register holds the code."""
        ...

    def match(self, name: str) -> str | None:
        """The code of a name that leaves no doubt."""
        ...

    def by_initials(self, letters: str) -> list[str]:
        """The organisations that may be abbreviated so, the likeliest first."""
        ...

    def guesses(self, name: str, n: int = 3) -> list[tuple[str, str, float]]:
        """The nearest organisations: code, name, likeness 0 to 100."""
        ...


@dataclass(frozen=True)
class Identity:
    """Whose file it is, or why that is not known."""

    code: str | None
    reason: str
    warning: str | None = None


def _code_in(text: str, register: Names) -> str | None:
    """The only organisation code among the words of a text."""
    found = {
        token.upper()
        for token in re.findall(r"[A-Za-z0-9]+", text)
        if _CODE.match(token.upper())
        and (token.isupper() or any(c.isdigit() for c in token))
        and register.code_known(token.upper())
    }
    return next(iter(found)) if len(found) == 1 else None


def _in_name(name: str, register: Names) -> str | None:
    """The organisation a file or folder name gives by code, else by its words."""
    by_code = _code_in(name, register)
    if by_code:
        return by_code
    words = _words_of(name)
    return register.match(words) if len(words) >= SHORTEST_NAME else None


def _words_of(name: str) -> str:
    """The words of a file or folder name that may name somebody.

    ``north-pellow-nhs-trust_25k.csv`` and ``NorthPellowApril2020`` hold words as well.
    """
    words = re.sub(r"\.[A-Za-z]{3,4}$", "", name)
    words = re.sub(
        r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Z])|[_\-.+,]+", " ", words
    )
    words = " ".join(re.sub(_NOT_A_NAME, " ", words).split())
    return re.sub(
        r"(?i)^(?:(?:for|in|on|of|by|the|trust)\b\s*)+|(?:\s*\b(?:for|in|on|of|by|than))+$",
        "",
        words,
    )


def code_of_entity(entity: str, register: Names) -> str | None:
    """The organisation an entity cell or a title names, by name or by code."""
    if _CODE.match(entity.strip().upper()) and register.code_known(entity):
        return entity.strip().upper()
    if _plain(entity) in _OF_PARENTS:
        return None
    return (
        register.match(entity)
        or _national(entity, register)
        or _in_title(entity, register)
        or _code_and_name(entity, register)
    )


def _national(entity: str, register: Names) -> str | None:
    """The code of a national publisher that the register counts, by a name only it itself uses."""
    said = _plain(entity)
    return next(
        (c for c, own in _OWN_NAMES.items() if re.fullmatch(own, said) and register.code_known(c)),
        None,
    )


def _code_and_name(entity: str, register: Names) -> str | None:
    """The organisation of ``RYR - University Hospitals Sussex``, whose code and name agree."""
    code = _code_in(entity, register)
    if code is None:
        return None
    rest = re.sub(rf"(?i)\b{code}\b", " ", entity).strip(" -:/()|,")
    return code if rest and register.match(rest) == code else None


def _in_title(entity: str, register: Names) -> str | None:
    """The organisation in ``Payments over 25k - Pellow NHS Trust - May 2025``."""
    words = _words_of(entity)
    if words == entity.strip() or len(words) < SHORTEST_NAME:
        return None
    return register.match(words)


def identify(folder: str, file_name: str, entity: str | None, register: Names | None) -> Identity:
    """Decide whose spend file this is.

    Args:
        folder: the folder below ``spend_over_25k``; empty when the file lies there directly.
        file_name: name of the file.
        entity: most frequent value of the entity column, when there is one.
        register: known organisations, or None when no register is among the files.

    Returns:
        The organisation's code with the evidence, or no code and what to do.
    """
    if register is None:
        if _CODE.match(folder):
            return Identity(folder, f"the folder is called {folder} (no register here to check it)")
        return Identity(
            None, "no register of organisations is here and the folder is not an organisation code"
        )
    by_entity = code_of_entity(entity, register) if entity else None
    if register.code_known(folder):
        warning = None
        code = folder.strip().upper()
        if by_entity and by_entity != code:
            warning = (
                f"The file names {entity!r} ({by_entity}) as its publisher, the folder says "
                f"{code}; the folder was believed."
            )
        elif entity and not by_entity and (other := _own_publisher(entity)):
            warning = (
                f"The file names {entity!r} as its publisher, which is {other}, the folder says {code}; "
                "the folder was believed."
            )
        return Identity(code, f"the folder is called {folder}", warning)
    by_folder = _in_name(folder, register) if folder and not _CODE.match(folder) else None
    if by_folder:
        return Identity(by_folder, f"the folder is called {folder!r}")
    if not _CODE.match(folder):
        by_name = _in_name(file_name, register)
        if by_entity and by_name and by_entity != by_name:
            return Identity(
                None,
                f"the file names {entity!r} ({by_entity}) as its publisher, its own name says "
                f"{by_name}. {_ask(folder, file_name, entity, register)}",
            )
        if by_entity:
            return Identity(by_entity, f"the file names {entity!r} as its publisher")
        if by_name:
            return Identity(by_name, f"the file's name gives {by_name}")
    else:
        named = {by_entity, _in_name(file_name, register)} - {None}
        code = named.pop() if len(named) == 1 else None
        if code in register.by_initials(folder):
            said = f"the file names {entity!r}" if by_entity else f"the file's name gives {code}"
            return Identity(code, f"{said}, and the folder {folder!r} holds its initials")
    return Identity(None, _ask(folder, file_name, entity, register))


#: Written by trusts where their own name should stand, and by the department until 2018.
_OF_PARENTS = ("DEPARTMENT OF HEALTH", "DH", "DEPT OF HEALTH")
#: Names by which national publishers call themselves and no trust calls its parent.
_OWN_NAMES = {
    "X24": r"NHSE|X24 NHS ENGLAND|NHS ENGLAND X24|NHS ENGLAND AND NHS IMPROVEMENT|NHS ENGLAND .{0,30}REGION",
    "XDH": r"DHSC|DHSC CORE|DEPARTMENT OF HEALTH AND SOCIAL CARE(?: CORE)?",
}
_OUTSIDE = (" Wales", " Scotland", " Northern Ireland", " of its own")
#: Bodies that trusts name in the entity column though the file is their own.
_PARENTS = {"NHS England": "X24", "the Department of Health and Social Care": "XDH"}


def _own_publisher(entity: str) -> str | None:
    """What a body is that publishes for itself, never the parent a trust may name."""
    said = _plain(entity)
    found = (what for pattern, what in _NATIONAL if re.fullmatch(pattern, said))
    return next((what for what in found if what not in _PARENTS), None)


def _plain(text: str) -> str:
    """Capital letters and digits, blanks between."""
    return re.sub(r"[^A-Z0-9]+", " ", text.upper().replace("&", " AND ")).strip()


def _other_body(folder: str, clue: str, register: Names) -> str | None:
    """What a publisher is that is neither a trust nor a board; None where that is not known."""
    said = [_plain(text) for text in (folder, clue)]
    for pattern, what in _NATIONAL:
        if not any(re.fullmatch(pattern, text) for text in said):
            continue
        if what.endswith(_OUTSIDE):
            return (
                f"{what}; only trusts and integrated care boards of the NHS in England are counted here, "
                "so its payments are counted for nobody here"
            )
        code = _PARENTS.get(what, "")
        if code and register.code_known(code):
            return f"{what}, which trusts name as their parent too (its own payments belong into {code}/)"
        return f"{what}, which is neither a trust nor a board: its payments are counted for nobody here"
    if _COMMISSIONER.search(clue):
        return "a commissioner of before July 2022, which is no longer in the register; boards took their place"
    return None


def _ask(folder: str, file_name: str, entity: str | None, register: Names) -> str:
    named = folder if folder and not _CODE.match(folder) else ""
    abbreviated = folder if register.by_initials(folder) else ""
    clue = entity or named or abbreviated or _words_of(file_name) or folder
    said = (
        f"the folder {folder!r} is no organisation code in the register"
        if folder
        else "no folder says whose file it is"
    )
    if entity:
        said += f", and the file names {entity!r} as its publisher"
    other = _other_body(folder, clue, register)
    if other:
        said += f". That is {other}"
        if not _COMMISSIONER.search(clue) and not other.startswith(tuple(_PARENTS)):
            return (
                f"{said}. If the payments are not its own, put the file into a folder named by the code "
                "of the organisation whose they are, such as spend_over_25k/RJ1/"
            )
        if other.startswith(tuple(_PARENTS)):  # a trust may have named its parent
            clue = (
                named if named and not _other_body(named, named, register) else _words_of(file_name)
            )
    codes = [
        c for t in re.findall(r"[A-Za-z0-9]+", file_name) if register.code_known(c := t.upper())
    ]
    if len(set(codes)) > 1:
        said += f", and its name holds the codes {' and '.join(dict.fromkeys(codes))}"
    near = _COMMISSIONER.sub("Integrated Care Board", clue)
    found = register.guesses(near, 3) if len(near) > 1 else []
    if near != clue:  # a board is near a commissioner only where it has taken over its name
        found = [guess for guess in found if guess[2] >= NEAR_BOARD]
    guesses = "; ".join(f"{code} {name}" for code, name, _ in found)
    none = (
        "none near that name"
        if near != clue
        else "none, for neither the file nor its name holds a name"
    )
    renewed = ""
    if folder and not named:
        renewed = f"; if {folder} is a new organisation, put the present register into organisations/ instead"
    return (
        f"{said}. Best guesses: {guesses or none}. Put "
        f"the file into a folder named by the organisation's code, such as spend_over_25k/RJ1/{renewed}"
    )
