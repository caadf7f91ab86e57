"""Ten readers query in a loop while refreshes publish: no error, no mixed build, no surprise later."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import duckdb
import pytest

from pipeline.demo import Truth
from pipeline.refresh import refresh
from pipeline.settings import Settings

pytestmark = pytest.mark.processes

READERS = 10


def read_whole(out: Path) -> tuple[str, float]:
    """What a reader sees in two queries, the folder it lies in, and the package beside it."""
    path = (out / "fivepercent.duckdb").resolve()
    connection = duckdb.connect()
    try:
        connection.execute(f"attach '{path}' as f (read_only)")
        build, benchmark = connection.execute(
            "select build_id, benchmark from f.meta.build"
        ).fetchall()[0]
        time.sleep(0.02)  # a publication may come between two queries of one reader
        used = connection.execute("select distinct benchmark from f.marts.digital_share").fetchall()
        parameter = connection.execute(
            "select value from f.dims.parameter where name = 'benchmark'"
        ).fetchall()
    finally:
        connection.close()
    package = json.loads((path.parent / "datapackage.json").read_text(encoding="utf-8"))
    assert used == parameter == [(benchmark,)], (build, benchmark, used, parameter)
    assert package["id"] == build
    assert path.parent.name.startswith(build)
    return build, benchmark


def test_ten_readers_never_fail_and_never_see_two_builds_at_once(
    small_demo: tuple[Path, Truth], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    settings = [
        Settings(raw=small_demo[0], out=out, benchmark=benchmark, keep_builds=3)
        for benchmark in (0.05, 0.03, 0.02)
    ]
    first = refresh(settings[0]).build_id
    old_handle = duckdb.connect(str(out / "fivepercent.duckdb"), read_only=True)
    stop, errors = threading.Event(), []
    seen: list[tuple[str, float]] = []

    def loop() -> None:
        while not stop.is_set():
            try:
                seen.append(read_whole(out))
            except Exception as error:
                errors.append(error)
            time.sleep(0.5)

    threads = [threading.Thread(target=loop) for _ in range(READERS)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(1.1)
        builds = [first, *(refresh(s).build_id for s in settings[1:])]
        time.sleep(0.5)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not errors, errors[:2]
    assert len(seen) > READERS
    assert {build for build, _ in seen} == set(builds)
    assert dict(seen) == dict(zip(builds, (0.05, 0.03, 0.02), strict=True))

    # as docs/researchers.md says: an open handle keeps its build, whoever connects next has the new one
    ask = "select build_id from meta.build"
    assert old_handle.execute(ask).fetchall() == [(first,)]
    shared = duckdb.connect(str(out / "fivepercent.duckdb"), read_only=True)
    assert shared.execute(ask).fetchall() == [(builds[-1],)]
    by_real_path = duckdb.connect(str((out / "fivepercent.duckdb").resolve()), read_only=True)
    assert by_real_path.execute(ask).fetchall() == [(builds[-1],)]
    for connection in (old_handle, shared, by_real_path):
        connection.close()
    reopened = duckdb.connect(str(out / "fivepercent.duckdb"), read_only=True)
    assert reopened.execute(ask).fetchall() == [(builds[-1],)]
    reopened.close()
