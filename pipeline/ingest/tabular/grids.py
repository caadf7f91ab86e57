"""Bytes of any tabular file to grids of strings, one grid a sheet, with physical row numbers.

What a file is, is decided from its first bytes, never from its name. Sizes and expansion are
limited before anything is unpacked, because files are untrusted.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Literal

import polars as pl

from pipeline.ingest.tabular.extent import check_extent
from pipeline.ingest.tabular.limits import (
    PARTS_OF_A_WORKBOOK,
    Limits,
    UnreadableFileError,
    check_entries,
    check_size,
    check_table,
    counted,
    declared,
)
from pipeline.ingest.tabular.markup import (
    TooLargeError,
    is_page,
    is_spreadsheet,
    page_tables,
    spreadsheet_tables,
)
from pipeline.ingest.tabular.panics import panics_are_errors
from pipeline.ingest.tabular.rows import number_rows
from pipeline.ingest.tabular.sheets import (
    HIDDEN,
    HIDDEN_CHARACTERS,
    Merged,
    Sheet,
    narrowed,
    nothing_merged,
    number_plain,
    open_sheets,
    with_nothing_for_empty,
)
from pipeline.ingest.tabular.text import Text, ends_inside_a_row, parse, prepare
from pipeline.ingest.tabular.together import parse_together
from pipeline.plain_text import written_out

TABULAR_ENDINGS = (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")
_CONTROL = bytes([*range(9), *range(14, 32)])
_NOT_TABLES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document; ask the publisher for the csv or Excel version"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it first"),
    (b"Rar!", "a RAR archive; unpack it first"),
    (b"PAR1", "a Parquet file, which no publisher of these sources uses"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"version https://git-lfs", "a pointer to a file that was not fetched; download it again"),
    (b"MIME-Version:", "a web archive (mht); open it in a spreadsheet program and save it as csv"),
    (b"{\\rtf", "a text document (rtf)"),
)


#: Bytes of a web page or XML spreadsheet, which the standard library turns into twenty times as many.
MOST_MARKUP = 50 << 20


#: Archives that may lie in a zip; they are not opened there, but named.
_ARCHIVES = (".zip", ".gz", ".7z", ".rar")
#: The fact of a grid that tells which other files of its zip cannot be read, and why.
UNREADABLE = "unreadable"
Kind = Literal["text", "xlsx", "ods", "xls", "zip", "gzip", "html", "xml"]


@dataclass(frozen=True)
class Grid:
    """One sheet (or the only table of a text file) as strings.

    Attributes:
        sheet: name of the sheet, signs that hide text written out; empty for text files. For a member of a zip
            ``member!sheet``.
        frame: columns ``row`` (Int64, 1-based physical row) and ``c0..cN`` (String); rows without
            any content are left out, their numbers stay unused.
        visible: False for hidden sheets.
        container: what the bytes were: csv, xlsx, xls, ods, html, xml.
        facts: what was decided while reading (encoding, delimiter), and :data:`UNREADABLE`.
        merged: gives column, first and last row of cells merged over several rows (xlsx and xls).
    """

    sheet: str
    frame: pl.DataFrame
    visible: bool
    container: str
    facts: dict[str, str] = field(default_factory=dict)
    merged: Merged = field(default=nothing_merged, compare=False, repr=False)

    @property
    def height(self) -> int:
        """Rows with any content."""
        return self.frame.height


def sniff(data: bytes) -> Kind:
    """What the bytes are.

    Raises:
        UnreadableFileError: when they are empty or something that is no table.
    """
    nothing = b"\x00\r\n\t \xef\xbb\xbf"
    if not data[:64].strip(nothing) and not data.strip(nothing):
        raise UnreadableFileError("the file is empty")
    beginning = data[:64].lstrip(b"\xef\xbb\xbf \r\n\t")
    for magic, what in _NOT_TABLES:
        if data.startswith(magic) or beginning.startswith(magic):
            raise UnreadableFileError(f"the content is {what}, not a table")
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        return "xls"
    if data.startswith(b"\x1f\x8b"):
        return "gzip"
    if data.startswith(b"PK\x03\x04") or data.startswith(b"PK\x05\x06"):
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                names = archive.namelist()
                if any(n.startswith("xl/") for n in names):
                    return "xlsx"
                if any(n.startswith(("word/", "ppt/")) for n in names):
                    what = "Word" if any(n.startswith("word/") for n in names) else "PowerPoint"
                    raise UnreadableFileError(
                        f"the content is a {what} document; ask the publisher for the csv or Excel version"
                    )
                if "content.xml" in names and "mimetype" in names:
                    with archive.open("mimetype") as told:
                        kind = told.read(200)
                    if b"spreadsheet" not in kind:
                        raise UnreadableFileError(
                            "the content is an OpenDocument text document or drawing, not a spreadsheet; "
                            "ask the publisher for the csv or Excel version"
                        )
                    return "ods"
                return "zip"
        except UnreadableFileError:
            raise
        except (zipfile.BadZipFile, zlib.error, ValueError, OSError, RuntimeError) as error:
            raise UnreadableFileError(
                f"the file is damaged: it begins like a zip or workbook but cannot be opened ({error})"
            ) from error
    head = data[:2048].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if is_spreadsheet(head):
        return "xml"
    if is_page(head):
        return "html"
    if head.startswith((b"<?xml", b"{", b"[")):
        raise UnreadableFileError("the content is XML or JSON, not a table")
    if not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        sample = data[:8192]
        odd = len(sample) - len(sample.translate(None, _CONTROL))
        utf16 = sample.count(0) > len(sample) // 4 and odd - sample.count(0) < len(sample) // 50
        if odd > len(sample) // 50 and not utf16:
            raise UnreadableFileError("the content is binary data, not a table")
    return "text"


def _grid_of(sheet: Sheet, container: str) -> Grid:
    """One sheet of a workbook, whatever its cells hold."""
    frame = number_rows(with_nothing_for_empty(sheet.frame))
    return Grid(sheet.name, frame, sheet.visible, container, merged=sheet.merged)


def _read_markup(data: bytes, kind: str, limits: Limits) -> list[Grid]:
    """The tables of a web page or an XML spreadsheet."""
    if len(data) > MOST_MARKUP:
        raise UnreadableFileError(
            f"a web page or XML spreadsheet of {len(data) >> 20:,} MB is not read; the limit is "
            f"{MOST_MARKUP >> 20} MB; save it as csv or xlsx"
        )
    try:
        tables = page_tables(data) if kind == "html" else spreadsheet_tables(data)
    except TooLargeError as error:
        raise UnreadableFileError("it holds more cells than any publication") from error
    except ValueError as error:
        raise UnreadableFileError(str(error)) from error
    if not tables:
        raise UnreadableFileError(
            "the content is a web page without a table of data (often an error page saved under the "
            "file's name); download the file again"
        )
    narrow = [(name, narrowed(frame, name, limits)) for name, frame in tables]
    return [Grid(name, number_rows(frame), True, kind) for name, frame in narrow]


def _is_mac_shadow(name: str) -> bool:
    """Whether a member only holds what a Mac keeps beside the real file."""
    path = PurePosixPath(name)
    return path.parts[:1] == ("__MACOSX",) or path.name.startswith("._")


def _read_zip(data: bytes, limits: Limits, depth: int) -> list[Grid]:
    if depth:
        raise UnreadableFileError("a zip inside a zip is not read; unpack the inner one first")
    infos = [i for i in declared(data, limits) if not i.is_dir() and not _is_mac_shadow(i.filename)]
    if len(infos) > limits.max_members:
        raise UnreadableFileError(
            f"the zip holds {len(infos):,} files; the limit is {limits.max_members:,} (setting max_members)"
        )
    tables = [i for i in infos if i.filename.lower().endswith((*TABULAR_ENDINGS, *_ARCHIVES))]
    if not tables:
        raise UnreadableFileError("the zip holds no csv or spreadsheet")
    grids: list[Grid] = []
    unreadable: list[str] = []
    for info in tables:
        name = PurePosixPath(info.filename.replace("\\", "/")).name
        try:
            inside = _read_member(data, info, limits, depth)
        except UnreadableFileError as error:
            unreadable.append(f"{name!r} in the zip: {error}")
            continue
        for grid in inside:
            sheet = f"{name}!{grid.sheet}" if grid.sheet else name
            grids.append(replace(grid, sheet=sheet))
    if not grids:
        raise UnreadableFileError("; ".join(unreadable) or "the zip holds no table")
    if unreadable:
        grids[0] = replace(grids[0], facts=grids[0].facts | {UNREADABLE: "; ".join(unreadable)})
    return grids


def _read_member(data: bytes, info: zipfile.ZipInfo, limits: Limits, depth: int) -> list[Grid]:
    """The grids of one file in a zip.

    Raises:
        UnreadableFileError: when it cannot be read.
    """
    if info.flag_bits & 0x1:
        raise UnreadableFileError("it is protected by a password")
    try:
        for _ in counted(data, info):  # no more than it says, or nothing of it is kept
            pass
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            content = archive.read(info)
    except (zipfile.BadZipFile, OSError, NotImplementedError, EOFError, zlib.error) as error:
        raise UnreadableFileError(f"it is damaged ({error})") from error
    return read_grids(content, limits=limits, depth=depth + 1)


def _unpacked(data: bytes, limits: Limits, depth: int) -> bytes:
    """What a file packed by gzip holds.

    Raises:
        UnreadableFileError: when it is damaged, in an archive itself, or unpacks to too much.
    """
    if depth:
        raise UnreadableFileError(
            "an archive inside an archive is not read; unpack the inner one first"
        )
    most = min(limits.max_expanded_bytes, max(len(data) * limits.max_ratio, 1 << 20))
    packed, whole = zlib.decompressobj(wbits=31), b""
    try:
        whole = packed.decompress(data, most + 1)
    except zlib.error as error:
        raise UnreadableFileError(
            f"the gzip archive is damaged ({error}); download it again"
        ) from error
    if len(whole) > most:
        raise UnreadableFileError(
            f"the gzip archive unpacks to more than {most >> 20:,} MB (settings max_expanded_mb, max_ratio)"
        )
    if not packed.eof:
        raise UnreadableFileError("the gzip archive breaks off; download it again")
    if whole[257:262] == b"ustar":
        raise UnreadableFileError("the content is a tar archive, not a table; unpack it first")
    return whole


def read_grids(data: bytes, *, limits: Limits | None = None, depth: int = 0) -> list[Grid]:
    """Read any tabular file.

    Args:
        data: the whole file.
        limits: what the file may cost; the defaults are generous for real publications.
        depth: how many zips the bytes came out of.

    Returns:
        One grid a sheet, in the file's order, empty sheets included.

    Raises:
        UnreadableFileError: with a sentence that says what the file is and what to do.
    """
    limits = limits or Limits()
    kind = _guarded(data, limits)
    if kind == "zip":
        return _named_apart(_read_zip(data, limits, depth))
    if kind == "gzip":
        return read_grids(_unpacked(data, limits, depth), limits=limits, depth=depth + 1)
    if kind in ("html", "xml"):
        grids = _read_markup(data, kind, limits)
    elif kind != "text":
        grids = [_grid_of(sheet, kind) for sheet in open_sheets(data, kind, limits)]
    else:
        grids = [_read_text(data, limits)]
    return _named_apart([_tame(grid, limits) for grid in grids])


def _guarded(data: bytes, limits: Limits) -> Kind:
    """What the bytes are, once it is sure that opening them does no harm.

    Raises:
        UnreadableFileError: when it would, or they are no table.
    """
    check_size(len(data), limits)
    if data.startswith(b"PK"):
        check_entries(data, limits.max_members * PARTS_OF_A_WORKBOOK)
    kind = sniff(data)
    if kind in ("xlsx", "ods", "xls"):
        check_extent(data, kind, limits)
    return kind


def _named_apart(grids: list[Grid]) -> list[Grid]:
    """Sheets of one name, such as members of a zip from two folders, are told apart by a number.

    Names come to be shown, so signs in them that steer or hide are written out.
    """
    grids = [replace(grid, sheet=written_out(grid.sheet)) for grid in grids]
    seen: Counter[str] = Counter()
    taken = {grid.sheet for grid in grids}
    named: list[Grid] = []
    for grid in grids:
        seen[grid.sheet] += 1
        name, number = grid.sheet, seen[grid.sheet]
        while number > 1 and (name := f"{grid.sheet} ({number})") in taken:
            number += 1
        taken.add(name)
        named.append(grid if name == grid.sheet else replace(grid, sheet=name))
    return named


def _tame(grid: Grid, limits: Limits) -> Grid:
    """Refuse cells beyond all bounds; take out characters that only change how text is shown."""
    frame = grid.frame
    cells = [c for c in frame.columns if c != "row"]
    if not cells or not frame.height:
        return grid
    check_table(frame.height, len(cells), max_rows=limits.max_rows, max_cells=limits.max_cells)
    longest_bytes = frame.select(pl.col(cells).str.len_bytes().max()).row(0, named=True)
    for name in cells:
        if (longest_bytes[name] or 0) > limits.max_cell_characters:
            longest = frame.select(
                pl.col("row").get(pl.col(name).str.len_chars().arg_max()),
                pl.col(name).str.len_chars().max().alias("length"),
            ).row(0)
            if longest[1] > limits.max_cell_characters:
                raise UnreadableFileError(
                    f"row {longest[0]:,} has a cell of {longest[1]:,} characters; the limit is "
                    f"{limits.max_cell_characters:,} (setting max_cell_characters)"
                )
    if grid.container == "csv":  # its bytes were cleaned, which costs next to nothing
        return grid
    found = frame.select(pl.col(cells).str.contains_any(HIDDEN_CHARACTERS).any()).row(0, named=True)
    hidden = [name for name in cells if found[name]]
    if not hidden:
        return grid
    return replace(
        grid, frame=frame.with_columns(pl.col(c).str.replace_all(HIDDEN, "") for c in hidden)
    )


def _read_text(data: bytes, limits: Limits) -> Grid:
    try:
        with panics_are_errors():
            return _grid_of_text(_prepared(data, limits), limits)
    except ValueError as error:
        raise UnreadableFileError(str(error)) from error


def _prepared(data: bytes, limits: Limits) -> Text:
    return prepare(
        data,
        max_columns=limits.max_columns,
        max_rows=limits.max_rows,
        max_cells=limits.max_cells,
    )


def _grid_of_text(text: Text, limits: Limits) -> Grid:
    frame, facts = parse(text, max_columns=limits.max_columns, max_cells=limits.max_cells)
    told = {"encoding": facts.encoding, "delimiter": facts.delimiter}
    if facts.repaired_quotes:
        told["quotes"] = "unbalanced, read line by line"
    rows = number_rows(frame, none_blank=facts.first_cells_filled)
    if ends_inside_a_row(text):  # what is left of its last cell may be a part of a figure
        told["cut"], rows = "the last row breaks off", rows[:-1]
    return Grid("", rows, True, "csv", told)


def _grids_of_many(
    books: Mapping[int, tuple[Kind, list[Sheet]]], limits: Limits
) -> Iterator[tuple[int, list[Grid] | Exception]]:
    """The grids of some workbooks, or what went wrong; only odd sheets are looked at one by one."""
    frames = [sheet.frame for _, sheets in books.values() for sheet in sheets]
    try:
        with panics_are_errors():
            plain = iter(number_plain(frames, limits.max_cell_characters))
    except Exception:  # then one by one, so that only the guilty file is lost
        plain = iter([None] * len(frames))
    for i, (kind, sheets) in books.items():
        own = [(sheet, next(plain)) for sheet in sheets]
        try:
            grids: list[Grid] = []
            for sheet, frame in own:
                if frame is None:
                    grids.append(_tame(_grid_of(sheet, kind), limits))
                    continue
                columns = sheet.frame.width
                check_table(
                    frame.height, columns, max_rows=limits.max_rows, max_cells=limits.max_cells
                )
                grids.append(Grid(sheet.name, frame, sheet.visible, kind, merged=sheet.merged))
            yield i, _named_apart(grids)
        except Exception as error:
            yield i, error


def read_many(
    loads: Sequence[Callable[[], bytes]], *, limits: Limits | None = None
) -> list[list[Grid] | Exception]:
    """Read several files; what can be read together is.

    Args:
        loads: each gives the bytes of a file.
        limits: what a file may cost.

    Returns:
        For each file its grids, as :func:`read_grids` gives them, or what went wrong.
    """
    limits = limits or Limits()
    done: list[list[Grid] | Exception] = [[] for _ in loads]
    texts: dict[int, Text] = {}
    books: dict[int, tuple[Kind, list[Sheet]]] = {}
    for i, load in enumerate(loads):
        try:
            data = load()
            kind = _guarded(data, limits)
            if kind == "text":
                with panics_are_errors():
                    texts[i] = _prepared(data, limits)
            elif kind in ("xlsx", "ods", "xls"):
                books[i] = kind, list(open_sheets(data, kind, limits))
            else:
                done[i] = read_grids(data, limits=limits)
        except Exception as error:  # one hostile file must not stop the others
            done[i] = error
    for i, found in _grids_of_many(books, limits):
        done[i] = found
    try:
        with panics_are_errors():
            together = parse_together(texts, limits)
    except Exception:  # then one by one, so that only the guilty file is lost
        together = {}
    for i, text in texts.items():
        told = {"encoding": text.encoding, "delimiter": text.delimiter}
        try:
            if i in together and not ends_inside_a_row(text):
                done[i] = [Grid("", together[i], True, "csv", told)]
            else:
                with panics_are_errors():
                    done[i] = [_tame(_grid_of_text(text, limits), limits)]
        except Exception as error:
            done[i] = error
    return [UnreadableFileError(str(d)) if type(d) is ValueError else d for d in done]
