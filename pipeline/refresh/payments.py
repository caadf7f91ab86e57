"""``facts.payment``: the spend files of all publishers, read, identified, classified."""

from __future__ import annotations

import polars as pl

from pipeline.ingest.cache import SpendCache
from pipeline.ingest.names import Register
from pipeline.ingest.payments import PaymentLines, classify_lines, read_payment_lines
from pipeline.refresh.context import Run
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


def build_payments(run: Run, register: Register | None, *, year: str | None = None) -> dict[str, int]:
    """Build ``facts.payment`` (all years, or one partition).

    Args:
        run: the run.
        register: known organisations.
        year: a financial year such as ``2020/21`` to write only that partition.
    """
    from pipeline.classify import classify

    found = read_lines(run, register)
    run.write_part("spend_over_25k", found.reports, found.rejected)
    lines = found.lines if year is None else found.lines.filter(pl.col("financial_year") == year)
    payments = classify_lines(lines, classify)
    run.counters["rows_classified"] = lines.height
    spec = table("facts.payment").polars.names()
    if year is None:
        rows = run.store.write("facts.payment", payments.select(spec)).height
    else:
        run.store.write_partition("facts.payment", year, payments.select(spec))
        rows = payments.height
    return {"facts.payment": rows}
