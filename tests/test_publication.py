"""The publication is whole or it is the old one; readers are never blocked."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipeline.refresh import Summary, refresh
from pipeline.schema import table
from pipeline.settings import Settings
from pipeline.store import TableStore, conform, publish
from pipeline.store.lock import LockedError, refresh_lock
from pipeline.store.publish import current_build, stage, switch
from pipeline.store.seal import damage, file_hash, seal
from pipeline.store.tables import SchemaMismatchError

pytestmark = pytest.mark.processes


def build_of(settings: Settings) -> tuple[str, str]:
    """Identifier inside the database, and the one the site's folder belongs to."""
    connection = duckdb.connect(str(settings.out / "fivepercent.duckdb"), read_only=True)
    inside = connection.sql("select build_id from meta.build").fetchall()[0][0]
    connection.close()
    return inside, (settings.out / "charts").resolve().parent.name


@pytest.fixture(scope="module")
def published(
    demo_build: tuple[Settings, Summary], tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    """The demonstration, published in a folder of its own."""
    out = tmp_path_factory.mktemp("publication") / "out"
    shutil.copytree(demo_build[0].out, out, symlinks=True)
    return Settings(raw=demo_build[0].raw, out=out)


def test_database_and_site_are_of_one_build_and_a_new_one_replaces_both(
    published: Settings,
) -> None:
    first = build_of(published)
    assert first[0] == first[1]
    time.sleep(1.1)  # build identifiers carry seconds
    refresh(published, force=True)
    second = build_of(published)
    assert second[0] == second[1] != first[0]


@pytest.mark.parametrize("moment", [0.15, 0.4, 0.6, 0.8, 0.92])
def test_killed_at_any_moment_the_publication_is_the_old_or_the_new_one(
    published: Settings, moment: float
) -> None:
    before = build_of(published)[0]
    started = time.monotonic()
    code = (
        "from pathlib import Path; from pipeline.settings import Settings; from pipeline.refresh import refresh;"
        f"refresh(Settings(raw=Path({str(published.raw)!r}), out=Path({str(published.out)!r})), force=True)"
    )
    whole = float(os.environ.get("FIVEPERCENT_TEST_REFRESH_SECONDS", "9"))
    process = subprocess.Popen([sys.executable, "-c", code])
    time.sleep(whole * moment)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert time.monotonic() - started < 120
    inside, folder = build_of(published)
    assert inside == folder
    after = refresh(published, force=True)
    assert after.published
    assert build_of(published) == (after.build_id, after.build_id)
    leftovers = [p.name for p in (published.out / "builds").iterdir() if ".staging-" in p.name]
    assert leftovers == []
    assert before != after.build_id


def test_readers_see_whole_builds_while_refreshes_run(published: Settings) -> None:
    stop = threading.Event()
    seen: list[tuple[str, int]] = []
    errors: list[Exception] = []

    def read() -> None:
        path = published.out / "fivepercent.duckdb"
        while not stop.wait(0.2):  # a refresh must get on between three readers
            try:
                connection = duckdb.connect(":memory:")
                connection.execute(f"attach '{path.resolve()}' as p (read_only)")
                build = connection.sql("select build_id from p.meta.build").fetchall()[0][0]
                rows = connection.sql("select count(*) from p.facts.payment").fetchall()[0][0]
                connection.close()
                seen.append((build, rows))
            except Exception as error:
                errors.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(2):
            time.sleep(1.1)
            refresh(published, force=True)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not errors, errors[:2]
    assert len({build for build, _ in seen}) >= 2
    assert len({rows for _, rows in seen}) == 1


def test_a_second_refresh_waits_and_then_says_who_holds_the_lock(tmp_path: Path) -> None:
    said: list[str] = []
    with (
        refresh_lock(tmp_path),
        pytest.raises(LockedError, match=f"process {os.getpid()}"),
        refresh_lock(tmp_path, wait_seconds=0.2, on_wait=said.append),
    ):
        pass
    assert len(said) == 1
    with refresh_lock(tmp_path, wait_seconds=0):
        pass  # free again


def test_old_builds_are_removed_but_never_the_published_one(tmp_path: Path) -> None:
    for n in range(4):
        staging = stage(tmp_path, f"build-{n}")
        (staging.folder / "fivepercent.duckdb").write_text(str(n))
        switch(staging, keep=2)
    assert current_build(tmp_path) == "build-3"
    assert (tmp_path / "fivepercent.duckdb").read_text() == "3"
    assert sorted(p.name for p in (tmp_path / "builds").iterdir()) == ["build-2", "build-3"]


def test_columns_are_written_by_name_and_strangers_are_refused(tmp_path: Path) -> None:
    spec = table("dims.category")
    right = {
        "category": ["a"],
        "title": ["A"],
        "description": ["d"],
        "is_basics": [True],
        "upper_bound_only": [False],
    }
    turned = pl.DataFrame(right).select(reversed(list(right)))
    stored = TableStore(tmp_path).write("dims.category", turned)
    assert stored.columns == spec.polars.names()
    assert stored.row(0) == ("a", "A", "d", True, False)
    with pytest.raises(SchemaMismatchError, match="missing columns"):
        conform(pl.DataFrame(right).drop("title"), spec)
    with pytest.raises(SchemaMismatchError, match="unknown columns"):
        conform(pl.DataFrame(right | {"x": [1]}), spec)
    with pytest.raises(SchemaMismatchError, match="null"):
        conform(pl.DataFrame(right | {"title": [None]}), spec)


def test_the_summary_of_a_refresh_counts_what_was_published(
    demo_build: tuple[Settings, Summary],
) -> None:
    settings, summary = demo_build
    connection = duckdb.connect(str(settings.out / "fivepercent.duckdb"), read_only=True)
    for name in ("facts.payment", "marts.digital_share", "marts.coverage"):
        assert (
            connection.sql(f"select count(*) from {name}").fetchall()[0][0] == summary.tables[name]
        )
    checks = connection.sql(
        "select count(*) filter (where passed), count(*) from meta.check_result"
    ).fetchall()
    connection.close()
    assert checks == [(summary.checks_passed, summary.checks)]


def test_a_table_written_in_pieces_is_sorted_like_one_written_whole(
    published: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = TableStore(published.tables)
    rows = []
    for name, piece in (("whole", 1_000_000), ("pieces", 700)):
        monkeypatch.setattr(publish, "PIECE", piece)
        path = tmp_path / f"{name}.duckdb"
        publish.write_database(store, path)
        assert [p.name for p in tmp_path.glob(f"{name}.*")] == [path.name]
        with duckdb.connect(str(path), read_only=True) as connection:
            rows.append(connection.sql("select * from facts.payment").fetchall())
    assert len(rows[0]) > 700
    assert rows[0] == rows[1]


def test_hashes_that_are_known_are_taken_for_the_seal_and_held_against_the_files(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "build"
    (folder / "parquet").mkdir(parents=True)
    for name in ("a", "parquet/b", "parquet/c"):
        (folder / name).write_text(name, "utf-8")
    right = file_hash(folder / "parquet/b")
    seal(folder, {"parquet/b": right, "gone": "0"})
    assert damage(folder) == []
    seal(folder, {"parquet/b": "0" * 64})
    assert damage(folder) == ["parquet/b is not what was published"]


def test_the_seal_of_a_publication_names_every_file_by_its_content(published: Settings) -> None:
    build = (published.out / "current").resolve()
    told = json.loads((build / "seal.json").read_text("utf-8"))
    files = {p.relative_to(build).as_posix(): p for p in build.rglob("*") if p.is_file()}
    assert told == {name: file_hash(p) for name, p in files.items() if name != "seal.json"}
    assert len(told) > 100
