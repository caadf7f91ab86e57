"""What was downloaded when, from where, with which checksum: one line of JSON an event.

Belongs here: appending to and reading ``data/raw/.fetch/ledger.jsonl``.
Does not belong here: deciding anything from it; the files themselves are the truth, and the ledger
only saves asking for what is already here.

Crash-safe by shape: lines are appended in one write and flushed to disk, and a last line cut short
by a crash is ignored when reading.
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

FOLDER = ".fetch"


@dataclass(frozen=True)
class LedgerEntry:
    """One event: a file stored or found unchanged, or a landing page read.

    For a page, ``links`` holds the paths found on it and ``months`` their months.
    """

    at: str
    event: str
    source_id: str
    path: str
    address: str
    stored_as: str | None = None
    sha256: str | None = None
    bytes: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    links: tuple[str, ...] = ()
    months: tuple[str, ...] = ()


class Ledger:
    """The ledger of one raw tree."""

    def __init__(self, raw_dir: Path) -> None:
        self.path = raw_dir / FOLDER / "ledger.jsonl"
        self._lock = threading.Lock()
        self._latest: dict[tuple[str, str, str], LedgerEntry] = {}
        for entry in self._read():
            self._latest[entry.event, entry.source_id, entry.path] = entry

    def _read(self) -> list[LedgerEntry]:
        if not self.path.exists():
            return []
        entries: list[LedgerEntry] = []
        for line in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                record = json.loads(line)
                record["links"] = tuple(record.get("links", ()))
                record["months"] = tuple(record.get("months", ()))
                entries.append(LedgerEntry(**record))
            except (ValueError, TypeError, AttributeError):
                continue  # cut short by a crash, or written by a later version
        return entries

    def latest(self, event: str, source_id: str, path: str) -> LedgerEntry | None:
        """The last entry of this kind about this path; None when there is none."""
        return self._latest.get((event, source_id, path))

    def address_of(self, source_id: str, path: str) -> str | None:
        """The address this file came from last."""
        entry = self.latest("file", source_id, path)
        return entry.address if entry else None

    def add(self, entry: LedgerEntry) -> None:
        """Append one entry and make sure it is on disk."""
        line = json.dumps({key: value for key, value in asdict(entry).items() if value}) + "\n"
        with self._lock:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a+b") as file:
                file.seek(0, os.SEEK_END)
                if file.tell():
                    file.seek(-1, os.SEEK_END)
                    if file.read(1) != b"\n":
                        line = "\n" + line  # the last run was cut short here
                file.write(line.encode())
                file.flush()
                os.fsync(file.fileno())
            self._latest[entry.event, entry.source_id, entry.path] = entry
