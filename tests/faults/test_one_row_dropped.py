"""One row dropped at any stage on the way of the data is told, and nothing is published without it.

Each stage is made to drop one row by patching it; the row is chosen by a seed. A stage is a place where a
frame is handed on. What must happen: the account of the file no longer adds up, a check of a gate
fails, or the run ends with an error that says what is missing.
"""

from __future__ import annotations

import importlib
import random
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from pipeline.ingest import result
from pipeline.ingest.payments import booking, cache
from pipeline.ingest.reading import PASSED_OVER, LostFactsError
from pipeline.ingest.sources import organisation_files
from pipeline.ingest.spend import cells as spend_cells
from pipeline.ingest.spend import reader as spend
from pipeline.ingest.spend import rows as spend_rows
from pipeline.refresh import kept, merging, meta, payments, portions, sources
from pipeline.refresh.context import Run
from pipeline.refresh.run import RefreshFailedError, check_gate, read_sources
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.refresh import Summary

SOURCES = {s.source_id: s for s in sources.SOURCES}


def less_one(frame: pl.DataFrame, seed: int = 1) -> pl.DataFrame:
    """A frame without one of its rows."""
    at = random.Random(seed).randrange(frame.height)
    return pl.concat([frame[:at], frame[at + 1 :]])


@pytest.fixture(scope="module")
def demo(demo_build: tuple[Settings, Summary]) -> Settings:
    return demo_build[0]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two organisations, a year, every source."""
    from pipeline.demo import generate

    raw = tmp_path_factory.mktemp("small") / "raw"
    generate(raw, trusts=2, boards=1, years=("2021/22",))
    return raw


def read(settings: Settings, source_id: str) -> result.SourceResult:
    run = Run(settings)
    register = sources.register_of(run)
    return SOURCES[source_id].load()(run.files_of(source_id), register, limits=run.limits)


def unbalanced(found: result.SourceResult) -> list[str]:
    return [
        r.path
        for r in found.reports
        if r.rows_read != r.rows_kept + r.rows_rejected + r.rows_ignored
    ]


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("source_id", SOURCES)
def test_a_fact_dropped_from_what_a_reader_gives(
    demo: Settings, source_id: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert unbalanced(read(demo, source_id)) == []
    honest = result.run_files
    hit: list[str] = []

    def lossy(*args: Any, **more: Any) -> list:
        done = honest(*args, **more)
        at = next(i for i, (_, facts) in enumerate(done) if facts is not None and facts.height)
        reading, facts = done[at]
        hit.append(reading.file.path)
        done[at] = (reading, less_one(facts, seed))
        return done

    monkeypatch.setattr(result, "run_files", lossy)
    assert unbalanced(read(demo, source_id)) == hit


@pytest.mark.parametrize("source_id", SOURCES)
def test_a_row_of_the_sheet_that_a_parser_does_not_look_at(
    demo: Settings, source_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parser gets sheets without one of the rows it used; the account is of the whole sheets."""
    whole = read(demo, source_id)
    module = importlib.import_module(
        f"pipeline.ingest.sources.{SOURCES[source_id].reader.split(':')[0]}"
    )
    honest = module._parse
    hit: list[str] = []

    def lossy(reading: Any, *more: Any) -> pl.DataFrame:
        before = [grid.frame for grid in reading.grids]
        if not hit:
            facts = honest(reading, *more)
            reading.forget()
            row = random.Random(3).choice(facts["_row"].unique().sort().to_list())
            sheet = facts.filter(_row=row)["_sheet"][0]
            hit.append(reading.file.path)
            for grid in reading.grids:
                if grid.sheet == sheet:
                    object.__setattr__(grid, "frame", grid.frame.filter(pl.col("row") != row))
        facts = honest(reading, *more)
        for grid, frame in zip(reading.grids, before, strict=True):
            object.__setattr__(grid, "frame", frame)
            reading.sheet(grid).rows_read = frame.height
        return facts

    monkeypatch.setattr(module, "_parse", lossy)
    found = read(demo, source_id)
    report = next(r for r in found.reports if r.path == hit[0])
    honest_report = next(r for r in whole.reports if r.path == hit[0])
    told = found.rejected.filter(pl.col("source_file") == hit[0], pl.col("reason") == PASSED_OVER)
    refused = report.status == "set aside" and "passed over" in str(report.reason)
    assert told.height == 1 or refused, (honest_report.to_row(), report.to_row())


