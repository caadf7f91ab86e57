"""A question to the database may ask for anything, and gets nothing but rows, within its bounds."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import duckdb
import psutil
import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.store.question import Bounds, QuestionTooLargeError, ask

BOUNDS = Bounds(seconds=60, memory_mb=600, temp_mb=50, rows=10_000)
SORT = "select count(*) from (select i, hash(i) as h from range(50000000) t(i) order by h, i)"
FOR_EVER = "select sum(i) from range(10000000000000) t(i)"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("asked")
    with duckdb.connect(str(folder / "fivepercent.duckdb")) as connection:
        connection.execute("create table t as select i, '=1+' || i as text from range(3000) t(i)")
    return folder


@pytest.fixture
def spill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go; it must be empty again when a question has ended."""
    import tempfile

    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def _whole(out: Path, sql: str, bounds: Bounds = BOUNDS) -> list[tuple[object, ...]]:
    with ask(out / "fivepercent.duckdb", sql, bounds) as answer:
        return [row for batch in answer.batches for row in batch]


def _cli(out: Path, sql: str, *more: str):
    return CliRunner().invoke(app, ["query", sql, "--out", str(out), *more])


def test_every_row_of_an_answer_arrives_in_its_order(out: Path) -> None:
    assert _whole(out, "select i from t order by i") == [(i,) for i in range(3000)]
    assert _whole(out, "select i from t where false") == []


@pytest.mark.parametrize(
    "sql",
    [
        "select i from t",
        "from t",
        "with a as (select 1 as b) from a",
        "describe t",
        "show tables",
        "summarize t",
        "explain select 1",
        "values (1)",
        "pivot (select i % 3 as k, i from t) on k using sum(i)",
        "select 1;",
    ],
)
def test_questions_of_every_form_are_answered(out: Path, sql: str) -> None:
    assert _whole(out, sql)


@pytest.mark.parametrize(
    "sql",
    [
        "select 1; select 2",
        "",
        ";",
        "/* nothing */",
        "selec",
        "set threads = 1",
        "reset memory_limit",
        "pragma version",
        "call pragma_version()",
        "begin",
        "checkpoint",
        "prepare p as select 1",
        "create temp table x as select 1",
        "create table x as select 1",
        "create secret s (type s3)",
        "insert into t values (1, 'x')",
        "update t set i = 1",
        "drop table t",
        "attach '{beside}'",
        "use memory",
        "install httpfs",
        "load httpfs",
        "copy t to '{beside}'",
        "copy t from '/etc/passwd'",
        "export database '{beside}'",
        "import database '{beside}'",
        "explain analyze copy (select 1) to '{beside}'",
        "explain analyze insert into t select * from t",
        "from query('copy (select 1) to ''{beside}''')",
        "select * from '/etc/passwd'",
        "from read_csv('/etc/passwd')",
        "from read_text('/etc/passwd')",
        "from read_blob('/etc/passwd')",
        "from read_json('/etc/passwd')",
        "from read_parquet('/etc/passwd')",
        "from parquet_metadata('/etc/passwd')",
        "from sniff_csv('/etc/passwd')",
        "from glob('/etc/*')",
        "from 'https://example.org/x.parquet'",
        "from read_csv('http://127.0.0.1:1/x.csv')",
        "select getenv('HOME')",
        "from sqlite_scan('/etc/passwd', 'x')",
        "from read_xlsx('/etc/passwd')",
        "from st_read('/etc/passwd')",
        "call enable_logging()",
        "from sys",
        "from answers",
    ],
)
def test_what_is_no_question_or_reaches_outside_is_refused(
    out: Path, tmp_path: Path, sql: str
) -> None:
    beside = tmp_path / "beside"
    before = sorted(p.name for p in out.iterdir())
    told = _cli(out, sql.format(beside=beside))
    assert told.exit_code == 2, told.output
    assert told.stderr.startswith("Failed: ")
    assert "root:" not in told.output
    assert not beside.exists()
    assert sorted(p.name for p in out.iterdir()) == before


@pytest.mark.parametrize(
    "sql",
    [
        FOR_EVER,
        "with recursive r(i) as (select 1 union all select i + 1 from r) select count(*) from r",
        "select count(*) from range(1000000) a(i), range(1000000) b(j), range(1000000) c(k) "
        "where hash(i + j + k) % 1000 = 7",
    ],
)
def test_a_question_without_end_is_stopped(out: Path, spill: Path, sql: str) -> None:
    with pytest.raises(QuestionTooLargeError, match=r"stopped after 1\.5 seconds"):
        _whole(out, sql, Bounds(seconds=1.5, memory_mb=600, temp_mb=50, rows=10))
    assert list(spill.iterdir()) == []


