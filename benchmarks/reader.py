"""How fast spend files are read, against the least any reader must do.

Belongs here: making 600 mixed text files of 0.9 million rows in a temporary folder, and timing two
things on the same files in one run: *bare*, which finds encoding and delimiter and hands the bytes
to ``pl.read_csv`` without looking at a single value, and *full*, which is ``read_spend``: layout,
column roles, date order, amounts, rejected rows and a report a file. The ratio is the figure to
watch: the machine cancels out of it. Run ``python -m benchmarks.reader`` for this one alone.
"""

from __future__ import annotations

import argparse
import csv
import io
import random
import tempfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from benchmarks.measuring import Bench, Figure, Turns, in_turns, python
from pipeline.ingest.spend.reader import SpendInput, read_spend

FILES, ROWS_A_FILE = 600, 1_500
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


def bare_text(path: Path) -> int:
    """Detect encoding and delimiter, parse to strings, look at nothing; returns the rows.

    The detection is the least that gets these files right: UTF-8 or else cp1252, the delimiter
    under which most of the first lines split evenly, and the widest of them for the schema.
    """
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


def bare_with(one: Callable[[Path], int], paths: list[Path], threads: int) -> int:
    """Read files by several threads; returns the rows."""
    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(one, paths))


def bare(paths: list[Path], threads: int) -> int:
    """Every file as strings; returns the rows."""
    return bare_with(bare_text, paths, threads)


def full(paths: list[Path], threads: int) -> int:
    """Read, understand and type the files; returns the rows kept."""
    items = [
        SpendInput(f"spend_over_25k/{p.parent.name}/{p.name}", p.read_bytes, bytes=p.stat().st_size)
        for p in paths
    ]
    return read_spend(items, threads=threads).lines.height


FULL = """
import sys
from pathlib import Path
from benchmarks.reader import full
full(sorted(p for p in Path(sys.argv[1]).rglob("*.csv")), 2)
"""


def measure(
    folder: Path, *, files: int, rows: int, rounds: int, threads: int
) -> tuple[Turns, float]:
    """Time both ways on the same files in turns, and the memory of the full one on its own.

    Returns:
        What the turns took, and the peak of a process that only reads, in megabytes.
    """
    paths = make_files(folder, files=files, rows=rows)
    full(paths[:8], threads), bare(paths[:8], threads)
    turns = in_turns(
        {"bare": lambda: bare(paths, threads), "full": lambda: full(paths, threads)}, rounds
    )
    kept = turns.took["full"][-1].gave
    if kept != files * rows:
        raise SystemExit(f"{kept:,} rows were kept of {files * rows:,}: the timing means nothing")
    return turns, python(FULL, folder).megabytes


def figures(bench: Bench) -> list[Figure]:
    """The ratio and the memory."""
    with tempfile.TemporaryDirectory(dir=bench.folder) as folder:
        turns, peak = measure(
            Path(folder), files=FILES, rows=ROWS_A_FILE, rounds=max(5, bench.rounds), threads=2
        )
    told = f"{FILES} mixed text files, {FILES * ROWS_A_FILE:,} rows: {turns.told('full', 'bare')}"
    return [
        Figure(
            "Reading and typing / bare detect and read", turns.ratio("full", "bare"), "x", 2.0, told
        ),
        Figure("Peak memory of it", peak, "MB", 1024, "a process that only reads"),
    ]


def main(arguments: list[str] | None = None) -> None:
    """Print the figures, for other numbers of files than those of the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reader", description=__doc__)
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--rows", type=int, default=ROWS_A_FILE, help="rows a file")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    told = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        turns, peak = measure(Path(folder), **vars(told))
    print(
        f"{told.files:,} files of {told.rows:,} rows: {turns.told('full', 'bare')}; ratio "
        f"{turns.ratio('full', 'bare'):.2f} (goal 2.0 or less), peak memory {peak:,.0f} MB (goal below 1,024)"
    )


if __name__ == "__main__":
    main()
