"""A hash of the code that runs: what was made by other code is made again."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import pipeline


@cache
def code_hash() -> str:
    """Hash of the package's text: code, SQL, rules, templates."""
    digest = hashlib.sha256()
    root = Path(pipeline.__file__).parent
    for path in sorted(p for p in root.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
