"""What a reader of one source gives back, and the frame every such reader works in.

Belongs here: the loop over files (superseded, unreadable, refused), the book-keeping that makes
rows read = kept + rejected + ignored, and the rule for rows that say the same thing twice. Does not
belong here: what any source looks like.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import polars as pl

from pipeline.ingest.files import RawFile
from pipeline.ingest.report import REJECTED_SCHEMA, FileReport, SheetReport, raw_rows
from pipeline.ingest.tabular import Grid, Limits, UnreadableFileError, read_grids
from pipeline.schema import table

EARLIER_VERSION = "earlier version of the file"
SET_ASIDE = "the file was set aside"
PROVENANCE = {"_sheet": pl.String(), "_row": pl.Int64()}


class RefusedFileError(ValueError):
    """A readable file that is not what the source needs; the message says why and what to do."""


class NotDataError(ValueError):
    """A file that belongs beside the data but holds none, such as a form; the message says what."""


@dataclass(frozen=True)
class SourceResult:
    """What reading all files of a source gave.

    Attributes:
        frame: facts in exactly the columns and types of the source's table.
        reports: one reading report a file, in the order of the files.
        rejected: rows set aside, in :data:`pipeline.ingest.report.REJECTED_SCHEMA`.
    """

    frame: pl.DataFrame
    reports: list[FileReport]
    rejected: pl.DataFrame


@dataclass
class Reading:
    """One file on its way through a reader.

    Attributes:
        file: the raw file.
        report: its reading report.
        grids: its sheets.
        rejected: frames in ``REJECTED_SCHEMA``.
    """

    file: RawFile
    report: FileReport
    grids: list[Grid]
    rejected: list[pl.DataFrame] = field(default_factory=list)

    def sheet(self, grid: Grid) -> SheetReport:
        """The report of a sheet, made on first use with all its rows still unaccounted."""
        for known in self.report.sheets:
            if known.sheet == grid.sheet:
                return known
        made = SheetReport(
            grid.sheet,
            grid.container,
            encoding=grid.facts.get("encoding", ""),
            delimiter=grid.facts.get("delimiter", ""),
            rows_read=grid.height,
        )
        if "quotes" in grid.facts:
            made.warnings.append("Quotation marks do not balance; the file was read line by line.")
        self.report.sheets.append(made)
        return made

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

    def keep(self, grid: Grid, rows: int) -> None:
        """Count rows that became facts."""
        self.sheet(grid).rows_kept += rows


Parse = Callable[[Reading], pl.DataFrame]


def _set_aside(reading: Reading, reason: str, status: str = "set aside") -> None:
    reading.report.status, reading.report.reason = status, reason
    reading.report.sheets.clear()
    reading.rejected.clear()
    for grid in reading.grids:
        reading.ignore_sheet(grid, SET_ASIDE if status == "set aside" else "not data")


def open_file(file: RawFile, limits: Limits | None) -> list[Grid] | str:
    """The sheets of a file, or a sentence why it cannot be opened."""
    try:
        return read_grids(file.absolute.read_bytes(), limits=limits)
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
    done: list[tuple[Reading, pl.DataFrame | None]] = []
    for file in files:
        report = FileReport(file.path, file.sha256, file.bytes, source_id, facts_table=facts_table)
        opened = opener(file, limits)
        reading = Reading(file, report, [] if isinstance(opened, str) else opened)
        done.append((reading, _parse_one(reading, opened, parse)))
    return done


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
        facts = parse(reading)
    except RefusedFileError as error:
        _set_aside(reading, str(error))
        return None
    except NotDataError as error:
        _set_aside(reading, str(error), "not data")
        report.facts_table = None
        return None
    except Exception as error:  # one hostile file must not stop the run
        _set_aside(
            reading,
            f"the file has an unexpected form ({type(error).__name__}: {str(error)[:120]}); "
            "compare it with another file of the same source",
        )
        return None
    for grid in reading.grids:
        sheet = reading.sheet(grid)
        left = sheet.rows_read - sheet.rows_kept - sheet.rows_rejected - sheet.rows_ignored
        reading.ignore(grid, "titles, headers and notes", left)
    return facts


def finish(readings: Sequence[Reading]) -> tuple[list[FileReport], pl.DataFrame]:
    """Reports with their final status, and all rejected rows in order."""
    for reading in readings:
        report = reading.report
        if report.status == "read" and report.rows_rejected:
            counted = [(n, r) for s in report.sheets for r, n in s.rejected.items()]
            report.status = "partly read"
            report.reason = (
                f"{report.rows_rejected:,} rows set aside, most because: {max(counted)[1]}"
            )
    rejected = [frame for reading in readings for frame in reading.rejected]
    if not rejected:
        return [reading.report for reading in readings], pl.DataFrame(schema=REJECTED_SCHEMA)
    rows = pl.concat(rejected).sort("source_file", "source_sheet", "source_row")
    return [reading.report for reading in readings], rows


def read_source(
    files: Sequence[RawFile],
    full_name: str,
    source_id: str,
    parse: Parse,
    *,
    limits: Limits | None,
    opener: Callable[[RawFile, Limits | None], list[Grid] | str] = open_file,
    prefer: pl.Expr | None = None,
) -> SourceResult:
    """Read all files of a source into its facts table.

    Args:
        files: the source's files.
        full_name: the table the rows go to, such as ``facts.epr``.
        source_id: the source.
        parse: turns one file into facts with the added columns ``_sheet`` and ``_row``.
        limits: what an untrusted file may cost.
        opener: turns a file into sheets, or a sentence why it cannot.
        prefer: among rows of one key the one with the greatest value wins, so that a later position
            replaces an earlier one. Without it the first row wins.

    Returns:
        Facts with one row a key, reports, rejected rows.
    """
    done = run_files(files, source_id, full_name, parse, limits=limits, opener=opener)
    readings = [reading for reading, _ in done]
    parts = [
        facts.with_columns(pl.lit(reading.file.path).alias("source_file"))
        for reading, facts in done
        if facts is not None
    ]
    frame = _one_row_a_key(parts, readings, full_name, prefer)
    reports, rejected = finish(readings)
    return SourceResult(frame, reports, rejected)


def _one_row_a_key(
    parts: list[pl.DataFrame],
    readings: list[Reading],
    full_name: str,
    prefer: pl.Expr | None,
) -> pl.DataFrame:
    """Keep one row a key and move the rows that lost from kept to rejected or ignored."""
    contract = table(full_name)
    schema = contract.polars
    parts = [
        p.with_columns(
            pl.lit(None, dtype=schema[name]).alias(name) for name in schema if name not in p.columns
        )
        .select(*schema, *PROVENANCE)
        .cast(pl.Schema({**schema, **PROVENANCE}))
        for p in parts
        if p.height
    ]
    if not parts:
        return pl.DataFrame(schema=schema)
    facts = pl.concat(parts).with_row_index("_order")
    key = list(contract.key)
    ranked = facts
    if prefer is not None:
        ranked = facts.with_columns(_prefer=prefer).sort(
            "_prefer", "_order", descending=[True, False], nulls_last=True
        )
    if ranked.select(pl.struct(key).is_duplicated().any()).item():
        first = ranked.unique(key, keep="first", maintain_order=True)
        place = ["source_file", "_sheet", "_row"]
        lost = (
            ranked.join(
                first.select(*key, _winner="source_file"), on=key, how="left", nulls_equal=True
            )
            .join(first.select("_order"), on="_order", how="anti")
            .join(first.select(place).unique(), on=place, how="anti")
            .unique(place, keep="first", maintain_order=True)
        )
        _move_lost_rows(lost, readings)
        ranked = first
    return ranked.sort("_order").select(*schema)


def _move_lost_rows(lost: pl.DataFrame, readings: Iterable[Reading]) -> None:
    """Book rows whose key another row holds."""
    by_path = {reading.file.path: reading for reading in readings}
    for (path, sheet_name, winner), rows in lost.group_by(
        ["source_file", "_sheet", "_winner"], maintain_order=True
    ):
        reading = by_path[str(path)]
        grid = next(g for g in reading.grids if g.sheet == sheet_name)
        reading.sheet(grid).rows_kept -= rows.height
        if winner == path:
            reason = "another row of the file has the same key; the first one is used"
            reading.reject(grid, rows.select(row="_row", reason=pl.lit(reason)))
        else:
            reading.ignore(grid, f"the same is said in {winner}", rows.height)
