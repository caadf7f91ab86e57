"""Reading the files of a source one by one, with every row accounted for.

Belongs here: opening files, keeping a bad file from stopping the others, the book-keeping that makes
rows read = kept + rejected + ignored. Does not belong here: what any source looks like.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field, replace

import polars as pl

from pipeline.ingest.files import RawFile
from pipeline.ingest.report import BREAKS_OFF, REJECTED_SCHEMA, FileReport, SheetReport, raw_rows
from pipeline.ingest.tabular import (
    UNREADABLE,
    Grid,
    Limits,
    UnreadableFileError,
    check_size,
    read_grids,
)
from pipeline.ingest.tabular.panics import panics_are_errors

EARLIER_VERSION = "earlier version of the file"
SET_ASIDE = "the file was set aside"
PASSED_OVER = "the row looks like data, but the reader neither used nor refused it; compare it with the rows around it"


class LostFactsError(RuntimeError):
    """Rows went missing inside our own code; no file is to blame and nothing may be published."""


class RefusedFileError(ValueError):
    """A readable file that is not what the source needs; the message says why and what to do."""


class NotDataError(ValueError):
    """A file that belongs beside the data but holds none, such as a form; the message says what."""


@dataclass
class Reading:
    """One file on its way through a reader.

    Attributes:
        file: the raw file.
        report: its reading report.
        grids: its sheets.
        rejected: frames in ``REJECTED_SCHEMA``.
        facts_due: sheet -> facts that its kept rows must give.
        is_passed_over: whether another file is used in its place.
    """

    file: RawFile
    report: FileReport
    grids: list[Grid]
    rejected: list[pl.DataFrame] = field(default_factory=list)
    facts_due: dict[str, int] = field(default_factory=dict)
    is_passed_over: bool = False
    _sheets: dict[int, SheetReport] = field(default_factory=dict)

    def sheet(self, grid: Grid) -> SheetReport:
        """The report of a sheet, made on first use with all its rows still unaccounted."""
        if id(grid) in self._sheets:  # two members of a zip can have one name
            return self._sheets[id(grid)]
        made = SheetReport(
            grid.sheet,
            grid.container,
            encoding=grid.facts.get("encoding", ""),
            delimiter=grid.facts.get("delimiter", ""),
            rows_read=grid.height,
        )
        if "quotes" in grid.facts:
            made.warnings.append(
                "Quotation marks do not follow the rules; the file was read line by line."
            )
        if "cut" in grid.facts:
            made.warnings.append(BREAKS_OFF)
        self._sheets[id(grid)] = made
        self.report.sheets.append(made)
        return made

    def forget(self) -> None:
        """Drop everything counted so far."""
        self._sheets.clear()
        self.report.sheets.clear()
        self.rejected.clear()
        self.facts_due.clear()

    def ignore(self, grid: Grid, reason: str, rows: int) -> None:
        """Count rows that are known not to be data."""
        if rows:
            sheet = self.sheet(grid)
            sheet.ignored[reason] = sheet.ignored.get(reason, 0) + rows

    def ignore_sheet(self, grid: Grid, reason: str) -> None:
        """Count all rows of a sheet as known not to be data."""
        self.sheet(grid)
        self.ignore(grid, reason, grid.height)

    def reject(self, grid: Grid, reasons: pl.DataFrame) -> None:
        """Set rows aside.

        Args:
            grid: their sheet.
            reasons: columns ``row`` (Int64) and ``reason`` (String).
        """
        if reasons.height == 0:
            return
        sheet = self.sheet(grid)
        for reason, count in reasons.group_by("reason").len().sort("reason").iter_rows():
            sheet.rejected[reason] = sheet.rejected.get(reason, 0) + count
        self.rejected.append(raw_rows(grid.frame, self.file.path, grid.sheet, reasons))

    def keep(self, grid: Grid, rows: int, facts: int | None = None) -> None:
        """Count rows that became facts.

        Args:
            grid: their sheet.
            rows: how many.
            facts: how many facts they give; as many as rows where it is not said.
        """
        self.sheet(grid).rows_kept += rows
        due = self.facts_due.get(grid.sheet, 0)
        self.facts_due[grid.sheet] = due + (rows if facts is None else facts)

    def ignore_kept(self, reason: str) -> None:
        """Count all rows that were kept as not used after all."""
        for grid in self.grids:
            sheet = self.sheet(grid)
            self.ignore(grid, reason, sheet.rows_kept)
            sheet.rows_kept = 0
        self.facts_due.clear()
        self.is_passed_over = True


def _set_aside(reading: Reading, reason: str, status: str = "set aside") -> None:
    reading.report.status, reading.report.reason = status, reason
    reading.forget()
    for grid in reading.grids:
        reading.ignore_sheet(grid, SET_ASIDE if status == "set aside" else "not data")


def open_file(file: RawFile, limits: Limits | None) -> list[Grid] | str:
    """The sheets of a file, or a sentence why it cannot be opened."""
    try:
        check_size(file.bytes, limits or Limits())  # before its bytes are in memory
        grids = read_grids(file.absolute.read_bytes(), limits=limits)
        # Half of an official table would be taken for all of it.
        return next((g.facts[UNREADABLE] for g in grids if UNREADABLE in g.facts), grids)
    except UnreadableFileError as error:
        return str(error)
    except OSError as error:
        return f"the file cannot be opened ({error.strerror})"
    except Exception as error:  # one hostile file must not stop the run
        return f"the file cannot be read ({type(error).__name__}: {str(error)[:120]})"


def run_files(
    files: Sequence[RawFile],
    source_id: str,
    facts_table: str,
    parse: Callable[[Reading], pl.DataFrame | None],
    *,
    limits: Limits | None,
    opener: Callable[[RawFile, Limits | None], list[Grid] | str] = open_file,
) -> list[tuple[Reading, pl.DataFrame | None]]:
    """Open and parse each file on its own, so that no file stops another.

    Args:
        files: the files of one source.
        source_id: the source.
        facts_table: the table its rows go to.
        parse: turns one file into rows; raises :class:`RefusedFileError` or :class:`NotDataError`
            with a sentence.
        limits: what an untrusted file may cost.
        opener: turns a file into sheets, or a sentence why it cannot.

    Returns:
        Every file's reading, with what ``parse`` gave; None when the file gave nothing.
    """

    def read(file: RawFile) -> tuple[Reading, pl.DataFrame | None]:
        report = FileReport(file.path, file.sha256, file.bytes, source_id, facts_table=facts_table)
        opened = opener(file, limits)
        reading = Reading(file, report, [] if isinstance(opened, str) else opened)
        return reading, _parse_one(reading, opened, parse)

    done = [read(file) for file in files]
    refused = {r.file.path for r, _ in done if r.report.status == "set aside"}
    for i, file in _standing_in(files, refused):
        done[i] = read(replace(file, superseded_by=None, superseded_reason=None))
        done[i][0].report.warnings.append(
            f"{file.superseded_by} replaces this file but cannot be read; this one counts."
        )
    return done


def _standing_in(files: Sequence[RawFile], refused: Set[str]) -> list[tuple[int, RawFile]]:
    """The last earlier version of each file that was set aside, with its place among the files."""
    found: dict[str, tuple[int, RawFile]] = {}
    for i, file in enumerate(files):
        later = file.superseded_by
        if later is not None and later in refused:
            before = found.get(later)
            if before is None or before[1].path < file.path:
                found[later] = (i, file)
    return list(found.values())


def _parse_one(
    reading: Reading, opened: list[Grid] | str, parse: Callable[[Reading], pl.DataFrame | None]
) -> pl.DataFrame | None:
    report = reading.report
    if reading.file.superseded_by is not None:
        report.is_superseded = True
        report.reason = f"a later version of the file is here: {reading.file.superseded_by}"
        report.layout = "an earlier version, not read further"
        for grid in reading.grids:
            reading.ignore_sheet(grid, EARLIER_VERSION)
        return None
    if isinstance(opened, str):
        report.status, report.reason = "set aside", opened
        return None
    try:
        with panics_are_errors():
            facts = parse(reading)
        _account_for_the_rest(reading, facts)
        _refuse_what_gave_nothing(reading, facts)
    except LostFactsError:
        raise
    except RefusedFileError as error:
        _set_aside(reading, str(error))
        return None
    except NotDataError as error:
        _set_aside(reading, str(error), "not data")
        report.facts_table = None
        report.layout = "recognised; holds nothing that is used as data"
        return None
    except Exception as error:  # one hostile file must not stop the run
        _set_aside(
            reading,
            f"the file has an unexpected form ({type(error).__name__}: {str(error)[:120]}); "
            "compare it with another file of the same source",
        )
        return None
    return facts


def _account_for_the_rest(reading: Reading, facts: pl.DataFrame | None) -> None:
    """Count what the parser named neither kept, rejected nor ignored.

    Titles, headers and notes are ignored; rows below the header that look like data are rejected, so
    that none is passed over in silence.
    """
    for grid in reading.grids:
        sheet = reading.sheet(grid)
        left = sheet.rows_read - sheet.rows_kept - sheet.rows_rejected - sheet.rows_ignored
        if left < 0:
            raise ValueError(f"sheet {grid.sheet!r}: {-left} rows were counted twice")
        if left and sheet.header_rows and facts is not None:
            last = max(sheet.header_rows)
            below = left - grid.frame.filter(pl.col("row") <= last).height
            if below > 0 and sheet.rows_ignored:
                raise ValueError(f"sheet {grid.sheet!r}: {below} rows were passed over")
            if below > 0:
                missed = _looks_like_data(reading, grid, facts, last)
                reading.reject(grid, missed)
                left -= missed.height
        reading.ignore(grid, "titles, headers and notes", left)


def _refuse_what_gave_nothing(reading: Reading, facts: pl.DataFrame | None) -> None:
    """Set a file aside whose table was found and whose every row was taken for something else.

    Such a file has changed (another spelling of a code, another word in a column) and would be lost
    without a word.

    Raises:
        RefusedFileError: for such a file.
    """
    if facts is None or facts.height or reading.rejected or reading.is_passed_over:
        return
    reasons: dict[str, int] = {}
    for sheet in reading.report.sheets:
        for reason, rows in sheet.ignored.items() if sheet.header_rows else ():
            reasons[reason] = reasons.get(reason, 0) + rows
    said = max(reasons, key=lambda r: reasons[r], default="")
    raise RefusedFileError(
        "its columns are known, but not one of its rows can be used"
        + (f" (most of them: {said})" if said else "")
        + "; compare what stands in the columns with an earlier file of the same source"
    )


def _looks_like_data(
    reading: Reading, grid: Grid, facts: pl.DataFrame, header_row: int
) -> pl.DataFrame:
    """Rows of a sheet that nobody named and that fill half as many cells as its header, or more."""
    cells = [c for c in grid.frame.columns if c != "row"]
    filled = pl.sum_horizontal((pl.col(c).str.strip_chars() != "").fill_null(False) for c in cells)
    rows = grid.frame.select("row", _filled=filled)
    heads = rows.filter(pl.col("row") == header_row)["_filled"]
    enough = max(2, (int(heads[0]) + 1) // 2 if heads.len() else 2)
    used = facts.filter(pl.col("_sheet") == grid.sheet).select(row="_row")
    refused = [
        frame.filter(pl.col("source_sheet") == grid.sheet).select(row="source_row")
        for frame in reading.rejected
    ]
    known = pl.concat([used, *refused]).unique()
    missed = rows.filter((pl.col("row") > header_row) & (pl.col("_filled") >= enough))
    return missed.join(known, on="row", how="anti", maintain_order="left").select(
        "row", reason=pl.lit(PASSED_OVER)
    )


def count_lost_facts(reading: Reading, facts: pl.DataFrame) -> None:
    """Take rows whose facts are not there out of the kept ones, so that the account does not add up.

    Args:
        reading: a file that was read.
        facts: what its parser gave, with ``_sheet``.
    """
    given = dict(facts.group_by("_sheet").len().iter_rows())
    for sheet in reading.report.sheets:
        lost = reading.facts_due.get(sheet.sheet, 0) - given.get(sheet.sheet, 0)
        if lost:
            sheet.rows_kept -= lost
            sheet.warnings.append(f"{lost:,} facts of the kept rows are missing; report it.")
            reading.facts_due[sheet.sheet] = given.get(sheet.sheet, 0)


def finish(readings: Sequence[Reading]) -> tuple[list[FileReport], pl.DataFrame]:
    """Reports with their final status, and all rejected rows in order."""
    for reading in readings:
        report = reading.report
        if report.status == "read" and report.rows_rejected:
            report.status = "partly read"
            report.reason = report.why_in_part()
    rejected = [frame for reading in readings for frame in reading.rejected]
    if not rejected:
        return [reading.report for reading in readings], pl.DataFrame(schema=REJECTED_SCHEMA)
    rows = pl.concat(rejected).sort("source_file", "source_sheet", "source_row")
    return [reading.report for reading in readings], rows
