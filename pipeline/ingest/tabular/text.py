"""Delimited text to a grid of strings: encoding, line ends, delimiter, quotes, ragged rows.

The fast path is Polars' own parser over a schema wide enough for the widest line. Text whose quotes
do not balance goes to a slower path that loses no line.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from dataclasses import dataclass

import numpy as np
import polars as pl

DELIMITERS = (",", "\t", ";", "|")
SAMPLE_LINES = 200


@dataclass(frozen=True)
class TextFacts:
    """What was decided about a text file."""

    encoding: str
    delimiter: str
    repaired_quotes: bool = False


def _cp1252_for_bad_bytes(error: UnicodeError) -> tuple[str, int]:
    """Decode the bytes that are not UTF-8 as cp1252, which is what Excel writes."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return bad.decode("cp1252", errors="replace"), error.end


codecs.register_error("fivepercent_cp1252", _cp1252_for_bad_bytes)


def decode(data: bytes) -> tuple[str, str]:
    """Decode bytes of unknown encoding.

    Args:
        data: the whole file.

    Returns:
        The text and the name of the encoding found. A byte-order mark decides; then many zero bytes
        mean UTF-16; then UTF-8; bytes that are not UTF-8 are read as cp1252 one by one, so a file
        in which both occur survives.
    """
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF32_BE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            return data.decode(name, errors="replace").lstrip("\ufeff"), name
    head = data[:4096]
    if len(head) > 8 and head.count(0) > len(head) // 4:
        name = "utf-16-le" if head[1::2].count(0) > head[0::2].count(0) else "utf-16-be"
        return data.decode(name, errors="replace"), name
    try:
        text = data.decode("utf-8")
        return text, "ascii" if text.isascii() else "utf-8"
    except UnicodeDecodeError:
        return data.decode("utf-8", errors="fivepercent_cp1252"), "cp1252"


def find_delimiter(text: str) -> str:
    """The delimiter under which the first lines split into the most even table.

    Args:
        text: decoded text with Unix line ends.

    Returns:
        One of comma, tab, semicolon and bar; comma when nothing splits.
    """
    lines = text[: 1 << 17].split("\n")
    if len(lines) > SAMPLE_LINES:
        lines = lines[:SAMPLE_LINES]
    sample = "\n".join(lines)
    best, best_score = ",", 0.0
    for delimiter in DELIMITERS:
        if delimiter not in sample:
            continue
        widths: Counter[int] = Counter()
        try:
            for row in csv.reader(io.StringIO(sample), delimiter=delimiter):
                if any(cell.strip() for cell in row):
                    widths[len(row)] += 1
        except csv.Error:
            continue
        if not widths:
            continue
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
        if width < 2:
            wide = sum(n for w, n in widths.items() if w > 1)
            score = wide / sum(widths.values())
        else:
            score = count / sum(widths.values()) * min(width, 12)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _widest_line(data: bytes, delimiter: str) -> int:
    """An upper bound on the fields of the widest line, counting delimiters inside quotes too."""
    raw = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(raw == 0x0A)
    marks = np.flatnonzero(raw == ord(delimiter))
    if not len(marks):
        return 1
    return int(np.bincount(np.searchsorted(ends, marks)).max()) + 1


def _logical_lines(text: str) -> list[list[str]]:
    """Lines grouped into rows: a row goes on while its quotes are open, for at most 20 lines."""
    rows: list[list[str]] = []
    pending: list[str] = []
    for line in text.split("\n"):
        pending.append(line)
        if "\n".join(pending).count('"') % 2 == 0:
            rows.append(pending)
            pending = []
        elif len(pending) > 20:  # an unclosed quote: this line stands alone, look again at the rest
            rows.append([pending[0]])
            rest = pending[1:]
            pending = []
            for later in rest:
                if later.count('"') % 2 == 0:
                    rows.append([later])
                else:
                    rows.append([later.replace('"', "")])
    rows.extend([line.replace('"', "") if line.count('"') % 2 else line] for line in pending)
    return rows


def _parse_slowly(text: str, delimiter: str) -> pl.DataFrame:
    """Parse text whose quotes do not balance, row by row, losing nothing."""
    parsed: list[list[str]] = []
    for lines in _logical_lines(text):
        joined = "\n".join(lines)
        if joined.count('"') % 2:
            joined = joined.replace('"', "")
        cells = next(csv.reader(io.StringIO(joined), delimiter=delimiter), [])
        parsed.append(cells)
    if parsed and not parsed[-1]:
        parsed.pop()
    width = max((len(row) for row in parsed), default=0)
    columns = {
        f"c{i}": [row[i] if i < len(row) and row[i] != "" else None for row in parsed]
        for i in range(width)
    }
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def parse_text(data: bytes, *, max_columns: int) -> tuple[pl.DataFrame, TextFacts]:
    """Parse a delimited text file into a grid.

    Args:
        data: the whole file.
        max_columns: a wider table is refused.

    Returns:
        A frame of String columns ``c0..cN``, one row a record in physical order (blank lines are
        rows of nulls), and what was decided.

    Raises:
        ValueError: when the table is wider than ``max_columns``.
    """
    text, encoding = decode(data)
    text = text.replace("\x00", "")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    delimiter = find_delimiter(text)
    body = text.encode("utf-8", errors="replace")
    width = _widest_line(body, delimiter)
    if width > max_columns * 25:
        raise ValueError(
            f"a line has {width:,} fields; more than {max_columns} columns is no table"
        )
    repaired = False
    if body.count(b'"') % 2:
        frame, repaired = _parse_slowly(text, delimiter), True
    else:
        schema = {f"c{i}": pl.String for i in range(width)}
        leading = len(text) - len(text.lstrip("\n"))
        try:
            frame = pl.read_csv(
                body,
                has_header=False,
                schema=schema,
                separator=delimiter,
                infer_schema=False,
                missing_columns="insert",
            )
            if leading:
                frame = _with_leading_blanks(frame, text, delimiter)
        except pl.exceptions.PolarsError:
            frame, repaired = _parse_slowly(text, delimiter), True
    used = [name for name in frame.columns if frame[name].null_count() < frame.height]
    if len(used) > max_columns:
        raise ValueError(f"{len(used):,} columns; more than {max_columns} is no table we know")
    last = max((int(name[1:]) for name in used), default=-1)
    frame = frame.select(f"c{i}" for i in range(last + 1))
    return frame, TextFacts(encoding, delimiter, repaired)


def _with_leading_blanks(frame: pl.DataFrame, text: str, delimiter: str) -> pl.DataFrame:
    """Put back blank lines at the top that the parser skipped, so that row numbers stay true."""
    expected = sum(1 for _ in csv.reader(io.StringIO(text), delimiter=delimiter))
    missing = expected - frame.height
    if missing <= 0:
        return frame
    blank = pl.DataFrame({name: [None] * missing for name in frame.columns}, schema=frame.schema)
    return pl.concat([blank, frame])
