"""Delimited text to a grid of strings: encoding, line ends, delimiter, quotes, ragged rows.

The fast path is Polars' own parser over a schema wide enough for the widest line. Text whose quotes
do not follow the rules goes to a slower path (``quotes``) that loses no line.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipeline.ingest.tabular.code_pages import encoded_once, old_code_page
from pipeline.ingest.tabular.limits import Limits, check_table
from pipeline.ingest.tabular.quotes import parse_slowly

DELIMITERS = (",", "\t", ";", "|")
_NO_COMMA = (b"\t", b";", b"|")  # without one of these nothing but a comma delimits
SAMPLE_BYTES, SAMPLE_LINES = 1 << 16, 100
PIECE_BYTES = 1 << 20
# First bytes of a line that may have nothing in its first cell (the last three begin odd blanks).
_MAY_BE_BLANK = np.zeros(256, dtype=bool)
_MAY_BE_BLANK[list(b'\n\r ,;|\t"\xc2\xe2\xe3')] = True
_CONTROLS = bytes([*range(9), *range(14, 32), 127])
_HIDING = re.compile(
    rb"\xe2(?:\x80[\x8b\x8e\x8f\xaa-\xae]|\x81[\xa0\xa6-\xa9])|\xef\xbb\xbf|\xc2[\x80-\x84\x86-\x9f]"
)
# Second and third byte of the marks that begin with E2.
_MARKS = np.zeros((256, 256), dtype=bool)
_MARKS[0x80, [0x8B, 0x8E, 0x8F, *range(0xAA, 0xAF)]] = True
_MARKS[0x81, [0xA0, *range(0xA6, 0xAA)]] = True
#: What ``str.strip`` takes for a blank.
_BLANKS = "".join(c for c in map(chr, range(0x3001)) if c.isspace())
WIDEST_END = 20_000  # bytes at the end of a file in which its last lines lie
WIDEST_FACTOR = 25  # a line this many times wider than allowed is no table, whatever is in it


@dataclass(frozen=True)
class TextFacts:
    """What was decided about a text file.

    ``first_cells_filled`` is True when no line begins with a delimiter, a blank, a quotation mark
    or its end, so that every row surely has content.
    """

    encoding: str
    delimiter: str
    repaired_quotes: bool = False
    first_cells_filled: bool = False


def _cp1252_for_bad_bytes(error: UnicodeError) -> tuple[str, int]:
    """Decode the bytes that are not UTF-8 as cp1252, which is what Excel writes."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return bad.decode("cp1252", errors="replace"), error.end


codecs.register_error("fivepercent_cp1252", _cp1252_for_bad_bytes)


def decode(data: bytes) -> tuple[bytes, str]:
    """Bytes of unknown encoding as UTF-8 without a mark.

    Args:
        data: the whole file.

    Returns:
        UTF-8 bytes and the name of the encoding found. A byte-order mark decides; then many zero
        bytes mean UTF-16; then UTF-8; bytes that are not UTF-8 are read as cp1252 one by one, so a
        file in which both occur survives.
    """
    encoding = ""
    if data.startswith(codecs.BOM_UTF8):
        data, encoding = data.removeprefix(codecs.BOM_UTF8), "utf-8-sig"
    else:
        for mark, name in (
            (codecs.BOM_UTF32_LE, "utf-32"),
            (codecs.BOM_UTF32_BE, "utf-32"),
            (codecs.BOM_UTF16_LE, "utf-16"),
            (codecs.BOM_UTF16_BE, "utf-16"),
        ):
            if data.startswith(mark):
                text = data.decode(name, errors="replace").lstrip("\ufeff")
                return text.encode("utf-8", errors="replace"), name
        head = data[:4096]
        if len(head) > 8 and head.count(0) > len(head) // 4:
            name = "utf-16-le" if head[1::2].count(0) > head[0::2].count(0) else "utf-16-be"
            return data.decode(name, errors="replace").encode("utf-8", errors="replace"), name
    if data.isascii():
        return data, encoding or "ascii"
    if _is_utf8(data):
        return encoded_once(data), encoding or "utf-8"
    raw = np.frombuffer(data, dtype=np.uint8)
    places = np.flatnonzero(raw > 0x7F)
    high = raw[places]
    pairs = high[:-1][np.diff(places) == 1]
    if ((pairs >= 0xC2) & (pairs <= 0xF4) & _follows(raw, places)).any():
        text = data.decode("utf-8", "fivepercent_cp1252")
    elif (page := old_code_page(data, places)) is not None:
        return data.decode(page, "replace").encode("utf-8", errors="replace"), page
    elif high.min() > 0x9F:  # there the two are the same, and this one is many times faster
        text = data.decode("latin-1")
    else:
        text = data.decode("cp1252", "replace")
    return text.encode("utf-8", errors="replace"), encoding or "cp1252"


