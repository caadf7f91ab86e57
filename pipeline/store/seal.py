"""What a finished build holds, so that damage done to it later is found, and what killed runs left.

Belongs here: the list of a build's files with their hashes, the comparison with the disk, and the
removal of unfinished files. Does not belong here: making or switching in a build (``publish``).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from pathlib import Path

from pipeline.store.tables import is_abandoned, write_bytes

SEAL = "seal.json"
#: Files hashed, and files forced to the disk, at the same time.
HASHED_AT_ONCE = 2
FORCED_AT_ONCE = 8
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


class Hashes:
    """Hashes of files of one run: a file that several ask for is read once, unless it was written since."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, ...], str] = {}
        self._lock = threading.Lock()

    def of(self, path: Path) -> str:
        """SHA-256 of a file's content, in hexadecimal.

        Raises:
            OSError: when it cannot be read.
        """
        with self._lock:  # two that ask for the same need not both work
            told = path.stat()
            file = (told.st_dev, told.st_ino, told.st_size, told.st_mtime_ns, told.st_ctime_ns)
            if file not in self._known:
                self._known[file] = file_hash(path)
            return self._known[file]


def _hashes(paths: Sequence[Path]) -> Iterator[str | OSError]:
    """The hash of every file, or why it cannot be read; some at the same time, in order."""

    def hashed(path: Path) -> str | OSError:
        try:
            return file_hash(path)
        except OSError as error:
            return error

    with ThreadPoolExecutor(HASHED_AT_ONCE) as pool:
        yield from pool.map(hashed, paths)


def _inside(folder: Path) -> tuple[list[str], list[str]]:
    """Files and folders below a folder, as paths from it with forward slashes, sorted."""
    files: list[str] = []
    folders: list[str] = []
    above = len(str(folder)) + 1
    for at, inner, names in os.walk(folder):
        within = f"{at[above:].replace(os.sep, '/')}/" if len(at) >= above else ""
        files += [f"{within}{name}" for name in names]
        folders += [f"{within}{name}" for name in inner]
    return sorted(files), sorted(folders)


def taken_over(folder: Path, earlier: Path) -> dict[str, str]:
    """Hashes of files of a build that are second names of files of an earlier one, as its seal gives them.

    Such a file need not be read again, because it is the one that was compared with its seal when this
    run looked for damage. What is done to it afterwards is found: the seal tells what it was. To read it
    again would seal the damage.

    Args:
        folder: the build, complete.
        earlier: a build that was found whole by :func:`damage` before files were taken from it.

    Returns:
        Hash by path from the folder; a file that was copied, or made anew, is not among them.
    """
    try:
        told: dict[str, str] = json.loads((earlier / SEAL).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    here, there = str(folder), str(earlier)
    return {n: sha256 for n, sha256 in told.items() if _is_one(f"{here}/{n}", f"{there}/{n}")}


def _is_one(path: str, other: str) -> bool:
    """Whether two paths are names of one file."""
    try:
        one = os.lstat(path)
        return one.st_nlink > 1 and os.path.samestat(one, os.lstat(other))
    except OSError:
        return False


def finish(folder: Path, part: Path, taken: Mapping[str, str] | None = None) -> dict[str, str]:
    """Hash and force what stands in a part of a build, while other parts are still being made.

    Args:
        folder: the build.
        part: a folder in it, into whose files nobody writes any more.
        taken: from :func:`taken_over`; these are not looked at.

    Returns:
        Hash by path from the build's folder, those taken over among them.

    Raises:
        OSError: when a file cannot be read, or the disk could not write it.
    """
    files, folders = _inside(part)
    within = part.relative_to(folder).as_posix()
    known = _told(folder, [f"{within}/{name}" for name in files], taken or {})
    force_all_to_disk(folder / name for name in known if name not in (taken or {}))
    force_all_to_disk([*(part / name for name in folders), part])
    return known


def _told(folder: Path, names: Iterable[str], known: Mapping[str, str]) -> dict[str, str]:
    """Hash of every file by path from the folder, in order; those that are known are not read."""
    told = {name: known.get(name, "") for name in names}
    left = [name for name, sha256 in told.items() if not sha256]
    for name, found in zip(left, _hashes([folder / name for name in left]), strict=True):
        if isinstance(found, OSError):
            raise found
        told[name] = found
    return told


def seal(folder: Path, known: Mapping[str, str] | None = None) -> None:
    """List every file of a build with its hash in ``seal.json``.

    Args:
        folder: the build, complete.
        known: hashes of files, by path from the folder, that were made since the files were closed.

    Raises:
        OSError: when a file cannot be read.
    """
    files, _ = _inside(folder)
    told = _told(folder, (name for name in files if name != SEAL), known or {})
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


def force_all_to_disk(paths: Iterable[Path]) -> None:
    """Force files or folders, several at a time, which takes the disk no longer than one.

    Raises:
        OSError: the disk could not write one.
    """
    with ThreadPoolExecutor(FORCED_AT_ONCE) as pool:
        list(pool.map(force_to_disk, paths))


def force_build_to_disk(folder: Path, there: Collection[str] = ()) -> None:
    """Force every file of a build and every folder of it, so that a power cut cannot hollow it out.

    Args:
        folder: the build, sealed and not yet switched in.
        there: files, as paths from the folder, that were forced since they were written, or are
            second names of files of a published build, which was forced before it was switched in.
            Their names are in the folders, which are forced.

    Raises:
        OSError: the disk could not write a file.
    """
    files, folders = _inside(folder)
    left = set(files).difference(there)
    force_all_to_disk(folder / name for name in files if name in left)
    force_all_to_disk([*(folder / name for name in folders), folder])


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
    for (name, sha256), now in zip(
        told.items(), _hashes([folder / name for name in told]), strict=True
    ):
        if isinstance(now, OSError):
            found.append(f"{name} cannot be read ({now.strerror})")
        elif now != sha256:
            found.append(f"{name} is not what was published")
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
        *(
            p
            for found in (
                (out / ".work").rglob(_UNFINISHED_FILES),
                (out / "builds").glob(_UNFINISHED_FILES),
            )
            for p in found
            if is_abandoned(p)
        ),
    ]
    for path in found:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(found)
