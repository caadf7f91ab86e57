"""Put a finished download into the raw tree without ever replacing a file.

Belongs here: the move into place and the choice of the version's name.
Does not belong here: what counts as a new version (``run``) or the naming rule (``catalogue``).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from pathlib import Path

from pipeline.catalogue.versions import version_path


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _move_without_replacing(temporary: Path, target: Path) -> bool:
    """Move within one file system; False when ``target`` exists."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        return False
    except OSError:
        # File systems without hard links (some network shares and USB sticks): reserve the name,
        # then replace our own empty reservation.
        try:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            return False
        try:
            temporary.replace(target)
        except OSError:
            target.unlink(missing_ok=True)
            raise
        return True
    temporary.unlink()
    return True


def keep(temporary: Path, target: Path, when: dt.datetime) -> Path:
    """Move a complete, checked file into the raw tree.

    Args:
        temporary: the file, on the same file system as ``target``.
        target: where it should lie; if a file is there, a version beside it is made instead.
        when: the moment the version's name carries.

    Returns:
        Where it lies now. No existing file is changed.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    place = target
    while not _move_without_replacing(temporary, place):
        place = version_path(target, when)
        when += dt.timedelta(seconds=1)
    return place
