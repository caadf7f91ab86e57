"""The cells of an understood sheet under the names of the contract, still as text.

Here the publisher's columns become ours: the reference that counts, debit and credit joined into one
amount, periods turned into months, cells left blank for "as above" filled. Nothing is typed yet.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np
import polars as pl

from pipeline.ingest.report import SheetReport
from pipeline.ingest.spend.above import fill_from_above, fill_merged, tables_to_fill
from pipeline.ingest.spend.ditto import fill_dittos, tables_with_dittos
from pipeline.ingest.spend.flags import marked_void
from pipeline.ingest.spend.signs import with_sign
from pipeline.ingest.spend.whole import PENCE, with_pence
from pipeline.ingest.tabular import Grid
from pipeline.ingest.tabular.header import Layout
from pipeline.ingest.tabular.periods import PeriodHint
from pipeline.ingest.tabular.repeated import cells_that, is_blank

TEXTS = (
    "supplier", "expense_type", "expense_area", "description", "transaction_reference", "entity",
)  # fmt: skip
FEW_TOO_WIDE = 0.5
BETWEEN = "\u0001"  # between a period cell and its year cell
_BLANK_AMOUNT = r"^[\s£-]*(?:0*[.,]?0*)[\s-]*$"
_VOID = r"(?i)^(?:void(?:ed)?|cancell?ed|stopped|reversed|not paid|unpaid|on hold)$"
#: Headers of amounts that are pounds whatever the invoice was made out in.
_POUNDS = r"(?i)sterling|gbp|£|\bbase\b|functional|local currency"


@dataclass
class Sheet:
    """A sheet on its way through the reader.

    ``periods`` gives the month of each (period cell, year cell) where the table has no dates;
    ``titled`` is the title that names an organisation, where no column does; ``said_by`` what the
    hint was read from.
    """

    key: int
    path: str
    forced_order: str | None
    grid: Grid
    layout: Layout
    report: SheetReport
    hint: PeriodHint
    rows: int = 0
    headers: list[list[str]] = field(default_factory=list)
    periods: dict[tuple[str | None, str | None], str] | None = None
    titled: str | None = None
    said_by: str = "the file's name"


def rows_below_header(grid: Grid, layout: Layout) -> int:
    """Position of the first row below the header."""
    if not layout.header_rows:
        return 0
    last = max(layout.header_rows)  # physical rows: at least as many as those with content
    return bisect_right(grid.frame["row"].head(last).to_list(), last)


def rows_of(sheets: Sequence[Sheet]) -> pl.DataFrame:
    """The rows below the headers with the columns of the contract's names, all as text.

    Sheets of one layout are looked at together, because a look costs more than some hundred rows.

    Args:
        sheets: in the order in which their rows are wanted.

    Returns:
        ``g`` (Int32, the sheet's key), ``source_row``, ``_date``, ``_amount``, ``_currency``,
        ``_period`` and ``_year`` (where the table has months or periods beside its dates), the
        columns of :data:`TEXTS`, ``_over`` (cells beyond the header), ``_void`` (a status that says that
        nothing was paid) and ``is_duplicate``.
    """
    groups: dict[object, list[int]] = {}
    for place, sheet in enumerate(sheets):
        groups.setdefault(_alike(sheet, place), []).append(place)
    found: list[tuple[list[int], pl.DataFrame, pl.DataFrame]] = []
    for places in groups.values():
        own = [sheets[place] for place in places]
        body = _body_of(own)
        found.append((places, _rows_of_layout(own, body), body))
    alike = _come_twice([some.drop_in_place("_place") for _, some, _ in found])
    parts: list[pl.DataFrame] = [pl.DataFrame()] * len(sheets)
    for (places, some, body), mask in zip(found, alike, strict=True):
        some.insert_column(some.width, _repeats(body, mask))
        at = 0
        for place in places:
            parts[place] = some.slice(at, sheets[place].rows)
            at += sheets[place].rows
    rows = pl.concat(parts, rechunk=True)
    if rows["g"].is_sorted():  # then tables are counted by their stretches of rows
        rows = rows.with_columns(pl.col("g").set_sorted())
    if dittos := tables_with_dittos(rows):
        rows = _table_by_table(rows, sheets, dittos, fill_dittos)
    no_supplier = cells_that(rows["supplier"], is_blank)
    blank = pl.col("supplier").is_null() | pl.col("_date").is_null() | (pl.col("_date") == "")
    some = rows.filter(blank if no_supplier is None else blank | no_supplier)
    paid = pl.col("_amount").str.strip_chars() != ""
    doubtful = set(some.filter(paid)["g"].unique().to_list()) if some.height else set()
    if doubtful & {sheet.key for sheet in sheets if sheet.grid.container in ("xlsx", "xls")}:
        rows = _with_merged(rows, sheets, doubtful)
    doubtful &= {sheet.key for sheet in sheets if "date" in sheet.layout.columns}
    doubtful = (
        tables_to_fill(rows.lazy().filter(pl.col("g").is_in(doubtful))) if doubtful else doubtful
    )
    return _table_by_table(rows, sheets, doubtful, fill_from_above) if doubtful else rows


def _with_merged(rows: pl.DataFrame, sheets: Sequence[Sheet], keys: set[int]) -> pl.DataFrame:
    """The rows with what merged cells of some tables say."""
    own = {sheet.key: sheet for sheet in sheets}

    def fill(some: pl.DataFrame, report: SheetReport) -> pl.DataFrame:
        sheet = own[some["g"][0]]
        return fill_merged(some, report, sheet.grid, sheet.layout.columns)

    return _table_by_table(rows, sheets, keys, fill)


def _table_by_table(
    rows: pl.DataFrame,
    sheets: Sequence[Sheet],
    keys: set[int],
    change: Callable[[pl.DataFrame, SheetReport], pl.DataFrame],
) -> pl.DataFrame:
    """The rows with those of some tables changed, each table by itself.

    Args:
        rows: of all sheets, in their order.
        sheets: the sheets.
        keys: of those to change.
        change: given the rows of a table and its report.
    """
    pieces: list[pl.DataFrame] = []
    done = 0
    for sheet, start in zip(sheets, _starts(sheets), strict=True):
        if sheet.key in keys:
            pieces.append(rows.slice(done, start - done))
            done = start + sheet.rows
            pieces.append(change(rows.slice(start, sheet.rows), sheet.report))
    return pl.concat([*pieces, rows.slice(done)], rechunk=True)


def _starts(sheets: Sequence[Sheet]) -> list[int]:
    return [0, *accumulate(sheet.rows for sheet in sheets)][:-1]


def _alike(sheet: Sheet, place: int) -> object:
    """What sheets that can be looked at together have in common; ``place`` for one that cannot."""
    columns = sheet.layout.columns
    if sheet.periods or sheet.titled or _beyond(sheet) or _between(sheet):
        return place
    amount = sheet.layout.headers.get(columns.get("amount", ""), "")
    currency = "currency" in columns and not re.search(_POUNDS, amount)
    return (sheet.grid.frame.width, currency, tuple(sorted(columns.items())))


def amount_cells(sheet: Sheet) -> pl.DataFrame:
    """The amount cells below the header: ``g``, ``_amount`` and ``_currency``, as text."""
    body = sheet.grid.frame.slice(rows_below_header(sheet.grid, sheet.layout))
    return body.select(
        pl.lit(sheet.key, dtype=pl.Int32).alias("g"), _amount_text(sheet), _currency(sheet)
    )


def _body_of(sheets: Sequence[Sheet]) -> pl.DataFrame:
    """The rows below the headers of sheets that are alike: ``g`` and the columns of their grids."""
    bodies = []
    for sheet in sheets:
        above = rows_below_header(sheet.grid, sheet.layout)
        _tell_headers(sheet, above)
        body = sheet.grid.frame.slice(above)
        sheet.rows = body.height
        bodies.append(body)
    keys = np.repeat([s.key for s in sheets], [s.rows for s in sheets])
    return pl.concat(bodies).insert_column(0, pl.Series("g", keys, pl.Int32))


def _rows_of_layout(sheets: Sequence[Sheet], body: pl.DataFrame) -> pl.DataFrame:
    """As :func:`rows_of`, for sheets that are alike; ``_place`` in place of ``is_duplicate``.

    It is the same number in all rows of a sheet with the same amount.
    """
    first, columns = sheets[0], sheets[0].layout.columns

    def text(role: str, name: str) -> pl.Expr:
        column = columns.get(role)
        return (pl.col(column) if column else pl.lit(None, dtype=pl.String)).alias(name)

    def published_as(name: str) -> pl.Expr:
        if name == "entity" and "entity" not in columns:
            if "organisation_code" in columns:
                return text("organisation_code", name)
            return pl.lit(first.titled, dtype=pl.String).alias(name)
        return text(reference if name == "transaction_reference" else name, name)

    reference = "reference" if "reference" in columns else "their_reference"
    beside = columns.get("period") != columns.get("date")  # months of publication beside the dates
    return body.select(
        "g",
        pl.col("row").alias("source_row"),
        _date_text(first),
        _amount_text(first),
        _currency(first),
        text("period" if beside else "", "_period"),
        text("financial_year" if beside else "", "_year"),
        *(published_as(name) for name in TEXTS),
        _too_wide(first, body),
        _status_of_void(first),
        (pl.col("g").hash(7) ^ _amount_text(first).hash(8)).alias("_place"),
    )


def _come_twice(places: Sequence[pl.Series]) -> list[np.ndarray]:
    """Which of some numbers come more than once in all series together, a mask for each."""
    whole = pl.concat(places)
    ordered = np.sort(whole.to_numpy())
    twice = pl.Series(ordered[1:][ordered[1:] == ordered[:-1]]).unique()
    mask = whole.is_in(twice.implode()).to_numpy()
    return np.split(mask, list(accumulate(some.len() for some in places))[:-1])


def _repeats(body: pl.DataFrame, alike: np.ndarray) -> pl.Series:
    """Which rows repeat an earlier one in every cell, as ``is_duplicate``.

    Args:
        body: ``g``, ``row`` and the cells as published.
        alike: which rows may: those with the amount of another one of their sheet, which are few.
    """
    repeats, places = np.zeros(alike.size, dtype=bool), np.flatnonzero(alike)
    if places.size:
        columns = [c for c in body.columns if c != "row"]
        some = body.select(columns)[places]
        again = some.select(_fingerprint(columns).is_first_distinct().not_()).to_series()
        repeats[places[again.to_numpy()]] = True
    return pl.Series("is_duplicate", repeats)


def _fingerprint(columns: Sequence[str]) -> pl.Expr:
    """One number for the cells of a row, in their places; far cheaper than the hash of a struct."""
    hashes = [pl.col(c).hash(seed) for seed, c in enumerate(columns, 7)]
    while len(hashes) > 1:  # in pairs: a chain of thousands is planned in the square of its length
        pairs = zip(hashes[::2], hashes[1::2], strict=False)
        hashes = [one ^ other for one, other in pairs] + hashes[len(hashes) & ~1 :]
    return hashes[0]


def _tell_headers(sheet: Sheet, above: int) -> None:
    """Keep the header's cells, and count the rows above the payments."""
    header_rows = sheet.layout.header_rows
    if not header_rows:
        return
    sheet.headers = [
        [(cell or "").strip().lower() for cell in row[1:]]
        for row in sheet.grid.frame.head(above).rows()
        if row[0] in header_rows
    ]
    sheet.report.ignored["header"] = len(header_rows)
    if above > len(header_rows):
        sheet.report.ignored["title rows above the header"] = above - len(header_rows)


def _amount_text(sheet: Sheet) -> pl.Expr:
    """The amount as published, or debit less credit where a ledger keeps them apart."""
    columns = sheet.layout.columns
    if "amount" in columns or "debit" not in columns:
        column = columns.get("amount", columns.get("debit"))
        if column is None:
            return pl.lit(None, dtype=pl.String).alias("_amount")
        whole = with_pence(pl.col(column), columns.get(PENCE))
        return with_sign(whole, columns.get("sign")).alias("_amount")
    debit = pl.col(columns["debit"])
    if "credit" not in columns:
        return debit.alias("_amount")
    credit = pl.col(columns["credit"]).str.strip_chars()
    no_debit = debit.is_null() | debit.str.contains(_BLANK_AMOUNT)
    no_credit = credit.is_null() | credit.str.contains(_BLANK_AMOUNT)
    signed = credit.str.starts_with("-") | credit.str.starts_with("(")
    return (
        pl.when(no_credit)
        .then(debit)
        .when(no_debit & signed)
        .then(credit)
        .when(no_debit)
        .then("-" + credit)
        .otherwise(pl.format("{} debit and {} credit", debit, credit))
        .alias("_amount")
    )


def _currency(sheet: Sheet) -> pl.Expr:
    """The currency of a row where it is not pounds; null where it is, or where nothing says so."""
    columns = sheet.layout.columns
    header = sheet.layout.headers.get(columns.get("amount", ""), "")
    if "currency" not in columns or re.search(_POUNDS, header):
        return pl.lit(None, dtype=pl.String).alias("_currency")
    code = pl.col(columns["currency"]).str.strip_chars().str.to_uppercase()
    foreign = code.str.contains(r"^(?:[A-Z]{3}|[€$¥]|EUROS?|.*DOLLARS?.*)$") & ~code.is_in(
        ["GBP", "STG", "UKP", "GBR", "STE"]
    )
    return pl.when(foreign).then(code).alias("_currency")


def _beyond(sheet: Sheet) -> list[str]:
    """Columns of a text file to the right of its last header."""
    named = [int(c[1:]) for c in sheet.layout.headers]
    if sheet.grid.container != "csv" or not named:
        return []
    cells = [f"c{i}" for i in range(max(named) + 1, sheet.grid.frame.width - 1)]
    return [c for c in cells if c not in sheet.layout.columns.values()]


def _between(sheet: Sheet) -> list[str]:
    """Columns without a header, and without a meaning, that stand between columns with one."""
    layout = sheet.layout
    named = [int(c[1:]) for c in layout.headers]
    if not named or len(named) == max(named) - min(named) + 1:
        return []
    cells = [f"c{i}" for i in range(min(named), max(named)) if f"c{i}" not in layout.headers]
    return [c for c in cells if c not in layout.columns.values()]


def _is_shifted(sheet: Sheet, body: pl.DataFrame) -> pl.Expr | None:
    """Rows with words in a nameless column, digits for a supplier and pounds for a reference.

    The cells of a table taken from a PDF slip into the neighbouring column; what then stands under
    Amount may be the number of the row.
    """
    empty, columns = _between(sheet), sheet.layout.columns
    if not empty or not {"supplier", "reference"} <= columns.keys() or not body.height:
        return None
    words = pl.any_horizontal(
        pl.col(c).str.contains(r"[A-Za-z]{2}").fill_null(False) for c in empty
    )
    digits = pl.col(columns["supplier"]).str.contains(r"^\s*\d+\s*$").fill_null(False)
    pounds = pl.col(columns["reference"]).str.contains(r"^\s*-?[\d,]+\.\d\d?\s*$").fill_null(False)
    slipped = words & digits & pounds
    few = body.select(slipped.sum()).item()
    return slipped if 0 < few < FEW_TOO_WIDE * body.height else None


def _too_wide(sheet: Sheet, body: pl.DataFrame) -> pl.Expr:
    """Rows whose cells stand under the wrong names.

    Those of a text file with content to the right of the last header, where few rows have it: a comma
    inside a text that was not quoted pushes the rest of its row one cell to the right, and the numbers
    that then stand under Amount may be of anything. What stands apart, beyond an empty column, was not
    pushed there. And those that :func:`_is_shifted` finds.
    """
    if (shifted := _is_shifted(sheet, body)) is not None:
        return shifted.alias("_over")
    beyond = _beyond(sheet)
    if (
        beyond
        and body.height
        and not body.select((pl.col(beyond[0]).str.strip_chars() != "").any()).item()
    ):
        beyond = []  # notes and sums to the right of a column that is empty in every row
    if beyond and body.height:
        over = pl.any_horizontal(
            (pl.col(c).str.strip_chars() != "").fill_null(False) for c in beyond
        )
        if 0 < body.select(over.sum()).item() < FEW_TOO_WIDE * body.height:
            return over.alias("_over")
    return pl.lit(False).alias("_over")


def _status_of_void(sheet: Sheet) -> pl.Expr:
    """The status of a row, as published, where it says that nothing was paid."""
    columns, found = sheet.layout.columns, [pl.lit(None, dtype=pl.String)]
    if "status" in columns:
        status = pl.col(columns["status"]).str.strip_chars()
        found.append(pl.when(status.str.contains(_VOID)).then(status))
    if "void" in columns:
        found.append(marked_void(columns["void"], sheet.layout.headers[columns["void"]]))
    return pl.coalesce(found).alias("_void")


def _date_text(sheet: Sheet) -> pl.Expr:
    """The column of dates as text; periods are months already."""
    columns = sheet.layout.columns
    if "date" not in columns:
        return pl.lit(None, dtype=pl.String).alias("_date")
    column = pl.col(columns["date"])
    if not sheet.periods:
        return column.alias("_date")
    year = pl.col(columns["financial_year"]) if "financial_year" in columns else pl.lit("")
    months = {
        (period or "") + BETWEEN + (year_text or ""): month
        for (period, year_text), month in sheet.periods.items()
    }
    both = pl.concat_str([column.fill_null(""), year.fill_null("")], separator=BETWEEN)
    named = both.replace_strict(months, default=None, return_dtype=pl.String)
    return pl.coalesce(named, column).alias("_date")
