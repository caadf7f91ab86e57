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
        years: financial years such as ``2020/21`` to write only those partitions, and with them
            any other whose lines are no longer those of the files: the account of files is about
            all of them, so a year left behind would make it wrong.
    """
    from pipeline.classify import classify

    found = correct_payments(run, read_lines(run, register))
    run.write_part("spend_over_25k", found.reports, found.rejected)
    lines = found.lines
    if years is not None:
        stale = sorted(years_out_of_step(run, lines) - set(years))
        run.counters["years_also_written"] = len(stale)
        years = [*years, *stale]
        lines = lines.filter(pl.col("financial_year").is_in(years))
    payments = classify_lines(lines, classify)
    run.counters["rows_classified"] = lines.height
    spec = table("facts.payment").polars.names()
    if years is None:
        return {"facts.payment": run.store.write("facts.payment", payments.select(spec)).height}
    for year in years:
        part = payments.filter(pl.col("financial_year") == year).select(spec)
        run.store.replace_partition("facts.payment", year, part)
    return {"facts.payment": payments.height}


def years_out_of_step(run: Run, lines: pl.DataFrame) -> set[str]:
    """Financial years whose stored payments have other files or numbers of lines than ``lines``.

    Args:
        run: the run.
        lines: every payment line as just read: ``financial_year`` and ``source_file``.
    """
    key = ["financial_year", "source_file"]
    read = lines.lazy().group_by(key).agg(pl.len().alias("read"))
    stored = run.store.scan("facts.payment").group_by(key).agg(pl.len().alias("stored"))
    both = read.join(stored, on=key, how="full", coalesce=True)
    differ = both.filter(pl.col("read").ne_missing(pl.col("stored")))
    return set(differ.select("financial_year").unique().collect()["financial_year"].to_list())


def rows_of(run: Run, year: str) -> int:
    """Stored payments of a financial year such as ``2020/21``."""
    scan = run.store.scan("facts.payment").filter(pl.col("financial_year") == year)
    return int(scan.select(pl.len()).collect().item())
