"""Typed lines that are not kept because the payments made of them hold the same."""

from __future__ import annotations

import datetime as dt
import json
import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from spend_files import put, table
from test_portions import build, entry, ledger, same

from pipeline.ingest.payments.borrowed import NEEDED, lines_again, notes_of
from pipeline.ingest.spend.reader import LINE_SCHEMA
from pipeline.refresh import portions
from pipeline.schema import table as schema_of

SHEETS = (("b.csv", "", 5), ("a.xlsx", "Z", 4), ("a.xlsx", "A", 1), ("c.csv", "", 7))


def lines(**more: Any) -> pl.DataFrame:
    """Lines of three files whose names and sheets do not stand in their order."""
    rows = [(path, sheet, 2 * i) for path, sheet, n in SHEETS for i in range(n)]
    day = dt.date(2020, 4, 13)
    frame = pl.DataFrame(rows, schema=["source_file", "source_sheet", "source_row"], orient="row")
    return frame.with_columns(
        payment_date=pl.lit(day),
        month=pl.lit(day.replace(day=1)),
        supplier=pl.lit("Larkspur Ltd"),
        expense_type=pl.lit(None, pl.String),
        expense_area=pl.lit("Ward"),
        description=pl.lit(None, pl.String),
        transaction_reference=pl.col("source_row").cast(pl.String),
        amount_gbp=(pl.col("source_row") * 0.01 - 0.07).round(2),
        is_duplicate=pl.col("source_row") % 3 == 0,
        entity=pl.when(pl.col("source_row") > 4).then(pl.lit("A Trust")),
        **more,
    ).select(pl.col(n).cast(t) for n, t in LINE_SCHEMA.items())


def note_of(of: pl.DataFrame) -> dict[str, Any] | None:
    return notes_of(of, [of["source_file"].unique(maintain_order=True)])[0]


