"""Parquet files put together of row groups that stand in other files, byte for byte.

A row group does not know where it stands; only the footer does. So rows that did not change are
copied as they were packed, and several processes can pack the row groups of one file. What comes of
it has the bytes that one writer would have written.

Belongs here: finding, copying and listing row groups. Does not belong here: which rows they hold.
Source: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.store.footer import (
    BINARY,
    I64,
    LIST,
    MAGIC,
    STRUCT,
    Fields,
    footer_bytes,
    read_footer,
)

#: Fields of a footer: version, schema, who made it, orders; these must be the same.
_ALIKE = (1, 2, 6, 7)
_ROWS, _GROUPS, _METADATA = 3, 4, 5
#: Fields of a row group.
_COLUMNS, _GROUP_ROWS, _GROUP_AT = 1, 3, 5
#: Fields of a column of a row group; those after the last say where indexes stand, of which we write none.
_COLUMN_AT, _COLUMN_ABOUT, _LAST = 2, 3, 3
#: Where its pages, an index of them and its list of different values stand; a filter has its own place.
_PLACES, _LISTED_AT, _PAGES_AT, _FILTER_AT = (9, 10, 11), 11, 9, 14


class UnlikeError(ValueError):
    """Row groups cannot stand in one file: they are of other columns, or of another writer."""


@dataclass(frozen=True)
class Groups:
    """Row groups of a file that follow one another.

    Attributes:
        path: the file.
        first: the first of them.
        count: how many; None means all that follow.
    """

    path: Path
    first: int = 0
    count: int | None = None


def join(parts: Sequence[Groups], path: Path, told: Mapping[str, str]) -> list[int]:
    """Write a file of row groups of others, in their order; returns how many each part gave.

    Args:
        parts: at least one.
        path: the file to write.
        told: what its metadata says.

    Raises:
        UnlikeError: when they do not fit together.
        ValueError: when one of the files is no Parquet file, or has fewer row groups.
        OSError: when a file cannot be read or written.
    """
    footers = {part.path: read_footer(part.path) for part in parts}
    alike: Fields | None = None
    groups: list[Fields] = []
    counts: list[int] = []
    with path.open("wb") as file:
        file.write(MAGIC)
        for part in parts:
            fields, end = footers[part.path]
            own = {number: fields.get(number) for number in _ALIKE}
            if alike is None:
                alike = fields
            elif any(alike.get(number) != value for number, value in own.items()):
                raise UnlikeError(f"{part.path} has other columns or another writer")
            there = _groups(fields)
            last = len(there) if part.count is None else part.first + part.count
            if last > len(there):
                raise ValueError(f"{part.path} has {len(there)} row groups, not {last}")
            counts.append(last - part.first)
            if part.first == last:
                continue
            start = _start(there[part.first])
            stop = _start(there[last]) if last < len(there) else end
            with part.path.open("rb") as source:
                source.seek(start)
                content = source.read(stop - start)
            by = file.tell() - start
            file.write(content)
            groups += [_moved(group, by) for group in there[part.first : last]]
        if alike is None:
            raise ValueError("a file of no row groups has no columns")
        rows = sum(group[_GROUP_ROWS][1] for group in groups)
        pairs = [
            {1: (BINARY, key.encode()), 2: (BINARY, value.encode())} for key, value in told.items()
        ]
        changed: Fields = {
            _ROWS: (I64, rows),
            _GROUPS: (LIST, (STRUCT, groups)),
            _METADATA: (LIST, (STRUCT, pairs)),
        }
        file.write(footer_bytes(dict(sorted((alike | changed).items()))))
    return counts


def groups_in(path: Path) -> list[tuple[int, str]]:
    """The row groups of a file, in their order: how many rows, and a hash of all that reading them depends on.

    That is their bytes, what the footer tells of them wherever they stand, and its columns: those with the
    same hash hold the same rows, in whatever file.

    Raises:
        UnlikeError: when a row group has something that does not move with it.
        ValueError: when it is no Parquet file.
        OSError: when it cannot be read.
    """
    fields, end = read_footer(path)
    there = _groups(fields)
    starts = [*map(_start, there), end]
    columns = repr([fields.get(number) for number in _ALIKE]).encode()
    found = []
    with path.open("rb") as file:
        for group, start, stop in zip(there, starts, starts[1:], strict=False):
            digest = hashlib.sha256(columns)
            digest.update(repr(_moved(group, -start)).encode())
            file.seek(start)
            digest.update(file.read(stop - start))
            found.append((group[_GROUP_ROWS][1], digest.hexdigest()))
    return found


def _groups(fields: Fields) -> list[Fields]:
    return fields[_GROUPS][1][1]


def _start(group: Fields) -> int:
    """Where the bytes of a row group begin."""
    about = group[_COLUMNS][1][1][0][_COLUMN_ABOUT][1]
    return about[_LISTED_AT if _LISTED_AT in about else _PAGES_AT][1]


def _moved(group: Fields, by: int) -> Fields:
    """A row group as the footer tells of it when it stands somewhere else."""
    kind, columns = group[_COLUMNS][1]
    moved = group | {_COLUMNS: (LIST, (kind, [_column_moved(column, by) for column in columns]))}
    if _GROUP_AT in group:
        moved[_GROUP_AT] = _shifted(group[_GROUP_AT], by)
    return moved


def _column_moved(column: Fields, by: int) -> Fields:
    kind, about = column[_COLUMN_ABOUT]
    if max(column) > _LAST or _FILTER_AT in about:
        raise UnlikeError("a column has an index or a filter, and those do not move with it")
    places = {number: _shifted(about[number], by) for number in _PLACES if number in about}
    moved = column | {_COLUMN_ABOUT: (kind, about | places)}
    if column[_COLUMN_AT][1]:  # nought where the writer does not say
        moved[_COLUMN_AT] = _shifted(column[_COLUMN_AT], by)
    return moved


def _shifted(place: tuple[int, int], by: int) -> tuple[int, int]:
    return place[0], place[1] + by
