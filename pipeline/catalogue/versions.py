"""How versions of a raw file are named, and which one counts.

Belongs here: the naming rule alone, shared by the downloader (which writes versions) and the
readers (which take the latest).
Does not belong here: deciding whether a download is a new version (``pipeline.fetch``).

The first version of ``spend.csv`` keeps its name. A later, different one lies beside it as
``spend~20260401T093000Z.csv``. Nothing is overwritten and nothing is deleted.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from pathlib import Path

_VERSION = re.compile(r"^(?P<stem>.+)~(?P<stamp>\d{8}T\d{6}Z)$")


def split_version(path: Path) -> tuple[Path, str]:
    """The path without its version mark, and the mark ('' for the first version)."""
    found = _VERSION.match(path.stem)
    if found is None:
        return path, ""
    return path.with_name(found["stem"] + path.suffix), found["stamp"]


def base_path(path: Path) -> Path:
    """The path of the first version of this file."""
    return split_version(path)[0]


def version_path(path: Path, when: dt.datetime) -> Path:
    """Where a version fetched at ``when`` (timezone-aware) lies."""
    base = base_path(path)
    stamp = when.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ")
    return base.with_name(f"{base.stem}~{stamp}{base.suffix}")


def versions_of(path: Path) -> list[Path]:
    """Every version on disk of the file at ``path``, oldest first."""
    base = base_path(path)
    if not base.parent.is_dir():
        return []
    found = [
        one for one in base.parent.iterdir() if one.is_file() and base_path(one).name == base.name
    ]
    return sorted(found, key=lambda one: split_version(one)[1])


def latest_versions(paths: Iterable[Path]) -> list[Path]:
    """Of these files, the latest version of each, in order of path."""
    latest: dict[Path, tuple[str, Path]] = {}
    for path in paths:
        base, stamp = split_version(path)
        if base not in latest or stamp > latest[base][0]:
            latest[base] = (stamp, path)
    return sorted(path for _, path in latest.values())
