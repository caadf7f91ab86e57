"""Payments are made portion by portion; the table is the one that all files together would make."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import yaml
from polars.testing import assert_frame_equal
from spend_files import HEADER, put, table

from pipeline.classify import classify
from pipeline.corrections import CorrectionError
from pipeline.ingest.files import list_raw_files
from pipeline.ingest.payments import portions as sharing
from pipeline.ingest.payments.lines import classify_lines, read_payment_lines
from pipeline.ingest.payments.portions import ANY_YEAR, batches_of, portions_of
from pipeline.refresh import pieces
from pipeline.refresh.context import Run
from pipeline.refresh.payments import build_payments
from pipeline.schema import table as schema_of
from pipeline.settings import Settings
from pipeline.store.tables import conform

FACTS = "facts.payment"
BOTH_WAYS = HEADER + "".join(
    f"0{d}/0{d + 1}/2020,Drugs,Ward,B{d} Ltd,{d},30000\n" for d in (1, 3, 5, 7)
)


def year(month: int) -> str:
    return "2020-21" if month >= 4 else "2019-20"


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Two publishers, two years, versions, doubtful dates, bad rows, a stranger, a broken file."""
    tree = tmp_path / "raw"
    for folder in ("RZZ", "RZY"):
        for month in (1, 2, 4, 5, 6):
            put(tree, f"Spend {year(month)} {month:02d}.csv", table(month), folder)
    put(tree, "Spend 2020-21 04 v2.csv", table(4, add=7), "RZY")
    put(tree, "both ways.csv", BOTH_WAYS, "RZZ")
    put(tree, "Spend 2020-21 07.csv", table(7) + "no date,Drugs,Ward,Larkspur Ltd,1,1\n", "RZZ")
    put(tree, "late 2019-20.csv", table(3) + table(8).replace(HEADER, ""), "RZZ")
    put(tree, "picture.csv", "%PDF-1.7 nothing", "RZZ")
    put(tree, "whose.csv", table(9), "somebody or other")
    return tree


@dataclass
class Built:
    """A run with what it gave."""

    run: Run
    rows: int
    payments: pl.DataFrame

    @property
    def opened(self) -> int:
        return self.run.counters["spend_files_opened"]

    @property
    def classified(self) -> int:
        return self.run.counters["rows_classified"]

    def part(self, kind: str) -> pl.DataFrame:
        name = {"files": "meta.source_file", "rejected": "meta.rejected_row"}[kind]
        return conform(self.run.read_parts(kind, schema_of(name).polars), schema_of(name))


def build(raw: Path, out: Path, **settings: object) -> Built:
    run = Run(Settings(raw=raw, out=out, **settings))  # type: ignore[arg-type]
    rows = build_payments(run, None)[FACTS]
    return Built(run, rows, run.store.read(FACTS).sort(schema_of(FACTS).sort))


def same(one: Built, other: Built) -> None:
    assert_frame_equal(one.payments, other.payments)
    for kind in ("files", "rejected"):
        assert_frame_equal(one.part(kind), other.part(kind))


