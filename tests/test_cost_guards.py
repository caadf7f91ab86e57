"""Costs that grow faster than they should, caught by counting: files, rows, calls, queries, imports.

Seconds would differ from machine to machine; counts do not. Each bound is about twice what is needed
today, so that only another way of working breaks it.
"""

from __future__ import annotations

import builtins
import hashlib
import io
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from spend_files import HEADER, put, table

from pipeline.classify import default_rules, engine
from pipeline.classify.answers import Answers
from pipeline.ingest.files import list_raw_files
from pipeline.ingest.spend.reader import SpendInput, read_spend
from pipeline.ingest.tabular import together
from pipeline.marts import MART_ORDER, build_marts
from pipeline.marts import run as marts_run
from pipeline.refresh import workers
from pipeline.refresh.context import Run
from pipeline.refresh.payments import build_payments
from pipeline.refresh.run import compute_marts, read_sources
from pipeline.settings import PROJECT_ROOT, Settings
from pipeline.store import TableStore

if TYPE_CHECKING:
    from pipeline.demo import Truth
    from pipeline.refresh import Summary

#: Calls of the table library a file may cost, among many files; each costs as much as a thousand rows.
CALLS_A_FILE = 2.5
#: Queries a mart may cost, shared measures included.
QUERIES_A_MART = 10
HEAVY = ("great_expectations", "plotly", "pandas", "scipy", "dagster", "sqlalchemy", "fastexcel")


def inputs(n: int) -> list[SpendInput]:
    texts = [table(i % 12 + 1, n=30, add=i).encode() for i in range(n)]
    return [
        SpendInput(f"spend_over_25k/RZZ/Spend {i:04d}.csv", lambda t=text: t)
        for i, text in enumerate(texts)
    ]


def library_calls(run: Callable[[], object]) -> int:
    """How often Polars was asked to work, in this thread and those it starts."""
    calls = 0

    def count(_: object, event: str, called: object) -> None:
        nonlocal calls
        if event == "c_call" and getattr(called, "__name__", "") == "collect":
            calls += 1

    threading.setprofile(count)
    sys.setprofile(count)
    try:
        run()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]
    return calls


def test_files_of_one_shape_are_parsed_and_looked_at_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parses: list[int] = []
    parse = together.parse_fast
    monkeypatch.setattr(together, "parse_fast", lambda *a, **k: parses.append(1) or parse(*a, **k))
    kept: list[int] = []
    calls = library_calls(lambda: kept.append(read_spend(inputs(200)).lines.height))
    assert kept == [200 * 30]
    assert len(parses) <= 8
    assert calls <= 200 * CALLS_A_FILE


def test_one_file_with_a_line_break_in_a_cell_does_not_make_the_others_dear(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    odd = HEADER + '14/05/2020,Drugs,"Ward\n7",Larkspur Ltd,9,30000\n'
    items = [*inputs(40), SpendInput("spend_over_25k/RZZ/odd.csv", odd.encode)]
    parses: list[int] = []
    parse = together.parse_fast
    monkeypatch.setattr(together, "parse_fast", lambda *a, **k: parses.append(1) or parse(*a, **k))
    read = read_spend(items)
    assert read.lines.height == 40 * 30 + 1
    assert "Ward 7" in read.lines["expense_area"].to_list()
    assert len(parses) <= 4


def test_each_text_is_classified_once_however_many_rows_have_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for month in range(4, 10):
        put(tmp_path / "raw", f"Spend 2020-21 {month:02d}.csv", table(month, n=20) * 5)
    seen: dict[str, list[int]] = {column: [] for column in ("expense_type", "supplier")}
    answers = Answers(default_rules())
    for column, heights in seen.items():
        memory = answers._memories[column]
        ask = memory._ask
        monkeypatch.setattr(
            memory, "_ask", lambda texts, a=ask, h=heights: h.append(len(texts)) or a(texts)
        )
    monkeypatch.setattr(engine, "answers_of", lambda _: answers)
    for out in ("one", "two"):
        run = Run(Settings(raw=tmp_path / "raw", out=tmp_path / out))
        assert build_payments(run, None)["facts.payment"] == 6 * 20 * 5
    assert sum(seen["supplier"]) == 20
    assert sum(seen["expense_type"]) == 1


def test_one_changed_file_opens_one_file_and_classifies_its_portion(tmp_path: Path) -> None:
    raw, out = tmp_path / "raw", tmp_path / "out"
    for folder in ("RZX", "RZY", "RZZ"):
        for year, month in (("2019-20", 1), ("2019-20", 2), ("2020-21", 4), ("2020-21", 5)):
            put(raw, f"Spend {year} {month:02d}.csv", table(month), folder)

    def counters() -> tuple[int, int]:
        run = Run(Settings(raw=raw, out=out))
        build_payments(run, None)
        return run.counters["spend_files_opened"], run.counters["rows_classified"]

    assert counters() == (12, 12 * 12)
    assert counters() == (0, 0)
    put(raw, "Spend 2020-21 05.csv", table(5, n=10), "RZY")
    assert counters() == (1, 12 + 10)


def test_a_file_is_read_from_disk_once_to_hash_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for month in range(1, 13):
        put(tmp_path / "raw", f"Spend {month}.csv", table(month))
    opened: list[str] = []
    builtin_open = builtins.open

    def counted(path: Any, *a: Any, **k: Any) -> Any:
        opened.append(str(path))
        return builtin_open(path, *a, **k)

    monkeypatch.setattr(builtins, "open", counted)
    monkeypatch.setattr(io, "open", counted)  # what Path.open calls
    assert len(list_raw_files(tmp_path / "raw")) == 12
    assert len([path for path in opened if path.endswith(".csv")]) == 12


class _Counting:
    """A connection that counts what it is asked."""

    def __init__(self, connection: Any, queries: list[str]) -> None:
        self._connection, self._queries = connection, queries

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._connection, name)
        if name == "cursor":
            return lambda: _Counting(found(), self._queries)
        if name not in ("sql", "execute", "query"):
            return found

        def asked(text: str, *more: Any, **named: Any) -> Any:
            self._queries.append(text)
            return found(text, *more, **named)

        return asked


