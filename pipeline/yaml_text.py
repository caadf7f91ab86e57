"""Reading YAML: with libyaml where it is there, because the reviewed data files are read at every start.

PyYAML's own parser takes eight times as long; the 58 files of the package cost it 0.8 seconds, and three
processes of a refresh parse the same files. So `make env` keeps what the package's own files say beside
its compiled modules (``pipeline.compiled``). What is kept names the text it was made of: of
another text, by another parser or damaged it is not taken, and the text is parsed.
"""

from __future__ import annotations

import hashlib
import pickle
import sys
from pathlib import Path
from typing import Any

import yaml

PACKAGE = Path(__file__).parent
#: The same documents either way: the safe subset, no Python objects.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse_yaml(text: str) -> Any:
    """The document in ``text``; ``yaml.YAMLError`` when it is none."""
    try:
        return yaml.load(text, Loader=_LOADER)  # noqa: S506 - the safe loader, in C
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
        # A day that no calendar has, or "!!timestamp x": the loader's own slips.
        raise yaml.YAMLError(f"a value cannot be read ({error})") from error


def read_yaml(path: Path) -> Any:
    """The document of a UTF-8 file; ``yaml.YAMLError`` when it is none."""
    text = path.read_text(encoding="utf-8")
    if not path.is_relative_to(PACKAGE):  # what others may write is never unpickled
        return parse_yaml(text)
    try:
        told, seal, body = _kept(path).read_bytes().split(b"\n", 2)
    except (OSError, ValueError):
        return parse_yaml(text)
    if told != _told(text) or seal != _hash(body):
        return parse_yaml(text)
    return pickle.loads(body)  # noqa: S301 - beside the compiled modules, and trusted as they are


def keep_parsed() -> int:
    """Keep what the YAML files of the package say; returns how many there are."""
    paths = sorted(PACKAGE.rglob("*.yaml"))
    for path in paths:
        text = path.read_text(encoding="utf-8")
        body = pickle.dumps(parse_yaml(text))
        kept = _kept(path)
        kept.parent.mkdir(exist_ok=True)
        unfinished = kept.with_suffix(".unfinished")
        unfinished.write_bytes(b"\n".join((_told(text), _hash(body), body)))
        unfinished.replace(kept)
    return len(paths)


def _kept(path: Path) -> Path:
    return path.parent / "__pycache__" / f"{path.name}.{sys.implementation.cache_tag}.parsed"


def _told(text: str) -> bytes:
    return f"{yaml.__version__} {_hash(text.encode()).decode()}".encode()


def _hash(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
