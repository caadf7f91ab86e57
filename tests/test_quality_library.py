"""Great Expectations without what nothing here uses gives what it gives whole."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from quality_frames import changed
from quality_worlds import fact_world, store_of_world

from pipeline.quality.lighter import NotLoadedError, Unused, without
from pipeline.store import TableStore

RESULTS = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from pipeline.quality import library, run_gate
from pipeline.store import TableStore
if sys.argv[2] == "whole":
    import boto3, jsonschema, scipy.stats
    import great_expectations
found = [asdict(r) for r in run_gate(TableStore(Path(sys.argv[1])), "facts", is_demo=True)]
heavy = (
    "jsonschema", "pandas", "requests", "scipy.stats", "sqlalchemy.orm",
    "great_expectations.datasource.fluent.pandas_datasource",
    "great_expectations.datasource.fluent.snowflake_datasource",
    "great_expectations.expectations.core.expect_column_to_exist",
)
print(json.dumps([found, [name for name in heavy if name in sys.modules]]))
"""


def _results(store: TableStore, how: str) -> tuple[list, list]:
    done = subprocess.run(
        [sys.executable, "-c", RESULTS, str(store.root), how],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    return tuple(json.loads(done.stdout.splitlines()[-1]))


def test_left_out_parts_change_no_result(tmp_path):
    world = fact_world()
    broken = changed(world["facts.payment"], 0, amount_gbp=0, digital="perhaps", confidence=7.0)
    store = store_of_world(tmp_path, world | {"facts.payment": broken})
    path = store.files("facts.workforce")[0]
    pl.read_parquet(path).drop("fte").write_parquet(path)  # what cannot be asked is told as well
    light, loaded = _results(store, "light")
    whole, loaded_whole = _results(store, "whole")
    assert light == whole
    assert {r["check_name"] for r in light if not r["passed"]} >= {
        "amount_is_not_zero",
        "digital_is_allowed",
        "confidence_in_bounds",
    }
    assert loaded == []
    assert len(loaded_whole) == 8
    assert any(str(r["observed"]).startswith("could not be checked") for r in light)


def test_a_class_that_was_left_out_says_so_when_it_is_used():
    stand_in = Unused("somewhere.else")
    kind = stand_in.Anything
    assert kind is stand_in.Anything
    assert not isinstance(3, kind)
    with pytest.raises(NotLoadedError, match=r"somewhere\.else\.Anything is left out"):
        kind()


def test_stand_ins_go_when_the_import_is_done():
    name = "xml.sax.expatreader"  # of Python itself, loaded by nothing here
    sys.modules.pop(name, None)
    with without(later=[name], absent=["boto3_not_here"]):
        later = sys.modules[name]
        with pytest.raises(ImportError):
            __import__("boto3_not_here")
    assert name not in sys.modules
    assert "boto3_not_here" not in sys.modules
    assert callable(later.create_parser)  # asked of, it is loaded
    assert sys.modules[name] is not later
