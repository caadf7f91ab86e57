"""Bytes of any tabular file to grids of strings, one grid a sheet, with physical row numbers.

What a file is, is decided from its first bytes, never from its name. Sizes and expansion are
limited before anything is unpacked, because files are untrusted.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl

from pipeline.ingest.tabular.extent import check_extent
from pipeline.ingest.tabular.limits import (
    PARTS_OF_A_WORKBOOK,
    Limits,
    UnreadableFileError,
    check_archive,
    check_entries,
    check_size,
    check_table,
)
from pipeline.ingest.tabular.markup import (
    TooLargeError,
    is_page,
    is_spreadsheet,
    page_tables,
    spreadsheet_tables,
)
from pipeline.ingest.tabular.panics import panics_are_errors
from pipeline.ingest.tabular.probe import probe
from pipeline.ingest.tabular.text import Text, parse, prepare
from pipeline.ingest.tabular.together import parse_together
from pipeline.plain_text import written_out

if TYPE_CHECKING:
    from fastexcel import ExcelReader, ExcelSheet

#: Bytes of a workbook whose next sheet is loaded while one is worked on.
WORTH_A_THREAD = 1 << 20
TABULAR_ENDINGS = (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")

#: Characters nobody sees: they turn the direction of text round, join or hide, so that a name on a
#: page could read as another. Tabs and line breaks are not among them.
HIDDEN = (
    r"[\x00-\x08\x0e-\x1f\x7f\x{80}-\x{84}\x{86}-\x{9f}\x{200b}\x{200e}\x{200f}\x{202a}-\x{202e}"
    r"\x{2060}\x{2066}-\x{2069}\x{feff}]"
)
_CONTROL = bytes([*range(9), *range(14, 32)])
_NOT_TABLES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document; ask the publisher for the csv or Excel version"),
    (b"\x1f\x8b", "a gzip archive; unpack it first"),
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
        facts: what was decided while reading (encoding, delimiter).
    """

    sheet: str
    frame: pl.DataFrame
    visible: bool
    container: str
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def height(self) -> int:
        """Rows with any content."""
        return self.frame.height


def _number_rows(frame: pl.DataFrame, *, none_blank: bool = False) -> pl.DataFrame:
    """Add physical row numbers and drop rows without content.

    Args:
        frame: ``c0..cN`` in physical order.
        none_blank: whether every row is known to have content.
    """
    cells = frame.columns
    if not cells:
        return pl.DataFrame(schema={"row": pl.Int64})
    rows = pl.Series("row", np.arange(1, frame.height + 1, dtype=np.int64))
    numbered = frame.clone().insert_column(0, rows)
    if none_blank:
        return numbered
    has_content = [(pl.col(c).str.strip_chars() != "").fill_null(False) for c in cells]
    # Most rows show their content in the first column; only the others are looked at further,
    # which matters for accounts of a million rows.
    keep = numbered.select(has_content[0]).to_series().to_numpy().copy()
    if keep.all():
        return numbered
    doubtful = ~keep
    rest = numbered.filter(pl.Series(doubtful)).select(pl.any_horizontal(has_content))
    keep[doubtful] = rest.to_series().to_numpy()
    return numbered.filter(pl.Series(keep))


def sniff(data: bytes) -> Literal["text", "xlsx", "ods", "xls", "zip", "html", "xml"]:
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


def _load(book: ExcelReader, name: str) -> ExcelSheet:
    """One sheet, every cell as text."""
    with panics_are_errors():
        return book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")


def _one_ahead(
    names: Sequence[str], load: Callable[[str], ExcelSheet]
) -> Iterator[tuple[str, Callable[[], ExcelSheet]]]:
    """Each name with what gives its sheet; while one is worked on, the next is loaded already.

    Loading is work of the library, which lets other threads run, so two large sheets take little
    longer than one. No more than one sheet lies ready.
    """
    with ThreadPoolExecutor(1) as pool:
        ahead = [pool.submit(load, name) for name in names[:1]]
        for place, name in enumerate(names):
            now = ahead.pop()
            wait([now])
            ahead = [pool.submit(load, following) for following in names[place + 1 : place + 2]]
            yield name, now.result


