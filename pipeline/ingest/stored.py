"""Raw files for workers that do not see the raw folder: their bytes, kept by content beside the tables.

Belongs here: bringing them there and reading them from there. Does not belong here: which files are
needed, and by whom (``refresh``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace

from pipeline.ingest.files import RawFile
from pipeline.ingest.payments.portions import Portion
from pipeline.store.location import location


@dataclass(frozen=True)
class StoredFile(RawFile):
    """A raw file whose bytes lie at a location under their hash.

    Attributes:
        where: the location's URL.
    """

    where: str = ""

    def read_bytes(self) -> bytes:
        """The content, as it was when it was hashed.

        Raises:
            OSError: when the store gives other bytes.
        """
        content = location(self.where).read(self.sha256)
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise OSError(f"{self.where}/{self.sha256} is not the content of {self.path}")
        return content


def stored_portions(portions: Sequence[Portion], where: str, threads: int) -> list[Portion]:
    """Bring the files of some portions to a location; what is there already is left alone.

    Args:
        portions: whose files.
        where: URL of the location.
        threads: files brought at the same time.

    Returns:
        The portions with files that are read from there.
    """
    place = location(where)
    there = set(place.names())
    missing = {f.sha256: f for p in portions for f in p.files if f.sha256 not in there}
    with ThreadPoolExecutor(max(1, threads)) as pool:
        list(pool.map(lambda f: place.write(f.sha256, f.read_bytes()), missing.values()))
    return [replace(p, files=tuple(_stored(f, where) for f in p.files)) for p in portions]


def _stored(file: RawFile, where: str) -> StoredFile:
    return StoredFile(**{f.name: getattr(file, f.name) for f in fields(RawFile)}, where=where)


def forget_stored(portions: Sequence[Portion], where: str) -> None:
    """Remove contents that no file has any more."""
    place = location(where)
    kept = {f.sha256 for p in portions for f in p.files}
    for name in place.names():
        if name not in kept:
            place.remove(name)
