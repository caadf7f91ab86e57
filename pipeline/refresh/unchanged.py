"""Files of the working store that would come out the same again, left as they are.

Belongs here: a note of what some files were made of and of their hashes, and asking it. Does not belong
here: what they are made of (who makes them says so).

A file that was damaged, changed or removed since is not what the note says, so it is made again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from pathlib import Path

from pipeline.refresh.code import code_hash
from pipeline.refresh.context import Run
from pipeline.store.seal import file_hash
from pipeline.store.tables import write_bytes

FOLDER = "unchanged"
#: Libraries that decide what is read and how it is written.
LIBRARIES = ("polars", "fastexcel", "duckdb", "sqlglot")


@cache
def _versions() -> tuple[str, ...]:
    return tuple(version(library) for library in LIBRARIES)


def forget(run: Run) -> None:
    """Have everything made again the next time, because something made now is not as it must be."""
    shutil.rmtree(run.settings.work / FOLDER, ignore_errors=True)


class Note:
    """What some files of the working store were made of.

    Args:
        run: the run; a forced one makes everything again.
        name: of the note, unique.
        told: texts that, with the code and the libraries, decide what the files hold.
    """

    def __init__(self, run: Run, name: str, *told: str) -> None:
        self._work, self._force, self._hashes = run.settings.work, run.force, run.hashes
        self._path = run.settings.work / FOLDER / f"{name}.json"
        parts = [code_hash(), *_versions(), *told]
        self._key = hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def holds(self) -> bool:
        """Whether the files are here as they were made, of the same things."""
        if self._force:
            return False
        try:
            known = json.loads(self._path.read_text(encoding="utf-8"))
            return known["key"] == self._key and all(
                self._hashes.of(self._work / name) == sha256
                for name, sha256 in known["files"].items()
            )
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            return False

    def write(self, files: Iterable[Path]) -> None:
        """Note that these files were just made."""
        found = {path.relative_to(self._work).as_posix(): file_hash(path) for path in files}
        body = json.dumps({"key": self._key, "files": found}, indent=0)
        write_bytes(self._path, body.encode())