def _one_by_one(
    names: Sequence[str], load: Callable[[str], ExcelSheet]
) -> Iterator[tuple[str, Callable[[], ExcelSheet]]]:
    """The same for small sheets, which load sooner than a thread starts."""
    for name in names:
        yield name, partial(load, name)


def _with_nothing_for_empty(frame: pl.DataFrame) -> pl.DataFrame:
    """Null for texts of no length, which hardly any column holds."""
    if not frame.width:
        return frame
    empty = frame.select((pl.col(pl.String) == "").any()).row(0, named=True)
    names = [name for name, some in empty.items() if some]
    return frame.with_columns(pl.col(names).replace("", None)) if names else frame


def _read_workbook(data: bytes, container: str, limits: Limits, prefix: str) -> list[Grid]:
    import fastexcel

    if container == "xls" and "EncryptedPackage".encode("utf-16-le") in data:
        raise UnreadableFileError(
            "the workbook is protected by a password; ask the publisher for one without"
        )
    if container == "xls" and "WordDocument".encode("utf-16-le") in data:
        raise UnreadableFileError(
            "the content is a Word document; ask the publisher for the csv or Excel version"
        )
    if container == "xls":
        probe(data)
    try:
        with panics_are_errors():
            book = fastexcel.read_excel(data)
            names = book.sheet_names
    except Exception as error:
        raise UnreadableFileError(
            f"the {container} workbook cannot be opened ({str(error).splitlines()[0]}); "
            "open it in a spreadsheet program and save it again"
        ) from error
    grids: list[Grid] = []
    ahead = _one_ahead if len(names) > 1 and len(data) > WORTH_A_THREAD else _one_by_one
    for name, load in ahead(names, lambda n: _load(book, n)):
        try:
            sheet = load()
            frame = sheet.to_polars()
            visible = sheet.visible == "visible"
            del sheet
        except Exception as error:
            if "no data" in str(error).lower() or "empty" in str(error).lower():
                frame, visible = pl.DataFrame(), True
            else:
                raise UnreadableFileError(
                    f"sheet {name!r} cannot be read ({str(error).splitlines()[0]}); "
                    "open the workbook in a spreadsheet program and save it again"
                ) from error
        frame = _narrow(frame, name, limits)
        frame = frame.rename({c: f"c{i}" for i, c in enumerate(frame.columns)})
        frame = _with_nothing_for_empty(frame)
        grids.append(Grid(prefix + name, _number_rows(frame), visible, container))
    return grids


def _narrow(frame: pl.DataFrame, sheet: str, limits: Limits) -> pl.DataFrame:
    """A frame wider than the limit without its empty columns.

    Raises:
        UnreadableFileError: when more columns than that have content.
    """
    if frame.width <= limits.max_columns:
        return frame
    used = [c for c in frame.columns if frame[c].null_count() < frame.height]
    if len(used) > limits.max_columns:
        raise UnreadableFileError(
            f"sheet {sheet!r} has {len(used):,} columns, more than {limits.max_columns} (setting "
            "max_columns)"
        )
    return frame.select(used)


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
    narrow = [(name, _narrow(frame, name, limits)) for name, frame in tables]
    return [Grid(name, _number_rows(frame), True, kind) for name, frame in narrow]


def _is_mac_shadow(name: str) -> bool:
    """Whether a member only holds what a Mac keeps beside the real file."""
    path = PurePosixPath(name)
    return path.parts[:1] == ("__MACOSX",) or path.name.startswith("._")


