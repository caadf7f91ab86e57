"""Small notes that are only believed when they are as they were written.

Belongs here: writing a note with a hash of itself before it, and reading it back. Does not belong here:
what a note says, or when it holds.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from pipeline.store.tables import write_bytes


def write_sealed(path: Path, told: dict[str, Any]) -> None:
    """Write a note.

    Args:
        path: where; the folder is made.
        told: names and anything JSON can hold.
    """
    body = json.dumps(told, ensure_ascii=False).encode()
    write_bytes(path, hashlib.sha256(body).hexdigest().encode() + b"\n" + body)


def read_sealed(path: Path) -> dict[str, Any]:
    """What a note says; nothing when there is none, or it is not what was written."""
    try:
        seal, _, body = path.read_bytes().partition(b"\n")
    except OSError:
        return {}
    return json.loads(body) if hashlib.sha256(body).hexdigest().encode() == seal else {}
