"""The publication: database, Parquet and site of one build, switched in with one rename.

Layout below the out folder::

    builds/<build id>/fivepercent.duckdb, parquet/, charts/
    current            -> builds/<build id>          (the only thing a publication changes)
    fivepercent.duckdb -> current/fivepercent.duckdb
    parquet            -> current/parquet
    charts             -> current/charts
    datapackage.json   -> current/datapackage.json

A reader that opened the old database keeps it; whoever opens next gets the new one, and database,
Parquet and site always belong together. Killed at any moment, ``current`` is the old build or the
new one.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipeline.schema import Table, all_tables
from pipeline.schema.described import views as described_views
from pipeline.store.content import OWNER, Contents, by_organisation, content_in
from pipeline.store.made_of import MadeOf
from pipeline.store.seal import (
    force_build_to_disk,
    force_to_disk,
    remove_leftovers,
    seal,
)
from pipeline.store.tables import TableStore, rows_told, unfinished_name

DATABASE = "fivepercent.duckdb"
PUBLISHED = (DATABASE, "parquet", "charts", "datapackage.json")
#: A build whose folder holds this is never removed.
PINNED = "PINNED"
#: Files so written are read by DuckDB clients from 1.0 on.
STORAGE_VERSION = "v1.0.0"
#: Rows of a large table that are sorted together while the database is written.
PIECE = 1_000_000
#: Memory that DuckDB may use while it writes; what does not fit goes to a folder beside the file.
MEMORY = "1GB"
#: Part of a table's rows that may stand behind its sorted rows before all are written anew.
MOST_AT_THE_END = 0.1


class PublicationError(RuntimeError):
    """The publication could not be made; the previous one is untouched."""


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _pieces(
    connection: duckdb.DuckDBPyConnection, table: Table, source: str
) -> list[tuple[str | None, str | None]]:
    """Ranges of a table's first sort column, as SQL, each of about ``PIECE`` rows, in their order.

    One range without ends where the table is small, or where the column may be empty. Sorting some
    million rows at a time takes a seventh of the memory and half the time of sorting sixteen million.
    """
    first = table.column(table.order[0])
    whole: list[tuple[str | None, str | None]] = [(None, None)]
    if table.partition_by is None or first.nullable or first.type != "VARCHAR":
        return whole
    found: list[tuple[str, str]] = []
    rows = PIECE
    for value, times in connection.execute(
        f'select "{first.name}", count(*) from {source} group by all order by all'
    ).fetchall():
        if rows + times > PIECE:
            found.append((value, value))
            rows = 0
        found[-1] = (found[-1][0], value)
        rows += times
    if len(found) < 2:
        return whole
    return [(_quote(low), _quote(high)) for low, high in found]


def _fill(
    connection: duckdb.DuckDBPyConnection, table: Table, files: list[Path], condition: str = "true"
) -> int:
    """Add the rows of some files in the table's order; returns how many."""
    if not files:
        return 0
    listed = ", ".join(_quote(str(f)) for f in files)
    source, order = f"read_parquet([{listed}])", ", ".join(f"{n} nulls last" for n in table.order)
    # One file stands in the table's order already, because the store writes it so.
    ordered = "" if table.partition_by is None and len(files) == 1 else f"order by {order}"
    rows = 0
    for low, high in _pieces(connection, table, source):
        piece = "true" if low is None else f'"{table.order[0]}" between {low} and {high}'
        added = connection.execute(
            f"insert into {table.full_name} by name select * from {source} "
            f"where {piece} and {condition} {ordered}"
        ).fetchall()
        rows += int(added[0][0])
    return rows


def _create_table(connection: duckdb.DuckDBPyConnection, table: Table, files: list[Path]) -> None:
    columns = ", ".join(
        f'"{c.name}" {c.type}{"" if c.nullable else " not null"}' for c in table.columns
    )
    connection.execute(f"create table {table.full_name} ({columns})")
    _fill(connection, table, files)
    connection.execute(f"comment on table {table.full_name} is {_quote(table.comment)}")
    for column in table.columns:
        connection.execute(
            f'comment on column {table.full_name}."{column.name}" is {_quote(column.said)}'
        )


def _create_view(connection: duckdb.DuckDBPyConnection, name: str, sql: str, comment: str) -> None:
    """Create a view with the meaning of its columns, where ``schema/views.yaml`` describes it."""
    connection.execute(f"create view {name} as {sql}")
    connection.execute(f"comment on view {name} is {_quote(comment)}")
    described = described_views().get(name)
    if described is None:
        return
    for column, *_ in connection.execute(f"describe {name}").fetchall():
        said = described.meaning(column).said
        connection.execute(f'comment on column {name}."{column}" is {_quote(said)}')


