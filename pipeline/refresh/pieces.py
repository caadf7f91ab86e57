"""The file of a financial year in pieces: some organisations each, of which only those that changed are packed.

What was packed before is copied from the file as it was: one new month of one publisher packs the
piece that publisher is in. The bytes are those of a year that is packed from nothing.

Belongs here: what the pieces of a year are, and putting them together. Does not belong here: packing
them (``merging``), and which years there are (``assembled``).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from more_itertools import constrained_batches

import pipeline
from pipeline.ingest.payments.cache import text_hash
from pipeline.refresh.kept import Part
from pipeline.refresh.merging import Copies, merged_piece
from pipeline.refresh.portions import PAYMENT, Job, finishing_version
from pipeline.refresh.spread import Spread
from pipeline.store import TableStore
from pipeline.store.joined import Groups, UnlikeError
from pipeline.store.seal import file_hash

#: Rows of a piece, unless one organisation alone has more in a year: as many as a row group holds.
PIECE = 122_880


@dataclass(frozen=True)
class Piece:
    """Some organisations in one year.

    Attributes:
        codes: the organisations.
        parts: all parts that hold payments of theirs.
        copies: organisation -> lines that stand in a larger file too.
        stamp: what its bytes depend on.
    """

    codes: frozenset[str]
    parts: tuple[Part, ...]
    copies: Mapping[str, Copies]
    stamp: str


@dataclass(frozen=True)
class Year:
    """What is to be written of a year, and what is known of its file.

    Attributes:
        name: such as ``2020/21``.
        pieces: in the order of their organisations.
        known: piece's stamp -> where its row groups stand.
    """

    name: str
    pieces: tuple[Piece, ...]
    known: Mapping[str, Groups]

    @property
    def unpacked(self) -> list[Piece]:
        """The pieces that nobody has packed yet."""
        return [piece for piece in self.pieces if piece.stamp not in self.known]

    @property
    def rows(self) -> int:
        """Rows of all pieces."""
        return sum(
            part.rows.get(code, 0) for p in self.pieces for part in p.parts for code in p.codes
        )


@cache
def packer() -> str:
    """What packs a year: our own text, and the library that writes row groups."""
    own = Path(pipeline.__file__).parent
    names = ("refresh/merging.py", "refresh/pieces.py", "store/joined.py", "store/footer.py")
    return f"{text_hash(own / name for name in names)} pyarrow {version('pyarrow')}"


def stamp(parts: Iterable[Part], copies: Mapping[str, Copies], *more: object) -> str:
    """What rows made of some parts depend on."""
    codes = sorted({code for part in parts for code in part.rows} & copies.keys())
    own = json.dumps([[(code, copies[code]) for code in codes], *more])
    told = "\n".join([finishing_version(), own, *sorted(part.sha256 for part in parts)])
    return hashlib.sha256(told.encode()).hexdigest()


def in_pieces(sizes: Mapping[str, int]) -> Iterator[tuple[str, ...]]:
    """Organisations in their order, in groups of at most so many rows, at least one a group.

    Args:
        sizes: organisation -> rows.
    """
    return constrained_batches(sorted(sizes), PIECE, get_len=sizes.__getitem__, strict=False)


def year_of(
    name: str,
    parts: Sequence[Part],
    copies: Mapping[str, Copies],
    path: Path,
    note: Mapping[str, Any],
) -> Year:
    """What is to be done about a year.

    Args:
        name: such as ``2020/21``.
        parts: all its parts.
        copies: organisation -> lines that stand in a larger file too.
        path: its file, which is as the note says.
        note: from :func:`write_year`; empty when nothing is known of a file.
    """
    sizes: Counter[str] = Counter()
    for part in parts:
        sizes.update(part.rows)
    pieces = []
    for group in in_pieces(sizes):
        codes = frozenset(group)
        own = tuple(part for part in parts if not codes.isdisjoint(part.rows))
        told = {code: copies[code] for code in group if code in copies}
        pieces.append(Piece(codes, own, told, stamp(own, told, group, packer())))
    known, first = {}, 0
    for piece_stamp, count in note.get("pieces", ()):
        known[piece_stamp] = Groups(path, first, count)
        first += count
    return Year(name, tuple(pieces), known)


def write_years(
    job: Job, store: TableStore, years: Sequence[Year], spread: Spread
) -> Iterator[dict[str, Any]]:
    """Pack what nobody has packed, and write the files of some years.

    Args:
        job: where the parts are kept.
        store: whose table it is.
        years: the years.
        spread: who packs.

    Yields:
        For each year, when its file has its name: the hash of its bytes, and the stamp and number of row
        groups of each piece.

    Raises:
        DamagedError: when a kept part is not what was written.
        UnlikeError: when the file before does not fit to what was packed; it is gone then.
    """
    asked = [
        (store, year.name, piece.parts, piece.copies, piece.codes)
        for year in years
        for piece in year.unpacked
    ]
    with _nothing_left(store), closing(spread.each(job, merged_piece, asked)) as packed:
        yield from _written(store, years, packed)


@contextmanager
def _nothing_left(store: TableStore) -> Iterator[None]:
    """Remove, when the block fails, what was packed and asked for by nobody any more."""
    try:
        yield
    except BaseException:
        store.forget_unfinished(PAYMENT)
        raise


def _written(
    store: TableStore, years: Sequence[Year], packed: Iterator[Path]
) -> Iterator[dict[str, Any]]:
    for year in years:
        found = dict(year.known)
        made: list[Path] = []
        try:
            for piece in year.unpacked:
                made.append(next(packed))
                found[piece.stamp] = Groups(made[-1])
            parts = [found[piece.stamp] for piece in year.pieces]
            unfinished, counts = store.join_partition(PAYMENT, year.name, parts, year.rows)
        except UnlikeError:  # the next refresh packs it from nothing
            store.partition_path(PAYMENT, year.name).unlink(missing_ok=True)
            raise
        finally:
            for path in made:
                path.unlink(missing_ok=True)
        told = {
            "sha256": file_hash(unfinished),
            "pieces": [(p.stamp, n) for p, n in zip(year.pieces, counts, strict=True)],
        }
        os.replace(unfinished, store.partition_path(PAYMENT, year.name))
        yield told
