"""Spend files in portions that can be worked on, kept and renewed on their own.

A portion is what one folder of a publisher holds for one financial year, as far as the names of the
files tell. Versions of a file lie in one portion, so which of them counts is decided inside it. What
needs the whole folder (how a publisher writes dates) or a whole organisation (files that share their
payments) is decided above. A batch is some portions that are worked on together: a group of
publishers in one financial year, bounded, because memory is.

Belongs here: which file is in which portion and batch. Does not belong here: reading them.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from pipeline.ingest.files import RawFile
from pipeline.ingest.tabular.periods import financial_year_of, hint_from_name

BATCH_FILES, BATCH_BYTES = 200, 64 << 20
#: Folders of one batch, so that a year of the country is spread over some tens of batches.
BATCH_FOLDERS = 16
#: Where there are more than so many batches they may be larger by so much: each has a fixed cost, and
#: there are still enough of them to keep several processes busy to the end.
MANY_BATCHES, LARGER = 6, 1.6
#: A batch with fewer files takes in the next year as well: each batch has a fixed cost.
FEW_FILES = 50
ANY_YEAR = "any year"


@dataclass(frozen=True)
class Portion:
    """Files that are kept and renewed together.

    Attributes:
        folder: their folder below the raw folder.
        year: the financial year their names give (``2020/21``), or :data:`ANY_YEAR`.
        part: place among the parts of a portion that would be too large, such as ``0 of 1``.
        files: in the order of their paths.
    """

    folder: str
    year: str
    part: str
    files: tuple[RawFile, ...]

    @property
    def id(self) -> str:
        """A name for files on disk; it stays when the portion's files change."""
        told = "\n".join((self.folder, self.year, self.part))
        return hashlib.sha256(told.encode()).hexdigest()[:20]

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return sum(f.bytes for f in self.files)


def folder_of(path: str) -> str:
    """The folder of a path."""
    return path.rpartition("/")[0]


def year_named(path: str) -> str:
    """The financial year that the name of a file gives, or :data:`ANY_YEAR`."""
    hint = hint_from_name(PurePosixPath(path).name)
    if hint.financial_year:
        return hint.financial_year
    span = hint.span
    if span is None or financial_year_of(span[0]) != financial_year_of(span[1]):
        return ANY_YEAR
    return financial_year_of(span[0])


def portions_of(files: Iterable[RawFile]) -> list[Portion]:
    """All spend files in portions, by folder and year.

    Args:
        files: the raw files of ``spend_over_25k``.
    """
    found: dict[tuple[str, str], list[RawFile]] = {}
    for file in files:
        latest = file.superseded_by or file.path
        found.setdefault((folder_of(file.path), year_named(latest)), []).append(file)
    portions = []
    for (folder, year), own in sorted(found.items()):
        for part, some in _parts(own):
            portions.append(Portion(folder, year, part, tuple(sorted(some, key=lambda f: f.path))))
    return portions


def _parts(files: list[RawFile]) -> list[tuple[str, list[RawFile]]]:
    """Split what is too large by a hash of the name, so that a new file moves no other.

    The number of parts doubles when it must; only then do files change their part.
    """
    parts = 1
    size = sum(f.bytes for f in files)
    while parts < len(files) and (len(files) > parts * BATCH_FILES or size > parts * BATCH_BYTES):
        parts *= 2
    found: dict[int, list[RawFile]] = {}
    for file in files:
        family = (file.superseded_by or file.path).encode()
        found.setdefault(zlib.crc32(family) % parts, []).append(file)
    return [(f"{number} of {parts}", some) for number, some in sorted(found.items())]


def batches_of(portions: Sequence[Portion]) -> list[list[Portion]]:
    """Portions in batches: a group of publishers and a financial year each, within bounds.

    Where that would be few files, a batch holds the next year, or the next publishers, as well.

    Args:
        portions: those to work on.
    """
    are_many = sum(len(p.files) for p in portions) > MANY_BATCHES * BATCH_FILES
    larger = LARGER if are_many else 1
    most_folders, most_files = int(BATCH_FOLDERS * larger), int(BATCH_FILES * larger)
    folders = {f: i // most_folders for i, f in enumerate(sorted({p.folder for p in portions}))}
    ordered = sorted(portions, key=lambda p: (folders[p.folder], p.year, p.folder, p.part))
    batches: list[list[Portion]] = []
    place, files, size = None, 0, 0
    for portion in ordered:
        here = (folders[portion.folder], portion.year)
        full = files + len(portion.files) > most_files or size + portion.bytes > BATCH_BYTES
        if full or (here != place and files >= FEW_FILES) or place is None:
            batches.append([])
            files, size = 0, 0
        place = here
        batches[-1].append(portion)
        files, size = files + len(portion.files), size + portion.bytes
    return batches
