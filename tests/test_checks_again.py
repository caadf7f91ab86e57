"""What checks said before is asked of the database; what it then says is what the library says."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from pipeline.quality import (
    CheckResult,
    Gate,
    Library,
    Since,
    ask_library,
    run_gate,
    suite_for,
)
from pipeline.quality.gate import tables_of
from pipeline.schema import table
from pipeline.store import TableStore

if TYPE_CHECKING:
    from pipeline.refresh import Summary
    from pipeline.settings import Settings

GATES: tuple[Gate, ...] = ("facts", "marts")
#: As if every check had held.
EVERY = Since(
    said={
        name: {c.check_name: True for c in suite_for(table(name))}
        for gate in GATES
        for name in tables_of(gate)
    }
)


def said(results: list[CheckResult]) -> Since:
    """What a run says to the next: what held, and what warned."""
    found: dict[str, dict[str, bool]] = {}
    for r in results:
        if r.passed or r.severity == "warning":
            found.setdefault(r.suite, {})[r.check_name] = r.passed
    return Since(said=found)


@pytest.fixture(scope="module")
def whole(demo_build: tuple[Settings, Summary]) -> TableStore:
    return TableStore(demo_build[0].tables)


@pytest.fixture
def store(whole: TableStore, tmp_path: Path) -> TableStore:
    shutil.copytree(whole.root, tmp_path / "tables")
    return TableStore(tmp_path / "tables")


@pytest.fixture
def asked() -> list[dict[str, list[str]]]:
    """What the library was asked: names of checks by table."""
    return []


def noting(asked: list[dict[str, list[str]]]) -> Library:
    """The library, which notes what it is asked."""

    def ask(store: TableStore, names: Mapping[str, Sequence[str]]) -> list[CheckResult]:
        asked.append({name: list(own) for name, own in names.items()})
        return ask_library(store, names)

    return ask


def _every_third(name: str) -> Callable[[TableStore], object]:
    return lambda store: store.write(name, store.read(name).gather_every(3))


def _set(name: str, **values: Any) -> Callable[[TableStore], object]:
    def made(store: TableStore) -> object:
        rows = store.read(name)
        there = pl.int_range(pl.len()) % 5 == 0
        return store.write(
            name,
            rows.with_columns(
                pl.when(there).then(pl.lit(v)).otherwise(pl.col(n)).cast(rows.schema[n]).alias(n)
                for n, v in values.items()
            ),
        )

    return made


def _without_a_column(store: TableStore) -> None:
    """Nothing can be asked of all checks at once then; each says for itself what it cannot see."""
    path = store.files("marts.icb_share")[0]
    pl.read_parquet(path).drop("financial_year").write_parquet(path)


def _empty(store: TableStore) -> None:
    store.write("marts.peer", store.read("marts.peer").clear())


def _told(results: list[CheckResult]) -> list[CheckResult]:
    """Without the rows shown of a failed check, which are any five of those that break it."""
    return [replace(r, sample=None) for r in results]


DAMAGES = pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda _: None, id="nothing"),
        pytest.param(_every_third("marts.digital_share"), id="shares left out"),
        pytest.param(_every_third("marts.maturity"), id="scores left out"),
        pytest.param(_every_third("dims.organisation"), id="organisations left out"),
        pytest.param(_set("marts.digital_share", share=7.0, badge="perhaps"), id="odd shares"),
        pytest.param(_set("marts.coverage", months_present=15), id="too many months"),
        pytest.param(_set("facts.account_line", financial_year="2020-21"), id="odd years"),
        pytest.param(_set("facts.workforce", organisation_code="ZZ9"), id="staff of another"),
        pytest.param(_set("meta.source_file", status="eaten"), id="odd status"),
        pytest.param(_without_a_column, id="a column left out"),
        pytest.param(_empty, id="no rows"),
    ],
)


@pytest.fixture(scope="module")
def before(whole: TableStore) -> dict[Gate, list[CheckResult]]:
    """What the library said before anything was damaged."""
    return {gate: run_gate(whole, gate, is_demo=True) for gate in GATES}


@DAMAGES
def test_the_results_are_those_of_the_library_which_is_asked_about_what_says_something_else(
    store: TableStore,
    before: dict[Gate, list[CheckResult]],
    asked: list[dict[str, list[str]]],
    damage: Callable[[TableStore], object],
) -> None:
    damage(store)
    for gate in GATES:
        alone = run_gate(store, gate, is_demo=True)
        held = {(r.suite, r.check_name): r.passed for r in before[gate]}
        others = {
            (r.suite, r.check_name)
            for r in alone
            if r.passed != held[r.suite, r.check_name] or r.failing_rows is None
        }
        asked.clear()
        again = run_gate(store, gate, is_demo=True, since=said(before[gate]), library=noting(asked))
        assert _told(again) == _told(alone)
        assert {(name, check) for told in asked for name in told for check in told[name]} == others
        for since in (EVERY, said(alone)):
            assert _told(run_gate(store, gate, is_demo=True, since=since)) == _told(alone)


def test_a_warning_that_was_given_is_given_again_with_the_rows_there_are_now(
    store: TableStore, asked: list[dict[str, list[str]]]
) -> None:
    """One whose class counts rows among all, and one whose query does."""
    name = "marts.digital_share"
    rows, since = store.read(name), Since()
    for wrong in (rows.height // 2, 3):
        there = pl.int_range(pl.len()) < wrong
        odd = {"capture_ratio": -3.0, "share": 0.9}
        store.write(
            name,
            rows.with_columns(
                pl.when(there).then(pl.lit(v)).otherwise(pl.col(n)).alias(n) for n, v in odd.items()
            ),
        )
        alone = run_gate(store, "marts", tables=[name])
        if wrong > 3:
            since = said(alone)
    again = run_gate(store, "marts", tables=[name], since=since, library=noting(asked))
    assert _told(again) == _told(alone)
    shown = {r.check_name: r for r in again if not r.passed and r.severity == "warning"}
    assert shown["capture_ratio_in_bounds"].observed == f"3 of {rows.height:,} rows break it"
    assert shown["share_plausible"].observed == "3 rows break it"
    assert all(r.sample for r in shown.values())
    assert not {check for told in asked for check in told[name]} & shown.keys()


def test_what_stopped_a_publication_is_asked_of_the_library_until_it_holds(
    store: TableStore, asked: list[dict[str, list[str]]]
) -> None:
    _set("marts.coverage", months_present=15)(store)
    before = run_gate(store, "marts", tables=["marts.coverage"])
    failed = [r.check_name for r in before if not r.passed]
    assert all(r.severity == "blocking" for r in before if not r.passed)
    assert failed
    again = run_gate(
        store, "marts", tables=["marts.coverage"], since=said(before), library=noting(asked)
    )
    assert again == before
    assert asked == [{"marts.coverage": failed}]
