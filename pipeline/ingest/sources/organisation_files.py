"""The files of ``organisations`` recognised by content and brought into five plain frames."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from pipeline.ingest.files import RawFile
from pipeline.ingest.reading import (
    LostFactsError,
    Reading,
    RefusedFileError,
    finish,
    open_file,
    run_files,
)
from pipeline.ingest.report import FileReport, SheetReport
from pipeline.ingest.tables import clean, squash
from pipeline.ingest.tabular import Grid, Limits
from pipeline.ingest.years import month_in

REGION_OF_CODE = {
    "Y56": "London",
    "Y58": "South West",
    "Y59": "South East",
    "Y60": "Midlands",
    "Y61": "East of England",
    "Y62": "North West",
    "Y63": "North East and Yorkshire",
}
ICB_CREATION = date(2022, 7, 1)
ICB_MERGERS = date(2026, 4, 1)
Frames = dict[str, list[pl.DataFrame]]
DAY = r"^\s*(?:\d{8}|\d{4}[-/]\d\d[-/]\d\d|\d\d?[-/ ](?:\d\d|[A-Za-z]{3})[-/ ]\d{4})"
#: Rows above a list's header that are looked at.
TITLE_ROWS = 10
#: Spellings of a header -> the one that is used below.
SPELLINGS = {
    "organisation code": "ods code", "org code": "ods code", "trust code": "ods code", "trust name": "name",
    "organisation name": "name", "org name": "name", "trust type": "type", "organisation type": "type",
    "nhs region": "region", "region name": "region", "icb": "ics", "icb name": "ics",
    "predecessors": "predecessor codes", "date of merger": "merger date", "other names": "alt names",
    "alternative names": "alt names", "predecessor": "old code", "predecessor code": "old code",
    "old org code": "old code", "successor": "new code", "successor code": "new code",
    "new org code": "new code", "effective date": "date", "succession date": "date", "date of change": "date",
}  # fmt: skip
CODE = r"^[A-Z][A-Z0-9]{2}$|^[A-Z0-9]{5}$"
REGISTER = pl.Schema(
    {
        "organisation_code": pl.String(),
        "name": pl.String(),
        "region": pl.String(),
        "icb_code": pl.String(),
        "opened": pl.Date(),
        "closed": pl.Date(),
        "vintage": pl.Date(),
        "file": pl.String(),
    }
)
DIRECTORY = pl.Schema(
    {
        "organisation_code": pl.String(),
        "name": pl.String(),
        "alt_names": pl.String(),
        "type": pl.String(),
        "region": pl.String(),
        "icb_name": pl.String(),
        "predecessors": pl.String(),
        "merged": pl.Date(),
        "file": pl.String(),
    }
)
BOARDS = pl.Schema(
    {
        "icb_code": pl.String(),
        "icb_name": pl.String(),
        "region": pl.String(),
        "predecessors": pl.String(),
        "merged": pl.Date(),
        "vintage": pl.Date(),
        "is_directory": pl.Boolean(),
    }
)
SUCCESSIONS = pl.Schema(
    {
        "old_code": pl.String(),
        "new_code": pl.String(),
        "date": pl.Date(),
        "file": pl.String(),
    }
)


@dataclass
class Parts:
    """What the files said.

    Attributes:
        register: trusts of every register export (:data:`REGISTER`); ``vintage`` null = undated,
            which is the latest.
        directory: trusts of the directory (:data:`DIRECTORY`).
        boards: boards of the directory and of name lists (:data:`BOARDS`).
        successions: old, new, date (:data:`SUCCESSIONS`), trusts only.
        reports: one a file.
        rejected: rows set aside.
    """

    register: pl.DataFrame
    directory: pl.DataFrame
    boards: pl.DataFrame
    successions: pl.DataFrame
    reports: list[FileReport]
    rejected: pl.DataFrame


def _words(grid: Grid, place: int) -> dict[str, str]:
    """Header in words -> column, of one row of a sheet."""
    cells = [c for c in grid.frame.columns if c != "row"]
    row = next(grid.frame.slice(place, 1).select(cells).iter_rows(), ())
    found: dict[str, str] = {}
    for column, value in zip(cells, row, strict=False):
        word = squash(value)
        if word:
            found.setdefault(SPELLINGS.get(word, word), column)
    return found


def _top(grid: Grid) -> int:
    """How many rows with content stand above the header of a list; 0 where none is found."""
    rows = range(min(TITLE_ROWS, grid.height))
    return next((place for place in rows if _kind_of_words(_words(grid, place))), 0)


def _header(grid: Grid) -> dict[str, str]:
    return _words(grid, _top(grid))


def _day(column: str) -> pl.Expr:
    text = (
        pl.col(column)
        .str.strip_chars()
        .str.replace(r"[ T]\d\d:\d\d.*$", "")
        .str.replace_all("[/ ]", "-")
    )
    return pl.coalesce(
        text.str.to_date("%Y%m%d", strict=False),
        text.str.to_date("%Y-%m-%d", strict=False),
        text.str.to_date("%d-%m-%Y", strict=False),
        text.str.to_date("%d-%b-%Y", strict=False),
    )


def _kind_of_words(names: Iterable[str]) -> str | None:
    words = set(names)
    if {"old code", "new code", "date"} <= words:
        return "successions"
    if {"ods code", "name", "type"} <= words:
        return "trust directory"
    if {"ods code", "name", "region"} <= words:
        return "board directory"
    return "board names" if any(re.fullmatch(r"icb\d\dcdh", n) for n in words) else None


def kind_of(grid: Grid) -> str | None:
    """Which file of the register a sheet is; None when it is none."""
    if grid.height == 0:
        return None
    if kind := _kind_of_words(_header(grid)):
        return kind
    if "c10" in grid.frame.columns:
        head = grid.frame.head(50)
        looks = head.select(
            (
                pl.col("c0").str.strip_chars().str.to_uppercase().str.contains(CODE)
                & pl.col("c2").fill_null("Y").str.contains(r"^[YQW][A-Z0-9]*$")
                & pl.col("c10").str.contains(DAY)
            )
            .fill_null(False)
            .alias("looks")
        )["looks"]
        rows = looks.slice(looks.arg_max() or 0)  # titles may stand above
        if head.height - rows.len() <= TITLE_ROWS and int(rows.sum()) > 0.8 * rows.len():
            return "register"
    return None


def _register(reading: Reading, grid: Grid) -> pl.DataFrame:
    frame = grid.frame
    if "c11" not in frame.columns:  # nobody in it has closed
        frame = frame.with_columns(c11=pl.lit(None, dtype=pl.String))
    rows = frame.with_columns(opened=_day("c10"), closed=_day("c11"))
    code = clean("c0").str.to_uppercase()
    good = code.str.contains(CODE).fill_null(False) & clean("c1").is_not_null()
    first = rows.with_row_index("_place").with_columns(_good=good)
    titles = first.filter(
        ~pl.col("_good").cum_max() & pl.col("c10").str.contains(DAY).fill_null(False).not_()
    )
    reading.ignore(grid, "titles and header above the register", titles.height)
    rows = rows.slice(titles.height)
    reading.reject(
        grid,
        rows.filter(~good).select(
            "row", reason=pl.lit("expected an organisation code and a name in the first two fields")
        ),
    )
    kept = rows.filter(good)
    reading.keep(grid, kept.height)
    return kept.select(
        organisation_code=code,
        name=clean("c1"),
        region=clean("c2").replace_strict(REGION_OF_CODE, default=None, return_dtype=pl.String),
        icb_code=clean("c3").str.to_uppercase(),
        opened="opened",
        closed="closed",
        vintage=pl.lit(month_in(reading.file.name), dtype=pl.Date),
        file=pl.lit(reading.file.name),
    ).cast(REGISTER)


def _take(
    reading: Reading, grid: Grid, columns: dict[str, str | None], schema: pl.Schema
) -> pl.DataFrame:
    """Rows below a first-row header; names -> squashed header words, dates parsed."""
    names = _header(grid)
    rows = grid.frame.slice(_top(grid) + 1)
    first = next(iter(columns))
    selected = {}
    for name, header in columns.items():
        column = names.get(header or "")
        if column is None:
            selected[name] = pl.lit(None, dtype=schema[name])
        elif schema[name] == pl.Date():
            selected[name] = _day(column)
        elif name.endswith("_code") or name == "predecessors":
            selected[name] = clean(column).str.to_uppercase()
        else:
            selected[name] = clean(column)
    taken = rows.select("row", **selected)
    is_code = pl.col(first).str.contains(CODE).fill_null(False)
    reason = f"no {first.replace('_', ' ')}; expected such as RJ1 or QMJ"
    reading.reject(grid, taken.filter(~is_code).select("row", reason=pl.lit(reason)))
    kept = taken.filter(is_code)
    reading.keep(grid, kept.height)
    return kept.drop("row")


def _directory(reading: Reading, grid: Grid) -> pl.DataFrame:
    columns: dict[str, str | None] = {
        "organisation_code": "ods code",
        "name": "name",
        "alt_names": "alt names",
        "type": "type",
        "region": "region",
        "icb_name": "ics",
        "predecessors": "predecessor codes",
        "merged": "merger date",
    }
    taken = _take(reading, grid, columns, DIRECTORY)
    return taken.with_columns(
        pl.when(pl.col("icb_name") != "-").then("icb_name"), file=pl.lit(reading.file.name)
    ).cast(DIRECTORY)


def _boards(reading: Reading, grid: Grid, kind: str) -> pl.DataFrame:
    names = _header(grid)
    columns: dict[str, str | None]
    if kind == "board directory":
        columns = {
            "icb_code": "ods code",
            "icb_name": "name",
            "region": "region",
            "predecessors": "predecessor codes",
            "merged": "merger date",
        }
    else:
        columns = {
            "icb_code": next(n for n in names if re.fullmatch(r"icb\d\dcdh", n)),
            "icb_name": next((n for n in names if re.fullmatch(r"icb\d\dnm", n)), None),
            "region": None,
            "predecessors": None,
            "merged": None,
        }
    return (
        _take(reading, grid, columns, BOARDS)
        .with_columns(
            vintage=pl.lit(month_in(reading.file.name.replace("_", " ")), dtype=pl.Date),
            is_directory=pl.lit(kind == "board directory"),
        )
        .cast(BOARDS)
    )


def _successions(
    reading: Reading, grid: Grid, known: set[str], earlier: Sequence[tuple[str, str]]
) -> pl.DataFrame:
    names = _header(grid)
    rows = grid.frame.slice(_top(grid) + 1).select(
        "row",
        old_code=clean(names["old code"]).str.to_uppercase(),
        new_code=clean(names["new code"]).str.to_uppercase(),
        date=_day(names["date"]),
    )
    wanted = pl.col("old_code").is_in(known) & pl.col("new_code").is_in(known)
    rows = rows.with_columns(_wanted=wanted.fill_null(False))
    outside = "succession of a site, another body, or a trust that is not in the register"
    reading.ignore(grid, outside, rows.filter(~pl.col("_wanted")).height)
    rows = rows.filter("_wanted")
    problem = (
        pl.when(pl.col("date").is_null())
        .then(pl.lit("no date written YYYYMMDD"))
        .when(pl.col("old_code") == pl.col("new_code"))
        .then(pl.lit("no organisation succeeds itself"))
    )
    rows = rows.with_columns(reason=problem)
    circle = _circles(rows.filter(pl.col("reason").is_null()), earlier)
    rows = rows.with_columns(
        reason=pl.coalesce(
            "reason", pl.col("row").replace_strict(circle, default=None, return_dtype=pl.String)
        )
    )
    reading.reject(grid, rows.drop_nulls("reason").select("row", "reason"))
    kept = rows.filter(pl.col("reason").is_null())
    reading.keep(grid, kept.height)
    return kept.select("old_code", "new_code", "date", file=pl.lit(reading.file.name))


def _circles(rows: pl.DataFrame, earlier: Sequence[tuple[str, str]]) -> dict[int, str]:
    """Rows that say what others turn round, with the reason: nothing tells which of them is right.

    Args:
        rows: row, old_code, new_code.
        earlier: old and new codes of other files.
    """
    told = list(rows.select("row", "old_code", "new_code").iter_rows())
    pairs = [*earlier, *((old, new) for _, old, new in told)]
    within = {row: (old, new) for row, old, new in told if leads_back((old, new), pairs)}
    found: dict[int, str] = {}
    for row, (old, new) in within.items():
        others = sorted(r for r, p in within.items() if r != row and leads_back((old, new), [p]))
        where = f", see row {others[0]:,}" if others else ""
        found[row] = (
            f"{old} and {new} succeed each other in a circle{where}; nothing tells which is right, "
            "so correct or remove one of them"
        )
    return found


def leads_back(pair: tuple[str, str], others: Iterable[tuple[str, str]]) -> bool:
    """Whether other successions lead from the new code of one back to its old code.

    Args:
        pair: old and new code.
        others: the same of the others; the pair itself may be among them.
    """
    follows: dict[str, set[str]] = {}
    for old, new in others:
        follows.setdefault(old, set()).add(new)
    seen, waiting = {pair[1]}, [pair[1]]
    while waiting:
        further = follows.get(waiting.pop(), set()) - seen
        seen |= further
        waiting.extend(further)
    return pair[0] in seen


def _date_the_undated(frames: Frames, reports: Sequence[FileReport]) -> None:
    """Give a register without a date in its name one, where a dated one tells what happened later.

    The register as it is downloaded has no date in its name and is the latest; one that was left from an
    earlier download is not. It shows organisations as open that another shows as closed, on days after
    the last one that it tells of.
    """
    for place, frame in enumerate(frames["register"]):
        if not frame.height or frame["vintage"][0] is not None:
            continue
        days = pl.concat([frame["opened"], frame["closed"].alias("opened")]).drop_nulls()
        last = days.max()
        if not isinstance(last, date):
            continue
        still_open = frame.filter(pl.col("closed").is_null())["organisation_code"].implode()
        since = pl.concat([f.filter(pl.col("vintage").is_not_null()) for f in frames["register"]])
        since = since.filter(
            pl.col("closed") > last, pl.col("organisation_code").is_in(still_open)
        ).sort("vintage", "closed", "organisation_code", descending=[True, False, False])
        if since.is_empty():
            continue
        month = last.replace(day=1)
        frames["register"][place] = frame.with_columns(vintage=pl.lit(month, dtype=pl.Date))
        code, closed, file = since.select("organisation_code", "closed", "file").row(0)
        for report in reports:
            if report.path.rsplit("/", 1)[-1] == frame["file"][0]:
                report.warnings.append(
                    f"This register shows {code} as open and knows of nothing after {last}, and {file} says that it "
                    f"closed on {closed}; so it was taken as the register of {month:%B %Y}, though its name has no "
                    "date."
                )


def read_parts(files: Sequence[RawFile], *, limits: Limits | None) -> Parts:
    """Read every file of the register on its own; one that is not understood is set aside."""
    frames: Frames = {"register": [], "directory": [], "boards": [], "successions": []}
    opened = {file.path: open_file(file, limits) for file in files}

    def lists_successions(file: RawFile) -> bool:
        grids = opened[file.path]
        return not isinstance(grids, str) and any(kind_of(g) == "successions" for g in grids)

    done = run_files(
        # Successions last: of their many thousand rows only those of trusts in the register count.
        sorted(files, key=lists_successions),
        "organisations",
        "dims.organisation",
        lambda reading: _read_one(reading, frames),
        limits=limits,
        opener=lambda file, _: opened[file.path],
    )
    place = {file.path: i for i, file in enumerate(files)}
    readings = sorted((reading for reading, _ in done), key=lambda r: place[r.file.path])
    reports, rejected = finish(readings)
    _date_the_undated(frames, reports)
    return Parts(
        pl.concat([pl.DataFrame(schema=REGISTER), *frames["register"]]),
        pl.concat([pl.DataFrame(schema=DIRECTORY), *frames["directory"]]),
        pl.concat([pl.DataFrame(schema=BOARDS), *frames["boards"]]),
        pl.concat([pl.DataFrame(schema=SUCCESSIONS), *frames["successions"]]),
        reports,
        rejected,
    )


def _no_rows_passed_over(grid: Grid, sheet: SheetReport, heads: int) -> None:
    """Raise when rows of a list were neither kept, rejected nor ignored; all but the header must be."""
    named = sheet.rows_kept + sheet.rows_rejected + sheet.rows_ignored
    if named + heads < sheet.rows_read:
        left = sheet.rows_read - named - heads
        raise ValueError(f"sheet {grid.sheet!r}: {left} rows were passed over")


def _read_one(reading: Reading, frames: Frames) -> None:
    kinds: list[str] = []
    found: Frames = {name: [] for name in frames}
    for grid in reading.grids:
        kind = kind_of(grid)
        if kind is None:
            reading.ignore_sheet(grid, "sheet that is no part of the register")
            continue
        kinds.append(kind)
        before = reading.sheet(grid).rows_kept
        if kind == "register":
            part, given = "register", _register(reading, grid)
        elif kind == "trust directory":
            part, given = "directory", _directory(reading, grid)
        elif kind == "successions":
            known = {c for f in frames["register"] for c in f["organisation_code"]}
            earlier = [
                p for f in frames["successions"] for p in f.select("old_code", "new_code").rows()
            ]
            part, given = "successions", _successions(reading, grid, known, earlier)
        else:
            part, given = "boards", _boards(reading, grid, kind)
        found[part].append(given)
        sheet = reading.sheet(grid)
        if lost := sheet.rows_kept - before - given.height:
            raise LostFactsError(f"{reading.file.path}: {lost:,} rows that were kept are missing")
        heads = 0 if kind == "register" else _top(grid) + 1
        _no_rows_passed_over(grid, sheet, heads)
    if not kinds:
        raise RefusedFileError(
            "no register export (27 fields, no header), directory (ods_code, name, type), list of "
            "boards or list of successions (old_code, new_code, date) was found in the file; "
            "download the report again"
        )
    for name, parts in found.items():
        frames[name] += parts
    reading.report.layout = ", ".join(kinds)
