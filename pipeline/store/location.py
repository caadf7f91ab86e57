"""Where the working store lies: a folder now, anything that can hold named bytes later.

Belongs here: reading, writing, listing and removing named bytes, so that each write is seen whole or
not at all. Does not belong here: what the bytes mean.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Protocol

from pipeline.store.tables import write_bytes


class LocationError(RuntimeError):
    """A location cannot be used; the message says why and what to do."""


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


class Remote:
    """A location behind a URL that fsspec knows: ``s3://bucket/folder``, ``file:///mnt/shared``.

    Args:
        url: where; credentials come from the environment, as its library reads them.
    """

    def __init__(self, url: str) -> None:
        try:
            import fsspec
        except ImportError as error:  # pragma: no cover - the extra is part of the test environment
            raise LocationError(
                f"{url} needs the libraries of the extra: pip install 'fivepercent[cluster]'"
            ) from error
        try:
            # No listing is kept: other processes write here at the same time.
            self._files, root = fsspec.core.url_to_fs(url, use_listings_cache=False)
        except (ValueError, ImportError) as error:
            raise LocationError(f"{url} cannot be used: {error}") from error
        self.root = str(root).rstrip("/")

    def _at(self, name: str) -> str:
        return f"{self.root}/{name}"

    def read(self, name: str) -> bytes:
        """The bytes under a name; FileNotFoundError when there is nothing."""
        return self._files.cat_file(self._at(name))

    def write(self, name: str, content: bytes) -> None:
        """Put bytes under a name; stores of objects show them when they are complete."""
        path = self._at(name)
        if "file" in self._protocols:
            write_bytes(Path(path), content)
            return
        self._files.pipe_file(path, content)

    def names(self) -> list[str]:
        """All names, sorted."""
        found = self._files.find(self.root)
        start = len(self.root) + 1
        return sorted(n[start:] for n in found if not n.rsplit("/", 1)[-1].startswith("."))

    def remove(self, name: str) -> None:
        """Forget a name."""
        with suppress(FileNotFoundError):
            self._files.rm_file(self._at(name))

    @property
    def _protocols(self) -> tuple[str, ...]:
        told = self._files.protocol
        return (told,) if isinstance(told, str) else tuple(told)


def location(where: str) -> Location:
    """The location at a URL, or in a folder of this machine when it is none.

    Raises:
        LocationError: when the URL names a store that is not known or not installed.
    """
    return Remote(where) if "://" in where else Folder(Path(where))
