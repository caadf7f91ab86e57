"""The working store: one Parquet file (or one a partition) for each table, written by name.

Every write goes through :func:`conform`, so a frame with a missing, extra or wrongly typed column
never reaches the disk, and columns are matched by name, never by position.
"""

from __future__ import annotations

import os
import re
import socket
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from itertools import pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any

import polars as pl
import polars.selectors as cs

from pipeline.schema import Table, all_tables, table
from pipeline.store.footer import rows_in
from pipeline.store.joined import Groups, join

#: Rows of a row group where a file is written in pieces: the unit DuckDB reads in parallel.
ROW_GROUP = 122_880
DAY = 86_400
#: Bytes of a frame that is written to memory before it is written to the disk.
SMALL = 16 << 20
#: Kinds of values that come again, so that a file lists the different ones; sums of money do not.
_LISTED = (pl.String(), pl.Date(), pl.Float64())
#: Texts that hardly ever come again; a list of their different values would be made in vain.
_ONCE_EACH = ("transaction_reference",)
#: Key in the metadata of every Parquet file: how many rows its writer wrote.
ROWS_WRITTEN = "fivepercent_rows"


class SchemaMismatchError(ValueError):
    """A frame does not fit its table; the message names table and columns."""


def conform(frame: pl.DataFrame, spec: Table, *, is_sorted: bool = False) -> pl.DataFrame:
    """Return ``frame`` with exactly the columns of ``spec``, in order, cast and sorted.

    Args:
        frame: any frame that has every column of the table. Nullable columns may be of type Null.
        spec: the table to fit.
        is_sorted: whether the rows are in the table's order already (see :func:`in_runs`).

    Returns:
        The columns of the table in their declared order and types, sorted by its sort columns.

    Raises:
        SchemaMismatchError: when a column is missing or unknown, a value does not fit its type,
            or a column that may not be null holds a null.
    """
    types = {column.name: column.polars for column in spec.columns}
    wanted, found = set(types), set(frame.columns)
    if wanted != found:
        raise SchemaMismatchError(
            f"{spec.full_name}: missing columns {sorted(wanted - found)}, "
            f"unknown columns {sorted(found - wanted)}"
        )
    try:
        # column by column: for a small table it takes longer to plan a selection than to make it
        columns = ((frame[name], kind) for name, kind in types.items())
        frame = pl.DataFrame([c if c.dtype == kind else c.cast(kind) for c, kind in columns])
    except pl.exceptions.PolarsError as error:
        raise SchemaMismatchError(f"{spec.full_name}: {error}") from error
    holes = [c.name for c in spec.columns if not c.nullable and frame[c.name].null_count()]
    if holes:
        raise SchemaMismatchError(f"{spec.full_name}: null in columns that may not be: {holes}")
    if is_sorted:
        return frame
    # threads are woken for the sake of many rows
    several = frame.height > ROW_GROUP
    return frame.sort(spec.order, maintain_order=True, nulls_last=True, multithreaded=several)


def is_in_order(frame: pl.DataFrame, spec: Table) -> bool:
    """Whether rows stand in a table's order already, as far as that is seen without sorting.

    Args:
        frame: with the sort columns of the table.
        spec: the table.

    Returns:
        False also where a column falls while one before it rises.
    """
    *first, last = spec.order
    if frame[last].null_count() or not all(frame[c].is_sorted(nulls_last=True) for c in first):
        return False
    values = frame[last]
    (falls,) = (values[1:] < values[:-1]).to_numpy().nonzero()
    # Where it falls something before it must change.
    keys = pl.DataFrame([frame[c] for c in first])
    return all(keys.row(row) != keys.row(row + 1) for row in falls.tolist())


