"""The footer of a Parquet file, taken apart and written again, whatever stands in it.

It is a structure in Thrift's compact protocol: numbered fields, each with its kind. Here it becomes
dictionaries and lists that keep number, kind and order of everything, so that a footer that is
written again without a change has the same bytes.

Belongs here: bytes to structures and back. Does not belong here: what the fields mean (``joined``).
Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

MAGIC = b"PAR1"
#: The field of a footer that tells how many rows the file has.
ROWS = 3
_TRUE, _FALSE, _BYTE, I16, I32, I64, _DOUBLE, BINARY, LIST, _SET, _MAP, STRUCT = range(1, 13)
_NUMBERS = (I16, I32, I64)
_LISTS = (LIST, _SET)
#: The first number of elements that does not fit beside their kind.
_MANY = 15

#: Number of a field -> its kind and value; a list is the kind of its elements and the elements.
Fields = dict[int, tuple[int, Any]]


def read_footer(path: Path) -> tuple[Fields, int]:
    """The footer of a file and the place where it begins.

    Args:
        path: a Parquet file.

    Raises:
        ValueError: when it is none.
        OSError: when it cannot be read.
    """
    return _fields_of(path)


def rows_in(path: Path) -> int:
    """How many rows a file has, as its footer tells; what stands after that is not looked at.

    A library takes five times as long to say so.

    Args:
        path: a Parquet file.

    Raises:
        ValueError: when it is none.
        OSError: when it cannot be read.
    """
    fields, _ = _fields_of(path, last=ROWS)
    kind, rows = fields.get(ROWS, (I64, -1))
    if kind != I64 or rows < 0:
        raise ValueError(f"the footer of {path} does not tell how many rows there are")
    return rows


def _fields_of(path: Path, last: int | None = None) -> tuple[Fields, int]:
    """The fields of a footer, all of them or those up to one, and the place where it begins."""
    with path.open("rb", buffering=0) as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 8))
        tail = file.read(8)
        start = size - 8 - int.from_bytes(tail[:4], "little")
        if tail[4:] != MAGIC or start < len(MAGIC):
            raise ValueError(f"{path} has no footer of a Parquet file")
        file.seek(start)
        content = file.read(size - 8 - start)
    try:
        return _read_fields(content, 0, last)[0], start
    except (IndexError, RecursionError) as error:
        raise ValueError(f"the footer of {path} ends too early, or goes too deep") from error


def footer_bytes(fields: Fields) -> bytes:
    """What stands at the end of a file: its footer, the footer's length, the mark of the format."""
    out = bytearray()
    _write_fields(fields, out)
    return bytes(out) + len(out).to_bytes(4, "little") + MAGIC


def _read_fields(content: bytes, at: int, last: int | None = None) -> tuple[Fields, int]:
    """The fields of a structure from a place on, all of them or those up to one, and the place behind.

    Footers are read on the way of every new month, and in Python: so short numbers, which most are, are
    taken here without a call.
    """
    found: Fields = {}
    number = 0
    while head := content[at]:
        at += 1
        kind, step = head & 15, head >> 4
        if step:
            number += step
        else:
            number, at = _read_number(content, at)
        value: Any = None
        if kind in _NUMBERS:
            if (byte := content[at]) < 128:
                value, at = (byte >> 1) ^ -(byte & 1), at + 1
            else:
                value, at = _read_number(content, at)
        elif kind == BINARY and (byte := content[at]) < 128:
            value, at = content[at + 1 : at + 1 + byte], at + 1 + byte
        elif kind == STRUCT:
            value, at = _read_fields(content, at)
        elif kind not in (_TRUE, _FALSE):
            value, at = _read_value(content, at, kind)
        found[number] = (kind, value)
        if number == last:
            return found, at
    return found, at + 1


def _read_length(content: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while (byte := content[at]) >= 128:
        number |= (byte & 127) << shift
        shift += 7
        at += 1
    return number | byte << shift, at + 1


def _read_number(content: bytes, at: int) -> tuple[int, int]:
    folded, at = _read_length(content, at)
    return (folded >> 1) ^ -(folded & 1), at


def _read_value(content: bytes, at: int, kind: int) -> tuple[Any, int]:
    if kind in _NUMBERS:
        return _read_number(content, at)
    if kind == STRUCT:
        return _read_fields(content, at)
    if kind in _LISTS:
        head = content[at]
        length, of, at = head >> 4, head & 15, at + 1
        if length == _MANY:
            length, at = _read_length(content, at)
        elements = []
        for _ in range(length):
            value, at = _read_value(content, at, _BYTE if of <= _FALSE else of)
            elements.append(value)
        return (of, elements), at
    if kind not in (_BYTE, _DOUBLE, BINARY):
        raise ValueError(f"no footer has a field of kind {kind}")
    length, at = _read_length(content, at) if kind == BINARY else (8 if kind == _DOUBLE else 1, at)
    if at + length > len(content):
        raise IndexError
    return content[at : at + length], at + length


def _write_length(number: int, out: bytearray) -> None:
    while number >= 128:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)


def _write_fields(fields: Fields, out: bytearray) -> None:
    before = 0
    for number, (kind, value) in fields.items():
        if 0 < number - before <= 15:
            out.append((number - before) << 4 | kind)
        else:
            out.append(kind)
            _write(I16, number, out)
        before = number
        if kind not in (_TRUE, _FALSE):
            _write(kind, value, out)
    out.append(0)


def _write(kind: int, value: Any, out: bytearray) -> None:
    if kind in _NUMBERS:
        _write_length((value << 1) ^ (value >> 63), out)
    elif kind == STRUCT:
        _write_fields(value, out)
    elif kind in _LISTS:
        of, elements = value
        if len(elements) < _MANY:
            out.append(len(elements) << 4 | of)
        else:
            out.append(_MANY << 4 | of)
            _write_length(len(elements), out)
        for element in elements:
            _write(_BYTE if of <= _FALSE else of, element, out)
    else:
        if kind == BINARY:
            _write_length(len(value), out)
        out += value