def test_marts_ask_a_bounded_number_of_questions(
    demo_build: tuple[Settings, Summary], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_store = marts_run.open_store
    shutil.copytree(demo_build[0].tables, tmp_path / "tables")
    queries: list[str] = []
    monkeypatch.setattr(
        marts_run, "open_store", lambda s, **k: _Counting(open_store(s, **k), queries)
    )
    build_marts(TableStore(tmp_path / "tables"))
    assert len(MART_ORDER) < len(queries) <= QUERIES_A_MART * len(MART_ORDER)


def said_and_imported(command: list[str], looked_for: tuple[str, ...]) -> tuple[str, list[str]]:
    """What a command prints, and which of some libraries its process has loaded at the end."""
    code = (
        "import atexit, sys\n"
        f"atexit.register(lambda: print('IMPORTED', *[n for n in {looked_for!r} if n in sys.modules]))\n"
        f"sys.argv = ['fivepercent', *{command!r}]\n"
        "from pipeline.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    *said, last = done.stdout.splitlines()
    mark, *imported = last.split()
    assert mark == "IMPORTED"
    return "\n".join(said), imported


def test_a_refresh_with_nothing_to_do_imports_nothing_heavy(
    demo_build: tuple[Settings, Summary], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(demo_build[0].out, out, symlinks=True)
    said, imported = said_and_imported(
        ["refresh", "--raw", str(demo_build[0].raw), "--out", str(out)], HEAVY
    )
    assert "nothing" in said.lower() or "unchanged" in said.lower(), said
    assert imported == []


@pytest.mark.parametrize("asked", [["status"], ["query", "from read_me"]])
def test_a_question_does_not_load_the_table_library(
    demo_build: tuple[Settings, Summary], asked: list[str]
) -> None:
    said, imported = said_and_imported(
        [*asked, "--out", str(demo_build[0].out)], (*HEAVY, "polars")
    )
    assert len(said.splitlines()) > 4
    assert imported == []


def test_what_may_read_yaml_does_not_load_its_parser_before_there_is_something_to_parse() -> None:
    """What the package's own files say is kept beside its compiled modules, so most processes parse nothing."""
    code = (
        "import sys, pipeline.catalogue.load, pipeline.corrections.ledger\n"
        "print('yaml' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def hashes(run: Run) -> dict[str, str]:
    """Table file -> hash of its bytes."""
    root = run.settings.tables
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*.parquet"))
    }


def test_cold_warm_and_damaged_caches_give_the_same_bytes(
    small_demo: tuple[Path, Truth], tmp_path: Path
) -> None:
    def built(out: str, *, force: bool = False) -> Run:
        run = Run(Settings(raw=small_demo[0], out=tmp_path / out), force=force)
        tables: dict[str, int] = {}
        read_sources(run, tables)
        compute_marts(run, tables)
        return run

    cold = built("one")
    files = cold.counters["spend_files_opened"]
    expected = hashes(cold)
    assert files > 100
    assert "facts/payment/2022-23.parquet" in expected
    warm = built("one", force=True)  # made again from files as read
    assert warm.counters["spend_files_opened"] == 0
    assert hashes(warm) == expected
    entry = max(
        (tmp_path / "one/.work/cache/spend").glob("*.arrow"), key=lambda p: p.stat().st_size
    )
    data = bytearray(entry.read_bytes())
    data[len(data) // 2] ^= 0xFF
    entry.write_bytes(bytes(data))
    repaired = built("one", force=True)
    assert 0 < repaired.counters["spend_files_opened"] < files
    assert hashes(repaired) == expected
    assert hashes(built("another")) == expected


def test_several_processes_give_the_bytes_of_one(
    small_demo: tuple[Path, Truth], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.ingest.payments import portions

    for name in ("BATCH_FOLDERS", "FEW_FILES"):
        monkeypatch.setattr(portions, name, 1)
    started: list[object] = []
    worker = workers._Worker
    monkeypatch.setattr(workers, "_Worker", lambda: started.append(1) or worker())
    found = []
    for threads in (1, 2):
        out = tmp_path / str(threads)
        run = Run(Settings(raw=small_demo[0], out=out, threads=threads))
        build_payments(run, None)
        found.append((hashes(run), run.counters["spend_files_opened"]))
    assert len(started) == 2
    assert found[0] == found[1]


def test_a_worker_that_dies_costs_time_and_nothing_else(
    small_demo: tuple[Path, Truth], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.ingest.payments import portions

    for name in ("BATCH_FOLDERS", "FEW_FILES"):
        monkeypatch.setattr(portions, name, 1)
    expected = Run(Settings(raw=small_demo[0], out=tmp_path / "one", threads=1))
    build_payments(expected, None)

    class Dying(workers._Worker):
        def work(self, told: object) -> Any:
            self._process.kill()
            return super().work(told)

    monkeypatch.setattr(workers, "_Worker", Dying)
    run = Run(Settings(raw=small_demo[0], out=tmp_path / "two", threads=2))
    build_payments(run, None)
    assert hashes(run) == hashes(expected)