@pytest.mark.parametrize("name", ["_register", "_directory", "_boards", "_successions"])
def test_a_row_dropped_from_a_part_of_the_register(
    demo: Settings, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.ingest.sources.organisations import read_organisations

    honest = getattr(organisation_files, name)
    files = Run(demo).files_of("organisations")
    done: list[str] = []

    def lossy(*args: Any) -> pl.DataFrame:
        found = honest(*args)
        if not found.height:
            return found
        done.append(name)
        return less_one(found)

    monkeypatch.setattr(organisation_files, name, lossy)
    try:
        read_organisations(files, is_demo=True)
    except LostFactsError:
        return
    assert not done, "a row was dropped and nobody said so"
    pytest.skip("the demonstration has no such list")


def fails(settings: Settings) -> str:
    """What reading everything and the first gate say; empty when they say nothing."""
    run = Run(settings)
    try:
        read_sources(run, {})
        check_gate(run, "facts")
    except (RefreshFailedError, LostFactsError) as error:
        return str(error)
    return ""


def first_only(honest: Any, drop: Any) -> Any:
    """A function that drops a row from what it gives the first time it gives any."""
    done: list[int] = []

    def lossy(*args: Any, **more: Any) -> Any:
        found = honest(*args, **more)
        if done:
            return found
        less = drop(found)
        if less is not None:
            done.append(1)
            return less
        return found

    return lossy


def drop_once(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, drop: Any) -> list[int]:
    """Have a function drop a row once; the list has an entry as soon as it has done so."""
    dropped: list[int] = []

    def noting(found: Any) -> Any:
        less = drop(found)
        if less is not None:
            dropped.append(1)
        return less

    monkeypatch.setattr(module, name, first_only(getattr(module, name), noting))
    return dropped


def frame_less(found: pl.DataFrame) -> pl.DataFrame | None:
    return less_one(found) if found.height else None


def lines_less(found: Any) -> Any:
    from dataclasses import replace

    return replace(found, lines=less_one(found.lines)) if found.lines.height else None


def correct_less(found: Any) -> Any:
    lines, applied = found
    return (lines_less(lines), applied)


STAGES = {
    "cells of a sheet": (spend_rows, "rows_of", frame_less),
    "rows of sheets of one layout": (spend_cells, "_rows_of_layout", frame_less),
    "typing": (spend, "type_rows", frame_less),
    "sheets that repeat others": (spend, "drop_repeated_sheets", frame_less),
    "typed files": (portions, "read_typed", lines_less),
    "booking to publishers": (portions, "to_publishers", lines_less),
    "publishers by row": (booking, "book_rows", frame_less),
    "ledger": (portions, "_correct", correct_less),
    "classification": (payments, "classify_lines", frame_less),
    "merging": (merging, "flag_copies", frame_less),
    "accounts of a source": (sources, "correct_facts", frame_less),
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_row_dropped_between_two_stages(
    small: Path, stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(raw=small, out=tmp_path / "out", offline=True)
    dropped = drop_once(monkeypatch, *STAGES[stage])
    said = fails(settings)
    assert dropped
    assert said


STAGES_AGAIN = {
    "kept payments": (kept.Kept, "frame", frame_less),
    "kept payments as they are merged": (merging, "flag_copies", frame_less),
    "typed lines made of payments": (cache, "lines_again", frame_less),
    "a file that was added, booked": (portions, "to_publishers", lines_less),
}


@pytest.mark.parametrize("stage", STAGES_AGAIN)
def test_a_row_dropped_when_a_file_is_added_to_what_is_known(
    small: Path, stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most rows of a second refresh come from what the first one kept."""
    raw = tmp_path / "raw"
    shutil.copytree(small, raw)
    settings = Settings(raw=raw, out=tmp_path / "out", offline=True)
    path = sorted((raw / "spend_over_25k").rglob("*.csv"))[-1]
    content = path.read_bytes()
    path.unlink()
    assert fails(settings) == ""
    path.write_bytes(content)
    dropped = drop_once(monkeypatch, *STAGES_AGAIN[stage])
    said = fails(settings)
    assert dropped
    if not said:  # the loss was noticed where it happened, and what was lost was read again
        monkeypatch.undo()
        fresh = Settings(raw=raw, out=tmp_path / "fresh", offline=True)
        assert fails(fresh) == ""
        assert _payments(settings).equals(_payments(fresh))


def _payments(settings: Settings) -> pl.DataFrame:
    return Run(settings).store.read("facts.payment")


def test_without_a_dropped_row_nothing_fails(small: Path, tmp_path: Path) -> None:
    assert fails(Settings(raw=small, out=tmp_path / "out", offline=True)) == ""


def test_a_file_left_out_of_the_accounts(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Run.read_parts

    def lossy(run: Run, kind: str, schema: pl.Schema) -> pl.DataFrame:
        found = honest(run, kind, schema)
        spend_files = found.filter(source_id="spend_over_25k") if kind == "files" else found
        return found.join(spend_files.head(1), on="path", how="anti") if kind == "files" else found

    monkeypatch.setattr(meta.Run, "read_parts", lossy)
    assert "payments_equal_rows_kept" in fails(Settings(raw=small, out=tmp_path / "out"))


def test_a_file_of_the_build_that_lost_a_row_on_the_way_into_its_folder(
    demo: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.store import publish
    from pipeline.store.tables import TableStore

    honest = shutil.copyfile

    def lossy(source: Path, target: Path) -> None:
        if source.name == "epr.parquet":
            less_one(pl.read_parquet(source)).write_parquet(target)
            return
        honest(source, target)

    monkeypatch.setattr(publish.shutil, "copyfile", lossy)
    with pytest.raises(publish.PublicationError, match="epr"):
        publish.copy_parquet(TableStore(demo.tables), tmp_path / "parquet")