def _open(path: Path) -> duckdb.DuckDBPyConnection:
    """Open a database to be written, within bounds of memory."""
    return duckdb.connect(
        str(path),
        config={
            "storage_compatibility_version": STORAGE_VERSION,
            "memory_limit": MEMORY,
            "temp_directory": str(_spill(path)),
        },
    )


def _spill(path: Path) -> Path:
    return path.with_name(f"{path.name}.spill")


def write_database(
    store: TableStore,
    path: Path,
    views: Sequence[tuple[str, str, str]] = (),
    macros: Sequence[tuple[str, str, str]] = (),
    *,
    earlier: Path | None = None,
    written_by: str = "",
    late: Collection[str] = (),
    settled: Callable[[], object] = lambda: None,
    contents: Contents | None = None,
    beside: Callable[[Path], object] = lambda _: None,
    copied: Path | None = None,
) -> dict[str, int]:
    """Write the database file from the working store.

    Args:
        store: every table of the contract that was built.
        path: the file to make; it must not exist.
        views: (name, SQL, comment) of views to create after the tables.
        macros: (call with parameters, SQL, comment) of table macros to create after the views.
        earlier: folder of an undamaged build before; where the same code wrote it, only rows that
            changed are written. None writes everything.
        written_by: hash of the code that writes, views and macros included.
        late: tables that may be written anew while this writes others.
        settled: returns when they are written; called before one of them is read, and before anything
            is where a whole database is to be written, which takes much memory.
        contents: knows what each organisation's rows of files are, or finds it out.
        beside: given the finished file while it is compared with the store; it may read it.
        copied: the database of ``earlier``, copied to the same disk already; it is moved, not copied.

    Returns:
        Rows by table.

    Raises:
        PublicationError: when a table in the file holds other rows than its Parquet, or its Parquet
            other rows than were written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    before = MadeOf.read(earlier) if earlier else None
    note = MadeOf.of(store, written_by, leave_out=late)
    carried = False
    try:
        if earlier and before:
            with suppress(duckdb.Error):  # whatever is wrong with it, a new one is written
                carried = _carry_on(
                    store,
                    path,
                    note,
                    earlier,
                    before,
                    settled,
                    contents or Contents(_spill(path)),
                    copied,
                )
        if not carried:
            settled()
            note = MadeOf.of(store, written_by)
            path.unlink(missing_ok=True)
            path.with_name(path.name + ".wal").unlink(missing_ok=True)
            _write_whole(store, path, views, macros)
    finally:
        shutil.rmtree(_spill(path), ignore_errors=True)
    path.with_name(path.name + ".wal").unlink(missing_ok=True)
    note.write(path.parent)
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(beside, path)
        rows = _verify(path, store)
        done.result()
    return rows


def _write_whole(
    store: TableStore,
    path: Path,
    views: Sequence[tuple[str, str, str]],
    macros: Sequence[tuple[str, str, str]],
) -> None:
    with closing(_open(path)) as connection:
        for schema in ("dims", "facts", "marts", "meta", "measures"):
            connection.execute(f"create schema {schema}")
        for name, table in all_tables().items():
            _create_table(connection, table, store.files(name))
        for name, sql, comment in views:
            _create_view(connection, name, sql, comment)
        for call, sql, comment in macros:
            connection.execute(f"create macro {call} as table {sql}")
            name = call.partition("(")[0]
            connection.execute(f"comment on macro table {name} is {_quote(comment)}")
        connection.execute("checkpoint")


def can_carry_on(earlier: Path, written_by: str) -> bool:
    """Whether the database of a build is one that code with this hash can go on from."""
    before = MadeOf.read(earlier)
    return bool(before and before.written_by == written_by and (earlier / DATABASE).is_file())


def copy_ahead(earlier: Path, written_by: str) -> Path | None:
    """Copy the database of a build beside the builds, before it is known what will change in it.

    Args:
        earlier: folder of an undamaged build.
        written_by: hash of the code that will go on from it.

    Returns:
        The copy, for :func:`write_database`; None where code like that cannot go on from it, or where the
        disk took no copy, which whoever writes will say.
    """
    if not can_carry_on(earlier, written_by):
        return None
    copy = unfinished_name(earlier.parent / DATABASE)
    try:
        shutil.copyfile(earlier / DATABASE, copy)
    except OSError:
        copy.unlink(missing_ok=True)
        return None
    return copy


def _carry_on(
    store: TableStore,
    path: Path,
    note: MadeOf,
    earlier: Path,
    before: MadeOf,
    settled: Callable[[], object],
    contents: Contents,
    copied: Path | None,
) -> bool:
    """Copy the database of the build before and replace what changed; False when that is no use.

    What the note does not name yet is added to it, and replaced, when all is settled.

    Rows that replace others stand at the end of their table. Once they are more than a tenth of it,
    the whole file is written anew, so that it stays sorted and does not grow.
    """
    if not can_carry_on(earlier, note.written_by):
        return False
    if copied:
        os.replace(copied, path)
    else:
        shutil.copyfile(earlier / DATABASE, path)
    with closing(_open(path)) as connection:
        # To look whether texts are shorter so takes a third of the time, and they hardly ever are.
        connection.execute("set disabled_compression_methods = 'fsst'")
        late = [name for name in all_tables() if name not in note.files]
        for name in (*list(note.files), *late):
            if name in late:
                if name == late[0]:  # most of the writing is done before anybody waits for it
                    connection.execute("checkpoint")
                settled()
                note.add(store, name)
            table = all_tables()[name]
            if before.files.get(name, {}) == note.files[name]:
                continue
            if table.partition_by is None:
                connection.execute(f"delete from {name}")
                _fill(connection, table, store.files(name))
                continue
            replaced = _replace_partitions(
                connection, store, table, note, earlier, before, contents
            )
            if replaced is None:
                return False
            note.at_the_end[name] = before.at_the_end.get(name, 0) + replaced
            counted = connection.sql(f"select count(*) from {name}").fetchall()[0][0]
            if note.at_the_end[name] > counted * MOST_AT_THE_END:
                return False
        for name, rows in before.at_the_end.items():
            note.at_the_end.setdefault(name, rows)
        connection.execute("checkpoint")
    return True


def _replace_partitions(
    connection: duckdb.DuckDBPyConnection,
    store: TableStore,
    table: Table,
    note: MadeOf,
    earlier: Path,
    before: MadeOf,
    contents: Contents,
) -> int | None:
    """Replace what changed of a partitioned table, by organisation.

    Returns:
        Rows added; None when a partition then holds other rows than its file, so that the table is of no
        use. Their number alone would not tell that a changed amount was left as it was. The rows of
        organisations that did not change were compared so when they were written, and the database of an
        undamaged build is what it was then; of them only the number is compared.
    """
    name = table.full_name
    old, new = before.files.get(name, {}), note.files[name]
    folder = earlier / "parquet" / table.database_schema / table.name
    present = {path.name: path for path in store.files(name)}
    added = 0
    for file in sorted(old.keys() | new.keys()):
        if old.get(file) == new.get(file):
            continue
        was = by_organisation(contents.of(table, folder / file, old[file])) if file in old else {}
        becomes = (
            by_organisation(contents.of(table, present[file], new[file])) if file in new else {}
        )
        changed = sorted(
            str(c) for c in was.keys() | becomes.keys() if was.get(c) != becomes.get(c)
        )
        if not changed:
            continue
        among = f'"{OWNER}" in ({", ".join(_quote(c) for c in changed)})'
        partition = _quote(file.removesuffix(".parquet").replace("-", "/"))
        of_it = f'"{table.partition_by}" = {partition}'
        connection.execute(f"delete from {name} where {of_it} and {among}")
        if file in new:
            added += _fill(connection, table, [present[file]], among)
        written = content_in(connection, table, name, f"{of_it} and {among}")
        if by_organisation(written) != {c: becomes[c] for c in changed if c in becomes}:
            return None
        counted = connection.execute(f"select count(*) from {name} where {of_it}").fetchall()
        if counted[0][0] != sum(rows for rows, _ in becomes.values()):
            return None
    return added


def _verify(path: Path, store: TableStore) -> dict[str, int]:
    """Open the finished file as a reader would and compare every table with its Parquet."""
    rows: dict[str, int] = {}
    connection = duckdb.connect(str(path), read_only=True)
    try:
        counted = " union all ".join(
            f"select {_quote(name)}, count(*) from {name}" for name in all_tables()
        )
        for name, found in connection.execute(counted).fetchall():
            expected = sum(rows_told(path)[0] for path in store.files(name))
            if lost := store.lost(name):
                raise PublicationError(f"{lost}. The previous publication was kept")
            if found != expected:
                raise PublicationError(
                    f"{name}: the database holds {found:,} rows, the store {expected:,}; "
                    "the previous publication was kept"
                )
            rows[name] = found
    finally:
        connection.close()
    return rows


def copy_parquet(store: TableStore, folder: Path, names: Collection[str] | None = None) -> None:
    """Copy tables of the working store into a build's Parquet folder.

    Hard links are not used: a later refresh must never be able to change a published file.

    Args:
        store: the working store.
        folder: where to.
        names: the tables; all by default.

    Raises:
        PublicationError: when a copy is not what it was copied from.
    """
    import pyarrow.parquet as pq  # slow to import, and few commands write

    for name, table in all_tables().items():
        if names is not None and name not in names:
            continue
        for source in store.files(name):
            target = folder / source.relative_to(store.root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            rows, copied = (pq.read_metadata(path).num_rows for path in (source, target))
            if rows != copied or source.stat().st_size != target.stat().st_size:
                raise PublicationError(
                    f"{name}: the copy of {source.name} holds {copied:,} rows, the store {rows:,}; "
                    "the previous publication was kept"
                )
        (folder / table.database_schema).mkdir(parents=True, exist_ok=True)


@dataclass(frozen=True)
class Staging:
    """A build on its way: everything is made here before it is switched in."""

    out: Path
    build_id: str
    folder: Path

    @property
    def database(self) -> Path:
        """The database file of the build."""
        return self.folder / DATABASE

    @property
    def parquet(self) -> Path:
        """The Parquet folder of the build."""
        return self.folder / "parquet"

    @property
    def charts(self) -> Path:
        """The site of the build."""
        return self.folder / "charts"


def stage(out: Path, build_id: str) -> Staging:
    """Make an empty folder for a build; what a killed run left behind is removed."""
    builds = out / "builds"
    builds.mkdir(parents=True, exist_ok=True)
    remove_leftovers(out)
    folder = builds / f"{build_id}.staging-{uuid.uuid4().hex[:6]}"
    folder.mkdir()
    return Staging(out, build_id, folder)


def switch(
    staging: Staging,
    *,
    keep: int,
    known: Mapping[str, str] | None = None,
) -> Path:
    """Publish a staged build and remove builds beyond ``keep``.

    Args:
        staging: a complete build.
        keep: builds left on disk, the new one included.
        known: hashes of finished files that are on the disk already, by path from the build's folder:
            from :func:`finish`, or taken over from a published build.

    Returns:
        The folder of the published build.
    """
    out = staging.out
    final = out / "builds" / staging.build_id
    if final.exists():
        if current_build(out) == final.name:
            replaced = final.with_name(f"{final.name}-{uuid.uuid4().hex[:6]}")
            final = replaced
        else:
            shutil.rmtree(final)
    seal(staging.folder, known)
    force_build_to_disk(staging.folder, known or ())
    os.replace(staging.folder, final)
    force_to_disk(final.parent)  # the build has its name before the link leads to it
    link = out / f".current-{uuid.uuid4().hex[:6]}"
    link.symlink_to(Path("builds") / final.name, target_is_directory=True)
    os.replace(link, out / "current")
    force_to_disk(out)
    for name in PUBLISHED:
        _link_once(out / name, Path("current") / name)
    _prune(out, keep)
    return final


def _link_once(path: Path, target: Path) -> None:
    """Make the stable name of a published thing; done once, before anything can be read by it."""
    if path.is_symlink() and path.readlink() == target:
        return
    temporary = path.with_name(f".current-{uuid.uuid4().hex[:6]}")
    temporary.symlink_to(target)
    if path.exists() and not path.is_symlink():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    os.replace(temporary, path)


def current_build(out: Path) -> str | None:
    """Identifier of the published build, or None."""
    link = out / "current"
    return link.readlink().name if link.is_symlink() and link.exists() else None


def pin(out: Path, build_id: str, *, pinned: bool = True) -> Path:
    """Keep a build whatever comes after it, or no longer.

    Returns:
        The folder of the build.

    Raises:
        FileNotFoundError: when the build is not kept here.
    """
    folder = out / "builds" / build_id
    if not folder.is_dir():
        raise FileNotFoundError(f"no build {build_id} in {out / 'builds'}")
    made = folder.stat()
    if pinned:
        (folder / PINNED).touch()
    else:
        (folder / PINNED).unlink(missing_ok=True)
    os.utime(folder, ns=(made.st_atime_ns, made.st_mtime_ns))  # its age is what it was
    return folder


def _prune(out: Path, keep: int) -> None:
    current = current_build(out)
    builds = sorted(
        (p for p in (out / "builds").iterdir() if p.is_dir() and ".staging-" not in p.name),
        key=lambda p: (p.name == current, p.stat().st_mtime),
        reverse=True,
    )
    for old in [b for b in builds if not (b / PINNED).exists()][keep:]:
        shutil.rmtree(old, ignore_errors=True)
