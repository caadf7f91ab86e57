"""Checks that held before are asked as one; what they then say is what each says by itself."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from marts_store import build_raw

from pipeline.demo import generate
from pipeline.quality import CheckResult, Gate, Since, engine, run_gate, suite_for
from pipeline.quality.gate import tables_of
from pipeline.schema import table
from pipeline.store import TableStore

GATES: tuple[Gate, ...] = ("facts", "marts")
#: As if every check had held.
EVERY = Since(
    together={
        name: frozenset(c.check_name for c in suite_for(table(name)))
        for gate in GATES
        for name in tables_of(gate)
    }
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> TableStore:
    folder = tmp_path_factory.mktemp("together")
    generate(folder / "raw", trusts=8, boards=2)
    return build_raw(folder / "raw", folder / "out")


@pytest.fixture
def store(whole: TableStore, tmp_path: Path) -> TableStore:
    shutil.copytree(whole.root, tmp_path / "tables")
    return TableStore(tmp_path / "tables")


@pytest.fixture
def suites(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Every suite the library is given: its table and how many expectations."""
    given: list[tuple[str, int]] = []
    real = engine.suite_of

    def noting(name: str, checks: Any) -> Any:
        given.append((name, len(checks)))
        return real(name, checks)

    monkeypatch.setattr(engine, "suite_of", noting)
    return given


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


@pytest.mark.parametrize(
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
def test_what_is_asked_together_says_what_is_said_one_by_one(
    store: TableStore, damage: Callable[[TableStore], object]
) -> None:
    damage(store)
    for gate in GATES:
        alone = _told(run_gate(store, gate, is_demo=True))
        assert _told(run_gate(store, gate, is_demo=True, since=EVERY)) == alone


def test_a_table_whose_checks_hold_is_asked_once(
    store: TableStore, suites: list[tuple[str, int]]
) -> None:
    results = run_gate(store, "marts", tables=["marts.coverage"], since=EVERY)
    assert len(results) > 5
    assert suites == [("marts.coverage", 1)]


def test_where_one_breaks_each_is_asked_and_those_that_failed_before_are_not_asked_twice(
    store: TableStore, suites: list[tuple[str, int]]
) -> None:
    _set("marts.coverage", months_present=15)(store)
    alone = run_gate(store, "marts", tables=["marts.coverage"])
    failed = {r.check_name for r in alone if not r.passed}
    suites.clear()
    assert run_gate(store, "marts", tables=["marts.coverage"], since=EVERY) == alone
    assert suites == [("marts.coverage", 1), ("marts.coverage", len(alone))]
    suites.clear()
    held = frozenset(r.check_name for r in alone if r.passed)
    again = Since(together={"marts.coverage": held})
    assert run_gate(store, "marts", tables=["marts.coverage"], since=again) == alone
    assert suites == [("marts.coverage", 1), ("marts.coverage", len(failed))]
