"""Marts made of what was kept before are, byte for byte, those made whole."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from pipeline.marts import MART_ORDER, build_marts
from pipeline.marts import kept as kept_module
from pipeline.marts import run as marts_run
from pipeline.marts.judging import Answer
from pipeline.marts.kept import PAYMENTS, SUMS, Kept
from pipeline.refresh.context import Run
from pipeline.refresh.marts import kept_of_marts
from pipeline.refresh.unchanged import forget
from pipeline.schema import table
from pipeline.settings import Settings
from pipeline.store import TableStore
from pipeline.store.content import Contents
from pipeline.store.seal import file_hash
from pipeline.store.sealed import write_sealed

if TYPE_CHECKING:
    from pipeline.refresh import Summary

#: Marts that no payment is behind.
APART = {"marts.workforce", "marts.maturity", "marts.records_cost"}
Change = Callable[[pl.DataFrame], pl.DataFrame]


class World:
    """A working store and what is kept beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store = folder, TableStore(folder / "tables")
        self.added: list[tuple[str, str, int | None]] = []

    def build(self, told: str = "code", *, afresh: bool = False) -> set[str]:
        """Build with what was kept; returns the marts that were made."""
        contents = Contents(self.folder / "content")
        kept = Kept(self.folder / "kept", contents, told, afresh=afresh)
        before = {name: self._written(name) for name in MART_ORDER}
        build_marts(self.store, kept=kept)
        for path in self.store.files(PAYMENTS):
            contents.of(table(PAYMENTS), path, file_hash(path))
        self.added = kept.added
        return {name for name in MART_ORDER if self._written(name) != before[name]}

    def _written(self, name: str) -> int | None:
        files = self.store.files(name)
        return files[0].stat().st_ino if files else None

    def change(self, change: Change) -> None:
        """Change the payments."""
        self.store.write(PAYMENTS, change(self.store.read(PAYMENTS)))

    def bytes_of_marts(self) -> dict[str, str]:
        """Mart -> hash of its file."""
        return {name: file_hash(self.store.files(name)[0]) for name in MART_ORDER}

    def made_whole(self) -> dict[str, str]:
        """The same, made without anything kept, in another store."""
        other = TableStore(self.folder / "whole")
        shutil.rmtree(other.root, ignore_errors=True)
        shutil.copytree(self.store.root, other.root)
        build_marts(other)
        return {name: file_hash(other.files(name)[0]) for name in MART_ORDER}

    def sums(self) -> list[Path]:
        """The kept sums."""
        return sorted((self.folder / "kept").glob("*/*.parquet"))


