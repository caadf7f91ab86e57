"""A database made from the one before holds what one made anew holds, and does not grow."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pytest

from pipeline.schema import all_tables
from pipeline.settings import Settings
from pipeline.store import TableStore, publish
from pipeline.store.made_of import NOTE
from pipeline.store.publish import DATABASE, copy_parquet, write_database

if TYPE_CHECKING:
    from pipeline.refresh import Summary

PAYMENT, YEAR = "facts.payment", "2022/23"


@pytest.fixture
def store(demo_build: tuple[Settings, Summary], tmp_path: Path) -> TableStore:
    shutil.copytree(demo_build[0].tables, tmp_path / "tables")
    return TableStore(tmp_path / "tables")


def built(store: TableStore, folder: Path, earlier: Path | None = None, by: str = "code") -> Path:
    write_database(
        store, folder / DATABASE, [("measures.n", "select count(*) as n from facts.payment", "N.")],
        earlier=earlier, written_by=by,
    )  # fmt: skip
    copy_parquet(store, folder / "parquet")
    return folder


def assert_holds_the_store(store: TableStore, folder: Path) -> None:
    with duckdb.connect(str(folder / DATABASE), read_only=True) as connection:
        for name, table in all_tables().items():
            found = connection.sql(f"select * from {name}").pl()
            expected = store.read(name)
            if table.partition_by:  # rows that replace others stand at the end
                found, expected = found.sort(table.key), expected.sort(table.key)
            assert found.equals(expected.cast(found.schema)), name
        counted = connection.sql("select n from measures.n").fetchall()
        assert counted == [(store.read(PAYMENT).height,)]
        said = connection.sql(
            "select comment from duckdb_columns() where table_name = 'payment' and column_name = 'month'"
        ).fetchall()
        assert said == [(all_tables()[PAYMENT].column("month").said,)]


def shrunk(store: TableStore, organisation: str) -> None:
    """Take one line of an organisation out of a year."""
    path = store.partition_path(PAYMENT, YEAR)
    rows = pl.read_parquet(path).with_row_index("n")
    own = rows.filter(organisation_code=organisation)["n"][0]
    store.write_partition(PAYMENT, YEAR, rows.filter(pl.col("n") != own).drop("n"))


def of_the_year(store: TableStore) -> list[str]:
    """Organisations with payments in the year, those with fewest first."""
    rows = store.read(PAYMENT).filter(financial_year=YEAR)
    return rows.group_by("organisation_code").len().sort("len")["organisation_code"].to_list()


def test_one_changed_organisation_is_all_that_is_written(
    store: TableStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = built(store, tmp_path / "1")
    code = of_the_year(store)[0]
    shrunk(store, code)
    mart = store.read("marts.supplier").head(5)
    store.write("marts.supplier", mart)
    filled: dict[str, int] = {}
    fill = publish._fill

    def counted(connection: Any, table: Any, *more: Any) -> int:
        filled[table.full_name] = fill(connection, table, *more)
        return filled[table.full_name]

    monkeypatch.setattr(publish, "_fill", counted)
    second = built(store, tmp_path / "2", first)
    own = store.read(PAYMENT).filter(financial_year=YEAR, organisation_code=code).height
    assert filled == {PAYMENT: own, "marts.supplier": 5}
    assert_holds_the_store(store, second)


@pytest.mark.parametrize("left", ["a changed amount", "a row for another"])
def test_what_was_not_carried_on_as_it_stands_in_its_file_is_written_anew(
    store: TableStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    """As many rows as there should be, and yet not those."""
    first = built(store, tmp_path / "1")
    path = store.partition_path(PAYMENT, YEAR)
    code = of_the_year(store)[0]
    dearer = pl.when(organisation_code=code).then(pl.col("amount_gbp") + 1)
    rows = pl.read_parquet(path)
    store.write_partition(
        PAYMENT, YEAR, rows.with_columns(dearer.otherwise(pl.col("amount_gbp")).alias("amount_gbp"))
    )
    replace = publish._fill

    def wrongly(connection: Any, table: Any, files: Any, condition: str = "true") -> int:
        if table.full_name != PAYMENT or condition == "true":
            return replace(connection, table, files, condition)
        if left == "a row for another":
            one = f"{condition} limit 1"
            added = replace(connection, table, files, condition)
            connection.execute(
                f"delete from {PAYMENT} where rowid = (select max(rowid) from {PAYMENT})"
            )
            connection.execute(f"insert into {PAYMENT} select * from {PAYMENT} where {one}")
            return added
        kept = [first / "parquet" / "facts" / "payment" / path.name]
        return replace(connection, table, kept, condition)

    monkeypatch.setattr(publish, "_fill", wrongly)
    second = built(store, tmp_path / "2", first)
    monkeypatch.undo()
    assert '"at_the_end": {}' in (second / NOTE).read_text(), "it was written anew"
    assert_holds_the_store(store, second)


def test_a_whole_year_comes_or_goes(
    store: TableStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "MOST_AT_THE_END", 1.0)
    whole = built(store, tmp_path / "1")
    path = store.partition_path(PAYMENT, YEAR)
    path.rename(tmp_path / "aside")
    without = built(store, tmp_path / "2", whole)
    assert_holds_the_store(store, without)
    (tmp_path / "aside").rename(path)
    assert_holds_the_store(store, built(store, tmp_path / "3", without))


def test_month_after_month_the_file_does_not_grow(store: TableStore, tmp_path: Path) -> None:
    """Every third time all is written anew, so six rounds show a block of 256 KB that is left each month."""
    codes = of_the_year(store)
    last = built(store, tmp_path / "0")
    size = (last / DATABASE).stat().st_size
    whole = 0
    for month in range(1, 19):
        shrunk(store, codes[month % 3])
        now = built(store, tmp_path / str(month), last)
        whole += '"at_the_end": {}' in (now / NOTE).read_text()
        assert (now / DATABASE).stat().st_size <= 1.15 * size
        shutil.rmtree(last)
        last = now
    assert 0 < whole < 18  # so much came that all was written anew at times, and not always
    assert_holds_the_store(store, last)


@pytest.mark.parametrize("fault", ["other code", "no note", "not a database", "no database"])
def test_what_cannot_be_carried_on_is_written_anew(
    store: TableStore, tmp_path: Path, fault: str
) -> None:
    first = built(store, tmp_path / "1")
    shrunk(store, of_the_year(store)[0])
    if fault == "no note":
        (first / NOTE).write_text("{")
    elif fault == "not a database":
        (first / DATABASE).write_bytes(b"nothing of the kind" * 1000)
    elif fault == "no database":
        (first / DATABASE).unlink()
    by = "other" if fault == "other code" else "code"
    second = built(store, tmp_path / "2", first, by)
    assert_holds_the_store(store, second)
    assert '"at_the_end": {}' in (second / NOTE).read_text()


def test_a_copy_made_ahead_is_what_is_gone_on_from(
    store: TableStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = built(store, tmp_path / "1")
    as_published = (first / DATABASE).read_bytes()
    copied = publish.copy_ahead(first, "code")
    assert copied is not None
    assert copied.read_bytes() == as_published
    shrunk(store, of_the_year(store)[0])
    with monkeypatch.context() as no_copy:
        no_copy.setattr(shutil, "copyfile", None)
        write_database(
            store, tmp_path / "2" / DATABASE,
            [("measures.n", "select count(*) as n from facts.payment", "N.")],
            earlier=first, written_by="code", copied=copied,
        )  # fmt: skip
    assert not copied.exists()
    assert (first / DATABASE).read_bytes() == as_published
    assert_holds_the_store(store, tmp_path / "2")


@pytest.mark.parametrize("why", ["other code", "no database", "no note", "a full disk"])
def test_no_copy_is_left_where_nobody_can_go_on_from_it(
    store: TableStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    first = built(store, tmp_path / "builds" / "1")
    if why == "no database":
        (first / DATABASE).unlink()
    elif why == "no note":
        (first / NOTE).unlink()
    elif why == "a full disk":

        def full(_: Path, to: Path) -> None:
            to.write_bytes(b"half")
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(shutil, "copyfile", full)
    assert publish.copy_ahead(first, "another" if why == "other code" else "code") is None
    assert [p.name for p in first.parent.iterdir()] == ["1"]
