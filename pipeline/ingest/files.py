"""Which raw files there are: path, source, content hash, and which version of a file is the latest.

A later version of a file stands beside the first as ``<stem>~<UTC time>.<ext>``. Files that are no
data (README, markers, hidden files, ledgers of the downloader) are not listed. What replaces what
among the spend files of one publisher is decided in ``republished``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from pathlib import Path

from pipeline.ingest.hashing import Hashed, hashed, stamp_of
from pipeline.ingest.payments.republished import find_republished, find_revised
from pipeline.plain_text import written_out

#: Files hashed at the same time, and those a thread hashes before it asks for more: handing over a
#: single one takes it as long as a third of its hash.
HASHED_AT_ONCE = 2
HASHED_IN_A_ROW = 16
SPEND = "spend_over_25k/"
IGNORED_NAMES = {"readme.md", "readme.txt", "demonstration", ".gitkeep", "thumbs.db", ".ds_store"}
#: The folder for files of unknown kind, beside those of the sources.
INBOX = "inbox"
IGNORED_FOLDERS = {".fetch", INBOX}
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


#: Where something lies below the raw folder, and what the system says of it without opening it.
_Found = tuple[tuple[str, ...], "os.DirEntry[str]"]


def _below(raw: Path) -> Iterator[_Found]:
    """Everything below the raw folder, without what is hidden, the inbox and what lies behind links.

    Raises:
        OSError: when a folder may not be looked into; what lies in it would vanish from all figures
            without a word.
    """
    waiting: list[tuple[str, tuple[str, ...]]] = [(str(raw), ())]
    while waiting:
        folder, above = waiting.pop()
        try:
            with os.scandir(folder) as listed:
                entries = list(listed)
        except FileNotFoundError:  # removed while we looked
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            is_folder = _is_folder(entry)
            if is_folder and not above and entry.name in IGNORED_FOLDERS:
                continue
            parts = (*above, entry.name)
            yield parts, entry
            if is_folder and not entry.is_symlink():
                waiting.append((entry.path, parts))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle
        return False


def _is_data(parts: tuple[str, ...], entry: os.DirEntry[str], root: Path) -> bool:
    """Whether something below the raw folder is a file to be read."""
    name = parts[-1]
    if len(parts) < 2 or name.lower() in IGNORED_NAMES or name.startswith("~$"):
        return False
    if not entry.is_symlink():
        return entry.is_file()
    path = Path(entry.path)
    return path.is_file() and path.resolve().is_relative_to(root)


def has_data(raw: Path) -> bool:
    """Whether there is a data file below the raw folder; looks no longer than until one is found.

    Raises:
        OSError: when a folder may not be looked into.
    """
    root = raw.resolve()
    return any(_is_data(parts, entry, root) for parts, entry in _below(raw))


def raw_paths(raw: Path) -> Iterator[Path]:
    """Relative paths of the data files below the raw folder, sorted; nothing is opened.

    Symbolic links that lead out of the raw folder are left out, because files are untrusted.

    Args:
        raw: the raw tree, laid out ``<source id>/...``.

    Raises:
        OSError: when a folder may not be looked into.
    """
    root = raw.resolve()
    for parts, entry in sorted(_below(raw), key=itemgetter(0)):
        if _is_data(parts, entry, root):
            yield Path(*parts)


def links_not_followed(raw: Path) -> dict[str, str]:
    """Links below the raw folder that are not read: path -> why, as a sentence.

    Args:
        raw: the raw tree.

    Raises:
        OSError: when a folder may not be looked into.
    """
    root = raw.resolve()
    found: dict[str, str] = {}
    for parts, entry in sorted(_below(raw), key=itemgetter(0)):
        if not entry.is_symlink():
            continue
        path = Path(entry.path)
        if path.is_dir():
            why = "it is a link to a folder"
        elif not path.exists():
            why = "it is a link to a file that is not there"
        elif not path.resolve().is_relative_to(root):
            why = "it is a link that leads out of the folder of raw files"
        else:
            continue
        found[path_text(Path(*parts))] = (
            f"{why}, and such links are not followed; put the file itself here"
        )
    return found


def list_raw_files(raw: Path, known: Callable[[], Mapping[str, Hashed]] = dict) -> list[RawFile]:
    """Every data file below the raw folder, sorted by path, hashed.

    Args:
        raw: the raw tree, laid out ``<source id>/...``.
        known: gives what was hashed a moment ago, by path; a file that was written since is hashed again.
    """
    texts = path_texts(raw_paths(raw))
    paths = [str(raw / p) for p in texts]
    before = known()

    def content(path: str) -> Hashed:
        found = before.get(path)
        return found if found and found.stamp == stamp_of(os.stat(path)) else hashed(path)  # noqa: PTH116

    rows = [paths[i : i + HASHED_IN_A_ROW] for i in range(0, len(paths), HASHED_IN_A_ROW)]
    with ThreadPoolExecutor(HASHED_AT_ONCE) as pool:  # hashing leaves Python's lock alone
        found = chain.from_iterable(pool.map(lambda row: [content(path) for path in row], rows))
        told = dict(zip(texts.values(), found, strict=True))
    hashes = {text: one.sha256 for text, one in told.items()}
    superseded = {
        path: (latest, "a later version of the file was fetched")
        for path, latest in _latest_versions(list(hashes)).items()
    }
    spend = {p: h for p, h in hashes.items() if p.startswith(SPEND) and p not in superseded}
    superseded |= find_republished(spend)
    superseded |= find_revised(p for p in hashes if not p.startswith(SPEND) and p not in superseded)
    return [
        RawFile(
            path=text,
            absolute=raw / relative,
            source_id=text.split("/")[0],
            folder=text.split("/")[1] if len(relative.parts) > 2 else "",
            sha256=hashes[text],
            bytes=told[text].bytes,
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
