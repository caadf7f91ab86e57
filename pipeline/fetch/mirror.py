"""The same raw tree, on a local folder or a server the user names.

Belongs here: listing what a mirror holds for a source, and copying from a folder.
Does not belong here: checking and storing it (``run``), which is the same as for publishers.

A server needs no program of its own: a folder listing as web servers make it (``python -m
http.server``, nginx autoindex) is enough. Without a listing the files the catalogue names one by
one are still found.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote, urlsplit

from pipeline.catalogue.models import Source
from pipeline.catalogue.versions import base_path
from pipeline.fetch.answers import FetchFailedError, OutOfTimeError, Validators
from pipeline.fetch.links import read_links
from pipeline.fetch.plan import MAX_PAGE_BYTES, Target
from pipeline.fetch.policy import RefusedError
from pipeline.fetch.sniff import WrongContentError
from pipeline.fetch.transfer import Download, Transfer

MAX_FILES = 20_000
MAX_DEPTH = 3
MAX_LISTINGS = 2_000
_CHUNK = 1024 * 1024


def is_server(mirror: str | Path) -> bool:
    """Whether this names a server rather than a folder."""
    return isinstance(mirror, str) and mirror.lower().startswith(("http://", "https://"))


def _usable(path: str, source: Source) -> bool:
    """Whether a path from a mirror is harmless and of a format the source has."""
    parts = path.split("/")
    if any(part in ("", "..") or part.startswith(".") or "\\" in part for part in parts):
        return False
    if any(ord(character) < 32 for character in path):
        return False
    return PurePosixPath(path).suffix.lstrip(".").lower() in source.formats


def _target(source: Source, path: str, address: str) -> Target:
    base = base_path(Path(path)).as_posix()
    pinned = next((one for one in source.files if one.path == base and not one.fallback), None)
    # A pin is about the first version; a later version on a mirror is what its own name says.
    pin = pinned if pinned is not None and base == path else None
    return Target(
        source,
        base,
        address,
        sha256=pin.sha256 if pin else None,
        bytes=pin.bytes if pin else None,
        mirrored_as=path,
    )


@dataclass(frozen=True)
class FolderMirror:
    """A mirror that is a folder on this machine or a mounted share."""

    folder: Path

    def targets(self, source: Source) -> list[Target]:
        """Everything usable the folder holds for this source, in order of path.

        Links that lead out of the folder are left out.

        Raises:
            FetchFailedError: the folder holds more files than a raw tree can have, or a folder of it may not
                be looked into.
        """

        def told(error: OSError) -> None:
            if not isinstance(error, FileNotFoundError):  # a mirror need not have every source
                raise FetchFailedError(f"{error.filename}: {error.strerror}") from error

        root = self.folder.resolve()
        top = root / source.id
        found: list[str] = []
        for where, folders, names in os.walk(top, onerror=told, followlinks=False):
            folders[:] = sorted(one for one in folders if not one.startswith("."))
            for name in names:
                path = Path(where, name)
                inner = path.relative_to(top).as_posix()
                inside = path.resolve().is_relative_to(root) and path.is_file()
                if inside and _usable(inner, source):
                    found.append(inner)
            if len(found) > MAX_FILES:
                raise FetchFailedError(f"{top} holds more than {MAX_FILES:,} files")
        return [_target(source, path, str(top / path)) for path in sorted(found)]


def copy(
    target: Target, part: Path, max_bytes: int, advance: Callable[[int, int], None]
) -> Download:
    """Copy a file of a folder mirror, as if it were a download.

    Raises:
        FetchFailedError: it is too large or cannot be read.
    """
    try:
        with Path(target.address).open("rb") as file, part.open("wb") as out:
            total = os.fstat(file.fileno()).st_size
            if total > max_bytes:
                raise FetchFailedError(f"{total:,} bytes, at most {max_bytes:,} are taken")
            done = 0
            while chunk := file.read(_CHUNK):
                out.write(chunk)
                done += len(chunk)
                advance(done, total)
    except OSError as error:
        raise FetchFailedError(f"cannot be read: {error}") from error
    return Download(True, Validators(), target.address)


@dataclass(frozen=True)
class ServerMirror:
    """A mirror that is a web server showing the raw tree below an address."""

    address: str
    transfer: Transfer
    scratch: Path

    @property
    def base(self) -> str:
        """The address with exactly one slash at its end."""
        return self.address.rstrip("/") + "/"

    def targets(self, source: Source) -> list[Target]:
        """Everything usable the server lists for this source.

        Without a listing (404), the files the catalogue names; whether they are there is found
        out when they are asked for.

        Raises:
            FetchFailedError: the server cannot be reached.
        """
        top = f"{self.base}{source.id}/"
        found: dict[str, str] = {}
        queue = [(top, 0)]
        seen = {top}
        while queue:
            address, depth = queue.pop(0)
            for below in self._listing(address):
                if not below.startswith(address) or below in seen or len(seen) > MAX_LISTINGS:
                    continue
                inner = unquote(below.removeprefix(top))
                if below.endswith("/"):
                    if depth < MAX_DEPTH:
                        seen.add(below)
                        queue.append((below, depth + 1))
                elif _usable(inner, source) and len(found) < MAX_FILES:
                    found[inner] = below
        if not found:
            found = {file.path: f"{top}{quote(file.path)}" for file in source.files}
        return [_target(source, path, address) for path, address in sorted(found.items())]

    def _listing(self, address: str) -> list[str]:
        part = self.scratch / "listing.part"
        try:
            self.transfer.download(address, part, max_bytes=MAX_PAGE_BYTES)
            html = part.read_text(encoding="utf-8", errors="replace")
        except OutOfTimeError:
            raise
        except (FetchFailedError, RefusedError, WrongContentError):
            if urlsplit(address).hostname in self.transfer.unreachable:
                raise
            return []
        finally:
            part.unlink(missing_ok=True)
            part.with_suffix(".json").unlink(missing_ok=True)
        return [link.address.partition("?")[0] for link in read_links(html, address)]
