"""Which raw files there are, cheaply, and whether the last refresh has read them.

Belongs here: what a watcher needs to know without hashing a tree. Does not belong here: the list a
run works from (``ingest.files``), which is hashed, and the watcher (``defs.sensors``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.ingest.files import IGNORED_FOLDERS, IGNORED_NAMES
from pipeline.refresh.inbox import inbox_files
from pipeline.settings import Settings
from pipeline.store import TableStore


@dataclass(frozen=True)
class SeenFile:
    """A raw file as a glance shows it.

    Attributes:
        path: below the raw folder, with forward slashes.
        bytes: size.
        modified: time of the last change of content, in nanoseconds.
        touched: time of the last change of anything, a move included, in nanoseconds.
    """

    path: str
    bytes: int
    modified: int
    touched: int


def raw_files_seen(raw: Path) -> list[SeenFile]:
    """Data files below the raw folder and its inbox, by path, not opened.

    Args:
        raw: the raw tree; it need not exist.
    """
    if not raw.is_dir():
        return []
    seen: list[SeenFile] = []
    for path in sorted({*_filed(raw), *inbox_files(raw)}):
        try:
            stat = path.lstat()
        except FileNotFoundError:  # moved while we looked; the next glance shows where to
            continue
        relative = path.relative_to(raw).as_posix()
        touched = max(stat.st_mtime_ns, stat.st_ctime_ns)
        seen.append(SeenFile(relative, stat.st_size, stat.st_mtime_ns, touched))
    return seen


def _filed(raw: Path) -> list[Path]:
    return [
        path
        for path in raw.rglob("*")
        if len(parts := path.relative_to(raw).parts) > 1
        and path.is_file()
        and not any(part.startswith(".") for part in parts)
        and parts[0] not in IGNORED_FOLDERS
        and path.name.lower() not in IGNORED_NAMES
        and not path.name.startswith("~$")
    ]


def was_read(settings: Settings, files: list[SeenFile]) -> bool:
    """Whether the last refresh below ``settings.out`` read exactly these files as they are now.

    True only when ``meta.source_file`` lists the same paths and sizes and was written after every
    file was last touched.
    """
    store = TableStore(settings.tables)
    written = store.files("meta.source_file")
    if not written:
        return False
    read = store.read("meta.source_file").select("path", "bytes")
    if {(f.path, f.bytes) for f in files} != set(read.iter_rows()):
        return False
    return all(f.touched <= written[0].stat().st_mtime_ns for f in files)
