"""A refresh ends without walking through all that it loaded, and without a library that complains of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

#: Runs the command, and tells at its end how many objects are kept for good.
_CODE = """
import atexit, gc, sys
from pipeline.cli import main

def looked(phase, info):
    print("looked for garbage at the end", file=sys.stderr)

@atexit.register
def tell():
    print(gc.get_freeze_count(), gc.get_stats()[0]["collections"] > 0, "duckdb" in sys.modules)
    gc.callbacks.append(looked)

main()
print("went on", file=sys.stderr)
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
    assert "went on" not in done.stderr


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


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--version"], 0),
        (["--help"], 0),
        (["refresh", "--no-such"], 2),
        (["status", "--out", "."], 1),
    ],
)
def test_status_and_all_that_was_said_outlive_a_quick_end(
    arguments: list[str], status: int, tmp_path: Path
) -> None:
    def by(code: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            capture_output=True, text=True, check=False, cwd=tmp_path,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    slowly = by("from pipeline.cli import app; app()")
    assert by("from pipeline.cli import main; main()") == slowly
    assert slowly[0] == status
    assert slowly[1] or slowly[2]


def test_nobody_reading_to_the_end_is_told_without_a_traceback(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", "from pipeline.cli import main; main()", "--version"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path,
    )  # fmt: skip
    assert process.stdout
    assert process.stderr
    process.stdout.close()  # long before anything is written
    told = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), told) == (1, b"")
