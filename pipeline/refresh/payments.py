"""``facts.payment``: the spend files of all publishers, read, identified, corrected, classified."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from pipeline.ingest.cache import SpendCache
from pipeline.ingest.names import Register
from pipeline.ingest.payments import PaymentLines, classify_lines, read_payment_lines
from pipeline.refresh.context import Run
from pipeline.refresh.corrected import correct_payments
from pipeline.schema import table


def read_lines(run: Run, register: Register | None) -> PaymentLines:
    """Read (or take from the cache) and identify every spend file."""
    files = run.files_of("spend_over_25k")
    found = read_payment_lines(
        files,
        register,
        cache=SpendCache(run.settings.cache),
        limits=run.limits,
        threads=run.settings.threads,
        progress=run.progress.advance,
    )
    run.counters["spend_files_opened"] = found.files_read
    return found


def build_payments(
    run: Run, register: Register | None, *, years: Sequence[str] | None = None
) -> dict[str, int]:
    """Build ``facts.payment`` (all years, or some partitions).

    Args:
        run: the run.
        register: known organisations.
        years: financial years such as ``2020/21`` to write only those partitions.
    """
    from pipeline.classify import classify

    found = correct_payments(run, read_lines(run, register))
    run.write_part("spend_over_25k", found.reports, found.rejected)
    lines = (
        found.lines
        if years is None
        else found.lines.filter(pl.col("financial_year").is_in(list(years)))
    )
    payments = classify_lines(lines, classify)
    run.counters["rows_classified"] = lines.height
    spec = table("facts.payment").polars.names()
    if years is None:
        return {"facts.payment": run.store.write("facts.payment", payments.select(spec)).height}
    for year in years:
        part = payments.filter(pl.col("financial_year") == year).select(spec)
        run.store.replace_partition("facts.payment", year, part)
    return {"facts.payment": payments.height}
