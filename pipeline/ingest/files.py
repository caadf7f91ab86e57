"""Which raw files there are: path, source, content hash, and which version of a file is the latest.

A later version of a file stands beside the first as ``<stem>~<UTC time>.<ext>``. Files that are no
data (README, markers, hidden files, ledgers of the downloader) are not listed. What replaces what
among the spend files of one publisher is decided in ``republished``.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from pipeline.ingest.republished import find_republished
from pipeline.plain_text import written_out

#: Files hashed at the same time, and those a thread hashes before it asks for more: handing over a
#: single one takes it as long as a third of its hash.
HASHED_AT_ONCE = 2
HASHED_IN_A_ROW = 16
SPEND = "spend_over_25k/"
IGNORED_NAMES = {"readme.md", "readme.txt", "demonstration", ".gitkeep", "thumbs.db", ".ds_store"}
IGNORED_FOLDERS = {".fetch", "inbox"}
_VERSION = re.compile(r"^(?P<stem>.*)~(?P<when>\d{8}T\d{6}Z)(?P<ext>\.[^.]*)?$")


@dataclass(frozen=True)
class RawFile:
    """One file below the raw folder.

    Attributes:
        path: relative path with forward slashes.
        absolute: where it lies.
        source_id: first folder of the path.
        folder: second folder of the path, or empty.
        sha256: hash of the content.
        bytes: size.
        superseded_by: path of the latest version, when this is an earlier one.
        superseded_reason: why, as a sentence.
    """

    path: str
    absolute: Path
    source_id: str
    folder: str
    sha256: str
    bytes: int
    superseded_by: str | None = None
    superseded_reason: str | None = None

    def read_bytes(self) -> bytes:
        """The content."""
        return self.absolute.read_bytes()

    @property
    def name(self) -> str:
        """File name without a version mark."""
        name = self.path.rsplit("/", 1)[-1]
        found = _VERSION.match(name)
        return f"{found['stem']}{found['ext'] or ''}" if found else name


def _hash(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _latest_versions(paths: list[str]) -> dict[str, str]:
    """Earlier version -> latest version, for paths that stand beside later ones."""
    families: dict[str, list[tuple[str, str]]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        found = _VERSION.match(name)
        base = f"{found['stem']}{found['ext'] or ''}" if found else name
        families.setdefault(f"{folder}/{base}", []).append((found["when"] if found else "", path))
    superseded: dict[str, str] = {}
    for versions in families.values():
        versions.sort()
        for _, path in versions[:-1]:
            superseded[path] = versions[-1][1]
    return superseded


def path_text(relative: Path) -> str:
    r"""A relative path as text that can be stored and shown.

    Bytes that are not UTF-8 are read as cp1252. Signs that steer a terminal, or turn or hide text, are
    written out (``\x1b``), because they would do so wherever the name is shown.
    """
    text = relative.as_posix()
    try:
        text.encode()
    except UnicodeEncodeError:
        text = os.fsencode(text).decode("cp1252", errors="replace")
    return written_out(text)


def path_texts(relative: Iterable[Path]) -> dict[Path, str]:
    """Text of each path; where two read the same, the later ones get a number.

    Args:
        relative: paths in their order.
    """
    texts: dict[Path, str] = {}
    taken: set[str] = set()
    for path in relative:
        text, number = path_text(path), 1
        while text in taken:
            number += 1
            stem, dot, ending = path_text(path).rpartition(".")
            text = f"{stem} ({number}){dot}{ending}" if dot else f"{ending} ({number})"
        taken.add(text)
        texts[path] = text
    return texts


def _below(raw: Path) -> list[Path]:
    """Everything below the raw folder, sorted, without what is hidden, the inbox and what lies behind links.

    Raises:
        OSError: when a folder may not be looked into; what lies in it would vanish from all figures
            without a word.
    """

    def told(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):  # removed while we looked
            raise error

    found: list[Path] = []
    for folder, folders, names in os.walk(raw, onerror=told, followlinks=False):
        at_top = Path(folder) == raw
        folders[:] = [
            f for f in folders if not (f.startswith(".") or (at_top and f in IGNORED_FOLDERS))
        ]
        found += [Path(folder, name) for name in (*folders, *names) if not name.startswith(".")]
    return sorted(found)


def raw_paths(raw: Path) -> Iterator[Path]:
    """Relative paths of the data files below the raw folder, sorted; nothing is opened.

    Symbolic links that lead out of the raw folder are left out, because files are untrusted.

    Args:
        raw: the raw tree, laid out ``<source id>/...``.

    Raises:
        OSError: when a folder may not be looked into.
    """
    root = raw.resolve()
    for path in _below(raw):
        relative = path.relative_to(raw)
        parts = relative.parts
        if not path.is_file() or len(parts) < 2:
            continue
        if parts[-1].lower() in IGNORED_NAMES or parts[-1].startswith("~$"):
            continue
        if path.is_symlink() and not path.resolve().is_relative_to(root):
            continue
        yield relative


def links_not_followed(raw: Path) -> dict[str, str]:
    """Links below the raw folder that are not read: path -> why, as a sentence.

    Args:
        raw: the raw tree.

    Raises:
        OSError: when a folder may not be looked into.
    """
    root = raw.resolve()
    found: dict[str, str] = {}
    for path in _below(raw):
        if not path.is_symlink():
            continue
        if path.is_dir():
            why = "it is a link to a folder"
        elif not path.exists():
            why = "it is a link to a file that is not there"
        elif not path.resolve().is_relative_to(root):
            why = "it is a link that leads out of the folder of raw files"
        else:
            continue
        found[path_text(path.relative_to(raw))] = (
            f"{why}, and such links are not followed; put the file itself here"
        )
    return found


def list_raw_files(raw: Path) -> list[RawFile]:
    """Every data file below the raw folder, sorted by path, hashed.

    Args:
        raw: the raw tree, laid out ``<source id>/...``.
    """
    texts = path_texts(raw_paths(raw))
    paths = [raw / p for p in texts]
    rows = [paths[i : i + HASHED_IN_A_ROW] for i in range(0, len(paths), HASHED_IN_A_ROW)]
    with ThreadPoolExecutor(HASHED_AT_ONCE) as pool:  # hashing leaves Python's lock alone
        hashed = chain.from_iterable(pool.map(lambda row: [_hash(path) for path in row], rows))
        hashes = dict(zip(texts.values(), hashed, strict=True))
    superseded = {
        path: (latest, "a later version of the file was fetched")
        for path, latest in _latest_versions(list(hashes)).items()
    }
    spend = {p: h for p, h in hashes.items() if p.startswith(SPEND) and p not in superseded}
    superseded |= find_republished(spend)
    return [
        RawFile(
            path=text,
            absolute=raw / relative,
            source_id=text.split("/")[0],
            folder=text.split("/")[1] if len(relative.parts) > 2 else "",
            sha256=hashes[text],
            bytes=(raw / relative).stat().st_size,
            superseded_by=_last(text, superseded),
            superseded_reason=superseded.get(text, (None, None))[1],
        )
        for relative, text in texts.items()
    ]


def _last(path: str, superseded: dict[str, tuple[str, str]]) -> str | None:
    """The file that counts in the end: what replaced a file may have been replaced itself."""
    seen: str | None = None
    while path in superseded:
        seen = path = superseded[path][0]
    return seen
