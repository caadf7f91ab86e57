"""A process that makes the checks of the gates, beside the one that refreshes.

The library behind the checks takes longer to load than most refreshes take to read one new file. So
it is loaded in a process of its own while files are read, and the checks on facts are made there while
the marts are computed. Nothing is published before both gates have answered: a process that is lost
costs nothing but time, because its checks are then made here.

Belongs here: starting that process and asking it. Does not belong here: which checks are to be made
(``checked``), or making them (``quality``).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.refresh.process import Process, WorkerLostError, answer_all, standard_streams

if TYPE_CHECKING:
    from pipeline.quality import CheckResult, Gate, Since
    from pipeline.store import TableStore


class Checker:
    """Makes the checks of a gate in a process of its own; use as a context."""

    def __init__(self) -> None:
        self._process = Process("pipeline.refresh.checking")

    def __enter__(self) -> Checker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._process.close()

    def run_gate(
        self,
        store: TableStore,
        gate: Gate,
        *,
        tables: Sequence[str],
        is_demo: bool,
        since: Since | None = None,
    ) -> list[CheckResult]:
        """As :func:`pipeline.quality.run_gate`.

        Raises:
            Exception: what the checks raised there.
        """
        try:
            answer = self._process.work((store.root, gate, list(tables), is_demo, since))
        except WorkerLostError:
            from pipeline.quality import run_gate

            return run_gate(store, gate, tables=tables, is_demo=is_demo, since=since)
        if isinstance(answer, Exception):
            raise answer
        return answer


def _work(asked: tuple[Path, Gate, list[str], bool, Since | None]) -> list[CheckResult]:
    from pipeline.quality import run_gate
    from pipeline.store import TableStore

    root, gate, tables, is_demo, since = asked
    return run_gate(TableStore(root), gate, tables=tables, is_demo=is_demo, since=since)


def main() -> None:
    """Load the library and have it check a row, then serve on the standard streams."""
    told, answers = standard_streams()
    from pipeline.quality.engine import warm_up

    warm_up()
    answer_all(told, answers, _work)