def as_payments(of: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Payments in another order, in their own types, without what they do not tell."""
    mixed = list(range(of.height))
    random.Random(seed).shuffle(mixed)
    types = schema_of("facts.payment").polars
    return of[mixed].select(pl.col(n).cast(types[n]) for n in NEEDED)


@pytest.mark.parametrize("seed", range(5))
def test_lines_are_made_again_as_they_were(seed: int) -> None:
    before = lines()
    note = json.loads(json.dumps(note_of(before)))
    assert_frame_equal(lines_again(as_payments(before, seed), note), before)
    assert_frame_equal(
        lines_again(before[:0].select(NEEDED), note_of(before[:0]) or {}), before[:0]
    )


def test_a_file_in_doubt_is_no_matter_of_others() -> None:
    odd = pl.col("amount_gbp") + pl.when(pl.col("source_file") == "c.csv").then(0.005).otherwise(0)
    mixed = lines().with_columns(amount_gbp=odd)
    notes = notes_of(mixed, [["c.csv", "b.csv"], ["a.xlsx"], ["b.csv"], []])
    assert [note is None for note in notes] == [True, False, False, False]
    own = mixed.filter(source_file="a.xlsx")
    assert_frame_equal(lines_again(as_payments(own, 1), notes[1] or {}), own)


def test_files_come_back_in_the_order_wanted() -> None:
    order = ["a.xlsx", "b.csv"]
    note = notes_of(lines(), [order])[0] or {}
    own = lines().filter(pl.col("source_file").is_in(order))
    wanted = pl.concat([own.filter(source_file=path) for path in order])
    assert_frame_equal(lines_again(as_payments(own, 2), note), wanted)


@pytest.mark.parametrize(
    "change",
    [
        {"amount_gbp": pl.lit(1.005)},
        {"source_row": pl.lit(3)},
        {"source_row": -pl.col("source_row")},
        {"source_sheet": (pl.col("source_row") % 4).cast(pl.String)},
    ],
    ids=["half a penny", "one row number", "rows backwards", "a sheet in two pieces"],
)
def test_what_payments_would_not_tell_is_not_borrowed(change: dict[str, pl.Expr]) -> None:
    assert note_of(lines().with_columns(**change).cast(LINE_SCHEMA)) is None


@pytest.mark.parametrize("lost", [0, 5, 16])
def test_a_note_about_other_payments_is_not_believed(lost: int) -> None:
    before = lines()
    payments = as_payments(before, 1)
    fewer = pl.concat([payments[:lost], payments[lost + 1 :]])
    other = payments.with_columns(source_file=pl.lit("b.csv"))
    for wrong in (fewer, other):
        with pytest.raises(ValueError, match="other payments"):
            lines_again(wrong, note_of(before) or {})


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    for month in (4, 5, 6):
        for folder in ("RZZ", "RZY"):
            put(tmp_path / "raw", f"Spend 2020-21 {month:02d}.csv", table(month), folder)
    return tmp_path / "raw"


def sizes(out: Path) -> dict[str, int]:
    """Entry -> bytes of its lines; none where they are borrowed."""
    found = sorted((out / ".work/cache/spend").glob("*.arrow"))
    return {p.stem: len(p.read_bytes()[:-64].split(b"\n", 2)[2]) for p in found}


def test_texts_are_kept_once_and_nothing_is_read_again_for_it(raw: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = build(raw, out)
    assert list(sizes(out).values()) == [0, 0]
    put(raw, "Spend 2020-21 07.csv", table(7))
    more = build(raw, out)
    assert (more.opened, more.classified) == (1, 4 * 12)
    assert list(sizes(out).values()) == [0, 0]
    same(more, build(raw, tmp_path / "fresh"))
    (raw / "spend_over_25k/RZZ/Spend 2020-21 07.csv").unlink()
    less = build(raw, out)
    assert less.opened == 0
    same(less, first)


def test_other_rules_read_nothing_and_another_version_of_the_product_reads_all(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    first = build(raw, out)
    monkeypatch.setattr(portions, "finishing_version", lambda: "other rules")
    ruled = build(raw, out)
    assert (ruled.opened, ruled.classified) == (0, first.classified)
    same(ruled, first)
    monkeypatch.setattr(portions, "finishing_version", lambda: "other rules and code")
    monkeypatch.setattr(portions, "lending_version", lambda: "other code")
    coded = build(raw, out)
    assert coded.opened == len(first.run.files)
    same(coded, first)
    monkeypatch.setattr(portions, "finishing_version", lambda: "other rules again")
    assert build(raw, out).opened == 0


@pytest.mark.parametrize("damage", ["gone", "flipped"])
def test_lines_borrowed_of_damaged_payments_are_read_again(
    raw: Path, tmp_path: Path, damage: str
) -> None:
    out = tmp_path / "out"
    build(raw, out)
    part = sorted((out / ".work/payments").glob("*.2020-21.*"))[0]
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 0xFF
    part.write_bytes(data)
    if damage == "gone":
        part.unlink()
    put(raw, "Spend 2020-21 07.csv", table(7), "RZY")
    put(raw, "Spend 2020-21 07.csv", table(7))
    again = build(raw, out)
    assert again.opened == 5  # two new files, and the three of the portion whose payments are lost
    same(again, build(raw, tmp_path / "fresh"))
    assert list(sizes(out).values()) == [0, 0]


def test_lines_that_a_correction_changed_are_kept_as_they_were_read(
    raw: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    plain = build(raw, out)
    own = ledger(tmp_path / "ledger", entry(file="spend_over_25k/RZZ/Spend 2020-21 05.csv"))
    fixed = build(raw, out, corrections=own)
    assert fixed.opened == 0
    assert sorted(size > 0 for size in sizes(out).values()) == [False, True]
    back = build(raw, out)
    assert back.opened == 0
    same(back, plain)


def test_rows_that_nobody_can_book_are_kept_as_they_were_read(raw: Path, tmp_path: Path) -> None:
    put(raw, "whose.csv", table(9), "somebody or other")
    first = build(raw, tmp_path / "out")
    assert sorted(size > 0 for size in sizes(tmp_path / "out").values()) == [False, False, True]
    put(raw, "Spend 2020-21 10.csv", table(10), "somebody or other")
    more = build(raw, tmp_path / "out")
    assert more.opened == 1
    assert first.rows == more.rows
    same(more, build(raw, tmp_path / "fresh"))
