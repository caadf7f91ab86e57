"""Reading, typing, classifying and writing payments, against a bare reader and against pandas.

All three work on the same files of a national tree of scale 10. *Bare* finds encoding and delimiter
and hands the bytes to Polars (workbooks to fastexcel) without looking at a value. *pandas* is
``pandas_way``: the same steps written as one would in pandas, with the same totals.

The clock of a refresh includes the start of its worker processes, that of the bare reader nothing of
the kind. The figure stays what a user waits for; how long the start takes is measured apart and told beside it.
"""

from __future__ import annotations

import shutil
import statistics
from contextlib import ExitStack, closing
from decimal import Decimal
from pathlib import Path

import fastexcel
import polars as pl

from benchmarks import pandas_way
from benchmarks.measuring import Bench, Figure, in_turns, timed
from benchmarks.reader import bare_text, bare_with
from pipeline.refresh import payments, sources
from pipeline.refresh.context import Run
from pipeline.refresh.workers import _Worker
from pipeline.settings import Settings

THREADS = 2


def bare(paths: list[Path]) -> int:
    """Every file as strings, nothing understood; returns the rows."""

    def one(path: Path) -> int:
        if path.suffix == ".csv":
            return bare_text(path)
        book = fastexcel.read_excel(path)
        sheets = [book.load_sheet(n, header_row=None, dtypes="string") for n in book.sheet_names]
        return sum(sheet.to_polars().height for sheet in sheets)

    return bare_with(one, paths, THREADS)


def product(raw: Path, out: Path) -> pl.DataFrame:
    """Facts from nothing, as a refresh makes them.

    Args:
        raw: the tree.
        out: a folder from :func:`prepared` in which nothing was made before: a file system takes a while
            to use again what was just removed, and whoever refreshes for the first time removes nothing.
    """
    run = Run(Settings(raw=raw, out=out, offline=True, threads=THREADS))
    payments.build_payments(run, sources.register_of(run))
    return run.store.scan("facts.payment").select("amount_gbp", "digital").collect()


def prepared(raw: Path, out: Path) -> Path:
    """A new folder in which the register is read already."""
    shutil.rmtree(out, ignore_errors=True)
    run = Run(Settings(raw=raw, out=out, offline=True))
    sources.build_reference_dims(run)
    sources.build_organisations(run)
    return out


def start() -> None:
    """Two workers started, and ended when both have loaded what they need before the first batch."""
    with ExitStack() as stack:
        started = [stack.enter_context(closing(_Worker())) for _ in range(THREADS)]
        for worker in started:
            worker.send(None)  # a job
        for worker in started:
            worker.send((bool,))
        for worker in started:
            worker.answer()


def totals(found: pl.DataFrame) -> dict[str, tuple[int, Decimal]]:
    """Rows and pounds by the answer to "digital?"."""
    sums = found.group_by("digital").agg(
        n=pl.len(), pounds=pl.col("amount_gbp").cast(pl.Decimal(38, 2)).sum()
    )
    return {digital: (n, pounds) for digital, n, pounds in sums.iter_rows()}


def figures(bench: Bench) -> list[Figure]:
    """Both ratios; the run ends when the totals differ."""
    tree = bench.tree(10)
    paths = sorted(p for p in (tree.raw / "spend_over_25k").rglob("*") if p.is_file())
    out = bench.folder / "facts"
    folders = [prepared(tree.raw, out / str(i)) for i in range(bench.rounds)]
    turns = in_turns(
        {"bare": lambda: bare(paths), "product": lambda: product(tree.raw, folders.pop())},
        bench.rounds,
    )
    frame = turns.took["product"][-1].gave
    starts = [timed(start) for _ in range(bench.rounds)]
    started = statistics.median(took.wall for took in starts)
    started_cpu = statistics.median(took.cpu for took in starts)
    slow = timed(lambda: pandas_way.facts(paths, bench.folder / "pandas"))
    if totals(frame) != totals(slow.gave):
        raise SystemExit(
            f"pandas gives other totals, so its time means nothing: {totals(frame)} here, "
            f"{totals(slow.gave)} there"
        )
    shutil.rmtree(out, ignore_errors=True)
    told = f"{tree.files:,} files, {tree.lines:,} lines, scale 10"
    return [
        Figure(
            "Reading, typing, classifying and writing facts / bare detect and read",
            turns.ratio("product", "bare"), "x", 2.5,
            f"{told}: {turns.told('product', 'bare')}; the start of two workers, which is part of it and "
            f"partly beside the hashing of files, takes {started:.2f} s alone ({started_cpu:.2f} s of "
            f"processor time), and without it the ratio would be "
            f"{(turns.seconds('product') - started) / turns.seconds('bare'):.2f}",
        ),
        Figure(
            "The same in pandas / facts", slow.wall / turns.seconds("product"), "x", 8.0,
            f"{told}, equal totals: pandas {slow.wall:.1f} s, here {turns.seconds('product'):.1f} s; "
            f"processor time {slow.cpu:.1f} s and {turns.cpu('product'):.1f} s", at_least=True,
        ),
    ]  # fmt: skip