@pytest.fixture(scope="module")
def built(
    demo_build: tuple[Settings, Summary], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """The demonstration with everything kept, and a trust with many payments."""
    folder = tmp_path_factory.mktemp("kept")
    shutil.copytree(demo_build[0].tables, folder / "tables")
    world = World(folder)
    world.build()
    codes = world.store.read(PAYMENTS).group_by("organisation_code").len()
    return folder, str(codes.sort("len", "organisation_code")["organisation_code"][-3])


@pytest.fixture
def world(built: tuple[Path, str], tmp_path: Path) -> World:
    shutil.copytree(built[0], tmp_path / "world")
    return World(tmp_path / "world")


def of_one(code: str, change: pl.Expr) -> Change:
    """Change the amounts of one trust in the last year."""

    def changed(payments: pl.DataFrame) -> pl.DataFrame:
        is_meant = (pl.col("organisation_code") == code) & (
            pl.col("financial_year") == pl.col("financial_year").max()
        )
        amount = pl.when(is_meant).then(change).otherwise("amount_gbp")
        return payments.with_columns(amount_gbp=amount.cast(table(PAYMENTS).polars["amount_gbp"]))

    return changed


def without(condition: pl.Expr) -> Change:
    return lambda payments: payments.filter(~condition)


def test_what_did_not_change_is_not_made_again(world: World) -> None:
    before = world.bytes_of_marts()
    assert world.build() == {"marts.milestone"}
    assert world.added == []
    assert world.bytes_of_marts() == before == world.made_whole()


def test_one_trust_that_changed_is_added_up_again_and_no_other(
    world: World, built: tuple[Path, str]
) -> None:
    before = world.bytes_of_marts()
    world.change(of_one(built[1], pl.col("amount_gbp") + 1000))
    made = world.build()
    last = max(path.name for path in world.store.files(PAYMENTS))
    assert sorted(world.added) == [(name, last, 1) for name in SUMS]
    assert made == set(MART_ORDER) - APART - {"marts.published_evidence", "marts.promised_money"}
    after = world.bytes_of_marts()
    assert after["marts.digital_share"] != before["marts.digital_share"]
    assert after == world.made_whole()


LATEST = pl.col("financial_year") == pl.col("financial_year").max()
CHANGES: dict[str, Change] = {
    "a month that is not there any more": without(LATEST & (pl.col("month") == pl.col("month").max())),
    "a year that is not there any more": without(LATEST),
    "lines that were replaced": lambda f: f.with_columns(
        is_superseded=pl.col("is_superseded") | (pl.int_range(pl.len()) % 17 == 0)
    ),
    "lines that got another supplier": lambda f: f.with_columns(
        supplier_canonical=pl.when(pl.int_range(pl.len()) % 13 == 0).then(None).otherwise("supplier_canonical")
    ),
    "a year that is new": lambda f: pl.concat(
        [
            f,
            f.filter(LATEST).with_columns(
                financial_year=pl.lit("2039/40"),
                month=pl.col("month").dt.offset_by("15y").cast(pl.Date),
            ),
        ]
    ),
    "nothing at all": without(pl.lit(value=True)),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_after_any_change_marts_are_those_made_whole(world: World, name: str) -> None:
    world.change(CHANGES[name])
    world.build()
    assert world.bytes_of_marts() == world.made_whole()
    years = {path.name for path in world.store.files(PAYMENTS)}
    assert {path.name for path in world.sums()} == years


def test_a_trust_that_left_and_came_back_is_in_no_sum_and_in_them_again(
    world: World, built: tuple[Path, str]
) -> None:
    payments, before = world.store.read(PAYMENTS), world.bytes_of_marts()
    world.change(without(pl.col("organisation_code") == built[1]))
    world.build()
    assert all(count == 1 for _, _, count in world.added)
    assert not any(
        built[1] in pl.read_parquet(path)["organisation_code"].to_list() for path in world.sums()
    )
    assert world.bytes_of_marts() == world.made_whole() != before
    world.store.write(PAYMENTS, payments)
    world.build()
    assert world.bytes_of_marts() == before


def test_sums_put_together_are_the_rows_of_sums_made_whole(
    world: World, built: tuple[Path, str]
) -> None:
    world.change(of_one(built[1], pl.col("amount_gbp") * 2))
    world.build()
    together = [pl.read_parquet(path) for path in world.sums()]
    assert all(count == 1 for _, _, count in world.added)
    world.build(afresh=True)
    assert {count for _, _, count in world.added} == {None}
    assert len(together) == len(world.sums())
    for path, rows in zip(world.sums(), together, strict=True):
        assert pl.read_parquet(path).equals(rows)
        assert pl.read_parquet_schema(path) == rows.schema


@pytest.mark.parametrize("damage", ["a sum", "its note", "a sum that is gone", "another sum"])
def test_a_damaged_sum_is_noticed_and_made_again(world: World, damage: str) -> None:
    (one, *_, other), before = world.sums(), world.bytes_of_marts()
    if damage == "a sum":  # whole to look at, but not what was kept
        pl.read_parquet(one).with_columns(pl.col("amount_gbp") * 2).write_parquet(one)
    elif damage == "its note":
        note = one.with_suffix(".json")
        note.write_text(note.read_text().replace('"of": "', '"of": "0'))
    elif damage == "another sum":
        one.write_bytes(other.read_bytes())
    else:
        one.unlink()
    (world.folder / "kept" / "kept.json").unlink()  # so that marts are made at all
    world.build()
    assert world.added == [(f"measures.{one.parent.name}", one.name, None)]
    assert world.bytes_of_marts() == before


def test_notes_of_another_version_are_not_believed(world: World) -> None:
    before = world.bytes_of_marts()
    for note in (world.folder / "kept").rglob("*.json"):
        write_sealed(note, {"version": 0})
    assert world.build() == set(MART_ORDER)
    assert len(world.added) == len(world.sums())
    assert world.bytes_of_marts() == before


def test_a_damaged_mart_is_made_again_and_no_other(world: World) -> None:
    before = world.bytes_of_marts()
    (path,) = world.store.files("marts.maturity")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert world.build() == {"marts.maturity", "marts.milestone"}
    assert world.bytes_of_marts() == before


def test_a_note_that_was_changed_is_not_believed(world: World) -> None:
    note = world.folder / "kept" / "kept.json"
    seal, body = note.read_text().split("\n")
    told = json.loads(body)
    claim, noted = next((c, n) for c, n in told["answers"].items() if n["answer"]["value"])
    noted["answer"]["value"] += 1
    note.write_text(f"{seal}\n{json.dumps(told)}")
    assert world.build() == set(MART_ORDER)
    assert world.bytes_of_marts() == world.made_whole()
    seal = hashlib.sha256(json.dumps(told).encode()).hexdigest()
    note.write_text(f"{seal}\n{json.dumps(told)}")  # were it not for the seal, it would be
    world.build()
    judged = world.store.read("marts.milestone").filter(claim_id=claim)
    assert judged["value"].to_list() == [noted["answer"]["value"]]


def test_other_code_makes_everything_again(world: World) -> None:
    before = world.bytes_of_marts()
    assert world.build(told="other code") == set(MART_ORDER)
    assert {count for _, _, count in world.added} == {None}
    assert world.bytes_of_marts() == before


def test_other_sql_of_a_sum_adds_it_up_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    views = marts_run.measure_views()
    other = [
        (name, sql.replace("count(expense_type)", "count(expense_area)"), told)
        for name, sql, told in views
    ]
    monkeypatch.setattr(marts_run, "measure_views", lambda: other)
    made = world.build()
    assert {name for name, _, _ in world.added} == {"measures.payment_by_answer"}
    assert {count for _, _, count in world.added} == {None}
    assert "marts.digital_share" in made
    assert not APART & made


def test_a_mart_that_is_asked_for_by_name_is_made_of_kept_sums(world: World) -> None:
    before = world.bytes_of_marts()
    (path,) = world.store.files("marts.supplier")
    path.unlink()
    kept = Kept(world.folder / "kept", None, "code")
    assert list(build_marts(world.store, only=["marts.supplier"], kept=kept)) == ["marts.supplier"]
    assert kept.added == []
    assert world.bytes_of_marts() == before


def test_kept_answers_are_judged_on_the_day(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime(2090, 1, 1, tzinfo=tz)

    def statuses() -> list[str]:
        return world.store.read("marts.milestone")["status"].to_list()

    before = statuses()
    assert "not yet due" in before
    monkeypatch.setattr(marts_run, "datetime", Later)
    asked: list[object] = []
    ask = marts_run.ask
    monkeypatch.setattr(marts_run, "ask", lambda *a: asked.append(a) or ask(*a))
    world.build()
    told = json.loads((world.folder / "kept" / "kept.json").read_text().split("\n")[1])
    assert len(told["answers"]) > 30
    assert len(asked) < 20  # those without an answer
    assert "not yet due" not in statuses()
    assert world.bytes_of_marts() == world.made_whole()


def test_the_order_of_sums_does_not_matter(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before, sums = world.bytes_of_marts(), Kept.sums

    def turned(self: Kept, *given: Any) -> str:
        return f"select * from ({sums(self, *given)}) order by hash(amount_gbp, lines, category)"

    monkeypatch.setattr(Kept, "sums", turned)
    assert world.build(told="other code") == set(MART_ORDER)
    assert world.bytes_of_marts() == before


def test_where_much_of_a_file_changed_all_of_it_is_added_up(world: World) -> None:
    world.change(lambda f: f.with_columns(pl.col("amount_gbp") + 1))
    world.build()
    assert {count for _, _, count in world.added} == {None}
    assert world.bytes_of_marts() == world.made_whole()


def test_a_sum_that_reads_payments_twice_cannot_be_kept(tmp_path: Path) -> None:
    twice = "select * from facts.payment join facts.payment as p using (organisation_code)"
    with pytest.raises(ValueError, match="once"):
        kept_module._over(twice, tmp_path / "x.parquet")


def test_each_row_of_a_kept_sum_is_of_one_trust_and_one_year() -> None:
    texts = {name: sql for name, sql, _ in marts_run.measure_views()}
    for name in SUMS:
        groups = texts[name].split("group by")[1]
        assert {"organisation_code", "financial_year"} <= {g.strip() for g in groups.split(",")}


def test_after_a_gate_that_failed_and_in_a_forced_run_nothing_is_believed(tmp_path: Path) -> None:
    settings = Settings(raw=tmp_path, out=tmp_path / "out", offline=True)
    run, answer = Run(settings), Answer(1.0, "One.", None)
    kept = kept_of_marts(run)
    kept.note_answer("claim", "key", answer)
    kept.write(run.store, {})
    assert kept_of_marts(run).answer("claim", "key") == answer
    assert kept_of_marts(run).answer("claim", "other key") is None
    assert kept_of_marts(Run(settings, force=True)).answer("claim", "key") is None
    forget(run)
    assert kept_of_marts(run).answer("claim", "key") is None
