"""The inbox: files of unknown kind below ``raw/inbox`` are known by content and filed under their source.

Belongs here: which files wait, in which order they are taken, and how the run is told. Does not
belong here: where one file goes and the move (``filing``).

Nothing is guessed and nothing is overwritten. What is not sure stays where it is, with the reason.
A folder of the inbox may help: ``inbox/RJ1/`` says whose spend files lie in it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from pipeline.ingest.files import IGNORED_NAMES, INBOX, path_texts
from pipeline.ingest.report import REJECTED_SCHEMA, FileReport
from pipeline.refresh.context import Run

if TYPE_CHECKING:
    from pipeline.refresh.filing import InboxOutcome, Opened

UNFINISHED = (".part", ".tmp", ".crdownload", ".download")
FRESH_SECONDS = 2.0
PAUSE_SECONDS = 0.3


def inbox_files(raw: Path) -> list[Path]:
    """The files of the inbox, sorted; hidden, unfinished and reading-matter files left out.

    Links are listed (so that they are reported) but folders behind links are not entered. Folders that
    may not be looked into are listed too.

    Args:
        raw: the raw tree.
    """
    root = raw / INBOX
    if root.is_symlink():
        return [root]
    return sorted(_walk(root))


def _walk(root: Path) -> Iterator[Path]:
    shut: list[Path] = []

    def told(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            shut.append(Path(error.filename))

    for folder, folders, names in os.walk(root, onerror=told, followlinks=False):
        folders[:] = [f for f in folders if not f.startswith(".")]
        for name in names:
            low = name.lower()
            if low.startswith((".", "~$")) or low.endswith(UNFINISHED) or low in IGNORED_NAMES:
                continue
            yield Path(folder) / name
        yield from (Path(folder) / f for f in folders if (Path(folder) / f).is_symlink())
    yield from shut


def sort_inbox(run: Run) -> list[InboxOutcome]:
    """File what can be filed; say about the rest why it stays.

    Call it with the refresh lock held and before the list of raw files is taken. The files that stay
    are kept as a part of ``meta.source_file`` (source ``inbox``, status ``set aside``).

    Args:
        run: the run; its list of raw files is forgotten when something was filed.

    Returns:
        One outcome a file, in order of path. The register files among them were filed first, so that
        payments dropped together with a register find their publisher.
    """
    found = inbox_files(run.settings.raw)
    outcomes: list[InboxOutcome] = []
    if found:
        from pipeline.refresh.filing import Sorter  # slow to import, and the inbox is mostly empty

        texts = path_texts(path.relative_to(run.settings.raw) for path in found)
        sorter = Sorter(run, _growing(found), texts)
        known = [(sorter.open(path), path) for path in found]
        for opened, _ in sorted(known, key=lambda pair: _turn(pair[0])):
            outcomes.append(sorter.file(opened))
    if any(not o.stays for o in outcomes):
        run.forget_files()
    outcomes.sort(key=lambda o: o.path)
    _keep_part(run, [o for o in outcomes if o.stays])
    return outcomes


def _turn(opened: Opened) -> int:
    kind = opened.found.source_id if opened.found else None
    return {"organisations": 0, "spend_over_25k": 2}.get(kind or "", 1)


def _growing(paths: list[Path]) -> set[Path]:
    """Files whose size changes while we look, so somebody is still writing them."""
    now = time.time()
    fresh = [path for path in paths if now - path.lstat().st_mtime < FRESH_SECONDS]
    if not fresh:
        return set()
    sizes = {path: path.lstat().st_size for path in fresh}
    time.sleep(PAUSE_SECONDS)
    return {p for p, size in sizes.items() if not p.exists() or p.lstat().st_size != size}


def _keep_part(run: Run, staying: list[InboxOutcome]) -> None:
    reports = [
        FileReport(o.path, o.sha256, o.bytes, INBOX, status="set aside", reason=o.reason)
        for o in staying
    ]
    run.write_part(INBOX, reports, pl.DataFrame(schema=REJECTED_SCHEMA))