def in_runs(frames: Iterable[pl.DataFrame], spec: Table) -> list[pl.DataFrame] | None:
    """Frames in the order in which they follow one another in a table, None where they overlap.

    Args:
        frames: each sorted as :func:`conform` sorts.
        spec: their table.
    """

    def place(frame: pl.DataFrame, row: int) -> list[tuple[bool, Any]]:
        return [(value is None, value) for value in frame.row(row)]

    keys = [(pl.DataFrame([frame[c] for c in spec.order]), frame) for frame in frames if len(frame)]
    runs = sorted(
        ((place(key, 0), place(key, -1), frame) for key, frame in keys), key=itemgetter(0, 1)
    )
    overlap = any(before[1] > after[0] for before, after in pairwise(runs))
    return None if overlap else [frame for _, _, frame in runs]


def plain(frame: pl.DataFrame) -> pl.DataFrame:
    """``frame`` with exact decimals as floating-point numbers.

    Polars divides two decimals to the scale of the first, which turns shares into 0.01 or 0.00:
    whoever computes with money from the store, instead of adding it up, needs this first.
    """
    return frame.with_columns(cs.decimal().cast(pl.Float64))


@cache
def _host() -> str:
    """The name of this machine as part of a file's name."""
    return re.sub(r"\W+", "-", socket.gethostname())


def unfinished_name(path: Path) -> Path:
    """The name under which ``path`` is written: it tells who writes, so that others leave it alone."""
    return path.with_name(f".{path.name}.{_host()}.{os.getpid()}.{uuid.uuid4().hex[:8]}.tmp")


def is_abandoned(path: Path) -> bool:
    """Whether the writer of an unfinished file is gone: no such process, or a day on other machines.

    Args:
        path: a file named by :func:`unfinished_name`.
    """
    parts = path.name.split(".")
    host, pid = parts[-4:-2] if len(parts) > 5 else ("", "")
    if host != _host() or not pid.isdigit():
        return time.time() - path.lstat().st_mtime > DAY
    if int(pid) == os.getpid():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def write_bytes(path: Path, content: bytes | memoryview) -> None:
    """Write ``content`` so that ``path`` is either the old file or the whole new one."""
    temporary = unfinished_name(path)
    try:
        try:
            temporary.write_bytes(content)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(content)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """Write ``frame`` so that ``path`` is either the old file or the whole new one."""
    told = {ROWS_WRITTEN: str(frame.height)}
    if frame.estimated_size() <= SMALL:
        # to memory first: for files of the disk Polars has threads that take longer than a small table
        held = BytesIO()
        frame.write_parquet(held, compression="zstd", statistics=True, metadata=told)
        write_bytes(path, held.getbuffer())
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = unfinished_name(path)
    try:
        frame.write_parquet(temporary, compression="zstd", statistics=True, metadata=told)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def rows_written(path: Path) -> int | None:
    """Rows of a Parquet file as its writer counted them; None when no writer of ours made it."""
    told = pl.read_parquet_metadata(path).get(ROWS_WRITTEN)
    return int(told) if told is not None else None


def rows_told(path: Path) -> tuple[int, int | None]:
    """Rows of a Parquet file, and as its writer counted them; in one look at the end of the file."""
    import pyarrow.parquet as pq  # slow to import, and few commands write
    from pyarrow import ArrowInvalid

    try:
        told = pq.read_metadata(path)
    except ArrowInvalid as error:
        raise OSError(f"{path} cannot be read: {error}") from error
    written = (told.metadata or {}).get(ROWS_WRITTEN.encode())
    return told.num_rows, int(written) if written is not None else None


def is_whole(path: Path) -> bool:
    """Whether a Parquet file can be opened and holds the rows that its writer wrote."""
    try:
        return rows_written(path) == rows_in(path)
    except (pl.exceptions.PolarsError, OSError, ValueError):
        return False


def listed_columns(schema: Mapping[str, Any]) -> list[str]:
    """The columns of a frame's schema whose different values a Parquet file should list."""
    return [n for n, kind in schema.items() if kind in _LISTED and n not in _ONCE_EACH]


