"""A hash of the code that runs: what was made by other code is made again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pipeline


@cache
def code_hash() -> str:
    """Hash of the package's text: code, SQL, rules, templates."""
    digest = hashlib.sha256()
    for parts, path in sorted(_texts()):
        digest.update("/".join(parts).encode())
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - 400 files at every start
            digest.update(file.read())
    return digest.hexdigest()


def _texts() -> Iterator[tuple[tuple[str, ...], str]]:
    """Every file of the package but what Python compiled: its names from the package, and its path."""
    waiting: list[tuple[tuple[str, ...], str]] = [((), str(Path(pipeline.__file__).parent))]
    while waiting:
        above, folder = waiting.pop()
        with os.scandir(folder) as found:
            for entry in found:
                own = ((*above, entry.name), entry.path)
                if entry.is_file():
                    yield own
                elif entry.name != "__pycache__" and entry.is_dir():
                    waiting.append(own)
