"""A refresh ends without walking through all that it loaded, and without a library that complains of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

#: Runs the command, then tells how many objects are kept for good.
_CODE = """
import gc, sys
from pipeline.cli import main

def looked(phase, info):
    print("looked for garbage at the end", file=sys.stderr)

try:
    main()
except SystemExit:
    print(gc.get_freeze_count(), gc.get_stats()[0]["collections"] > 0, "duckdb" in sys.modules)
    gc.callbacks.append(looked)
    raise
"""


def test_what_a_refresh_loaded_is_kept_for_good_and_duckdb_does_not_miss_it(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    (raw / "workforce").mkdir(parents=True)
    (raw / "workforce" / "nothing.csv").write_text("a,b\n1,2\n")
    options = ["--raw", str(raw), "--out", str(tmp_path / "out"), "--only", "no.such_table"]
    done = subprocess.run(
        [sys.executable, "-c", _CODE, "refresh", *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "no.such_table" in done.stderr
    kept, collects, duckdb = done.stdout.split()
    assert int(kept) > 50_000
    assert (collects, duckdb) == ("True", "True")
    assert "looked for garbage" not in done.stderr
    assert "leaked" not in done.stderr


def test_a_program_that_loaded_duckdb_before_may_refresh_without_complaints(tmp_path: Path) -> None:
    options = ["--demo", "--out", str(tmp_path / "out"), "--only", "no.such_table"]
    code = "import duckdb\nduckdb.sql('select 1').fetchall()\n" + _CODE
    done = subprocess.run(
        [sys.executable, "-c", code, "refresh", *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {1, 2}
    assert done.stdout.startswith("0 True")
    assert "leaked" not in done.stderr
