"""Hashes of raw files, with what tells a file from one that was written since.

Belongs here: hashing files. Does not belong here: which of them are read (``files``). Nothing heavy is
imported, because a process hashes them while the one that refreshes still loads itself.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

#: A file as the system tells it from others and from itself before it was written again.
Stamp = tuple[int, ...]


class Hashed(NamedTuple):
    """A file that was read: its stamp when it was opened, the SHA-256 of its content, its size in bytes."""

    stamp: Stamp
    sha256: str
    bytes: int


def stamp_of(told: os.stat_result) -> Stamp:
    """The stamp of a file."""
    return (told.st_dev, told.st_ino, told.st_size, told.st_mtime_ns, told.st_ctime_ns)


def hashed(path: Path | str) -> Hashed:
    """Hash a file's content.

    Raises:
        OSError: when it cannot be read.
    """
    with open(path, "rb", buffering=0) as handle:  # noqa: PTH123 - a text is quicker than a path
        stamp = stamp_of(os.fstat(handle.fileno()))
        return Hashed(stamp, hashlib.file_digest(handle, "sha256").hexdigest(), handle.tell())


def hashed_below(folder: Path) -> dict[str, Hashed]:
    """Hash the files below a folder, by their paths.

    No link is followed, and what is hidden or cannot be read is left out: nobody asks for the one, and
    whoever asks for the other is told why.
    """
    found: dict[str, Hashed] = {}
    waiting = [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as listed:
                entries = list(listed)
        except OSError:
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
            elif entry.is_file(follow_symlinks=False):
                try:
                    found[entry.path] = hashed(entry.path)
                except OSError:
                    continue
    return found
