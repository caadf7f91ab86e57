"""What a check leaves behind: one row of ``meta.check_result``.

Belongs here: the shape of a result and the plain questions asked of a list of results.
Does not belong here: how a check is described (``checks``) or run (``engine``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import polars as pl

from pipeline.schema import table

Severity = Literal["blocking", "warning"]


@dataclass(frozen=True)
class CheckResult:
    """The outcome of one check, with the columns of ``meta.check_result``.

    Attributes:
        suite: the table or theme that was checked, such as ``facts.payment`` or ``golden``.
        check_name: identifier of the check, unique in its suite.
        sentence: what was expected and, after "If not:", what to do about it.
        severity: a failed ``blocking`` check stops publication, a ``warning`` does not.
        passed: whether the expectation held.
        observed: what was found, in words.
        failing_rows: rows that break the expectation; 0 when it held, null when the check could
            not be run.
        sample: up to five failing rows as JSON, null when there are none.
    """

    suite: str
    check_name: str
    sentence: str
    severity: Severity
    passed: bool
    observed: str | None = None
    failing_rows: int | None = None
    sample: str | None = None


def gate_failures(results: Iterable[CheckResult]) -> list[CheckResult]:
    """The failed blocking checks: publication stops when there is one."""
    return [r for r in results if r.severity == "blocking" and not r.passed]


def results_frame(results: Sequence[CheckResult]) -> pl.DataFrame:
    """The results as a frame in the schema of ``meta.check_result``, sorted by suite and check."""
    frame = pl.DataFrame([asdict(r) for r in results], schema=table("meta.check_result").polars)
    return frame.sort("suite", "check_name")