@pytest.mark.parametrize(
    "sql",
    [
        "select length(repeat('x', 3000000000))",  # DuckDB's own bound of memory does not hold here
        "select list(i) from range(10000000000) t(i)",
        "select repeat('x', 10000000) from range(1000)",
        SORT,
    ],
)
def test_a_question_that_takes_all_memory_or_the_disk_is_stopped(
    out: Path, spill: Path, sql: str
) -> None:
    with pytest.raises(QuestionTooLargeError, match="FIVEPERCENT_QUERY_MEMORY_MB"):
        _whole(out, sql, Bounds(seconds=600, memory_mb=400, temp_mb=20, rows=10_000))
    assert list(spill.iterdir()) == []


def test_what_lies_on_the_disk_meanwhile_stays_within_its_bound(out: Path, spill: Path) -> None:
    most, over = 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not over.wait(0.005):
            sizes = []
            for path in spill.rglob("*"):
                with suppress(OSError):  # gone in the meantime
                    sizes.append(path.stat().st_size)
            most = max(most, sum(sizes))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        with pytest.raises(QuestionTooLargeError, match="FIVEPERCENT_QUERY_TEMP_MB"):
            _whole(out, SORT, Bounds(seconds=600, memory_mb=600, temp_mb=20, rows=10))
    finally:
        over.set()
        watcher.join()
    assert 0 < most <= 21_000_000  # a block of each thread may be on its way


def test_rows_beyond_the_bound_are_not_given_and_it_is_said(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIVEPERCENT_QUERY_ROWS", "2500")
    told = _cli(out, "select i from range(1000000000000) t(i)", "--csv")
    assert told.exit_code == 1
    assert "more than 2,500 rows" in told.stderr
    rows = list(csv.reader(io.StringIO(told.stdout)))
    assert rows == [["i"], *([str(i)] for i in range(2500))]
    broken = _cli(out, "select i from range(1000000000000) t(i)", "--json")
    assert broken.exit_code == 1
    with pytest.raises(json.JSONDecodeError):
        json.loads(broken.stdout)


def test_a_table_shows_the_first_rows_of_a_long_answer(out: Path) -> None:
    told = _cli(out, "select i from range(1000000000000) t(i)")
    assert told.exit_code == 0
    assert "199" in told.stdout
    assert "the first 200 are shown" in told.stdout


def test_a_cell_of_a_million_characters_is_shortened_on_the_screen_only(out: Path) -> None:
    shown = _cli(out, "select repeat('x', 1000000) as long")
    assert shown.exit_code == 0
    assert len(shown.stdout) < 50_000
    assert "1,000,000 characters" in shown.stdout
    assert len(_cli(out, "select repeat('x', 1000000) as long", "--csv").stdout) > 1_000_000


def test_json_is_one_array_however_many_rows(out: Path) -> None:
    for rows in (0, 1, 2500):
        told = _cli(out, f"select i, text from t where i < {rows} order by i", "--json")
        assert json.loads(told.stdout) == [{"i": i, "text": f"=1+{i}"} for i in range(rows)]


def test_csv_holds_no_formula(out: Path) -> None:
    told = _cli(
        out,
        """select text, -1.5::decimal(4, 1), '\uff1dx', '\t=x', '-2' as "=y" from t where i = 7""",
        "--csv",
    )
    rows = list(csv.reader(io.StringIO(told.stdout)))
    assert rows[0][-1] == "'=y"
    assert rows[1] == ["'=1+7", "-1.5", "'\uff1dx", "'\t=x", "-2"]


def _questions(parent: psutil.Process) -> list[psutil.Process]:
    return [p for p in parent.children() if "pipeline.store.question" in " ".join(p.cmdline())]


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_who_asked_can_stop_it_and_nothing_goes_on(
    out: Path, spill: Path, signal_number: int
) -> None:
    process = subprocess.Popen(
        [
            sys.executable, "-c", "from pipeline.cli import main; main()",
            "query", FOR_EVER, "--out", str(out),
        ],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ),
    )  # fmt: skip
    asker = psutil.Process(process.pid)
    until = time.monotonic() + 60
    while not (found := _questions(asker)) and time.monotonic() < until:
        time.sleep(0.05)
    assert found
    time.sleep(1)
    process.send_signal(signal_number)
    process.communicate(timeout=30)
    assert process.returncode != 0
    gone, alive = psutil.wait_procs(found, timeout=30)
    assert (len(gone), alive) == (1, [])
    assert list(spill.iterdir()) == []
