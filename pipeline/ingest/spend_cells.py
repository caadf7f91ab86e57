"""The cells of an understood sheet under the names of the contract, still as text.

Here the publisher's columns become ours: the reference that counts, debit and credit joined into one
amount, periods turned into months, cells left blank for "as above" filled. Nothing is typed yet.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from pipeline.ingest.report import SheetReport
from pipeline.ingest.spend_above import fill_from_above
from pipeline.ingest.spend_signs import with_sign
from pipeline.ingest.tabular import Grid
from pipeline.ingest.tabular.header import Layout
from pipeline.ingest.tabular.periods import PeriodHint

TEXTS = (
    "supplier", "expense_type", "expense_area", "description", "transaction_reference", "entity",
)  # fmt: skip
FEW_TOO_WIDE = 0.5
BETWEEN = "\u0001"  # between a period cell and its year cell
_BLANK_AMOUNT = r"^[\s£-]*(?:0*[.,]?0*)[\s-]*$"
#: Headers of amounts that are pounds whatever the invoice was made out in.
_POUNDS = r"(?i)sterling|gbp|£|\bbase\b|functional|local currency"


@dataclass
class Sheet:
    """A sheet on its way through the reader.

    ``periods`` gives the month of each (period cell, year cell) where the table has no dates.
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


def rows_below_header(grid: Grid, layout: Layout) -> int:
    """Position of the first row below the header."""
    if not layout.header_rows:
        return 0
    return int(grid.frame["row"].search_sorted(max(layout.header_rows), "right"))


def rows_of(sheet: Sheet) -> pl.DataFrame:
    """The rows below the header with the columns of the contract's names, all as text.

    Returns:
        ``source_row``, ``_date``, ``_amount``, ``_currency``, ``_period`` and ``_year`` (where the
        table has months or periods beside its dates), the columns of :data:`TEXTS`,
        ``_over`` (cells beyond the header) and ``is_duplicate``.
    """
    grid, columns = sheet.grid.frame, sheet.layout.columns
    cells = [c for c in grid.columns if c != "row"]
    above = rows_below_header(sheet.grid, sheet.layout)
    if sheet.layout.header_rows:
        names = grid.slice(0, above).filter(pl.col("row").is_in(list(sheet.layout.header_rows)))
        sheet.headers = [
            [(cell or "").strip().lower() for cell in row[1:]] for row in names.iter_rows()
        ]
        sheet.report.ignored["header"] = len(sheet.layout.header_rows)
        if above > len(sheet.layout.header_rows):
            sheet.report.ignored["title rows above the header"] = above - len(
                sheet.layout.header_rows
            )
    body = grid.slice(above)
    sheet.rows = body.height

    def text(role: str, name: str) -> pl.Expr:
        column = columns.get(role)
        return (pl.col(column) if column else pl.lit(None, dtype=pl.String)).alias(name)

    reference = "reference" if "reference" in columns else "their_reference"
    beside = columns.get("period") != columns.get("date")  # months of publication beside the dates
    found = body.select(
        pl.col("row").alias("source_row"),
        _date_text(sheet),
        _amount_text(sheet),
        _currency(sheet),
        text("period" if beside else "", "_period"),
        text("financial_year" if beside else "", "_year"),
        *(text(reference if name == "transaction_reference" else name, name) for name in TEXTS),
        _too_wide(sheet, body, cells),
        pl.struct(cells).hash(7).is_first_distinct().not_().alias("is_duplicate"),
    )
    return fill_from_above(found, sheet.report, has_date="date" in columns)


def _amount_text(sheet: Sheet) -> pl.Expr:
    """The amount as published, or debit less credit where a ledger keeps them apart."""
    columns = sheet.layout.columns
    if "amount" in columns or "debit" not in columns:
        column = columns.get("amount", columns.get("debit"))
        if column is None:
            return pl.lit(None, dtype=pl.String).alias("_amount")
        return with_sign(pl.col(column), columns.get("sign")).alias("_amount")
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
    if "currency" not in columns or pl.Series([header]).str.contains(_POUNDS).item():
        return pl.lit(None, dtype=pl.String).alias("_currency")
    code = pl.col(columns["currency"]).str.strip_chars().str.to_uppercase()
    foreign = code.str.contains(r"^(?:[A-Z]{3}|[€$¥]|EUROS?|.*DOLLARS?.*)$") & ~code.is_in(
        ["GBP", "STG", "UKP", "GBR", "STE"]
    )
    return pl.when(foreign).then(code).alias("_currency")


def _too_wide(sheet: Sheet, body: pl.DataFrame, cells: list[str]) -> pl.Expr:
    """Rows of a text file with content to the right of the last header, where few rows have it.

    A comma inside a text that was not quoted pushes the rest of its row one cell to the right; the
    numbers that then stand under Amount may be of anything.
    """
    named = [int(c[1:]) for c in sheet.layout.headers]
    beyond = [c for c in cells if named and int(c[1:]) > max(named)]
    beyond = [c for c in beyond if c not in sheet.layout.columns.values()]
    if sheet.grid.container == "csv" and beyond and body.height:
        over = pl.any_horizontal(
            (pl.col(c).str.strip_chars() != "").fill_null(False) for c in beyond
        )
        if 0 < body.select(over.sum()).item() < FEW_TOO_WIDE * body.height:
            return over.alias("_over")
    return pl.lit(False).alias("_over")


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
