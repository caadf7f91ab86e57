"""An accounts workbook of published size to facts, against fastexcel alone.

The workbook has the sheet of providers and two sheets of lines, together 1.1 million rows of seven
columns: a sheet holds 1,048,576 rows at most. Codes and worksheets are spread as in the accounts,
about a quarter of the rows are of notes that are kept.
"""

from __future__ import annotations

from pathlib import Path

import xlsxwriter

from benchmarks.measuring import Bench, Figure, python

ROWS = 1_100_000
PROVIDERS = 210
HEADERS = (
    "OrganisationName",
    "WorkSheetName",
    "TableID",
    "MainCode",
    "RowNumber",
    "SubCode",
    " Total ",
)
BARE = """
import sys, time, fastexcel
started = time.perf_counter()
data = open(sys.argv[1], "rb").read()
book = fastexcel.read_excel(data)
rows = sum(book.load_sheet(n, header_row=None, dtypes="string").to_polars().height for n in book.sheet_names)
print("SECONDS", time.perf_counter() - started, rows)
"""
FACTS = """
import sys, time, hashlib
from pathlib import Path
import fastexcel
from pipeline.ingest.sources.accounts import read_accounts
from pipeline.ingest.files import RawFile
from pipeline.store import TableStore
path = Path(sys.argv[1])
started = time.perf_counter()
sha = hashlib.file_digest(path.open("rb"), "sha256").hexdigest()
file = RawFile(f"provider_accounts/{path.name}", path, "provider_accounts", "", sha, path.stat().st_size)
found = read_accounts([file], None)
TableStore(Path(sys.argv[2])).write("facts.account_line", found.frame)
print("SECONDS", time.perf_counter() - started, found.reports[0].rows_read, found.frame.height)
"""  # fmt: skip


def write_workbook(path: Path) -> int:
    """Write the workbook; returns the number of lines."""
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    listed = book.add_worksheet("List of Providers")
    names = [f"Meadow {i:03d} NHS Foundation Trust" for i in range(PROVIDERS)]
    listed.write_row(0, 0, ("Full name of Provider", "NHS code", "Region", "Sector", "Comments"))
    for i, name in enumerate(names):
        listed.write_row(
            i + 1, 0, (name, f"ZM{i // 26:X}{chr(65 + i % 26)}", "London", "Acute", "")
        )
    notes = [f"{n:02d}" for n in range(2, 30)]
    each = ROWS // PROVIDERS
    written = 0
    for part in range(2):
        sheet = book.add_worksheet("All data" if part == 0 else "All data 2")
        sheet.write_row(0, 0, HEADERS)
        row = 1
        for name in names[part::2]:
            for i in range(each):
                note = notes[i % len(notes)]
                period = "PY" if i // len(notes) % 3 == 2 else "CY"
                line = i // (len(notes) * 3)
                main = f"A{note}{period}{line % 40 + 1:02d}"
                sub = f"EXP{1000 + line // 40 * 10 + i // len(notes) % 3:04d}"
                cells = (name, f"TAC{note}", int(note), main, line + 1, sub, (i * 7919) % 900_000)
                sheet.write_row(row, 0, cells)
                row += 1
        written += row - 1
    book.close()
    return written


def _seconds(out: str) -> float:
    return float(next(w for w in out.splitlines() if w.startswith("SECONDS")).split()[1])


def figures(bench: Bench) -> list[Figure]:
    """The ratio and the peak of memory, each way in a process of its own, in turns."""
    path = bench.folder / "TAC-data-published-in-NHS-foundation-trusts-accounts-for-2023-24.xlsx"
    rows = write_workbook(path)
    both = []
    for _ in range(bench.rounds):
        both.append((python(BARE, path), python(FACTS, path, bench.folder / "accounts")))
    ratios = sorted(_seconds(f.out) / _seconds(b.out) for b, f in both)
    peak = max(f.megabytes for _, f in both)
    bare, facts = both[-1]
    path.unlink()
    told = (
        f"{rows:,} rows of 7 columns: {_seconds(facts.out):.2f} s against {_seconds(bare.out):.2f} s; "
        f"peak {peak:,.0f} MB, fastexcel alone {bare.megabytes:,.0f} MB"
    )
    return [
        Figure("Accounts workbook to facts / fastexcel alone", ratios[len(ratios) // 2], "x", 1.3, told),
        Figure("Peak memory of it", peak, "MB", 1500, told),
    ]  # fmt: skip