def test_the_table_is_that_of_all_files_read_together(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = read_payment_lines(list_raw_files(raw), None)
    spec = schema_of(FACTS)
    slow = conform(classify_lines(together.lines, classify).select(spec.polars.names()), spec)
    built = build(raw, tmp_path / "one")
    assert built.rows == slow.height
    assert_frame_equal(built.payments, slow)
    for year_of_file in built.run.store.files(FACTS):
        rows = pl.read_parquet(year_of_file)
        assert rows["financial_year"].unique().to_list() == [year_of_file.stem.replace("-", "/")]
        assert_frame_equal(rows, conform(rows, spec))  # sorted as the table says
    told = {row["path"]: row for row in built.part("files").iter_rows(named=True)}
    for report in together.reports:
        expected, found = report.to_row(), told[report.path]
        pounds = [name for name in expected if name.startswith("pounds_")]
        assert [(t := expected.pop(name)) and Decimal(t) for name in pounds] == [
            found.pop(n) for n in pounds
        ]
        split = [set((row.pop("warnings") or "").split(". ")) for row in (expected, found)]
        assert (expected, split[0]) == (found, split[1])
    assert_frame_equal(
        built.part("rejected"), conform(together.rejected, schema_of("meta.rejected_row"))
    )
    monkeypatch.setattr(sharing, "BATCH_FILES", 2)
    monkeypatch.setattr(sharing, "FEW_FILES", 1)
    monkeypatch.setattr(sharing, "BATCH_FOLDERS", 1)
    monkeypatch.setattr(pieces, "PIECE", 10)
    small = build(raw, tmp_path / "many")
    assert len(portions_of(list_raw_files(raw))) > 6
    same(small, built)


def test_what_did_not_change_is_neither_read_nor_classified_nor_written(
    raw: Path, tmp_path: Path
) -> None:
    first = build(raw, tmp_path / "out")
    written = {p: p.stat().st_mtime_ns for p in first.run.store.files(FACTS)}
    assert first.opened == len(first.run.files) + 1  # the file with doubtful dates is read twice
    again = build(raw, tmp_path / "out")
    assert (again.opened, again.classified) == (0, 0)
    assert {p: p.stat().st_mtime_ns for p in again.run.store.files(FACTS)} == written
    put(raw, "Spend 2020-21 08.csv", table(8, add=3), "RZY")
    more = build(raw, tmp_path / "out")
    assert more.opened == 1
    assert more.classified == 5 * 12  # the publisher's files of that year
    changed = {p.stem for p, when in written.items() if p.stat().st_mtime_ns != when}
    assert changed == {"2020-21"}
    same(more, build(raw, tmp_path / "fresh"))


def test_a_file_that_goes_takes_its_payments_along(raw: Path, tmp_path: Path) -> None:
    build(raw, tmp_path / "out")
    shutil.rmtree(raw / "spend_over_25k" / "RZY")
    (raw / "spend_over_25k" / "RZZ" / "Spend 2020-21 05.csv").unlink()
    less = build(raw, tmp_path / "out")
    same(less, build(raw, tmp_path / "fresh"))
    kept = sorted(p.name for p in (tmp_path / "out/.work/payments").iterdir())
    assert kept == sorted(p.name for p in (tmp_path / "fresh/.work/payments").iterdir())


def test_when_the_last_file_goes_the_table_is_empty(raw: Path, tmp_path: Path) -> None:
    build(raw, tmp_path / "out")
    shutil.rmtree(raw / "spend_over_25k")
    none = build(raw, tmp_path / "out")
    assert none.rows == 0
    assert none.payments.schema == schema_of(FACTS).polars
    assert len(none.run.store.files(FACTS)) == 1


def test_another_file_that_tells_how_dates_are_written_changes_those_that_do_not(
    tmp_path: Path,
) -> None:
    raw = tmp_path / "raw"
    put(raw, "both ways.csv", BOTH_WAYS)
    assert build(raw, tmp_path / "out").rows == 0
    put(raw, "Spend 2020-21 04.csv", table(4))
    decided = build(raw, tmp_path / "out")
    assert decided.rows == 16
    assert decided.opened == 2  # the new file, and the doubtful one with what is known now
    (raw / "spend_over_25k/RZZ/Spend 2020-21 04.csv").unlink()
    assert build(raw, tmp_path / "out").rows == 0


@pytest.mark.parametrize("kind", ["state", "part", "rejected", "table", "note"])
@pytest.mark.parametrize("damage", ["gone", "cut", "flipped"])
def test_what_is_kept_and_damaged_is_made_again(
    raw: Path, tmp_path: Path, kind: str, damage: str
) -> None:
    first = build(raw, tmp_path / "out")
    kept = tmp_path / "out/.work/payments"
    pattern = {"state": "????????*.json", "part": "*.2020-21.*", "rejected": "*.rejected.*"}.get(
        kind
    )
    found = sorted(kept.glob(pattern)) if pattern else []
    found = {"table": first.run.store.files(FACTS), "note": [kept / "years.json"]}.get(kind, found)
    data = found[0].read_bytes()
    found[0].write_bytes(
        data[: len(data) // 2] if damage == "cut" else bytes([data[0] ^ 0xFF]) + data[1:]
    )
    if damage == "gone":
        found[0].unlink()
    put(raw, "Spend 2020-21 06.csv", table(6, n=11), "RZZ")  # the year is merged from all its parts
    put(raw, "Spend 2020-21 06.csv", table(6, n=11), "RZY")
    again = build(raw, tmp_path / "out")
    same(again, build(raw, tmp_path / "fresh"))


def entry(**more: object) -> dict[str, object]:
    return {
        "id": "rzz-one", "source": "spend_over_25k", "field": "amount_gbp", "was": "26000.50",
        "becomes": "2600.05", "reason": "A nought too many.", "evidence": "Letter of the trust.",
        "author": "A. Reviewer", "date": "2021-05-02", **more,
    }  # fmt: skip


def ledger(folder: Path, *entries: dict[str, object]) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "own.yaml").write_text(yaml.safe_dump({"corrections": list(entries)}))
    return folder


def test_an_entry_is_applied_where_it_belongs_and_nothing_else_is_done_again(
    raw: Path, tmp_path: Path
) -> None:
    plain = build(raw, tmp_path / "out")
    path = "spend_over_25k/RZZ/Spend 2020-21 05.csv"
    own = ledger(tmp_path / "ledger", entry(file=path))
    fixed = build(raw, tmp_path / "out", corrections=own)
    assert fixed.opened == 0
    assert 0 < fixed.classified < plain.classified
    assert fixed.payments["amount_gbp"].sum() < plain.payments["amount_gbp"].sum()
    same(fixed, build(raw, tmp_path / "fresh", corrections=own))
    same(build(raw, tmp_path / "out"), plain)


def test_an_entry_about_a_month_counts_over_all_portions(raw: Path, tmp_path: Path) -> None:
    """The rows of August 2020 lie in a file of that year and in one named after the year before."""
    put(raw, "Spend 2020-21 08.csv", table(8), "RZZ")
    where = {"organisation": "RZZ", "period": "2020-08"}
    own = ledger(tmp_path / "ledger", entry(**where, rows=2))
    fixed = build(raw, tmp_path / "out", corrections=own)
    assert fixed.payments.filter(amount_gbp=2600.05)["source_file"].n_unique() == 2
    told = fixed.run.read_parts("corrections", schema_of("meta.correction").polars)
    assert told["rows_affected"].to_list() == [2]
    ledger(own, entry(**where, rows=1))
    with pytest.raises(CorrectionError, match=r"expected 1 row.*found 2"):
        build(raw, tmp_path / "out", corrections=own)
    kept = fixed.run.store.read(FACTS).sort(schema_of(FACTS).sort)
    assert_frame_equal(kept, fixed.payments)  # nothing was written


def test_a_content_in_two_folders_is_corrected_once(raw: Path, tmp_path: Path) -> None:
    """Both publishers published the same bytes; the entry means the first file."""
    files = list_raw_files(raw)
    twice = [f for f in files if f.path.endswith("2020-21 05.csv")]
    assert len({f.sha256 for f in twice}) == 1
    own = ledger(tmp_path / "ledger", entry(sha256=twice[0].sha256))
    fixed = build(raw, tmp_path / "out", corrections=own).payments.filter(amount_gbp=2600.05)
    assert fixed["source_file"].to_list() == [min(f.path for f in twice)]


def test_payments_in_files_of_two_portions_count_once(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    put(raw, "Spend 2020-21 04.csv", table(4))
    put(raw, "everything.csv", table(4) + table(5).replace(HEADER, ""))
    assert len(portions_of(list_raw_files(raw))) == 2
    built = build(raw, tmp_path / "out")
    copies = built.payments.filter("is_duplicate")
    assert copies["source_file"].to_list() == ["spend_over_25k/RZZ/Spend 2020-21 04.csv"] * 12
    warned = built.part("files").filter(pl.col("warnings").str.contains("payments stand in"))
    assert warned["path"].to_list() == ["spend_over_25k/RZZ/Spend 2020-21 04.csv"]
    together = read_payment_lines(list_raw_files(raw), None)
    assert together.lines["is_duplicate"].sum() == 12
    same(build(raw, tmp_path / "out"), built)
    put(raw, "everything.csv", table(5))
    apart = build(raw, tmp_path / "out")
    assert not apart.payments["is_duplicate"].any()
    assert apart.part("files")["warnings"].null_count() == 2


def test_a_correction_does_not_bring_back_the_copy_in_another_file(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    put(raw, "Spend 2020-21 04.csv", table(4))
    put(raw, "everything.csv", table(4) + table(5).replace(HEADER, ""))
    path = "spend_over_25k/RZZ/everything.csv"
    where = {"source_row": 2}
    for change in ({}, {"becomes": ..., "drop": True}):
        fix = {k: v for k, v in entry(file=path, where=where, **change).items() if v is not ...}
        fixed = build(raw, tmp_path / "out", corrections=ledger(tmp_path / "ledger", fix))
        assert fixed.payments.filter("is_duplicate").height == 12
        april = ~pl.col("is_duplicate") & (pl.col("month").dt.month() == 4)
        counted = fixed.payments.filter(april)["amount_gbp"].sort()
        assert (len(counted), str(counted[0])) == ((11, "26001.50") if change else (12, "2600.05"))


def test_versions_of_a_file_lie_in_one_portion_and_years_in_several(raw: Path) -> None:
    found = portions_of(list_raw_files(raw))
    assert {p.year for p in found} == {"2019/20", "2020/21", ANY_YEAR}
    own = next(p for p in found if p.folder.endswith("RZY") and p.year == "2020/21")
    assert {f.superseded_by for f in own.files} > {None}
    assert all((f.superseded_by or f.path) in {g.path for g in own.files} for f in own.files)
    assert len({p.id for p in found}) == len(found)


def test_a_folder_without_end_is_split_and_a_new_file_moves_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "BATCH_FILES", 4)
    for number in range(13):
        put(tmp_path, f"list {number}.csv", table(4, add=number), "flat")
    before = portions_of(list_raw_files(tmp_path))
    assert len(before) > 2
    put(tmp_path, "list 99.csv", table(4, add=99), "flat")
    after = {p.id: p for p in portions_of(list_raw_files(tmp_path))}
    assert sum(after[p.id].files != p.files for p in before) == 1


def test_batches_are_bounded_and_hold_everything_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("BATCH_FILES", 6), ("FEW_FILES", 3), ("BATCH_FOLDERS", 2)):
        monkeypatch.setattr(sharing, name, value)
    for folder in ("RZA", "RZB", "RZC"):
        for month in range(4, 10):
            for start in (2019, 2020):
                name = f"{start}-{start - 1999} {month:02d}.csv"
                put(tmp_path, name, table(month, add=start), folder)
    found = portions_of(list_raw_files(tmp_path))
    batches = batches_of(found)
    assert sorted(p.id for b in batches for p in b) == sorted(p.id for p in found)
    assert all(len({p.year for p in b}) == 1 for b in batches)
    assert max(sum(len(p.files) for p in b) for b in batches) == 6
