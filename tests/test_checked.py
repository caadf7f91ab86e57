"""Checks of tables that did not change are taken over; every other is made, whatever was kept."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import pipeline.quality
from pipeline.quality import run_gate
from pipeline.refresh.checked import checked
from pipeline.refresh.context import Run
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.refresh import Summary


@pytest.fixture
def run(demo_build: tuple[Settings, Summary], tmp_path: Path) -> Run:
    settings = Settings(raw=demo_build[0].raw, out=tmp_path / "out")
    shutil.copytree(demo_build[0].tables, settings.tables)
    return Run(settings)


def told(results: Any) -> list[tuple[Any, ...]]:
    found = [(r.suite, r.check_name, r.passed, r.observed, r.sample) for r in results]
    return sorted(found, key=lambda row: row[:2])


def test_only_what_changed_is_checked_and_the_results_are_those_of_all_checks(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def counted(store: Any, gate: Any, *, tables: list[str], **more: Any) -> Any:
        asked.append(sorted(tables))
        return run_gate(store, gate, tables=tables, **more)

    monkeypatch.setattr(pipeline.quality, "run_gate", counted)
    first = told(checked(run, "facts"))
    assert first == told(run_gate(run.store, "facts", is_demo=run.is_demo))
    assert told(checked(run, "facts")) == first
    assert len(asked) == 1
    epr = run.store.read("facts.epr")
    run.store.write("facts.epr", epr.with_columns(organisation_code=pl.lit("no such one")).head(1))
    changed = told(checked(run, "facts"))
    assert asked[1:] == [["facts.epr", "meta.source_file"]]  # the account of files counts its rows
    assert changed == told(run_gate(run.store, "facts", is_demo=run.is_demo)) != first
    trusts = run.store.read("dims.organisation")
    run.store.write("dims.organisation", trusts.head(trusts.height - 1))
    checked(run, "facts")
    assert {"dims.organisation", "facts.payment"} <= set(asked[2])  # payments are looked up in it
    assert "facts.deflator" not in asked[2]


@pytest.mark.parametrize("damage", ["other", "cut", "gone", "forced"])
def test_kept_results_that_cannot_be_trusted_are_not_used(run: Run, damage: str) -> None:
    first = told(checked(run, "marts"))
    made = run.counters["tables_checked"]
    path = run.settings.work / "checked-marts.json"
    data = path.read_bytes()
    if damage == "other":
        path.write_bytes(data.replace(b'"passed": true', b'"passed": false', 1))
    elif damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "gone":
        path.unlink()
    else:
        run.force = True
    assert told(checked(run, "marts")) == first
    assert run.counters["tables_checked"] == 2 * made > 0
