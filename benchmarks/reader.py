"""How fast spend files are read, against the least any reader must do.

Belongs here: making 600 mixed text files of 0.9 million rows in a temporary folder, and timing two
things on the same files in one run: *bare*, which finds encoding and delimiter and hands the bytes
to ``pl.read_csv`` without looking at a single value, and *full*, which is ``read_spend``: layout,
column roles, date order, amounts, rejected rows and a report a file. The ratio is the figure to
watch: the machine cancels out of it. Run ``python -m benchmarks reader``.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import random
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from pipeline.ingest.spend import SpendInput, read_spend

FILES, ROWS_A_FILE = 600, 1_500
BATCH = 200
HEADERS = tuple(
    tuple(line.split(","))
    for line in (
        "Department family,Entity,Date,Expense type,Expense area,Supplier,Transaction number,Amount",
        "Department Family,Entity,Payment Date,Expense Type,Expense Area,Supplier,Reference,AP Amount (£)",
        "Entity,Date Paid,Supplier Name,Expenses Type,Expenses Area,Our Reference,Amount in Sterling,Ref",
        "Date of payment,Vendor Name,Subjective Description,Cost Centre Name,Payment Number,Analysed Gross",
    )
)
ENCODINGS = ("utf-8", "utf-8-sig", "cp1252", "utf-8", "utf-8")
DELIMITERS = (",", ",", ",", ";", "\t")
DATES: tuple[Callable[[date], str], ...] = (
    lambda d: f"{d:%d/%m/%Y}",
    lambda d: f"{d.month}/{d.day}/{d.year}",
    lambda d: f"{d:%d-%b-%y}",
    lambda d: d.isoformat(),
    lambda d: f"{d:%d/%m/%y}",
)
AMOUNTS: tuple[Callable[[float], str], ...] = (
    lambda a: f"{a:.2f}",
    lambda a: f"{a:,.2f}",
    lambda a: f"£{a:,.2f}" if a >= 0 else f"-£{-a:,.2f}",
    lambda a: f"{a:,.2f}" if a >= 0 else f"({-a:,.2f})",
)
SUPPLIERS = tuple(
    f"{w} {k} Ltd" for w in ("Larch", "Birch", "Café", "Rowan", "Alder & Co") for k in range(80)
)
TYPES = (
    "Computer Software",
    "Drugs",
    "Agency Nursing",
    "Building Contracts",
    "Electricity",
    "Legal Fees",
)
AREAS = ("Pharmacy", "Main Theatres", "I.T. Department", "Estates", "Balance Sheet", "Ward 7 North")


def _cell(header: str, day: str, amount: str, lot: random.Random) -> str:
    name = header.lower()
    if "date" in name:
        return day
    if "amount" in name or "gross" in name:
        return amount
    if "supplier" in name or "vendor" in name:
        return lot.choice(SUPPLIERS)
    if "type" in name or "subjective" in name:
        return lot.choice(TYPES)
    if "area" in name or "centre" in name:
        return lot.choice(AREAS)
    if "entity" in name:
        return "Meadowsweet NHS Trust"
    return "Department of Health" if "family" in name else str(lot.randrange(10**6, 10**7))


def make_files(folder: Path, *, files: int = FILES, rows: int = ROWS_A_FILE) -> list[Path]:
    """Write mixed text files about publishers that do not exist; the same files every time."""
    made: list[Path] = []
    for number in range(files):
        lot = random.Random(number)
        header = HEADERS[number % len(HEADERS)]
        as_date, as_amount = DATES[number % len(DATES)], AMOUNTS[number // 3 % len(AMOUNTS)]
        first = date(2015 + number % 9, number % 12 + 1, 1)
        out = io.StringIO(newline="")
        writer = csv.writer(out, delimiter=DELIMITERS[number // 7 % len(DELIMITERS)])
        writer.writerows([["Expenditure over £25,000"], []] if number % 4 == 3 else [])
        writer.writerow(header)
        for _ in range(rows):
            day = as_date(first + timedelta(days=lot.randrange(28)))
            amount = as_amount(round(lot.uniform(-20_000, 400_000), 2))
            writer.writerow([_cell(h, day, amount, lot) for h in header])
        path = folder / f"RZ{number % 50:02d}" / f"spend {number:03d}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(out.getvalue().encode(ENCODINGS[number % len(ENCODINGS)]))
        made.append(path)
    return made


def bare(paths: list[Path], threads: int) -> int:
    """Detect encoding and delimiter, parse to strings, look at nothing; returns the rows.

    The detection is the least that gets these files right: UTF-8 or else cp1252, the delimiter
    under which most of the first lines split evenly, and the widest of them for the schema.
    """

    def one(path: Path) -> int:
        data = path.read_bytes()
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", errors="replace")
        lines = text[:65_536].splitlines()[:100]
        best, width, score = ",", 1, 0.0
        for delimiter in ",;\t|":
            widths = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter))
            usual, times = widths.most_common(1)[0]
            if usual > 1 and usual * times > score:
                best, width, score = delimiter, max(widths), usual * times
        frame = pl.read_csv(
            text.encode(),
            separator=best,
            has_header=False,
            schema={f"c{i}": pl.String for i in range(width)},
            infer_schema=False,
            missing_columns="insert",
        )
        return frame.height

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(one, paths))


def full(paths: list[Path], threads: int) -> int:
    """Read, understand and type the files in the pipeline's batches; returns the rows kept."""
    kept = 0
    for start in range(0, len(paths), BATCH):
        items = [
            SpendInput(f"spend_over_25k/{p.parent.name}/{p.name}", p.read_bytes)
            for p in paths[start : start + BATCH]
        ]
        kept += read_spend(items, threads=threads).lines.height
    return kept