def _follows(raw: np.ndarray, places: np.ndarray) -> np.ndarray:
    """For each of the bytes that stand before another one that is not ASCII: whether that one continues it."""
    after = raw[places[1:][np.diff(places) == 1]]
    return (after & 0xC0) == 0x80


def _is_utf8(data: bytes) -> bool:
    """Whether bytes are UTF-8; some at a time, because one rare letter makes text four times as large."""
    whole, at = memoryview(data), 0
    try:
        while at < len(data):
            end = at + PIECE_BYTES
            _, used = codecs.utf_8_decode(whole[at:end], "strict", end >= len(data))
            at += used
    except UnicodeDecodeError:
        return False
    return True


def find_delimiter(text: str) -> str:
    """The delimiter under which the first lines split into the most even table.

    Args:
        text: the beginning of the file with Unix line ends.

    Returns:
        One of comma, tab, semicolon and bar; comma when nothing splits.
    """
    lines = [line for line in text.split("\n", SAMPLE_LINES)[:SAMPLE_LINES] if line.strip()]
    counts = {d: [line.count(d) for line in lines] for d in DELIMITERS if d in text}
    present = [d for d in counts if (len(lines) - counts[d].count(0)) * 3 > len(lines)]
    if len(present) == 1:
        return present[0]
    sample = "\n".join(lines)
    quoted = '"' in sample
    best, best_score = ",", 0.0
    for delimiter in present or DELIMITERS:
        if delimiter not in counts:
            continue
        try:
            widths = (
                _widths_of_quoted(sample, delimiter)
                if quoted
                else Counter(
                    n + 1
                    for n, line in zip(counts[delimiter], lines, strict=True)
                    if line[0].isalnum() or line.strip(delimiter + _BLANKS)
                )
            )
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


def _widths_of_quoted(sample: str, delimiter: str) -> Counter[int]:
    """How many rows have how many cells, where a delimiter may stand inside quotation marks."""
    rows = csv.reader(io.StringIO(sample), delimiter=delimiter)
    return Counter(len(row) for row in rows if any(cell.strip() for cell in row))


def _without_hidden(body: bytes) -> bytes:
    """UTF-8 bytes without control characters and without marks that turn, join or hide text.

    Nobody sees them, and on a page a name could read as another.
    """
    raw = np.frombuffer(body, dtype=np.uint8)
    # Hardly any file has one; the least byte of a whole array is found ten times faster.
    if raw.size and (raw.min() < 9 or (raw - np.uint8(14)).min() < 18 or 127 in body):
        body = body.translate(None, _CONTROLS)
        raw = np.frombuffer(body, dtype=np.uint8)
    if body.isascii():
        return body
    if (raw - np.uint8(0x80)).min() >= 0x20 and 0xEF not in body:
        return body  # every mark holds a byte of 80 to 9F, or begins with EF
    return _HIDING.sub(b"", body) if _has_marks(body, raw) else body


