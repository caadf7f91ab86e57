"""The benchmark compares the gates with twins of their rules: on broken tables both find the same rows."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import polars as pl
import pytest

from benchmarks.plain_rules import failing_rows
from pipeline.quality import run_gate
from pipeline.quality.gate import tables_of
from pipeline.store import TableStore

if TYPE_CHECKING:
    from pipeline.refresh import Summary
    from pipeline.settings import Settings

PAYMENTS = "facts.payment"


@pytest.fixture(scope="module")
def store(
    demo_build: tuple[Settings, Summary], tmp_path_factory: pytest.TempPathFactory
) -> TableStore:
    """A copy of the tables of a build, to be damaged and put right again."""
    folder = tmp_path_factory.mktemp("plain") / "tables"
    shutil.copytree(demo_build[0].tables, folder)
    return TableStore(folder)


@pytest.fixture(scope="module")
def failing_before(store: TableStore) -> int:
    """Rules with a twin that fail before any damage."""
    return _differing(store)[1]


def _differing(store: TableStore) -> tuple[dict, int]:
    """Rules whose twin counts otherwise, and how many rules with a twin fail."""
    gates = ("facts", "marts")
    names = [name for gate in gates for name in tables_of(gate) if store.exists(name)]
    plain = failing_rows({name: store.read(name) for name in names})
    gate = {(r.suite, r.check_name): r for g in gates for r in run_gate(store, g, is_demo=True)}
    differing = {
        key: (rows, gate[key].failing_rows)
        for key, rows in plain.items()
        if key in gate and rows != gate[key].failing_rows
    }
    return differing, sum(rows > 0 for rows in plain.values())


@pytest.mark.parametrize(
    ("table", "damage"),
    [
        (PAYMENTS, lambda frame: frame),
        (PAYMENTS, lambda frame: frame.filter(pl.int_range(pl.len()) % 7 != 0)),
        (PAYMENTS, lambda frame: frame.with_columns(amount_gbp=pl.col("amount_gbp") * 2)),
        (PAYMENTS, lambda frame: frame.with_columns(supplier_canonical=pl.lit("One Ltd"))),
        ("marts.coverage_month", lambda frame: frame.filter(pl.int_range(pl.len()) % 5 != 0)),
        ("marts.coverage_month", lambda frame: frame.filter(pl.int_range(pl.len()) > 30)),
        ("marts.digital_share", lambda frame: frame.filter(pl.col("definition") != "D1")),
        ("marts.trust_supplier", lambda frame: frame.filter(pl.int_range(pl.len()) % 3 != 0)),
    ],
    ids=[
        "whole", "payments left out", "pounds doubled", "one supplier", "months left out",
        "trusts without months", "no D1", "suppliers left out",
    ],
)  # fmt: skip
def test_a_twin_counts_what_its_rule_counts(
    store: TableStore, failing_before: int, table: str, damage
) -> None:
    whole = {path: path.read_bytes() for path in store.files(table)}
    frames = [store.read(table)]
    try:
        for path in whole:
            frame = pl.read_parquet(path)
            damage(frame).cast(frame.schema).write_parquet(path)
        frames.append(store.read(table))
        differing, failing = _differing(store)
    finally:
        for path, content in whole.items():
            path.write_bytes(content)
    assert not differing
    assert frames[0].equals(frames[1]) or failing > failing_before
