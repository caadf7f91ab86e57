"""Every spend file is read once per content: the typed rows of a portion in one file.

One file a portion, not one a spend file: fifteen thousand small files cost more to open than to
decode. It is two lines of JSON, the rows as Arrow writes them, and a seal. Where the payments that
were made of the rows hold the same (``borrowed``), their names stand in place of the rows; most
entries are written and never read. Inside, every spend file has a
key of its own, made of the content's hash, the path (its name is evidence for months), how the
publisher's other files write dates, the limits, and the text of the reader itself; so one changed
file is read again alone, and a changed reader reads all. An entry that cannot be opened, or does not
add up, or whose payments are gone or damaged, is thrown away and read again.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.ingest.payments.borrowed import lines_again
from pipeline.ingest.report import REJECTED_SCHEMA, FileReport
from pipeline.ingest.spend.reader import LINE_SCHEMA, SpendBatch, SpendInput
from pipeline.ingest.tabular import Limits
from pipeline.store.location import Folder, Location

_INGEST = Path(__file__).parents[1]


@cache
def reader_version() -> str:
    """Hash of the reader's own text: any change to it makes every entry stale."""
    paths = [*_INGEST.glob("tabular/*.*"), *_INGEST.glob("spend/*.py"), _INGEST / "report.py"]
    return text_hash(paths)


def text_hash(paths: Iterable[Path]) -> str:
    """Hash of some texts of the package and of the library that does the work."""
    digest = hashlib.sha256(pl.__version__.encode())
    for path in sorted(paths):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class Lender:
    """Payments that lines may be made of again.

    Attributes:
        version: hash of the texts that make payments of lines, rules apart; with another nothing
            is borrowed.
        payments: what was noted of payments -> their rows.
    """

    version: str
    payments: Callable[[Sequence[dict[str, Any]]], pl.DataFrame]


@dataclass
class Known(SpendBatch):
    """What is known of some files; ``is_borrowed`` when the lines were made of payments."""

    is_borrowed: bool = False


@dataclass(frozen=True)
class Unkept:
    """What reading gave of a portion, to be kept.

    Attributes:
        name: of the portion.
        head: all but the lines, as it is written.
        lines: in the order of the files.
        note: what is to be known beside payments that hold the same; None when that does not suffice.
    """

    name: str
    head: bytes
    lines: pl.DataFrame
    note: dict[str, Any] | None = None


class SpendCache:
    """Typed rows of portions, each below one name.

    Args:
        where: a location, or a folder of this machine.
        limits: what an untrusted file may cost; other limits may read a file otherwise.
        lender: payments that entries may borrow their lines from.
    """

    def __init__(
        self, where: Location | Path, limits: Limits | None = None, lender: Lender | None = None
    ) -> None:
        self.where: Location = Folder(where) if isinstance(where, Path) else where
        self._limits = repr(limits or Limits())
        self._lender = lender

    def get(self, name: str, items: Sequence[SpendInput]) -> Known:
        """What is known of some files of a portion: reports, lines and rejected rows.

        Args:
            name: of the portion.
            items: the files to look for.

        Returns:
            A batch with a report for each file that was found; the others are to be read.
        """
        try:
            found = self._open(self.where.read(_named(name)))
        except FileNotFoundError:
            return _nothing()
        except Exception:  # whatever is wrong with it, the raw files are the truth
            self.where.remove(_named(name))
            return _nothing()
        keys, batch = found
        good = [item.path for item in items if keys.get(item.path) == self._key(item)]
        if len(good) == len(keys):
            return batch
        of_these = pl.col("source_file").is_in(good)
        return Known(
            batch.lines.filter(of_these),
            batch.rejected.filter(of_these),
            {path: batch.reports[path] for path in good},
            batch.is_borrowed,
        )

    def put(self, name: str, items: Sequence[SpendInput], batch: SpendBatch) -> None:
        """Keep what reading gave, in place of what was kept of this portion.

        Args:
            name: of the portion.
            items: all its files.
            batch: what reading them gave; lines in the order of the items.
        """
        self.keep(self.unkept(name, items, batch))

    def unkept(
        self,
        name: str,
        items: Sequence[SpendInput],
        batch: SpendBatch,
        note: dict[str, Any] | None = None,
    ) -> Unkept:
        """What :meth:`put` would keep; the reports may be changed afterwards.

        Args:
            name: of the portion.
            items: all its files.
            batch: what reading them gave; lines in the order of the items.
            note: from :func:`pipeline.ingest.payments.borrowed.notes_of`.
        """
        told = {
            "keys": {item.path: self._key(item) for item in items},
            "rejected": batch.rejected.rows(),
            "reports": [batch.reports[item.path].as_kept() for item in items],
        }
        return Unkept(name, json.dumps(told).encode(), batch.lines, note)

    def keep(self, entry: Unkept, payments: Sequence[dict[str, Any]] | None = None) -> None:
        """Keep an entry, in place of what was kept of its portion.

        Args:
            entry: the entry.
            payments: what to note of the payments that were made of all its lines, without a
                change; None when there are none.
        """
        note = None
        if payments is not None and self._lender is not None and entry.note is not None:
            note = entry.note | {"payments": list(payments), "version": self._lender.version}
        buffer = io.BytesIO()
        buffer.write(entry.head + b"\n" + json.dumps(note).encode() + b"\n")
        if note is None:
            entry.lines.write_ipc(buffer, compression="lz4")
        seal = hashlib.sha256(buffer.getbuffer()).hexdigest().encode()
        buffer.write(seal)
        self.where.write(_named(entry.name), buffer.getvalue())

    def prune(self, names: Iterable[str]) -> int:
        """Remove portions that are no longer there; returns how many."""
        keep = {_named(name) for name in names}
        stale = [name for name in self.where.names() if name not in keep]
        for name in stale:
            self.where.remove(name)
        return len(stale)

    def _key(self, item: SpendInput) -> str:
        told = (item.sha256, item.path, item.forced_order or "", self._limits, reader_version())
        return hashlib.sha256("\n".join(told).encode()).hexdigest()[:32]

    def _open(self, data: bytes) -> tuple[dict[str, str], Known]:
        body, seal = data[:-64], data[-64:]
        if hashlib.sha256(body).hexdigest().encode() != seal:
            raise ValueError("the seal does not fit")
        head, note, rows = body.split(b"\n", 2)
        told, borrowed = json.loads(head), json.loads(note)
        reports = [FileReport.from_json(report) for report in told["reports"]]
        rejected = pl.DataFrame(told["rejected"], schema=REJECTED_SCHEMA, orient="row")
        lines = self._borrowed(borrowed) if borrowed else pl.read_ipc(io.BytesIO(rows))
        if sum(r.rows_kept for r in reports) != lines.height or lines.schema != LINE_SCHEMA:
            raise ValueError("the entry does not add up")
        by_path = {report.path: report for report in reports}
        return told["keys"], Known(lines, rejected, by_path, is_borrowed=bool(borrowed))

    def _borrowed(self, note: dict[str, Any]) -> pl.DataFrame:
        if self._lender is None or self._lender.version != note["version"]:
            raise ValueError("its payments were made by another version of the product")
        return lines_again(self._lender.payments(note["payments"]), note)


def _named(name: str) -> str:
    return f"{name}.arrow"


def _nothing() -> Known:
    return Known(pl.DataFrame(schema=LINE_SCHEMA), pl.DataFrame(schema=REJECTED_SCHEMA), {})
