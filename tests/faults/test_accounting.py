"""One row dropped anywhere between a reader and the publication is noticed, and nothing is published."""

from __future__ import annotations

import hashlib
import io
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from pipeline.ingest.tabular import Limits
from pipeline.schema import all_tables
from pipeline.store import TableStore
from pipeline.store.publish import PublicationError, write_database

if TYPE_CHECKING:
    from pipeline.refresh import Summary
    from pipeline.settings import Settings

TABLES = [name for name in all_tables() if name.startswith(("dims.", "facts.", "marts."))]


@pytest.fixture(scope="module")
def tables(
    demo_build: tuple[Settings, Summary], tmp_path_factory: pytest.TempPathFactory
) -> TableStore:
    """A copy of the tables of a build, to be spoilt."""
    root = tmp_path_factory.mktemp("spoilt") / "tables"
    shutil.copytree(demo_build[0].tables, root)
    return TableStore(root)


def without_a_row(path: Path) -> None:
    frame = pl.read_parquet(path)
    told = pl.read_parquet_metadata(path)
    told = {key: value for key, value in told.items() if key.startswith("fivepercent")}
    middle = frame.height // 2
    pl.concat([frame[:middle], frame[middle + 1 :]]).write_parquet(path, metadata=told)


@pytest.mark.parametrize("name", TABLES)
def test_a_row_dropped_from_a_table_is_noticed(tables: TableStore, name: str) -> None:
    assert tables.lost(name) is None
    files = [path for path in tables.files(name) if pl.read_parquet(path).height]
    if not files:
        pytest.skip("the demonstration has no row of it")
    before = files[-1].read_bytes()
    without_a_row(files[-1])
    said = tables.lost(name)
    files[-1].write_bytes(before)
    assert said is not None
    assert name in said


@pytest.mark.parametrize("name", ["facts.payment", "facts.epr", "marts.digital_share"])
def test_such_a_store_is_not_published(tables: TableStore, name: str, tmp_path: Path) -> None:
    path = tables.files(name)[-1]
    before = path.read_bytes()
    without_a_row(path)
    try:
        with pytest.raises(PublicationError, match=name):
            write_database(tables, tmp_path / "fivepercent.duckdb")
    finally:
        path.write_bytes(before)


def test_what_is_damaged_in_the_working_store_is_removed_to_be_made_again(
    tables: TableStore, tmp_path: Path
) -> None:
    shutil.copytree(tables.root, tmp_path / "tables")
    copy = TableStore(tmp_path / "tables")
    assert copy.drop_damaged() == []
    for name, content in (("marts.supplier", b""), ("facts.epr", b"PAR1 and no more")):
        copy.files(name)[0].write_bytes(content)
    without_a_row(copy.files("marts.digital_share")[0])
    assert sorted(copy.drop_damaged()) == [
        "facts/epr.parquet",
        "marts/digital_share.parquet",
        "marts/supplier.parquet",
    ]


def test_a_payment_dropped_between_reader_and_table_fails_a_check(tables: TableStore) -> None:
    from pipeline.quality import gate_failures, run_gate

    path = tables.files("facts.payment")[0]
    before = path.read_bytes()
    without_a_row(path)
    failed = gate_failures(run_gate(tables, "facts", tables=["meta.source_file"], is_demo=True))
    path.write_bytes(before)
    assert {"payments_equal_rows_kept", "pounds_equal_pounds_kept"} <= {
        f.check_name for f in failed
    }


def test_a_row_dropped_from_the_cache_means_that_the_file_is_read_again(
    demo_build: tuple[Settings, Summary], tmp_path: Path
) -> None:
    from pipeline.ingest.payments.cache import SpendCache
    from pipeline.ingest.spend.reader import SpendInput, read_spend

    raw = demo_build[0].raw
    file = sorted((raw / "spend_over_25k").rglob("*.csv"))[0]
    item = SpendInput(file.relative_to(raw).as_posix(), file.read_bytes, sha256="a", bytes=1)
    batch = read_spend([item])
    cache = SpendCache(tmp_path, Limits())
    cache.put("one", [item], batch)
    assert cache.get("one", [item]).lines.height == batch.lines.height > 1
    entry = next(tmp_path.glob("one*"))
    body = entry.read_bytes()[:-64]
    head, note, rows = body.split(b"\n", 2)
    spoilt = io.BytesIO()
    spoilt.write(head + b"\n" + note + b"\n")
    pl.read_ipc(io.BytesIO(rows))[1:].write_ipc(spoilt, compression="zstd")
    seal = hashlib.sha256(spoilt.getvalue()).hexdigest()  # even with a seal that fits
    entry.write_bytes(spoilt.getvalue() + seal.encode())
    assert cache.get("one", [item]).reports == {}