def _has_marks(body: bytes, raw: np.ndarray) -> bool:
    """Whether UTF-8 bytes hold what :data:`_HIDING` finds, which takes many times longer to say so.

    Dashes and curly quotation marks begin with the same two bytes as most of the marks.
    """
    if 0xEF in body and b"\xef\xbb\xbf" in body:
        return True
    three = np.flatnonzero(raw == 0xE2) if 0xE2 in body else np.empty(0, np.intp)
    if _MARKS[raw.take(three + 1, mode="clip"), raw.take(three + 2, mode="clip")].any():
        return True
    second = raw.take(np.flatnonzero(raw == 0xC2) + 1, mode="clip")
    return bool(((second < 0xA0) & (second != 0x85)).any())


def _widest_line(data: bytes, delimiter: str) -> int:
    """An upper bound on the fields of the widest line, counting delimiters inside quotes too."""
    raw = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(raw == 0x0A)
    marks = np.flatnonzero(raw == ord(delimiter))
    if not len(marks):
        return 1
    before = np.searchsorted(marks, ends)
    return int(np.diff(before, prepend=0, append=len(marks)).max()) + 1


def _first_cells_filled(body: bytes) -> bool:
    """Whether every line surely begins with content."""
    raw = np.frombuffer(body, dtype=np.uint8)
    if not raw.size:
        return False
    starts = np.flatnonzero(raw[:-1] == 0x0A) + 1
    return not (_MAY_BE_BLANK[raw[0]] or _MAY_BE_BLANK[raw[starts]].any())


def parse_fast(body: bytes, delimiter: str, width: int, *, quoted: bool = True) -> pl.DataFrame:
    """Polars' own parser, every cell a string; a line wider than ``width`` makes it complain.

    Text known to have no quotation mark (``quoted`` False) is parsed without looking for one.
    """
    return pl.read_csv(
        body,
        has_header=False,
        schema={f"c{i}": pl.String for i in range(width)},
        separator=delimiter,
        quote_char='"' if quoted else None,
        infer_schema=False,
        missing_columns="insert",
    )


