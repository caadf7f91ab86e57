"""The real files: rows and pounds as published, and no change of headers or order changes a fact."""

from __future__ import annotations

import csv
import io
import itertools
import random
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from pipeline.ingest.spend.reader import SpendBatch, SpendInput, read_spend
from pipeline.ingest.tabular import read_grids
from pipeline.ingest.tabular.header import Layout, find_layout

pytestmark = pytest.mark.real

# Rows, and pounds in millions: all lines with a supplier and an amount.
PUBLISHED = {
    "R1H": (2_399, 503.64), "R1K": (1_399, 214.20), "RF4": (1_169, 221.23), "RJ2": (1_453, 169.74),
    "RJZ": (1_738, 436.34), "RQM": (1_447, 275.11), "RQX": (1_065, 105.05), "RVR": (2_528, 402.99),
    "RYJ": (2_750, 647.07),
}  # fmt: skip
FACTS = [
    "source_row", "payment_date", "month", "supplier", "expense_type", "expense_area", "amount_gbp",
    "is_duplicate",
]  # fmt: skip
FIRST_ROWS = 400


def _paths(raw: Path) -> list[Path]:
    return sorted(p for p in (raw / "spend_over_25k").rglob("*") if p.is_file())


@pytest.fixture(scope="module")
def all_files(real_raw: Path) -> SpendBatch:
    return read_spend(
        [SpendInput(p.relative_to(real_raw).as_posix(), p.read_bytes) for p in _paths(real_raw)]
    )


def test_rows_and_pounds_are_those_of_the_publishers(all_files: SpendBatch) -> None:
    folder = pl.col("source_file").str.split("/").list.get(1)
    sums = all_files.lines.group_by(folder).agg(pl.len(), pl.col("amount_gbp").sum() / 1e6)
    found = {code: (rows, pounds) for code, rows, pounds in sums.iter_rows()}
    assert {code: found[code][0] for code in PUBLISHED} == {c: n for c, (n, _) in PUBLISHED.items()}
    for code, (_, pounds) in PUBLISHED.items():
        # RJZ adds up to 436.327m when its cells are added by hand; the figure quoted was 436.34m.
        assert found[code][1] == pytest.approx(pounds, abs=0.013 if code == "RJZ" else 0.006), code


def test_every_row_is_accounted_for_and_hardly_any_is_rejected(all_files: SpendBatch) -> None:
    for report in all_files.reports.values():
        assert report.rows_read == report.rows_kept + report.rows_rejected + report.rows_ignored
        assert report.status in ("read", "partly read")
    assert all_files.rejected["reason"].to_list() == ["the row has no amount"]


def test_dates_lie_in_the_year_or_are_dates_of_invoices(all_files: SpendBatch) -> None:
    months = all_files.lines["month"]
    share = months.is_between(pl.date(2020, 4, 1), pl.date(2021, 3, 31)).mean()
    assert share is not None
    assert share > 0.999
    later = all_files.lines.filter(pl.col("payment_date").dt.truncate("1mo") > pl.col("month"))
    assert later.is_empty()


def _layouts(raw: Path) -> list[tuple[Path, pl.DataFrame, Layout]]:
    """One file for each publisher and header row."""
    seen: dict[tuple[str, ...], tuple[Path, pl.DataFrame, Layout]] = {}
    for path in _paths(raw):
        grid = next(g for g in read_grids(path.read_bytes()) if g.height > 1)
        layout = find_layout(grid)
        seen.setdefault(
            (path.parent.name, *layout.headers.values()),
            (path, grid.frame.head(FIRST_ROWS), layout),
        )
    return list(seen.values())