class _Peak:
    """The largest resident memory while something runs, in megabytes."""

    def __init__(self) -> None:
        self.megabytes = 0.0
        self._stop = threading.Event()

    def _watch(self) -> None:
        page = os.sysconf("SC_PAGE_SIZE")
        while not self._stop.wait(0.01):
            resident = int(Path("/proc/self/statm").read_text().split()[1]) * page / (1 << 20)
            self.megabytes = max(self.megabytes, resident)

    def __enter__(self) -> _Peak:
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def measure(*, files: int, rows: int, rounds: int, threads: int) -> dict[str, float]:
    """Time both ways on the same files, in turns, and keep the median of each.

    Returns:
        ``files``, ``rows``, ``bare_seconds``, ``full_seconds``, ``ratio`` and ``peak_megabytes``.
    """
    with tempfile.TemporaryDirectory() as folder:
        paths = make_files(Path(folder), files=files, rows=rows)
        full(paths[:8], threads), bare(paths[:8], threads)
        took: dict[str, list[float]] = {"bare": [], "full": []}
        kept = 0
        with _Peak() as peak:
            for _ in range(rounds):
                for name, run in (("bare", bare), ("full", full)):
                    started = time.perf_counter()
                    found = run(paths, threads)
                    took[name].append(time.perf_counter() - started)
                    kept = found if name == "full" else kept
    if kept != files * rows:
        raise SystemExit(f"{kept:,} rows were kept of {files * rows:,}: the timing means nothing")
    bare_seconds, full_seconds = (statistics.median(took[n]) for n in ("bare", "full"))
    return {
        "files": files,
        "rows": kept,
        "bare_seconds": round(bare_seconds, 3),
        "full_seconds": round(full_seconds, 3),
        "ratio": round(full_seconds / bare_seconds, 2),
        "peak_megabytes": round(peak.megabytes),
    }


def main(arguments: list[str] | None = None) -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks reader", description=__doc__)
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--rows", type=int, default=ROWS_A_FILE, help="rows a file")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    told = measure(**vars(parser.parse_args(arguments)))
    print(
        f"{told['files']:,.0f} files, {told['rows']:,.0f} rows: bare {told['bare_seconds']:.2f} s, "
        f"read and typed {told['full_seconds']:.2f} s, ratio {told['ratio']:.2f} (goal 2.0 or less), "
        f"peak memory {told['peak_megabytes']:,.0f} MB (goal below 1,024)"
    )


if __name__ == "__main__":
    main()
