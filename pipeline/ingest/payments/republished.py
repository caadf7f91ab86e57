"""Which spend file of a publisher replaces which: exact copies, and revisions named so.

A file is superseded only where content or name leaves no doubt: the same bytes under another name,
or two files for the same month of which one is called revised, amended, v2 or (1). Everything less
clear is left to count, with a warning where the payments themselves are the same (``payments``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pipeline.ingest.tabular.periods import PeriodHint, hint_from_name, hint_from_path

WORD_OF_REVISION = 1000
#: A final list comes after numbered versions, and before what amends it; drafts before all others.
FINAL, DRAFT = 500, -10_000
_REVISED = re.compile(
    r"(?i)(?<![a-z])(?:v(?:ersion)?[\s_.-]*(\d{1,2})(?!\d)|revised|revision|amended|amendment|"
    r"corrected|correction|republished|updated|update|resubmitted|resubmission|re-?issued?|replacement|restated|"
    r"copy|final|draft|\((\d{1,2})\)|rev[\s_.-]*(\d{1,2})(?!\d))(?![a-z])"
)
#: What a browser or a person adds to any name; where the name tells no period it says nothing of revision.
_OF_ANY_NAME = re.compile(r"(?i)copy|final|\(\d{1,2}\)")
_WORDS = re.compile(r"[a-z]+|\d+")


def revision_of(name: str) -> tuple[frozenset[str], int]:
    """The words of a file's name without those of revision, and the rank these give it.

    Args:
        name: such as ``"Spend April 2020 v2.csv"`` or ``"Spend April 2020 (1).csv"``.

    Returns:
        The other words and numbers, and 0 for a first version, the number of a numbered one,
        :data:`WORD_OF_REVISION` for words such as revised or amended, less than 0 for a draft.
    """
    stem = name.rsplit(".", 1)[0]
    rank, is_draft = 0, False
    for found in _REVISED.finditer(stem):
        if found[1]:
            rank = max(rank, int(found[1]) - 1)
        elif number := found[2] or found[3]:
            rank = max(rank, int(number))
        else:
            word = found[0].lower()
            is_draft |= word == "draft"
            rank = max(rank, {"final": FINAL, "draft": 0}.get(word, WORD_OF_REVISION))
    words = frozenset(_WORDS.findall(_REVISED.sub(" ", stem).lower()))
    return words, rank + DRAFT if is_draft else rank


def find_republished(hashes: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Superseded file -> the file that replaces it, and why.

    Args:
        hashes: path -> content hash of spend files, one folder a publisher.
    """
    replaced: dict[str, tuple[str, str]] = {}
    folders: dict[str, list[str]] = {}
    for path in sorted(hashes):
        folders.setdefault(path.rpartition("/")[0], []).append(path)
    for paths in folders.values():
        replaced |= _exact_copies(paths, hashes)
        replaced |= _revisions([p for p in paths if p not in replaced])
    return replaced


def find_revised(paths: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Superseded file -> its revision and why, among files whose names differ in words of revision only.

    For sources other than spend, whose names say what a file is about (the year of accounts), so that
    copies under other names are none.

    Args:
        paths: raw files of any folders.
    """
    families: dict[tuple[str, frozenset[str]], list[tuple[int, str]]] = {}
    for path in paths:
        words, rank = revision_of(_name(path))
        families.setdefault((path.rpartition("/")[0], words), []).append((rank, path))
    replaced: dict[str, tuple[str, str]] = {}
    for versions in families.values():
        rank, latest = max(versions)
        for earlier, path in versions:
            if earlier < rank:
                replaced[path] = (latest, f"{_name(latest)!r} is a revision of it by its name")
    return replaced


def _exact_copies(paths: list[str], hashes: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    if len({hashes[path] for path in paths}) == len(paths):
        return {}
    first: dict[str, str] = {}
    copies: dict[str, tuple[str, str]] = {}
    for path in sorted(paths, key=lambda p: (revision_of(_name(p))[1], len(p), p)):
        original = first.setdefault(hashes[path], path)
        if original != path:
            copies[path] = (original, f"it is an exact copy of {_name(original)!r}")
    return copies


def _revisions(paths: list[str]) -> dict[str, tuple[str, str]]:
    """Earlier versions, where a name says that another file of the same period is a revision."""
    if not any(_REVISED.search(_name(path).rsplit(".", 1)[0]) for path in paths):
        return {}
    about = {path: (*revision_of(_name(path)), hint_from_name(_name(path))) for path in paths}
    # "spend.csv" and "spend (1).csv" may be of two months.
    untold = {path for path in paths if hint_from_path(path) == PeriodHint()}
    replaced: dict[str, tuple[str, str]] = {}
    for path, (words, rank, hint) in about.items():
        later = [
            (other_rank, other)
            for other, (other_words, other_rank, other_hint) in about.items()
            if other_rank > rank
            and (words == other_words or (hint.span is not None and hint.span == other_hint.span))
            and (words <= other_words or other_words <= words)
            and not (path in untold and other in untold and not _says_revised(other, path))
        ]
        if later:
            latest = max(later)[1]
            replaced[path] = (latest, f"{_name(latest)!r} is a revision of it by its name")
    return replaced


def _says_revised(path: str, earlier: str) -> bool:
    """Whether a word in a file's name says that it is a revision, or in another's that it is a draft."""
    words = [found[0] for found in _REVISED.finditer(_name(path).rsplit(".", 1)[0])]
    drafted = revision_of(_name(earlier))[1] < 0
    return drafted or any(not _OF_ANY_NAME.fullmatch(word) for word in words)


def _name(path: str) -> str:
    return path.rsplit("/", 1)[-1]
