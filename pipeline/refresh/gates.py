"""The two gates of a refresh: a blocking check that fails ends it, and the publication stays as it was.

Belongs here: the process that makes the checks, writing their results, and the sentence about those that
failed. Does not belong here: which checks are made again (``checked``), or making them (``quality``).
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import polars as pl

from pipeline.refresh.ahead import Ahead, has_cores
from pipeline.refresh.checked import checked, has_answers
from pipeline.refresh.checking import Checker
from pipeline.refresh.context import Run
from pipeline.refresh.drawing import Drawer
from pipeline.refresh.unchanged import forget

if TYPE_CHECKING:
    from pipeline.quality import CheckResult, Gate

#: Characters of the rows that break a check, in the message of a gate.
SHOWN_SAMPLE = 400


class UnknownTableError(ValueError):
    """A table that ``--only`` names is not there; the message lists those that are."""


class RefreshFailedError(RuntimeError):
    """The refresh ended without publishing; the message says why and what to do."""


@contextmanager
def helped(run: Run, ahead: Ahead) -> Iterator[None]:
    """Check and draw in processes of their own, where the machine has more than one core.

    Where it is known what checks said before, the library of the checks is loaded when one would say
    something else, which is seldom.
    """
    if not has_cores(run.settings):
        yield
        return
    with Checker() as run.checker, ahead.drawer() or Drawer() as run.drawer:
        if not has_answers(run):
            run.checker.get_ready()
        try:
            yield
        finally:
            run.checker = run.drawer = None


def check_gate(
    run: Run, gate: Gate, results_of: Callable[[], list[CheckResult]] | None = None
) -> int:
    """Stages two and four: Great Expectations and golden checks; a blocking failure ends the run.

    Args:
        run: the run.
        gate: ``facts`` or ``marts``.
        results_of: gives the results, where they are made elsewhere already.

    Returns:
        How many checks there were.

    Raises:
        RefreshFailedError: a blocking check failed.
    """
    from pipeline.quality import gate_failures, results_frame

    with run.stage(f"Checks on {gate}") as said:
        results = results_of() if results_of else checked(run, gate)
        frame = results_frame(results)
        if gate == "marts":
            earlier = run.store.read("meta.check_result")
            frame = pl.concat([earlier.select(frame.columns).cast(frame.schema), frame])
        run.store.write("meta.check_result", frame)
        said.append(f"{sum(r.passed for r in results)} of {len(results)} passed")
    failures = gate_failures(results)
    if failures:
        forget(run)
        listed = "\n".join(
            f"  - {f.suite} / {f.check_name}: {f.sentence} Found: {f.observed}{_such_as(f)}"
            for f in failures
        )
        raise RefreshFailedError(
            f"{len(failures)} blocking check(s) on {gate} failed, so nothing was published and the previous "
            f"publication stands:\n{listed}"
        )
    return len(results)


def _such_as(failure: CheckResult) -> str:
    """Some of the rows that break a check, as much of them as a line takes."""
    if not failure.sample:
        return ""
    return f", such as {textwrap.shorten(failure.sample, SHOWN_SAMPLE, placeholder=' ...')}"