def _swallowed_lines(frame: pl.DataFrame, delimiter: str) -> bool:
    """Whether a cell holds what looks like a whole further row: a quote that was never closed."""
    if frame.width < 3:
        return False
    many = max(2, frame.width // 2)
    inside = rf"\n(?:[^\n{delimiter}]*{'[' + delimiter + ']'}){{{many}}}"
    held = [(pl.col(c).str.contains(inside)).any() for c in frame.columns]
    return bool(frame.select(pl.any_horizontal(held)).item())


@dataclass(frozen=True)
class Text:
    """A text file before its parse.

    Attributes:
        body: UTF-8 without a mark; line ends are of one kind.
        encoding: the encoding found.
        delimiter: the delimiter found.
        width: fields of the widest of the first lines.
        quotes: number of quotation marks.
        lines: number of lines.
        crooked: its quotation marks do not follow the rules, as far as counting tells.
    """

    body: bytes
    encoding: str
    delimiter: str
    width: int
    quotes: int
    lines: int
    crooked: bool

    @property
    def wraps(self) -> bool:
        """Whether a cell holds a line break, as far as counting quotation marks tells."""
        if not self.quotes:
            return False
        raw = np.frombuffer(self.body, dtype=np.uint8)
        before = np.searchsorted(np.flatnonzero(raw == 0x22), np.flatnonzero(raw == 0x0A))
        return bool((before & 1).any())

    @property
    def widens(self) -> bool:
        """Whether a line may be wider than the first ones, counting delimiters inside quotes too."""
        return _widest_line(self.body, self.delimiter) > self.width


def _unwrapped(body: bytes) -> bytes:
    """Text without the quotation marks that stand around its whole lines.

    A csv pasted into one column of a spreadsheet and saved as csv again has each line as one cell.
    """
    if not body.startswith(b'"'):
        return body
    first = b"\n".join(body.split(b"\n", SAMPLE_LINES)[:SAMPLE_LINES]).splitlines()
    filled = [line for line in first[:SAMPLE_LINES] if line.strip()]
    whole = all(
        len(line) > 2
        and line.startswith(b'"')
        and line.endswith(b'"')
        and b'"' not in line[1:-1].replace(b'""', b"")
        for line in filled
    )
    if not whole or not any(filled[0].count(d.encode()) for d in DELIMITERS):
        return body
    return b"\n".join(
        line[1:-1].replace(b'""', b'"') if line.startswith(b'"') else line
        for line in body.splitlines()
    )


def prepare(
    data: bytes,
    *,
    max_columns: int,
    max_rows: int = Limits.max_rows,
    max_cells: int = Limits.max_cells,
) -> Text:
    """Everything that can be decided about a text file without parsing it.

    Args:
        data: the whole file.
        max_columns: a wider table is refused.
        max_rows: a longer one too.
        max_cells: and one whose lines times its widest line are more.

    Raises:
        ValueError: when the table is far wider than ``max_columns``, or goes beyond the others.
    """
    body, encoding = decode(data)
    body = _without_hidden(body)
    raw = np.frombuffer(body, dtype=np.uint8)
    ends = raw == 0x0A
    if b"\r" in body:
        returns = raw == 0x0D
        paired = np.count_nonzero(returns[:-1] & ends[1:])
        if paired != np.count_nonzero(returns):  # the parser understands line ends of one kind
            body = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            raw = np.frombuffer(body, dtype=np.uint8)
            ends = raw == 0x0A
    unwrapped = _unwrapped(body)
    if unwrapped is not body:
        body, raw = unwrapped, np.frombuffer(unwrapped, dtype=np.uint8)
        ends = raw == 0x0A
    beginning = body[:SAMPLE_BYTES]
    first = beginning.split(b"\n", SAMPLE_LINES)
    delimiter = ","
    if any(other in beginning for other in _NO_COMMA):
        head = b"\n".join(first[:SAMPLE_LINES])
        delimiter = find_delimiter(head.decode("utf-8", errors="ignore"))
    if len(body) > SAMPLE_BYTES and len(first) > 1:
        first.pop()  # the last line may be cut off
    # The first lines tell the width; a wider one further down makes the parser complain.
    mark = delimiter.encode()
    width = 1 + max([line.count(mark) for line in first[:SAMPLE_LINES]])
    if width > max_columns * WIDEST_FACTOR:
        raise ValueError(
            f"a line has {width:,} fields; more than {max_columns} columns is no table"
        )
    quoted = raw == 0x22 if b'"' in body else np.empty(0, dtype=bool)
    quotes = int(np.count_nonzero(quoted))
    lines = int(np.count_nonzero(ends)) + (not body.endswith(b"\n"))
    check_table(lines, width, max_rows=max_rows, max_cells=max_cells)
    crooked = quotes % 2 == 1 or bool(
        quotes and (_spaced(raw, quoted, delimiter) or _out_of_place(raw, quoted, delimiter))
    )
    return Text(body, encoding, delimiter, width, quotes, lines, crooked)


def _spaced(raw: np.ndarray, quoted: np.ndarray, delimiter: str) -> bool:
    """Whether quotation marks stand behind a delimiter and a blank more often than without one."""
    behind_blank = quoted[1:] & (raw[:-1] == 0x20)
    if not behind_blank.any():
        return False
    mark = raw == ord(delimiter)
    behind = np.count_nonzero(mark[:-1] & quoted[1:])
    return bool(np.count_nonzero(mark[:-2] & behind_blank[1:]) > behind)


def _out_of_place(raw: np.ndarray, quoted: np.ndarray, delimiter: str) -> bool:
    """Whether a quotation mark stands between two signs of text, where the rules want it doubled.

    The parser takes ``"The "Old Mill",1`` for the beginning of a cell of several lines.
    """
    at = np.flatnonzero(quoted)
    beside = np.zeros(256, dtype=bool)
    beside[[0x0A, 0x0D, 0x22, ord(delimiter)]] = True
    inside = ~beside[raw.take(at - 1, mode="clip")] & ~beside[raw.take(at + 1, mode="clip")]
    return bool(inside[(at > 0) & (at < len(raw) - 1)].any())


def ends_inside_a_row(text: Text) -> bool:
    """Whether a file breaks off in its last row, as one does that was not downloaded whole.

    Its last line has no end and fewer cells than each of the ten lines before it, which have the same
    number of them and begin with a filled cell, as it does.
    """
    body = text.body
    if not body or body.endswith((b"\n", b"\r")):
        return False
    lines = body[-WIDEST_END:].decode("utf-8", errors="ignore").splitlines()[-11:]
    try:
        *before, last = csv.reader(lines, delimiter=text.delimiter)
    except (csv.Error, ValueError):
        return False
    widths = {len(row) for row in before}
    filled = all(row and row[0].strip() for row in (*before, last))
    return len(before) == 10 and len(widths) == 1 and filled and 1 < len(last) < widths.pop()


def parse(
    text: Text, *, max_columns: int, max_cells: int = Limits.max_cells
) -> tuple[pl.DataFrame, TextFacts]:
    """Parse a prepared text file into a grid; as :func:`parse_text`."""
    body, delimiter, width = text.body, text.delimiter, text.width
    frame: pl.DataFrame | None = None
    if not text.crooked:
        try:
            frame = parse_fast(body, delimiter, width)
        except pl.exceptions.PolarsError:
            widest = _widest_line(body, delimiter)
            if widest > max_columns * WIDEST_FACTOR:
                raise ValueError(
                    f"a line has {widest:,} fields; more than {max_columns} columns is no table"
                ) from None
            check_table(text.lines, widest, max_rows=text.lines, max_cells=max_cells)
            if widest > width:
                try:
                    frame = parse_fast(body, delimiter, widest)
                except pl.exceptions.PolarsError:
                    frame = None
        if (
            frame is not None
            and text.quotes
            and frame.height < text.lines
            and _swallowed_lines(frame, delimiter)
        ):
            frame = None
    repaired = frame is None
    if frame is None:
        whole = body.replace(b"\r\n", b"\n").decode("utf-8", errors="replace")
        frame = parse_slowly(whole, delimiter)
    filled = not repaired and _first_cells_filled(body)
    last = columns_used(frame, max_columns=max_columns)
    frame = frame if last == frame.width else frame[:, :last]
    return frame, TextFacts(text.encoding, delimiter, repaired, filled)


def columns_used(frame: pl.DataFrame, *, max_columns: int) -> int:
    """How many columns of a grid there are up to the last one with content.

    Args:
        frame: ``c0..cN``, with or without a column of row numbers before them.
        max_columns: a wider table is refused.

    Raises:
        ValueError: when more columns have content than that.
    """
    blank = frame.null_count().row(0) if frame.width else ()
    used = [i for i, n in enumerate(blank) if n < frame.height]
    if len(used) > max_columns + ("row" in frame.columns):
        raise ValueError(f"{len(used):,} columns; more than {max_columns} is no table we know")
    return used[-1] + 1 if used else 0


def parse_text(data: bytes, limits: Limits) -> tuple[pl.DataFrame, TextFacts]:
    """Parse a delimited text file into a grid.

    Args:
        data: the whole file.
        limits: a wider or longer table is refused.

    Returns:
        A frame of String columns ``c0..cN``, one row a record in physical order (blank lines are
        rows of nulls), and what was decided.

    Raises:
        ValueError: when the table goes beyond the limits.
    """
    text = prepare(
        data,
        max_columns=limits.max_columns,
        max_rows=limits.max_rows,
        max_cells=limits.max_cells,
    )
    return parse(text, max_columns=limits.max_columns, max_cells=limits.max_cells)
