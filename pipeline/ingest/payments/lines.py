"""Lines of payments in memory, and their classification.

What is decided about a portion of files (``portions``) does not depend on any other portion, but for
how a publisher writes dates, which is gathered from all its files first. Classification looks at
the distinct texts of type, area, supplier and description, so its cost grows with variety, not with
rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import polars as pl

from pipeline.ingest.files import RawFile
from pipeline.ingest.payments.booking import PaymentLines, to_publishers
from pipeline.ingest.payments.cache import SpendCache
from pipeline.ingest.payments.identity import Names
from pipeline.ingest.payments.portions import portions_of
from pipeline.ingest.payments.shared import count_shared_payments_once
from pipeline.ingest.payments.typed import (
    forced_orders,
    is_undecided,
    orders_told,
    read_typed,
    replaced,
)
from pipeline.ingest.tabular import Limits

__all__ = ["PaymentLines", "classify_lines", "read_payment_lines"]

TEXTS = ("expense_type", "expense_area", "supplier", "description")


def read_payment_lines(
    files: Sequence[RawFile],
    register: Names | None,
    *,
    cache: SpendCache | None = None,
    limits: Limits | None = None,
    threads: int = 2,
) -> PaymentLines:
    """Read spend files and say whose they are, all in memory.

    For some publishers and for tests; a refresh works portion by portion (``refresh.payments``).

    Args:
        files: the raw files of ``spend_over_25k``.
        register: known organisations.
        cache: where typed files are kept; None reads everything.
        limits: what an untrusted file may cost.
        threads: files opened at the same time.
    """
    portions = portions_of(files)
    typed = read_typed(portions, cache=cache, limits=limits, threads=threads)
    undecided = [path for path, report in typed.reports.items() if is_undecided(report)]
    forced = forced_orders(undecided, orders_told(typed.reports.values()))
    if forced:
        again = read_typed(
            portions, cache=cache, forced=forced, only=forced, limits=limits, threads=threads
        )
        typed = replaced(typed, again)
    found = to_publishers(files, typed, register)
    reports = {report.path: report for report in found.reports}
    return replace(found, lines=count_shared_payments_once(found.lines, reports))


def classify_lines(
    lines: pl.DataFrame, classify: Callable[[pl.DataFrame], pl.DataFrame]
) -> pl.DataFrame:
    """Add the classification to lines: ``facts.payment``.

    Args:
        lines: as in :class:`PaymentLines`.
        classify: rows of texts in, the same rows with the classification out.
    """
    labels = classify(lines.select(TEXTS)).drop(TEXTS)
    return lines.with_columns(*labels)
