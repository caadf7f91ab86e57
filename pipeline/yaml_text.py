"""Reading YAML: with libyaml where it is there, because the reviewed data files are read at every start.

PyYAML's own parser takes eight times as long; the 58 files of the package cost it 0.8 seconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

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
    return parse_yaml(path.read_text(encoding="utf-8"))
