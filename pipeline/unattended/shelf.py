"""Where digests are kept: a folder each, the newest twelve, and what the next one compares with.

Layout below the out folder::

    digests/20261203T050000Z-published/digest.md, digest.html, digest.json
    digests/latest   -> the newest
    digests/.last/   what the last digest was about, small Parquet files

Belongs here: writing, finding and removing. Does not belong here: what a digest says.
"""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path

from pydantic import ValidationError

from pipeline.compare import Build, read_build
from pipeline.store.tables import write_bytes
from pipeline.unattended import words
from pipeline.unattended.digest import Digest

LATEST = "latest"


class Shelf:
    """The digests of one publication.

    Args:
        out: the folder of the publication.
        keep: how many digests are kept.
    """

    def __init__(self, out: Path, keep: int) -> None:
        self.root = out / "digests"
        self.keep = keep

    @property
    def folders(self) -> list[Path]:
        """Folders of digests, the oldest first; what a killed run left is none."""
        return sorted(p.parent for p in self.root.glob("*Z-*/digest.json") if not p.is_symlink())

    def last(self) -> Digest | None:
        """The last digest, or None; one that cannot be read counts as none."""
        for folder in reversed(self.folders):
            try:
                return Digest.model_validate_json((folder / "digest.json").read_bytes())
            except (OSError, ValidationError):
                continue
        return None

    def last_build(self) -> Build | None:
        """The build that the last digest was about, or None."""
        try:
            return read_build(self.root / ".last")
        except Exception:  # damaged or of another version: the published build is compared instead
            return None

    def remember(self, build: Build) -> None:
        """Keep what the next digest compares with."""
        self.root.mkdir(parents=True, exist_ok=True)
        half = self.root / f".last-{uuid.uuid4().hex[:6]}"
        build.save(half)
        shutil.rmtree(self.root / ".last", ignore_errors=True)
        os.replace(half, self.root / ".last")

    def put(self, digest: Digest) -> Path:
        """Write a digest, make it the latest, and remove those that are too old.

        Returns:
            Its folder.
        """
        name = f"{digest.made_at:%Y%m%dT%H%M%S}Z-{digest.end}"
        folder = self.root / name
        number = 1
        while folder.exists():  # two within a second
            number += 1
            folder = self.root / f"{name}-{number}"
        write_bytes(folder / "digest.md", words.markdown(digest).encode())
        write_bytes(folder / "digest.html", words.html(digest).encode())
        # Written last: a folder without it is not a digest yet.
        write_bytes(folder / "digest.json", digest.model_dump_json(indent=1).encode())
        link = self.root / f".latest-{uuid.uuid4().hex[:6]}"
        link.symlink_to(folder.name, target_is_directory=True)
        os.replace(link, self.root / LATEST)
        self._prune(folder)
        return folder

    def _prune(self, newest: Path) -> None:
        for old in [p for p in self.folders if p != newest][: -self.keep + 1 or None]:
            shutil.rmtree(old, ignore_errors=True)
        for half in [*self.root.glob(".last-*"), *self.root.glob(".latest-*")]:
            shutil.rmtree(half) if half.is_dir() and not half.is_symlink() else half.unlink()
