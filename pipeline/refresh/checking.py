"""A process that asks the library of the checks, beside the one that refreshes.

The library behind the checks takes longer to load than most refreshes take to read one new file. So
it is loaded in a process of its own: while files are read where nothing is known of what checks said
before, else only when one would say something else. The checks on facts are made there while
the marts are computed. Nothing is published before both gates have answered: a process that is lost
costs nothing but time, because the library is then asked here.

Belongs here: starting that process and asking it. Does not belong here: which checks are to be made
(``checked``), or making them (``quality``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.refresh.process import Process, WorkerLostError, answer_all, standard_streams

if TYPE_CHECKING:
    from pipeline.quality import CheckResult
    from pipeline.store import TableStore


class Checker:
    """Asks the library in a process of its own, which is started by :meth:`get_ready`; use as a context."""

    def __init__(self) -> None:
        self._process: Process | None = None

    def __enter__(self) -> Checker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        if self._process:
            self._process.close()
            self._process = None

    def get_ready(self) -> Process:
        """Have the process load the library, while something else is done."""
        if self._process is None:
            self._process = Process("pipeline.refresh.checking")
        return self._process

    def ask_library(
        self, store: TableStore, names: Mapping[str, Sequence[str]]
    ) -> list[CheckResult]:
        """As :func:`pipeline.quality.ask_library`.

        Raises:
            Exception: what the checks raised there.
        """
        try:
            answer = self.get_ready().work((store.root, names))
        except WorkerLostError:
            from pipeline.quality import ask_library

            return ask_library(store, names)
        if isinstance(answer, Exception):
            raise answer
        return answer


def _work(asked: tuple[Path, Mapping[str, Sequence[str]]]) -> list[CheckResult]:
    from pipeline.quality import ask_library
    from pipeline.store import TableStore

    root, names = asked
    return ask_library(TableStore(root), names)


def main() -> None:
    """Load the library and have it check a row, then serve on the standard streams."""
    told, answers = standard_streams()
    from pipeline.quality.engine import warm_up

    warm_up()
    answer_all(told, answers, _work)
