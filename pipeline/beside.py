"""What is kept beside Python's own compiled modules, and trusted as they are.

A file or folder of the package may have one thing kept of it, which names what it was made of. Where that
differs, or what is kept is damaged, nothing is found, and whoever asked makes it again. Only ``make env``
and the image keep things (``pipeline.compiled``); a refresh writes nothing here.

Belongs here: keeping and finding. Does not belong here: what is kept (``yaml_text``, ``classify.own_rules``).
"""

from __future__ import annotations

import hashlib
import pickle
import sys
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parent


def kept(path: Path, told: str) -> Any:
    """What is kept of a file or folder of the package, made of what ``told`` says; None when there is none."""
    if not path.is_relative_to(PACKAGE):  # what others may write is never unpickled
        return None
    try:
        made_of, seal, body = _place(path).read_bytes().split(b"\n", 2)
    except (OSError, ValueError):
        return None
    if made_of != told.encode() or seal != _hash(body):
        return None
    return pickle.loads(body)  # noqa: S301 - beside the compiled modules, and trusted as they are


def keep(path: Path, told: str, thing: object) -> None:
    """Keep something of a file or folder of the package.

    Args:
        path: the file or folder.
        told: what it was made of, in one line.
        thing: what can be pickled.
    """
    body = pickle.dumps(thing)
    place = _place(path)
    place.parent.mkdir(exist_ok=True)
    unfinished = place.with_suffix(".unfinished")
    unfinished.write_bytes(b"\n".join((told.encode(), _hash(body), body)))
    unfinished.replace(place)


def _place(path: Path) -> Path:
    return path.parent / "__pycache__" / f"{path.name}.{sys.implementation.cache_tag}.parsed"


def _hash(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