def _bytes(rows: list[list[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


@pytest.mark.parametrize("change", ["blank", "wrong", "shuffled"])
def test_a_header_less_or_columns_in_another_order_leave_the_facts(
    real_raw: Path, change: str
) -> None:
    items: list[SpendInput] = []
    same_as: dict[str, str] = {}
    for path, frame, layout in _layouts(real_raw):
        rows = [["" if c is None else c for c in row[1:]] for row in frame.iter_rows()]
        head = [i for i, n in enumerate(frame["row"].to_list()) if n in layout.header_rows]
        width = len(rows[0])
        folder = path.relative_to(real_raw).parent.as_posix()

        def add(tag: str, changed: list[list[str]], *, stem: str, folder: str) -> str:
            data = _bytes(changed)
            name = f"{folder}/{tag} {stem}.csv"
            items.append(SpendInput(name, lambda: data))
            return name

        base = add("as published", rows, stem=path.stem, folder=folder)
        if change == "shuffled":
            for seed in range(4):
                order = random.Random(seed).sample(range(width), width)
                moved = [[row[j] for j in order] for row in rows]
                same_as[add(f"order {seed}", moved, stem=path.stem, folder=folder)] = base
            continue
        for column in range(width):
            if not any(rows[i][column] for i in head):
                continue
            changed = [list(row) for row in rows]
            for i in head:
                changed[i][column] = "" if change == "blank" else f"Column{column}"
            same_as[add(f"{change} {column}", changed, stem=path.stem, folder=folder)] = base
    batch = read_spend(items)
    facts = {
        key[0]: part.select(FACTS)
        for key, part in batch.lines.partition_by("source_file", as_dict=True).items()
    }
    wrong = [
        name
        for name, base in same_as.items()
        if name in facts and not facts[name].equals(facts[base])
    ]
    refused = [name for name in same_as if name not in facts]
    assert not wrong
    assert not refused
    assert len(same_as) >= 80


def test_any_two_headers_less_leave_the_facts_or_a_column_that_is_openly_not_taken(
    real_raw: Path,
) -> None:
    items: list[SpendInput] = []
    same_as: dict[str, str] = {}
    for path, frame, layout in _layouts(real_raw):
        rows = [["" if c is None else c for c in row[1:]] for row in frame.iter_rows()]
        head = [i for i, n in enumerate(frame["row"].to_list()) if n in layout.header_rows]
        named = [c for c in range(len(rows[0])) if any(rows[i][c] for i in head)]
        folder = path.relative_to(real_raw).parent.as_posix()
        base = f"{folder}/as published {path.stem}.csv"
        items.append(SpendInput(base, partial(_bytes, rows)))
        for pair in itertools.combinations(named, 2):
            changed = [list(row) for row in rows]
            for i in head:
                for column in pair:
                    changed[i][column] = ""
            name = f"{folder}/without {pair} {path.stem}.csv"
            same_as[name] = base
            items.append(SpendInput(name, partial(_bytes, changed)))
    batch = read_spend(items)
    facts = {
        key[0]: part.select(FACTS)
        for key, part in batch.lines.partition_by("source_file", as_dict=True).items()
    }
    untold: list[tuple[str, str]] = []
    for name, base in same_as.items():
        if name not in facts:
            assert batch.reports[name].reason
            continue
        differ = [c for c in FACTS if not facts[name][c].equals(facts[base][c])]
        told = " ".join(w for s in batch.reports[name].sheets for w in s.warnings)
        untold += [
            (name, c)
            for c in differ
            if facts[name][c].null_count() < facts[name].height or "neither was taken" not in told
        ]
    assert not untold
    assert len(same_as) >= 500


@pytest.mark.parametrize("folder", ["R1H", "RJ2", "RJZ", "RQM", "RQX"])
def test_all_files_of_a_trust_end_to_end_in_one_csv_are_the_same_payments(
    real_raw: Path, folder: str
) -> None:
    paths = [p for p in _paths(real_raw) if p.parent.name == folder]
    items = [SpendInput(p.relative_to(real_raw).as_posix(), p.read_bytes) for p in paths]
    grids = [g for p in paths for g in read_grids(p.read_bytes())]
    rows = [["" if c is None else c for c in row[1:]] for g in grids for row in g.frame.iter_rows()]
    items.append(SpendInput(f"spend_over_25k/{folder}/together.csv", partial(_bytes, rows)))
    facts = ["payment_date", "supplier", "expense_type", "expense_area", "amount_gbp"]
    lines = read_spend(items).lines
    together = lines["source_file"].str.ends_with("/together.csv")
    one = lines.filter(together).select(facts).sort(facts)
    assert one.height > 1_000
    assert one.equals(lines.filter(~together).select(facts).sort(facts))
