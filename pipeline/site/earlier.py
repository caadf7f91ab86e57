"""What the site before can give: pages whose data did not change are taken from it as they are.

Belongs here: fingerprints of what a page is made of, the list of them that travels with a site, and
taking a file over. Does not belong here: what a page says.

A page that is taken over still names the build in which it last changed; that is what its foot says.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.site.parts import row_texts

HERE = Path(__file__).parent
LIST = "assets/pages.json"
#: Words that change with every build and say nothing about the data. They begin with the letter itself, not
#: with the place before it, because pages are searched ten times as fast then.
BUILT = re.compile(r"([Bb](?<=\b[Bb])uilt) \d{1,2} [A-Z][a-z]+ \d{4}")
STAMP = re.compile(r"<!--stamp-->.*?<!--/stamp-->", re.DOTALL)


@cache
def code_version() -> str:
    """A hash of everything that decides how data become a page: code, templates, styles, libraries."""
    said = hashlib.sha256()
    packages = (HERE, HERE.parent / "charts", HERE.parent / "measures", HERE.parent / "schema")
    for folder in packages:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix in {".py", ".html", ".js", ".css", ".yaml"}:
                said.update(path.relative_to(HERE.parent).as_posix().encode())
                said.update(path.read_bytes())
    for library in ("plotly", "jinja2"):
        said.update(version(library).encode())
    return said.hexdigest()


def without_stamp(text: str) -> str:
    """The text without the words that change with every build."""
    return BUILT.sub("", STAMP.sub("", text))


def fingerprint(*parts: Any) -> str:
    """A hash of the data a page is made of, and of the code that makes it.

    Args:
        parts: Frames, text, numbers, and dictionaries, lists or tuples of them.
    """
    said = hashlib.sha256(code_version().encode())
    for part in parts:
        said.update(_written(part).encode())
        said.update(b"\0")
    return said.hexdigest()


def _written(value: Any) -> str:
    """One value as text: the same value gives the same text."""
    if isinstance(value, pl.DataFrame):
        return "\n".join(row_texts(value))
    if isinstance(value, dict):
        return "".join(f"{k!r}:{_written(v)};" for k, v in value.items())
    if isinstance(value, list | tuple):
        return "".join(f"{_written(v)}," for v in value)
    return without_stamp(value) if isinstance(value, str) else repr(value)


def part_marks(name: str) -> tuple[str, str]:
    """The comments before and after a part of a page that can be taken over alone."""
    return f"<!--{name}-->", f"<!--/{name}-->"


@dataclass
class Earlier:
    """The site before, as far as its pages can be taken over.

    Attributes:
        folder: Its folder; None where there is none.
        known: Fingerprints of its pages by path.
        now: Fingerprints of the pages of the site being made.
    """

    folder: Path | None = None
    known: dict[str, str] = field(default_factory=dict)
    now: dict[str, str] = field(default_factory=dict)

    @classmethod
    def at(cls, folder: Path | None) -> Earlier:
        """What lies in ``folder``; nothing where it is no site or its list cannot be read."""
        try:
            known = json.loads((folder / LIST).read_text(encoding="utf-8")) if folder else None
        except (OSError, ValueError):
            known = None
        if not isinstance(known, dict):
            return cls()
        return cls(folder, {str(k): str(v) for k, v in known.items()})

    def take(
        self,
        page: str,
        key: str,
        target: Path,
        beside: str = "",
        parts: Mapping[str, str] | None = None,
    ) -> list[int] | None:
        """Take a page over, with the files in ``beside``, when its fingerprint is the same.

        Args:
            page: Path from the root of the site.
            key: Its fingerprint now; remembered for the next build.
            target: The root of the site being made.
            beside: Folder of files that belong to the page, from the root; empty for none.
            parts: Fingerprints of parts of it, by name; remembered too.

        Returns:
            Sizes of the files taken over, or None when the page must be made.
        """
        self.now[page] = key
        self.now |= {f"{page}#{name}": own for name, own in (parts or {}).items()}
        if self.folder is None or self.known.get(page) != key:
            return None
        if not (self.folder / page).is_file():
            return None
        files = [page, *(_files_in(self.folder, beside) if beside else ())]
        return [_taken(self.folder / name, target / name) for name in files]

    def part(self, page: str, name: str, target: Path, beside: str) -> tuple[str, list[int]] | None:
        """Take a part of a page over, with the files in ``beside``, when its fingerprint is the same.

        The page holds the part between two comments, :func:`part_marks`.

        Args:
            page: Path from the root of the site; :meth:`take` was asked for it, and told of its parts.
            name: Of the part.
            target: The root of the site being made.
            beside: Folder of files that belong to the part, from the root.

        Returns:
            The part as HTML and the sizes of these files, or None when it must be made.
        """
        listed = f"{page}#{name}"
        if self.folder is None or self.known.get(listed) != self.now[listed]:
            return None
        try:
            text = (self.folder / page).read_text(encoding="utf-8")
        except (OSError, ValueError):
            return None
        begin, end = part_marks(name)
        _, begun, rest = text.partition(begin)
        found, ended, _ = rest.partition(end)
        if not begun or not ended:
            return None
        files = _files_in(self.folder, beside)
        return found, [_taken(self.folder / own, target / own) for own in files]

    def list_text(self) -> str:
        """The fingerprints of the site being made, for the build after it."""
        return json.dumps(self.now, indent=0, sort_keys=True) + "\n"


def _files_in(root: Path, folder: str) -> list[str]:
    """Files in a folder, as paths from the root, by name; none where it is not there."""
    try:
        with os.scandir(root / folder) as found:
            return sorted(f"{folder}/{entry.name}" for entry in found if entry.is_file())
    except OSError:
        return []


def _taken(source: Path, target: Path) -> int:
    """One file at a new place, a second name for the same bytes where the file system can; its size."""
    if not target.parent.is_dir():
        target.parent.mkdir(parents=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
    return target.stat().st_size
