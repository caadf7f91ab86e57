"""A refresh ends without walking through all that it loaded, and without a library that complains of it."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from pipeline.refresh import refresh
from pipeline.settings import Settings

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


def database(out: Path) -> None:
    """An empty database where the published one lies."""
    duckdb.connect(str(out / "fivepercent.duckdb")).close()


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


_MAIN = [sys.executable, "-c", "from pipeline.cli import main; main()"]


def test_nobody_reading_to_the_end_is_told_without_a_traceback(tmp_path: Path) -> None:
    """As other tools end: with 128 and the number of SIGPIPE."""
    process = subprocess.Popen(
        [*_MAIN, "--version"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
    )
    assert process.stdout
    assert process.stderr
    process.stdout.close()  # long before anything is written
    told = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), told) == (141, b"")


@pytest.mark.parametrize("options", [["--csv"], ["--json"], []])
def test_a_reader_of_an_answer_may_go_away(options: list[str], tmp_path: Path) -> None:
    database(tmp_path)
    asked = [*_MAIN, "query", "from range(100000)", "--out", str(tmp_path), *options]
    process = subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    assert process.stderr
    assert process.stdout.readline()
    process.stdout.close()
    told = process.stderr.read()
    process.stderr.close()
    # A table shows the first rows only, so it may have been written before the reader went away.
    assert process.wait() in ({141} if options else {0, 141})
    assert told == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("options", [["--csv"], ["--json"], []])
def test_a_full_disk_is_told_in_a_sentence(options: list[str], tmp_path: Path) -> None:
    database(tmp_path)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*_MAIN, "query", "select 1", "--out", str(tmp_path), *options],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "Failed: No space left on device\n"


def test_streams_that_are_closed_are_no_trouble(tmp_path: Path) -> None:
    database(tmp_path)
    asked = shlex.join([*_MAIN, "query", "select 1", "--csv", "--out", str(tmp_path)])
    for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        assert subprocess.run(["sh", "-c", f"{asked} {closed}"], check=False).returncode == 0, (
            closed
        )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("raised", ["time.sleep(60)", "dies_of_it()"])
def test_a_signal_ends_a_command_with_a_sentence(number: signal.Signals, raised: str) -> None:
    """Also where a library makes an error of its own of it, or somebody takes it for any error."""
    code = f"""
import time
from pipeline.cli import ending
def dies_of_it():
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        raise RuntimeError("Query interrupted") from None
def command():
    ending.if_stopped("Failed: stopped. As it was.")
    print("begun", flush=True)
    {raised}
ending.listen()
raise SystemExit(ending.run(command))
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "begun\n"
    process.send_signal(number)
    told = process.communicate(timeout=30)[1]
    assert (process.returncode, told) == (128 + number, "Failed: stopped. As it was.\n")


def test_a_query_that_is_interrupted_is_no_failed_refresh(tmp_path: Path, monkeypatch) -> None:
    """DuckDB makes an error of Ctrl-C, which nobody who waits for errors may take for one."""
    raw = tmp_path / "raw" / "workforce"
    raw.mkdir(parents=True)
    (raw / "nothing.csv").write_text("a,b\n1,2\n")

    def interrupted(*_: object, **__: object) -> None:
        raise RuntimeError("Query interrupted")

    monkeypatch.setattr("pipeline.refresh.run._locked", interrupted)
    with pytest.raises(KeyboardInterrupt):
        refresh(Settings(raw=raw.parent, out=tmp_path / "out"))


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["status", "--out", "none"], 1, "there is no database in"),
        (["status", "--out", "none", "--year", "x"], 2, "no financial year"),
        (["query", "slect", "--out", "here"], 2, "syntax error"),
        (["diff", "--out", "none"], 2, "there is no build in"),
        (["inspect", "none.csv"], 2, "there is no file"),
        (["export", "--out", "none"], 1, "there is no database in"),
        (["refresh", "--raw", "none"], 2, "there is no folder"),
        (["refresh", "--benchmark", "9"], 2, "benchmark"),
        (["fetch", "none"], 2, "none"),
        (["rebuild", "none", "--to", "there", "--out", "none"], 2, "there is no build in"),
        (["status", "--out", "n" * 300], 1, "File name too long"),
    ],
)
def test_a_machine_that_asks_for_json_gets_json_on_failure(
    arguments: list[str], code: int, why: str, tmp_path: Path
) -> None:
    (tmp_path / "here").mkdir()
    database(tmp_path / "here")
    done = subprocess.run(
        [*_MAIN, *arguments, "--json"], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == code, done.stderr
    assert why in json.loads(done.stdout)["failed"]
    assert why in done.stderr


def test_json_that_breaks_off_is_followed_by_nothing(tmp_path: Path) -> None:
    """An answer that is too long is no valid JSON, so that nobody takes it for all of it."""
    database(tmp_path)
    done = subprocess.run(
        [*_MAIN, "query", "from range(9)", "--json", "--out", str(tmp_path)],
        capture_output=True, text=True, check=False,
        env={**os.environ, "FIVEPERCENT_QUERY_ROWS": "5"},
    )  # fmt: skip
    assert done.returncode == 1
    assert "more than 5 rows" in done.stderr
    assert "failed" not in done.stdout
    with pytest.raises(json.JSONDecodeError):
        json.loads(done.stdout)
