"""Organisation names to codes, for the files that publish no code.

A name is matched exactly after spelling is made comparable, then without its legal ending, then as
a cut name, and only then by likeness, with a strict threshold, a clear lead over the second best
and the same points of the compass. A wrong code is worse than none.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from itertools import product

import polars as pl
from rapidfuzz import fuzz, process

THRESHOLD = 93.0
MARGIN = 4.0
SAME_WORD = 70.0
SHORTEST_CUT = 18
SHORTEST_INITIALS, LONGEST_INITIALS = 3, 8
_COMPASS = {
    "NORTH",
    "SOUTH",
    "EAST",
    "WEST",
    "NORTHERN",
    "SOUTHERN",
    "EASTERN",
    "WESTERN",
    "CENTRAL",
    "MID",
}
_LEFT_OUT = frozenset(("OF", "THE", "FOR", "IN", "AND", "ON", "UPON"))
_SMALL = {"AND", "OF", "THE", "IN", "FOR", "NHS", "ST"}
CODE_LIKE = re.compile(r"^(?:[A-Z][A-Z0-9]{2}|[A-Z0-9]{5})$")
_ENDINGS = re.compile(
    r"\s(?:NHS FOUNDATION TRUST|NHS FOUNDATION|NHS FT|NHSFT|FOUNDATION NHS TRUST|FOUNDATION TRUST|"
    r"NHS TRUST|NHS T|NHS|FT|TRUST)$"
)
_LEGAL_WORDS = frozenset(("NHS", "FT", "NHSFT", "FOUNDATION", "TRUST", "THE"))
FEWEST_WORDS = 3
FEW_WORDS = 3  # a longer clue is a name, and its short words are no initials
_NO_INITIALS = _LEGAL_WORDS | {"CCG", "ICB", "ICS", "PCT", "CSU", "LTD", "PLC", "AND", "NHST"}
#: ``NHS SUSSEX ICB - 70F``: a board with the code of one of its places.
_PLACE_CODE = re.compile(r"\s(?:[0-9][0-9A-Z]{2}|[A-Z][0-9][A-Z0-9]{3})$")
_BOARD = re.compile(r"\s(?:INTEGRATED CARE BOARD|INTEGRATED CARE SYSTEM|ICB|ICS)$")


def comparable(name: str) -> str:
    """A name in one spelling: upper case, AND for &, no apostrophes, points or leading THE."""
    text = unicodedata.normalize("NFKD", name).upper()
    text = re.sub(r"\([A-Z0-9]{3,5}\)", " ", text)
    text = re.sub(r"['’‘`´]", "", text).replace("&", " AND ")
    text = re.sub(r"[^A-Z0-9]+", " ", text).strip()
    text = re.sub(r"^THE\s", "", text).replace("NATIONAL HEALTH SERVICE", "NHS")
    text = re.sub(r"\bHEALTH CARE\b", "HEALTHCARE", text)
    return re.sub(r"\bSAINT\b", "ST", text)


def _board_core(text: str) -> str | None:
    if not _BOARD.search(text):
        return None
    core = _BOARD.sub("", text)
    return re.sub(r"^NHS\s", "", core).replace(" AND ", " ").strip()


def core(text: str) -> str:
    """A comparable name without its legal ending: ``BARTS HEALTH``."""
    return _ENDINGS.sub("", text).strip()


def _differ_by_misprints(one: str, other: str) -> bool:
    """Whether every word of one name stands in the other, misprints allowed, compass points not."""
    words, others = set(one.split()), set(other.split())
    if words & _COMPASS != others & _COMPASS:
        return False
    left, right = words - others - _SMALL, others - words - _SMALL
    return all(
        any(fuzz.ratio(word, candidate) >= SAME_WORD for candidate in candidates)
        for some, candidates in ((left, right), (right, left))
        for word in some
    )


def _initials_fit(text: str, key: str) -> bool | None:
    """Whether letters are the initials of a comparable name; None where they are not even its first ones.

    Small words, and those that nearly every hospital has in its name, may be left out or not.
    """
    board = _board_core(text)
    words = (board or core(text)).split()
    endings = ("", "ICB", "ICS") if board else ("", "T", "FT", "NHST", "NHSFT")
    begins = False
    for small, common in product((False, True), (False, True, "UNIVERSITY")):
        said = "".join(
            w[0]
            for w in words
            if not (small and w in _LEFT_OUT)
            and not (common is True and w.startswith(("HOSPITAL", "HEALTH")))
            and not (common == "UNIVERSITY" and w == common)
        )
        if said and key in {said + end for end in endings}:
            return True
        begins |= said.startswith(key)
    return False if begins else None


class Register:
    """Names and codes of organisations.

    Args:
        organisations: rows of ``dims.organisation`` (organisation_code, name, former_names, kind,
            closed are used).
        aliases: further (name, code) pairs; codes that are not in ``organisations`` are left out.
    """

    def __init__(
        self, organisations: pl.DataFrame, aliases: Iterable[tuple[str, str]] = ()
    ) -> None:
        self._names: dict[str, str] = {}
        self._kinds: dict[str, str] = {}
        open_codes = self._open = set[str]()
        official: list[tuple[str, str]] = []
        other: list[tuple[str, str]] = []
        columns = ("organisation_code", "name", "former_names", "kind", "closed")
        for code, name, former, kind, closed in organisations.select(columns).iter_rows():
            self._names[code], self._kinds[code] = name, kind
            if closed is None:
                open_codes.add(code)
            official.append((name, code))
            other += [(part.strip(), code) for part in (former or "").split(";") if part.strip()]
        other += [(name, code) for name, code in aliases if code in self._names]
        self._exact: dict[str, str] = {}
        self._core: dict[str, str] = {}
        self._boards: dict[str, str] = {}
        self._fill(official, open_codes)
        self._fill(other, open_codes)
        self._trusts = {k: c for k, c in self._exact.items() if self._kinds[c] != "icb"}
        by_words: dict[str, set[str]] = defaultdict(set)
        for known, code in self._trusts.items():
            by_words[" ".join(sorted(w for w in known.split() if w not in _LEGAL_WORDS))].add(code)
        self._words = {k: next(iter(c)) for k, c in by_words.items() if len(c) == 1}
        # Short forms and initials are accepted exactly, never by likeness.
        self._full = {
            k: c for k, c in self._trusts.items() if _ENDINGS.search(k) and len(core(k)) > 5
        }

    def _fill(self, pairs: list[tuple[str, str]], open_codes: set[str]) -> None:
        """Add names that are not there yet; a name of two goes to the only open one."""
        for index, key_of in (
            (self._exact, comparable),
            (self._core, lambda n: core(comparable(n))),
            (self._boards, lambda n: _board_core(comparable(n)) or ""),
        ):
            candidates: dict[str, set[str]] = defaultdict(set)
            for name, code in pairs:
                if self._kinds[code] == "icb" and index is self._core:
                    continue
                key = key_of(name)
                if len(key) >= 4:
                    candidates[key].add(code)
            for key, codes in candidates.items():
                living = codes & open_codes or codes
                if key not in index and len(living) == 1:
                    index[key] = next(iter(living))

    def code_known(self, code: str) -> bool:
        """Whether the register holds the code."""
        return code.strip().upper() in self._names

    def name_of(self, code: str) -> str | None:
        """Name of a code; None when it is unknown."""
        return self._names.get(code)

    def match(self, name: str | None, *, kind: str | None = None) -> str | None:
        """The code of a published name, or None when no name is close enough.

        Args:
            name: as published.
            kind: ``icb`` when the publication says the organisation is a board.
        """
        if not name or not name.strip():
            return None
        key = comparable(name)
        if (placed := _PLACE_CODE.sub("", key)) != key and _BOARD.search(placed):
            key = placed
        board = _board_core(key) or (
            key.removeprefix("NHS ").replace(" AND ", " ") if kind == "icb" else None
        )
        if board is not None:
            return self._match_board(board)
        if key in self._exact:
            return self._exact[key]
        short = core(key)
        if short in self._core:
            return self._core[short]
        if found := self._same_words(key):
            return found
        if key.startswith("NHS "):  # boards call themselves "NHS Somewhere"
            place = key[4:].removesuffix(" INTEGRATED CARE").replace(" AND ", " ")
            if found := self._boards.get(place):
                return found
        return self._match_cut(key) or self._match_alike(key)

    def _same_words(self, key: str) -> str | None:
        """The only trust whose name has the same words in another order, as cells of a PDF come."""
        words = sorted(w for w in key.split() if w not in _LEGAL_WORDS)
        return self._words.get(" ".join(words)) if len(words) >= FEWEST_WORDS else None

    def _match_board(self, key: str) -> str | None:
        if key in self._boards:
            return self._boards[key]
        return self._best(key, self._boards)

    def _match_cut(self, key: str) -> str | None:
        if len(key) < SHORTEST_CUT:
            return None
        codes = {code for known, code in self._trusts.items() if known.startswith(key)}
        return next(iter(codes)) if len(codes) == 1 else None

    def _match_alike(self, key: str) -> str | None:
        return self._best(core(key), {core(known): code for known, code in self._full.items()})

    def _best(self, key: str, known: dict[str, str]) -> str | None:
        if len(key) < 6:
            return None
        scores: dict[str, float] = {}
        for scorer in (fuzz.token_sort_ratio, fuzz.ratio):
            for text, score, _ in process.extract(key, known.keys(), scorer=scorer, limit=8):
                scores[text] = max(score, scores.get(text, 0.0))
        ranked = sorted(((s, known[t], t) for t, s in scores.items()), reverse=True)
        if not ranked or ranked[0][0] < THRESHOLD:
            return None
        score, code, text = ranked[0]
        if any(other != code and score - s < MARGIN for s, other, _ in ranked[1:]):
            return None
        return code if _differ_by_misprints(key, text) else None

    def by_initials(self, letters: str) -> list[str]:
        """Codes of all organisations that may be abbreviated so: UHL, SWLSTG, SGH.

        Initials are ambiguous (KCH, NUH), so they are a reason to ask, or to believe another piece of
        evidence, and never prove anything alone.

        Args:
            letters: what may be initials; words and codes with digits have no answer.

        Returns:
            Codes: those whose initials these are before those of which they begin the initials, and
            open organisations before closed ones.
        """
        key = letters.strip().upper()
        if not key.isalpha() or not SHORTEST_INITIALS <= len(key) <= LONGEST_INITIALS:
            return []
        ranked: dict[str, tuple[bool, bool]] = {}
        for text, code in self._exact.items():
            fit = _initials_fit(text, key)
            if fit is not None:
                rank = (not fit, code not in self._open)
                ranked[code] = min(rank, ranked.get(code, rank))
        return sorted(ranked, key=lambda code: ranked[code])

    def guesses(self, name: str, n: int = 3) -> list[tuple[str, str, float]]:
        """The nearest organisations, for a person to choose from.

        Args:
            name: as published.
            n: how many.

        Returns:
            (code, name, likeness 0 to 100), the nearest first, each code once.
        """
        key = comparable(name)
        found = process.extract(key, self._exact.keys(), scorer=fuzz.token_set_ratio, limit=10 * n)
        best: dict[str, float] = {}
        words = key.split()
        for word in words if len(words) <= FEW_WORDS else []:
            if word not in _NO_INITIALS:
                best |= dict.fromkeys(self.by_initials(word), 100.0)
        if CODE_LIKE.match(key):  # a code that was mistyped
            alike = process.extract(key, self._names.keys(), scorer=fuzz.ratio, limit=n)
            best |= {code: 0.7 * score for code, score, _ in alike if code not in best}
        for text, score, _ in found:
            likeness = (score + fuzz.ratio(key, text)) / 2
            best[self._exact[text]] = max(best.get(self._exact[text], 0.0), likeness)
        ranked = sorted(best.items(), key=lambda item: -item[1])[:n]
        return [(code, self._names[code], round(score, 1)) for code, score in ranked]
