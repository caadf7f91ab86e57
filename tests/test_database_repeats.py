"""The same files give the same bytes, whatever the machine's number of threads."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from pipeline.demo import Truth
from pipeline.schema import all_tables

pytestmark = pytest.mark.processes

#: DuckDB has no environment variable for its threads, so its connections are made to use so many.
REFRESH = """
import sys
from pathlib import Path
import duckdb
threads, raw, out = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
connect = duckdb.connect
duckdb.connect = lambda *a, config=None, **k: connect(*a, config={**(config or {}), "threads": threads}, **k)
from pipeline.refresh import refresh
from pipeline.settings import Settings
refresh(Settings(raw=raw, out=out, threads=threads))
"""

#: What is about the run itself and not about the files.
OF_THE_RUN = {"build_id", "built_at"}


@pytest.fixture(scope="module")
def twice(
    small_demo: tuple[Path, Truth], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """Parquet folders of two refreshes from nothing: with one thread and with five."""
    folders = []
    for threads in (1, 5):
        out = tmp_path_factory.mktemp(f"threads-{threads}") / "out"
        done = subprocess.run(
            [sys.executable, "-c", REFRESH, str(threads), str(small_demo[0]), str(out)],
            env=os.environ | {"POLARS_MAX_THREADS": str(threads)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        folders.append(out / "parquet")
    return folders[0], folders[1]


def content(folder: Path, name: str) -> dict[str, str]:
    """Hash of every Parquet file of a table; of the rows where columns tell about the run."""
    schema, stem = name.split(".")
    files = sorted(
        [*(folder / schema).glob(f"{stem}.parquet"), *(folder / schema / stem).glob("*")]
    )
    found = {}
    for file in files:
        content = file.read_bytes()
        if OF_THE_RUN & set(all_tables()[name].polars.names()):
            frame = pl.read_parquet(file).drop(OF_THE_RUN, strict=False)
            content = frame.write_csv().encode()
        found[file.relative_to(folder).as_posix()] = hashlib.sha256(content).hexdigest()
    return found


def test_two_refreshes_with_different_threads_give_the_same_bytes_in_every_table(
    twice: tuple[Path, Path],
) -> None:
    one, five = twice
    compared = 0
    for name in all_tables():
        first, second = content(one, name), content(five, name)
        assert first, f"{name} has no file"
        assert first == second, name
        compared += len(first)
    assert compared == len([*one.rglob("*.parquet")])


def test_a_changed_row_is_seen(twice: tuple[Path, Path], tmp_path: Path) -> None:
    frame = pl.read_parquet(twice[0] / "marts" / "supplier.parquet")
    (tmp_path / "marts").mkdir()
    pence = frame.with_columns(pl.col("amount_gbp") + pl.lit("0.01").cast(pl.Decimal(18, 2)))
    pence.select(frame.columns).cast(dict(frame.schema)).write_parquet(
        tmp_path / "marts" / "supplier.parquet", compression="zstd"
    )
    assert content(tmp_path, "marts.supplier") != content(twice[0], "marts.supplier")
