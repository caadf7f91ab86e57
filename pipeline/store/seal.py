"""What a finished build holds, so that damage done to it later is found, and what killed runs left.

Belongs here: the list of a build's files with their hashes, the comparison with the disk, and the
removal of unfinished files. Does not belong here: making or switching in a build (``publish``).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from contextlib import nullcontext, suppress
from pathlib import Path

from pipeline.store.tables import is_abandoned, write_bytes

SEAL = "seal.json"
#: Names under which something is written before it gets its own.
_UNFINISHED_BUILDS = "*.staging-*"
_UNFINISHED_LINKS = ".current-*"
_UNFINISHED_FILES = ".*.tmp"


def file_hash(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal.

    Raises:
        OSError: when it cannot be read.
    """
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def seal(folder: Path) -> None:
    """List every file of a build with its hash in ``seal.json``.

    Args:
        folder: the build, complete.
    """
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != SEAL)
    told = {path.relative_to(folder).as_posix(): file_hash(path) for path in files}
    write_bytes(folder / SEAL, json.dumps(told, indent=0).encode())


def force_to_disk(path: Path) -> None:
    """Have the disk hold a file, or the list of names in a folder, before going on.

    Folders of some file systems cannot be forced; then the system writes them when it does.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError) if path.is_dir() else nullcontext():
            os.fsync(handle)
    finally:
        os.close(handle)


def force_build_to_disk(folder: Path) -> None:
    """Force every file of a build and every folder of it, so that a power cut cannot hollow it out.

    Args:
        folder: the build, sealed and not yet switched in.

    Raises:
        OSError: the disk could not write a file.
    """
    inside = list(folder.rglob("*"))
    for path in (*(p for p in inside if p.is_file()), *(p for p in inside if p.is_dir()), folder):
        force_to_disk(path)


def damage(folder: Path) -> list[str]:
    """What is no longer as it was published, as sentences; empty when the build is whole.

    Args:
        folder: a published build.
    """
    try:
        told: dict[str, str] = json.loads((folder / SEAL).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return [f"{SEAL} is missing or cannot be read"]
    found: list[str] = []
    for name, sha256 in told.items():
        try:
            if file_hash(folder / name) != sha256:
                found.append(f"{name} is not what was published")
        except OSError as error:
            found.append(f"{name} cannot be read ({error.strerror})")
    found += [f"{path.name} was not published" for path in sorted(folder.glob("*.wal"))]
    return found


def remove_leftovers(out: Path) -> int:
    """Remove what runs that were killed left unfinished; call it with the lock held.

    Args:
        out: the output folder, with the working store below it.

    Returns:
        How many files, links and folders were removed.
    """
    found = [
        *(out / "builds").glob(_UNFINISHED_BUILDS),
        *out.glob(_UNFINISHED_LINKS),
        # A published database is only read, so a log of writes beside it is not ours.
        *(out / "builds").glob("*/*.duckdb.wal"),
        *(p for p in (out / ".work").rglob(_UNFINISHED_FILES) if is_abandoned(p)),
    ]
    for path in found:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(found)
