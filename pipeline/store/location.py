"""Where the working store lies: a folder now, anything that can hold named bytes later.

Belongs here: reading, writing, listing and removing named bytes, so that each write is seen whole or
not at all. Does not belong here: what the bytes mean.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from pipeline.store.tables import write_bytes


class Location(Protocol):
    """A place that holds bytes under names such as ``spend/abc.parquet``."""

    def read(self, name: str) -> bytes:
        """The bytes under a name.

        Raises:
            FileNotFoundError: when there is nothing under it.
        """
        ...

    def write(self, name: str, content: bytes) -> None:
        """Put bytes under a name; whoever reads meets the old ones or the new ones, whole."""
        ...

    def names(self) -> list[str]:
        """All names, sorted."""
        ...

    def remove(self, name: str) -> None:
        """Forget a name; nothing happens when it is not there."""
        ...


class Folder:
    """A location on a disk that this machine mounts.

    Args:
        root: the folder; it is made by the first write.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, name: str) -> bytes:
        """The bytes under a name; FileNotFoundError when there is nothing."""
        return (self.root / name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        """Put bytes under a name with one rename."""
        write_bytes(self.root / name, content)

    def names(self) -> list[str]:
        """All names, sorted; unfinished writes are left out."""
        return sorted(
            path.relative_to(self.root).as_posix()
            for path in self.root.rglob("*")
            if path.is_file() and not path.name.startswith(".")
        )

    def remove(self, name: str) -> None:
        """Forget a name."""
        (self.root / name).unlink(missing_ok=True)