def _read_zip(data: bytes, limits: Limits, depth: int) -> list[Grid]:
    if depth:
        raise UnreadableFileError("a zip inside a zip is not read; unpack the inner one first")
    check_archive(data, limits)
    grids: list[Grid] = []
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [
            i for i in archive.infolist() if not i.is_dir() and not _is_mac_shadow(i.filename)
        ]
        if len(members) > limits.max_members:
            raise UnreadableFileError(
                f"the zip holds {len(members):,} files; the limit is {limits.max_members:,} (setting max_members)"
            )
        tables = [i for i in members if i.filename.lower().endswith(TABULAR_ENDINGS)]
        if not tables:
            raise UnreadableFileError("the zip holds no csv or spreadsheet")
        for info in tables:
            if info.flag_bits & 0x1:
                raise UnreadableFileError(
                    f"{info.filename!r} in the zip is protected by a password"
                )
            name = PurePosixPath(info.filename.replace("\\", "/")).name
            try:
                content = archive.read(info)
            except (zipfile.BadZipFile, OSError, NotImplementedError, EOFError) as error:
                raise UnreadableFileError(f"{name!r} in the zip is damaged ({error})") from error
            try:
                inside = read_grids(content, limits=limits, depth=depth + 1)
            except UnreadableFileError as error:
                raise UnreadableFileError(f"{name!r} in the zip: {error}") from error
            for grid in inside:
                sheet = f"{name}!{grid.sheet}" if grid.sheet else name
                grids.append(Grid(sheet, grid.frame, grid.visible, grid.container, grid.facts))
    return grids


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
    check_size(len(data), limits)
    if data.startswith(b"PK"):
        check_entries(data, limits.max_members * PARTS_OF_A_WORKBOOK)
    kind = sniff(data)
    if kind == "zip":
        return _named_apart(_read_zip(data, limits, depth))
    if kind in ("xlsx", "ods", "xls"):
        check_extent(data, kind, limits)
    if kind in ("html", "xml"):
        grids = _read_markup(data, kind, limits)
    elif kind != "text":
        grids = _read_workbook(data, kind, limits, prefix="")
    else:
        grids = [_read_text(data, limits)]
    return _named_apart([_tame(grid, limits) for grid in grids])


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
    found = frame.select(pl.col(cells).str.contains(HIDDEN).any()).row(0, named=True)
    hidden = [name for name in cells if found[name]]
    if not hidden:
        return grid
    return replace(
        grid, frame=frame.with_columns(pl.col(c).str.replace_all(HIDDEN, "") for c in hidden)
    )


def _read_text(data: bytes, limits: Limits) -> Grid:
    try:
        with panics_are_errors():
            return _grid_of(_prepared(data, limits), limits)
    except ValueError as error:
        raise UnreadableFileError(str(error)) from error


def _prepared(data: bytes, limits: Limits) -> Text:
    return prepare(
        data,
        max_columns=limits.max_columns,
        max_rows=limits.max_rows,
        max_cells=limits.max_cells,
    )


def _grid_of(text: Text, limits: Limits) -> Grid:
    frame, facts = parse(text, max_columns=limits.max_columns, max_cells=limits.max_cells)
    told = {"encoding": facts.encoding, "delimiter": facts.delimiter}
    if facts.repaired_quotes:
        told["quotes"] = "unbalanced, read line by line"
    return Grid("", _number_rows(frame, none_blank=facts.first_cells_filled), True, "csv", told)


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
    for i, load in enumerate(loads):
        try:
            data = load()
            check_size(len(data), limits)
            if not data.startswith(b"PK") and sniff(data) == "text":
                with panics_are_errors():
                    texts[i] = _prepared(data, limits)
            else:
                done[i] = read_grids(data, limits=limits)
        except Exception as error:  # one hostile file must not stop the others
            done[i] = error
    try:
        with panics_are_errors():
            together = parse_together(texts, limits)
    except Exception:  # then one by one, so that only the guilty file is lost
        together = {}
    for i, text in texts.items():
        told = {"encoding": text.encoding, "delimiter": text.delimiter}
        try:
            if i in together:
                done[i] = [Grid("", together[i], True, "csv", told)]
            else:
                with panics_are_errors():
                    done[i] = [_tame(_grid_of(text, limits), limits)]
        except Exception as error:
            done[i] = error
    return [UnreadableFileError(str(d)) if type(d) is ValueError else d for d in done]
