"""The sheets of a workbook as tables of text, as the library lays them out.

Belongs here: loading them, and looking at those of many workbooks together: a look costs as much as
some hundred rows, and most sheets are small. Does not belong here: whether a workbook may be opened
(``extent``), and what is done about a sheet in which something odd is found (``grids``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipeline.ingest.tabular.limits import Limits, UnreadableFileError
from pipeline.ingest.tabular.merged import merged_in_xls, merged_over_rows
from pipeline.ingest.tabular.panics import panics_are_errors
from pipeline.ingest.tabular.probe import probe
from pipeline.ingest.tabular.repeated import different, is_repeated
from pipeline.ingest.tabular.rows import number_many

if TYPE_CHECKING:
    from fastexcel import ExcelReader, ExcelSheet

#: Bytes of a workbook whose next sheet is loaded while one is worked on.
WORTH_A_THREAD = 1 << 20

#: Characters nobody sees: they turn the direction of text round, join or hide, so that a name on a
#: page could read as another. Tabs and line breaks are not among them.
HIDDEN_CHARACTERS = [
    chr(code)
    for first, last in (
        (0x00, 0x08), (0x0E, 0x1F), (0x7F, 0x84), (0x86, 0x9F), (0x200B, 0x200B), (0x200E, 0x200F),
        (0x202A, 0x202E), (0x2060, 0x2060), (0x2066, 0x2069), (0xFEFF, 0xFEFF),
    )
    for code in range(first, last + 1)
]  # fmt: skip
#: The same as a pattern; to look for it takes two to three times as long as to look for them all.
HIDDEN = "[" + "".join(rf"\x{{{ord(c):x}}}" for c in HIDDEN_CHARACTERS) + "]"


Merged = Callable[[], list[tuple[int, int, int]]]


#: What tells of merged cells, for the workbooks of which something does.
_MERGED = {"xlsx": merged_over_rows, "xls": merged_in_xls}


def nothing_merged() -> list[tuple[int, int, int]]:
    """What is merged where nothing is."""
    return []


@dataclass(frozen=True)
class Sheet:
    """A sheet as the library gives it.

    Attributes:
        name: as the workbook has it.
        frame: ``c0..cN`` (String), every row up to the furthest cell; no columns when it is empty.
        visible: False for hidden sheets.
        merged: gives the stretches of merged cells, as ``merged.merged_over_rows``.
    """

    name: str
    frame: pl.DataFrame
    visible: bool
    merged: Merged = nothing_merged


def _load(book: ExcelReader, name: str) -> ExcelSheet:
    """One sheet, every cell as text; no row need be looked at to find that out."""
    with panics_are_errors():
        return book.load_sheet(
            name, header_row=None, skip_rows=0, dtypes="string", schema_sample_rows=1
        )


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


def open_sheets(data: bytes, container: str, limits: Limits) -> Iterator[Sheet]:
    """The sheets of a workbook, in its order.

    Args:
        data: the whole workbook; how far its cells reach was looked at.
        container: xlsx, ods or xls.
        limits: what it may cost.

    Raises:
        UnreadableFileError: when it, or a sheet of it, cannot be read or is too wide.
    """
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
        told = container in _MERGED and frame.width <= limits.max_columns
        frame = narrowed(frame, name, limits)
        frame.columns = [f"c{i}" for i in range(frame.width)]
        merged = partial(_MERGED[container], data, name) if told else nothing_merged
        yield Sheet(name, frame, visible, merged)


def narrowed(frame: pl.DataFrame, sheet: str, limits: Limits) -> pl.DataFrame:
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


def with_nothing_for_empty(frame: pl.DataFrame) -> pl.DataFrame:
    """Null for texts of no length, which hardly any column holds."""
    if not frame.width:
        return frame
    empty = frame.select((pl.col(pl.String) == "").any()).row(0, named=True)
    names = [name for name, some in empty.items() if some]
    return frame.with_columns(pl.col(names).replace("", None)) if names else frame


def number_plain(frames: Sequence[pl.DataFrame], longest: int) -> list[pl.DataFrame | None]:
    """Number the rows of those sheets in whose cells there is nothing odd.

    Args:
        frames: ``c0..cN`` (String) of each sheet.
        longest: bytes of the longest cell that is nothing odd.

    Returns:
        For each sheet ``row`` and its cells, rows without content left out; None for one that has no
        rows or columns, a text of no length, a longer cell or a hidden character.
    """
    done: list[pl.DataFrame | None] = [None] * len(frames)
    alike: dict[int, list[int]] = {}
    for place, frame in enumerate(frames):
        if frame.width and frame.height and set(frame.dtypes) == {pl.String}:
            alike.setdefault(frame.width, []).append(place)
    wholes = {width: pl.concat([frames[at] for at in places]) for width, places in alike.items()}
    some_hide = _some_hide([c for whole in wholes.values() for c in whole.iter_columns()])
    for width, places in alike.items():
        heights = [frames[place].height for place in places]
        whole = wholes.pop(width)
        rows = _odd_rows(whole, longest, some_hide=some_hide)
        odd = set(np.searchsorted(np.cumsum(heights), rows, side="right"))
        if odd:
            plain = [at for at in range(len(places)) if at not in odd]
            if not plain:
                continue
            places, heights = [places[at] for at in plain], [heights[at] for at in plain]
            whole = pl.concat([frames[place] for place in places])
        for place, numbered in zip(places, number_many(whole, heights), strict=True):
            done[place] = numbered
    return done


def _some_hide(columns: Sequence[pl.Series]) -> bool:
    """Whether a cell of some columns holds a hidden character.

    In one look, because to get ready for so many characters takes as long as a thousand cells.
    """
    texts = [different(column) if is_repeated(column) else column for column in columns]
    alike = [some.alias("") for some in texts]
    return bool(alike) and bool(pl.concat(alike).str.contains_any(HIDDEN_CHARACTERS).any())


def _odd_rows(whole: pl.DataFrame, longest: int, *, some_hide: bool) -> np.ndarray:
    """The places of rows with an odd cell.

    Args:
        whole: the rows.
        longest: as in :func:`number_plain`.
        some_hide: whether hidden characters are to be looked for.
    """
    lengths = whole.select(pl.all().str.len_bytes())
    told = [(length == 0) | (length > longest) for length in lengths.iter_columns()]
    if some_hide:
        told += whole.select(pl.all().str.contains_any(HIDDEN_CHARACTERS)).iter_columns()
    odd = [one.arg_true().to_numpy() for one in told if one.any()]
    return np.unique(np.concatenate(odd)) if odd else np.empty(0, np.int64)
