"""A process that draws the site, beside the one that refreshes; where it starts ahead, it hashes raw files first.

Drawing is Python, of which one process does one piece at a time, and so is much of the rest of a
refresh. In a process of its own it takes the other core, and what it needs is loaded while files are
read. What tells of the checks is drawn when they have answered, as it is where no process draws beside.

Belongs here: what is drawn of a build, starting that process and asking it. Does not belong here: what a
page says (``site``), or when the checks have answered (``publishing``).
"""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from pipeline.ingest.hashing import Hashed, hashed_below
from pipeline.refresh.process import Process, WorkerLostError, answer_all, standard_streams

#: Its tables are small: threads of the table library would cost more than they do.
ONE_THREAD = {"POLARS_MAX_THREADS": "1"}


@dataclass(frozen=True)
class Pages:
    """What is to be drawn.

    Attributes:
        tables: root of the working store.
        names: tables that are there now.
        late: tables that are there when all is settled.
        folder: where the site goes.
        base_title: its title.
        earlier: the site before, where pages may be taken over from it.
        beside: what of the build will lie beside it.
    """

    tables: Path
    names: tuple[str, ...]
    late: tuple[str, ...]
    folder: Path
    base_title: str
    earlier: Path | None
    beside: tuple[str, ...]


@dataclass(frozen=True)
class Drawn:
    """What was drawn: pages, and those of them that were taken over unchanged."""

    pages: int
    kept: int


def draw(asked: Pages, settled: Callable[[], object]) -> Drawn:
    """Draw a site here.

    Args:
        asked: what.
        settled: returns when the late tables are written.
    """
    from pipeline.site import build_site
    from pipeline.store import TableStore

    store = TableStore(asked.tables)

    def late() -> dict:
        settled()
        return {name: store.read(name) for name in asked.late}

    report = build_site(
        {name: store.read(name) for name in asked.names},
        asked.folder,
        base_title=asked.base_title,
        earlier=asked.earlier,
        beside=asked.beside,
        late=late,
    )
    return Drawn(report.pages, report.kept)


class Drawer:
    """Draws a site in a process of its own, which is started by :meth:`get_ready`; use as a context.

    Args:
        raw: raw files, which the process hashes before it loads what drawing needs; None for nothing.
    """

    def __init__(self, raw: Path | None = None) -> None:
        self._process: Process | None = None
        self._raw = raw

    def __enter__(self) -> Drawer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process; it writes nothing after that."""
        if self._process:
            self._process.close()
            self._process = None

    def get_ready(self) -> Process:
        """Have the process load what it needs, while something else is done."""
        if self._process is None:
            self._process = Process("pipeline.refresh.drawing", ONE_THREAD)
            with suppress(WorkerLostError):  # whoever asks for something will hear of it
                self._process.send(self._raw)
        return self._process

    def hashes(self) -> dict[str, Hashed]:
        """What the process hashed of the raw files, by path; told once, and nothing where it was lost."""
        if self._process is None or self._raw is None:
            return {}
        self._raw = None
        try:
            return self._process.answer()
        except WorkerLostError:
            return {}

    def draw(self, asked: Pages, settled: Callable[[], object]) -> Drawn:
        """As :func:`draw`; a process that is lost costs time, because all is then drawn here.

        Raises:
            Exception: what ``settled`` raised, and then nobody draws into the folder any more; or what
                drawing ran into there.
        """
        process = self.get_ready()
        self.hashes()  # an answer that nobody asked for stands before the others
        try:
            process.send(asked)
            try:
                settled()
            except Exception:
                self.close()
                raise
            answer = process.work(None)
            process.end()  # giving back its memory takes a while, and the build is yet to be sealed
        except WorkerLostError:
            shutil.rmtree(asked.folder, ignore_errors=True)
            return draw(asked, settled)
        if isinstance(answer, Exception):
            raise answer
        return answer


def _work(told: BinaryIO, asked: Pages | None) -> Drawn | None:
    if asked is None:  # all is settled, but drawing has failed already
        return None
    return draw(asked, partial(pickle.load, told))  # a pipe from the process that started this one


def main() -> None:
    """Hash what is to be hashed, load what drawing needs, then serve on the standard streams."""
    told, answers = standard_streams()
    raw: Path | None = pickle.load(told)  # noqa: S301 - a pipe from the process that started this one
    if raw is not None:
        pickle.dump(hashed_below(raw), answers)
        answers.flush()
    from pipeline.site.render import warm_up

    warm_up()
    answer_all(told, answers, partial(_work, told))
