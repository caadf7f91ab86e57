"""What an untrusted file may cost, looked at before any library opens it.

Belongs here: the limits, and the guards on archives (zip, xlsx, xlsb, ods), whose own account of
their sizes is never believed: every member is unpacked in small pieces and counted first.
Does not belong here: how far the cells of a sheet reach (``extent``), or what a table looks like.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

MEGABYTE = 1 << 20
PIECE = 1 << 22
#: An archive this small when unpacked is never called a bomb, however well it was packed.
HARMLESS_BYTES = 50 * MEGABYTE
#: Times as many members as a zip of tables that a workbook may have.
PARTS_OF_A_WORKBOOK = 50
_ENTRY, _LOCAL, _LOCAL_BYTES = b"PK\x01\x02", b"PK\x03\x04", 30


class UnreadableFileError(ValueError):
    """The file is no table we can read; the message says what it is and what to do."""


@dataclass(frozen=True)
class Limits:
    """What an untrusted file may cost. Each is a setting of the same name (megabytes there).

    Attributes:
        max_bytes: size of the file, and of each table in a zip.
        max_expanded_bytes: size of all members of an archive together, unpacked.
        max_ratio: how many times larger an archive may become.
        max_members: members of a zip; a workbook may have fifty times as many parts.
        max_rows: rows of a sheet.
        max_columns: columns with content of a sheet.
        max_cells: rows times columns of a sheet, as it lies in memory.
        max_cell_characters: length of one cell. Excel itself allows 32,767.
    """

    max_bytes: int = 300 * MEGABYTE
    max_expanded_bytes: int = 2000 * MEGABYTE
    max_ratio: int = 200
    max_members: int = 200
    max_rows: int = 2_000_000
    max_columns: int = 400
    max_cells: int = 30_000_000
    max_cell_characters: int = 100_000


def check_size(size: int, limits: Limits) -> None:
    """Refuse a file by its size, which needs no look into it.

    Raises:
        UnreadableFileError: when it is larger than ``max_bytes``.
    """
    if size > limits.max_bytes:
        raise UnreadableFileError(
            f"{size / MEGABYTE:,.0f} MB is more than the limit of "
            f"{limits.max_bytes / MEGABYTE:,.0f} MB (setting max_file_mb)"
        )


def check_table(rows: int, columns: int, *, max_rows: int, max_cells: int) -> None:
    """Refuse a table by its extent, before it is laid out in memory.

    Raises:
        UnreadableFileError: when it has too many rows, or too many cells.
    """
    if rows > max_rows:
        raise UnreadableFileError(
            f"{rows:,} rows; more than the limit of {max_rows:,} (setting max_rows)"
        )
    if rows * columns > max_cells:
        raise UnreadableFileError(
            f"{rows:,} rows of up to {columns:,} fields are more cells than the limit of "
            f"{max_cells:,} (setting max_cells)"
        )


def declared(data: bytes, limits: Limits, *, parts: int = 1) -> list[zipfile.ZipInfo]:
    """The members of an archive that says of itself that it is no bomb.

    It may lie. As long as no member is larger than it says (:func:`counted`), all of them together
    are within the limits too.

    Args:
        data: the whole archive.
        limits: what it may cost.
        parts: how many times ``max_members`` members it may have.

    Raises:
        UnreadableFileError: when it has too many members, or says that it unpacks to too much.
    """
    check_entries(data, limits.max_members * parts)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, struct.error, NotImplementedError) as error:
        raise UnreadableFileError(f"the archive is damaged ({error})") from error
    _check_total(sum(info.file_size for info in infos), len(data), limits)
    return infos


def counted(data: bytes, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The content of a member in pieces, as :func:`unpacked` gives it, and no more than it says.

    Raises:
        UnreadableFileError: when the member is damaged or larger than the archive says.
    """
    size = 0
    for piece in unpacked(data, info):
        size += len(piece)
        if size > info.file_size:
            raise UnreadableFileError(
                f"{info.filename!r} in the archive is larger than the archive says; "
                "such a file is made to do harm, or damaged"
            )
        yield piece


def check_entries(data: bytes, most: int) -> None:
    """Refuse an archive of too many members by the marks in its bytes.

    A directory of millions of entries would fill the memory before it could be counted otherwise.

    Raises:
        UnreadableFileError: when there are more than ``most``.
    """
    entries = data.count(_ENTRY)
    if entries > most:
        raise UnreadableFileError(
            f"the archive holds {entries:,} files; the limit is {most:,} (setting max_members)"
        )


def _check_total(total: int, packed: int, limits: Limits) -> None:
    if total > limits.max_expanded_bytes:
        raise UnreadableFileError(
            f"it unpacks to {total / MEGABYTE:,.0f} MB, more than the limit of "
            f"{limits.max_expanded_bytes / MEGABYTE:,.0f} MB (setting max_expanded_mb)"
        )
    if total > HARMLESS_BYTES and total > limits.max_ratio * max(packed, 1):
        raise UnreadableFileError(
            f"it unpacks to {total // max(packed, 1):,} times its size, more than the limit of "
            f"{limits.max_ratio:,} (setting max_ratio); that is no table"
        )


def unpacked(data: bytes, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The content of a member in pieces of at most 4 MB, until its data ends.

    Unlike ``zipfile`` this does not stop at the size the archive states, because other libraries
    do not either. Members that are neither stored nor deflated, or are encrypted, give nothing.

    Args:
        data: the whole archive.
        info: the member, from the archive's directory.

    Raises:
        UnreadableFileError: when the member's data is damaged.
    """
    start = info.header_offset
    if start < 0 or data[start : start + 4] != _LOCAL or len(data) < start + _LOCAL_BYTES:
        raise UnreadableFileError(f"{info.filename!r} in the archive is damaged (no header)")
    name, extra = struct.unpack_from("<HH", data, start + 26)
    start += _LOCAL_BYTES + name + extra
    packed = memoryview(data)[start : start + info.compress_size]
    if info.flag_bits & 0x1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return
    if info.compress_type == zipfile.ZIP_STORED:
        for at in range(0, len(packed), PIECE):
            yield bytes(packed[at : at + PIECE])
        return
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for at in range(0, len(packed), PIECE):
            rest: bytes | memoryview = packed[at : at + PIECE]
            while rest and not inflate.eof:
                piece = inflate.decompress(rest, PIECE)
                rest = inflate.unconsumed_tail
                if piece:
                    yield piece
        while not inflate.eof and (piece := inflate.decompress(b"", PIECE)):
            yield piece
    except zlib.error as error:
        raise UnreadableFileError(
            f"{info.filename!r} in the archive is damaged ({error})"
        ) from error