def _encoding(spec: Table) -> dict[str, Any]:
    """How PyArrow is to write a table: what costs time and helps no reader is left out.

    Different values are listed where they come again, not of sums of money; the least and largest
    value of a row group are told of columns that have an order or few values, not of free texts.
    """
    ordered = (*spec.order, spec.partition_by)
    return {
        "compression": "zstd",
        "store_schema": False,  # how Polars held the texts is nobody's business
        "use_dictionary": listed_columns(spec.polars),
        "column_encoding": {
            c.name: "DELTA_BINARY_PACKED" for c in spec.columns if c.type in ("BIGINT", "INTEGER")
        },
        "write_statistics": [
            c.name for c in spec.columns if c.type != "VARCHAR" or c.allowed or c.name in ordered
        ],
    }


class TableStore:
    """Parquet tables below one folder: ``<root>/<schema>/<table>.parquet``.

    A table that declares ``partition_by`` is a folder ``<schema>/<table>/`` with one file a
    partition (``2020-21.parquet``); the partition column stays inside the file.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def files(self, name: str) -> list[Path]:
        """The Parquet files of a table that exist, sorted."""
        spec = table(name)
        if spec.partition_by:
            return sorted((self.root / spec.database_schema / spec.name).glob("*.parquet"))
        path = self.root / spec.database_schema / f"{spec.name}.parquet"
        return [path] if path.exists() else []

    def exists(self, name: str) -> bool:
        """Whether the table has been written."""
        return bool(self.files(name))

    def write(self, name: str, frame: pl.DataFrame) -> pl.DataFrame:
        """Conform and write a whole table; a partitioned one loses partitions not in ``frame``.

        Returns:
            The frame as written.
        """
        spec = table(name)
        frame = conform(frame, spec)
        if spec.partition_by is None:
            write_parquet(frame, self.root / spec.database_schema / f"{spec.name}.parquet")
            return frame
        kept: set[Path] = set()
        parts = frame.partition_by(spec.partition_by, as_dict=True, maintain_order=True)
        for key, part in parts.items():
            kept.add(self.write_partition(name, str(key[0]), part))
        if not parts:  # an empty table still has a schema
            kept.add(self.write_partition(name, "empty", frame))
        for path in self.files(name):
            if path not in kept:
                path.unlink()
        return frame

    def write_partition(self, name: str, partition: str, frame: pl.DataFrame) -> Path:
        """Conform and write one partition of a partitioned table; returns its path."""
        spec = table(name)
        path = self.partition_path(name, partition)
        write_parquet(conform(frame, spec), path)
        if partition != "empty":
            path.with_name("empty.parquet").unlink(missing_ok=True)
        return path

    @contextmanager
    def partition_writer(
        self, name: str, partition: str
    ) -> Iterator[tuple[Path, Callable[[Sequence[pl.DataFrame]], None]]]:
        """Write a partition in pieces, so that it need not fit into memory.

        Each piece is conformed on its own; the caller hands them over in the table's sort order.
        What is written is an unfinished file, to be moved to :meth:`partition_path`; it is removed
        when the block fails.

        Args:
            name: a partitioned table.
            partition: such as ``2020/21``.

        Yields:
            The unfinished file, and a function that writes a piece, given as frames that are each
            sorted already; where they follow one another nothing is sorted again.
        """
        import pyarrow.parquet as pq  # slow to import, and few commands write

        spec = table(name)
        path = self.partition_path(name, partition)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = unfinished_name(path)
        as_held = pl.CompatLevel.newest()  # texts are not copied before they are written
        schema = (
            conform(pl.DataFrame(schema=spec.polars), spec).to_arrow(compat_level=as_held).schema
        )
        try:
            with pq.ParquetWriter(temporary, schema, **_encoding(spec)) as writer:
                rows = 0

                def put(frames: Sequence[pl.DataFrame]) -> None:
                    nonlocal rows
                    runs = in_runs(frames, spec)
                    piece = conform(pl.concat(runs or frames), spec, is_sorted=runs is not None)
                    held = piece.to_arrow(compat_level=as_held)
                    writer.write_table(held, row_group_size=ROW_GROUP)
                    rows += piece.height

                yield temporary, put
                writer.add_key_value_metadata({ROWS_WRITTEN: str(rows)})
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def join_partition(
        self, name: str, partition: str, parts: Sequence[Groups], rows: int
    ) -> tuple[Path, list[int]]:
        """Put a partition together of row groups that were written already.

        Args:
            name: a partitioned table.
            partition: such as ``2020/21``.
            parts: where the row groups are, in the table's order.
            rows: how many rows they are to have together; a file that has others counts as damaged.

        Returns:
            The unfinished file, to be moved to :meth:`partition_path`, and the row groups of each part.

        Raises:
            UnlikeError: when the parts are of other columns or of another writer.
        """
        temporary = unfinished_name(self.partition_path(name, partition))
        try:
            return temporary, join(parts, temporary, {ROWS_WRITTEN: str(rows)})
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def forget_unfinished(self, name: str) -> None:
        """Remove files of a partitioned table that this process, or one that is gone, began to write."""
        spec = table(name)
        for path in (self.root / spec.database_schema / spec.name).glob(".*.tmp"):
            if f".{os.getpid()}." in path.name or is_abandoned(path):
                path.unlink(missing_ok=True)

    def keep_partitions(self, name: str, partitions: Iterable[str]) -> None:
        """Remove all other partitions; when none is left, an empty one tells the schema."""
        spec = table(name)
        keep = {self.partition_path(name, partition) for partition in partitions}
        if not keep:
            keep = {self.write_partition(name, "empty", pl.DataFrame(schema=spec.polars))}
        for path in self.files(name):
            if path not in keep:
                path.unlink()

    def partition_path(self, name: str, partition: str) -> Path:
        """Where a partition of a table lies, written or not."""
        spec = table(name)
        folder = self.root / spec.database_schema / spec.name
        return folder / f"{partition.replace('/', '-')}.parquet"

    def replace_partition(self, name: str, partition: str, frame: pl.DataFrame) -> None:
        """Write one partition; an empty frame removes it, the table's schema stays."""
        if frame.height:
            self.write_partition(name, partition, frame)
            return
        self.partition_path(name, partition).unlink(missing_ok=True)
        if not self.files(name):
            self.write_partition(name, "empty", frame)

    def scan(self, name: str) -> pl.LazyFrame:
        """A lazy frame over the table; an empty one of the right schema when not yet written."""
        files = self.files(name)
        return pl.scan_parquet(files) if files else pl.LazyFrame(schema=table(name).polars)

    def rows(self, name: str) -> int:
        """How many rows the table has.

        Raises:
            OSError: when a file cannot be read, or is no Parquet file.
        """
        try:
            return sum(rows_in(path) for path in self.files(name))
        except ValueError as error:
            raise OSError(str(error)) from error

    def read(self, name: str) -> pl.DataFrame:
        """The whole table."""
        return self.scan(name).collect()

    def drop_damaged(self) -> list[str]:
        """Remove files that cannot be opened or lost rows, so that they are made again.

        Returns:
            Their paths below the store.
        """
        dropped: list[str] = []
        for name in all_tables():
            for path in self.files(name):
                if not is_whole(path):
                    path.unlink()
                    dropped.append(path.relative_to(self.root).as_posix())
        return dropped

    def lost(self, name: str) -> str | None:
        """A sentence when a file of the table holds other rows than its writer wrote, else None."""
        for path in self.files(name):
            found, written = rows_told(path)
            if written != found:
                told = "another program" if written is None else f"{written:,} rows"
                return (
                    f"{name}: {path.name} holds {found:,} rows and was written with {told}; "
                    "rebuild with --force"
                )
        return None

    def clear(self, names: Iterable[str] | None = None) -> None:
        """Remove tables (all of them by default)."""
        for name in all_tables() if names is None else names:
            for path in self.files(name):
                path.unlink()
