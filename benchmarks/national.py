"""Raw trees of national size: publishers times years, in the demonstration's layouts.

Belongs here: how many publishers and years a scale has, the variety of words that real ledgers
have and the demonstration lacks, and the writing of a whole tree. Does not belong here: any layout
(``pipeline.demo.layout_list``) or timing.

The money, the accounts and every other source are those of the demonstration. Three things differ,
so that a tree costs what a real one costs. Each invoice is split into cost lines until a monthly
file holds about a thousand (the ten real London trusts: 893). Suppliers and cost centres are
numbered, so that about one line in six has a combination of words of its own (real: one in five).
And thirteen publishers of fifteen write text, two write workbooks (real: 12 files of 95).
The same scale gives the same bytes of text and the same cells in every workbook.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import polars as pl

from pipeline.demo.generate import write_other_sources_of
from pipeline.demo.layout_list import BY_NAME, LAYOUTS
from pipeline.demo.layouts import Layout
from pipeline.demo.payments import make_payments
from pipeline.demo.spend import make_publication, write_spend
from pipeline.demo.workbook import NOTE
from pipeline.demo.world import World, make_world
from pipeline.settings import DEMONSTRATION_MARKER

SEED = 5
LAST_YEAR = 2023
#: Publishers whose payments are drawn together; bounds the memory of the generator.
BLOCK = 15
#: Bytes on disk for each payment line: raw files, working store, cache, two builds. Measured 430.
BYTES_A_LINE = 600
COST_LINES = 10.5
_TEXT = [layout.name for layout in LAYOUTS if layout.suffix == ".csv"]
_BOOKS = ("blank_column_serials", "quarter_sheets", "whole_year")


@dataclass(frozen=True)
class Scale:
    """How large a tree is."""

    publishers: int
    years: int

    @property
    def financial_years(self) -> tuple[str, ...]:
        """The years, the last being 2023/24."""
        first = LAST_YEAR + 1 - self.years
        return tuple(f"{y}/{(y + 1) % 100:02d}" for y in range(first, LAST_YEAR + 1))

    @property
    def expected_lines(self) -> int:
        """Payment lines, roughly; what the disk must have room for."""
        return self.publishers * self.years * 12_000


#: The largest is about every trust in England for seven years.
SCALES = {1: Scale(15, 1), 10: Scale(75, 2), 100: Scale(210, 7)}


@dataclass(frozen=True)
class Tree:
    """A tree as written, for comparison with what is read from it.

    Attributes:
        raw: the raw folder.
        files: spend files.
        lines: payment lines in them.
        distinct: distinct combinations of type, area, supplier and description, by publisher block.
        text_files: spend files that are text.
        bytes: size of the spend files.
        seconds: time it took to write.
    """

    raw: Path
    files: int
    lines: int
    distinct: int
    text_files: int
    bytes: int
    seconds: float


def layouts_of(publishers: int) -> list[Layout]:
    """A layout for each publisher: of fifteen in a row, thirteen write text and two workbooks."""
    names = [*_TEXT, "template", "date_paid", "final_review"]
    chosen = [
        names[i % BLOCK] if i % BLOCK < len(names) else _BOOKS[i // BLOCK % len(_BOOKS)]
        for i in range(publishers)
    ]
    return [BY_NAME[name] for name in chosen]


def _cost_lines(rng: np.random.Generator, payments: pl.DataFrame) -> pl.DataFrame:
    """Split every payment into cost lines that add up to it, each with its own reference."""
    times = 1 + rng.geometric(1 / (COST_LINES - 1), payments.height)
    row = np.repeat(np.arange(payments.height), times)
    part = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
    weight = rng.exponential(1.0, len(row)) + 0.05
    total = np.bincount(row, weights=weight)
    pence = payments["pence"].to_numpy()
    share = np.floor(pence[row] * (weight / total[row])).astype(np.int64)
    rest = pence - np.bincount(row, weights=share, minlength=len(pence)).astype(np.int64)
    share += np.where(part == 0, rest[row], 0)
    return payments[row].with_columns(
        pence=pl.Series(share),
        reference=pl.Series(payments["reference"].to_numpy()[row] * 1000 + np.minimum(part, 999)),
    )


def _numbered(rng: np.random.Generator, lines: pl.DataFrame) -> pl.DataFrame:
    """Number cost centres and suppliers: a few take most lines, many take one, as in real ledgers."""

    def suffix(spread: float, most: int) -> pl.Series:
        drawn = np.minimum(rng.pareto(spread, lines.height).astype(np.int64), most)
        words = pl.Series(["", *(f" {n}" for n in range(1, most + 1))])
        return words.gather(drawn)

    return lines.with_columns(
        expense_area=pl.col("expense_area") + suffix(0.9, 60),
        supplier=pl.col("supplier") + suffix(1.1, 40),
    )


def _write_block(
    raw: Path, world: World, first: int, cost_lines: bool
) -> tuple[int, int, int, int]:
    """Write the payments of one block of publishers: files, lines, combinations, text files."""
    layouts = layouts_of(len(world.trusts))
    plan = make_publication(world, layouts)
    own = replace(
        world,
        seed=world.seed * 1000 + first,
        plan=world.plan.filter(pl.col("trust").is_between(first, first + BLOCK - 1)),
    )
    rng = np.random.default_rng([world.seed, 99, first])
    payments = make_payments(own, [layout.style for layout in layouts])
    lines = _numbered(rng, _cost_lines(rng, payments) if cost_lines else payments)
    written = write_spend(raw, own, lines, plan)
    files = written["source_file"].unique()
    words = ("expense_type", "expense_area", "supplier", "description")
    return (
        len(files),
        written.height,
        written.select(words).n_unique(),
        int(files.str.ends_with(".csv").sum()),
    )


def write_tree(raw: Path, scale: Scale, *, processes: int = 2, cost_lines: bool = True) -> Tree:
    """Write a raw tree.

    Args:
        raw: a new folder.
        scale: how large.
        processes: blocks of publishers written at the same time.
        cost_lines: whether invoices are split into cost lines.

    Returns:
        What was written.
    """
    started = time.perf_counter()
    raw.mkdir(parents=True)
    (raw / DEMONSTRATION_MARKER).write_text(f"{NOTE}\n{scale}\n", encoding="utf-8")
    world = make_world(
        SEED, scale.publishers, min(33, scale.publishers // 3), scale.financial_years
    )
    write_other_sources_of(raw, world)
    blocks = range(0, scale.publishers, BLOCK)
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        told = ((raw, world, block, cost_lines) for block in blocks)
        done = list(pool.map(_write_block, *zip(*told, strict=True)))
    files, lines, distinct, text = (sum(column) for column in zip(*done, strict=True))
    size = sum(p.stat().st_size for p in (raw / "spend_over_25k").rglob("*") if p.is_file())
    return Tree(raw, files, lines, distinct, text, size, time.perf_counter() - started)


@contextmanager
def temporary_tree(scale: Scale, *, folder: Path | None = None) -> Iterator[Tree]:
    """A tree in a temporary folder outside the repository, removed at the end.

    Args:
        scale: how large.
        folder: where the temporary folder is made; the system's place by default.

    Raises:
        SystemExit: when the disk has no room for the tree and what is built from it.
    """
    with tempfile.TemporaryDirectory(prefix="fivepercent-bench-", dir=folder) as made:
        needed, free = scale.expected_lines * BYTES_A_LINE, shutil.disk_usage(made).free
        if free < needed:
            raise SystemExit(
                f"{made} has {free / 1e9:.1f} GB free and this scale needs {needed / 1e9:.1f} GB; "
                "name another place with TMPDIR, or choose a smaller scale"
            )
        yield write_tree(Path(made) / "raw", scale)


def main(arguments: list[str] | None = None) -> None:
    """Write a tree and leave it, to look at or to profile on."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.national", description=__doc__)
    parser.add_argument("folder", type=Path, help="a new folder outside the repository")
    parser.add_argument("--scale", type=int, choices=sorted(SCALES), default=1)
    told = parser.parse_args(arguments)
    tree = write_tree(told.folder, SCALES[told.scale])
    print(
        f"{tree.files:,} files ({tree.text_files:,} text), {tree.lines:,} lines, {tree.bytes / 1e6:,.0f} MB, "
        f"{tree.distinct:,} distinct combinations, written in {tree.seconds:.0f} s"
    )


if __name__ == "__main__":
    main()
