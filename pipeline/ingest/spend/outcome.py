"""What becomes of each row of a spend table: kept, ignored as no data, or rejected with a reason.

Most rows plainly are payments (a supplier, an amount, a date) and are not looked at twice; this
module judges the others, whose cells it sees as published.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

import numpy as np
import polars as pl

from pipeline.ingest.tabular.dates import CONTRADICTED, EARLIEST, LATEST_YEARS_AHEAD

_TOTAL = (
    r"(?i)^\s*(?:grand\s+|sub[\s-]*|report\s+|overall\s+)?(?:total|sum)s?\b|\btotals?\s*:?\s*$"
    r"|^\s*(?:balance\s+|total\s+)?(?:carried|brought)\s+(?:forward|down|over)\s*:?\s*$|^\s*[bc]/[fd]\s*$"
)
_OF_WHAT = (
    r"(?:(?:grand|sub|report|overall|daily|weekly|monthly|quarterly|annual|yearly|day|week|month|quarter|year"
    r"|page|batch|run|payment|payments|supplier|vendor|running|cumulative)[\s-]*)?"
)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*(?:[\s\-]*(?:20)?\d\d)?"
_FOR_WHEN = (
    r"(?:\s+(?:(?:for|of|in)\s+)?(?:the\s+)?"
    rf"(?:day|week|month|quarter|year|period|page|run|batch|{_MONTH}|20\d\d(?:[/\-]\d\d)?))?"
)
ONLY_TOTAL = rf"(?i)^\s*(?:{_OF_WHAT}|{_MONTH}\s+)(?:totals?|sum|count){_FOR_WHEN}\s*:?\s*$"
_ENDS_TOTAL = r"(?i)\S\s+totals?\s*:?\s*$"
_ENDS_COUNT = r"(?i)\S\s+counts?\s*:?\s*$"
#: What a supplier may look like that is the label of a total; most that end so are one.
MAYBE_TOTAL = rf"(?i){ONLY_TOTAL.removeprefix('(?i)')}|\S\s+(?:totals?|counts?)\s*:?\s*$"
_NO_YEAR = r"(?i)^\s*(?:\d{1,2}(?:st|nd|rd|th)?[ \-/.]*[a-z]{3,9}|[a-z]{3,9}[ \-/.]\d{2})\s*$"
_NAMES_TOTAL = re.compile(r"\b(?:totals?|sum)\b", re.IGNORECASE)
HEADER_SHARE = 0.6
#: A table of hardly any payments may have one that is as large as the others together.
FEW, NEARLY_ALL = 6, 0.8
#: What a header that is printed again may have around it and the first one not.
_AROUND = " \t\r\n\u00a0:*."
_ALONE = "the row has hardly more than an amount, and it is not the sum of the rows above"
_NO_MONTH = (
    "neither the file nor its name gives one month and year; put both into the file's name, such as "
    "'May 2023'"
)
_SUMMARY = (
    "the row has a name and an amount and nothing else, where the payments of the table have a date and "
    "more: it looks like a line of a summary, not like a payment"
)
#: What a line of a summary is called that is no sum of pounds paid.
_STATISTIC = (
    r"(?i)^\s*(?:(?:overall|grand)\s+)?(?:average|mean|median|max(?:imum)?|min(?:imum)?|largest|smallest|highest"
    r"|lowest|(?:number|no\.?|count|volume)\s+of\b|count|differences?|variance|check|nett?|gross|vat|tax)\b"
)
_NO_AMOUNT = "the row has no amount"
_UNSAVED_FORMULA = (
    " (if a spreadsheet program shows one, it is a formula whose result was not saved: save the workbook "
    "there and offer it again)"
)
_NOBODY = "the row names no supplier"
#: Before what becomes of a row that is a total if it is the sum of rows above.
UNLESS_SUM = "total if the sum of rows above, else "


def describe_cells(some: pl.DataFrame, headers: Sequence[Sequence[str]]) -> pl.DataFrame:
    """What the published cells of doubtful rows show.

    Args:
        some: ``g``, ``row`` and ``c0..cN`` of such rows, of tables under the same header.
        headers: the cells of each row of that header, in column order.

    Returns:
        One row each: ``g``, ``source_row``, ``_filled`` (cells with content), ``_total`` (some cell
        says total), ``_only_total`` (some cell says nothing else), ``_again`` (the header repeated).
    """
    cells = [c for c in some.columns if c not in ("g", "row")]
    filled = pl.sum_horizontal((pl.col(c).str.strip_chars() != "").fill_null(False) for c in cells)
    again = pl.lit(False)
    for header in headers:
        named = [(c, h) for c, h in zip(cells, header, strict=True) if h.strip(_AROUND)]
        if not named:
            continue
        hits = pl.sum_horizontal(
            (pl.col(c).str.strip_chars(_AROUND).str.to_lowercase() == h.strip(_AROUND)).fill_null(
                False
            )
            for c, h in named
        )
        again |= (hits >= min(2, len(named))) & (hits >= HEADER_SHARE * pl.min_horizontal(
            filled, pl.lit(len(named))
        ))  # fmt: skip
    texts = pl.concat([some[c].alias("") for c in cells])  # a pattern is made anew at every call

    def says(pattern: str) -> pl.Series:
        told = texts.str.contains(pattern).fill_null(False).to_numpy()
        return pl.Series(np.logical_or.reduce(told.reshape(len(cells), some.height)))

    return some.select(
        "g",
        source_row="row",
        _filled=filled,
        _total=says(_TOTAL),
        _only_total=says(ONLY_TOTAL),
        _again=again,
    )


def outcome() -> pl.Expr:
    """Kept, ``ignored: ...`` or ``rejected: ...`` for each doubtful row; the first reason wins.

    Needs the columns of :func:`describe_cells`, the typed columns, ``_amount`` and ``_date`` as
    published, ``_has_date`` (the table has a column of dates), ``_order`` (how its dates are
    written), ``_comma`` (its decimal convention; null when undecided), ``_no_dates`` (what stands under
    its date in place of dates), ``_in_workbook`` (whether it is no text file) and ``_labelled`` (whether
    nearly all its payments have a date and more than a name and an amount).
    """
    amount_blank = pl.col("_amount").is_null() | (pl.col("_amount").str.strip_chars() == "")
    date_blank = pl.col("_date").is_null() | (pl.col("_date").str.strip_chars() == "")
    no_supplier = pl.col("supplier").is_null()
    labels = pl.concat_str(
        [
            pl.col(c).fill_null("")
            for c in ("supplier", "expense_type", "expense_area", "description")
        ]
    ).str.strip_chars()
    bare = pl.col("expense_type").is_null() & pl.col("expense_area").is_null()
    lone_amount = no_supplier & date_blank & ~amount_blank & (pl.col("_filled") <= 2)
    lone_amount &= pl.col("_has_date") | (labels == "") | pl.col("_total")
    # Without a column of dates "Total Gas & Power" is a supplier; only a bare "Total" is a total.
    says_total = (
        pl.when("_has_date")
        .then(pl.col("_total") & (no_supplier | date_blank))
        .otherwise(pl.col("_only_total") | (pl.col("_total") & no_supplier))
    )
    # "TOTAL" as the only word of a dated row, and "<supplier> Total" between rows of a pivot table.
    says_total |= bare & pl.col("supplier").str.contains(ONLY_TOTAL).fill_null(False)
    says_total |= (
        ~pl.col("_has_date") & bare & pl.col("supplier").str.contains(_ENDS_TOTAL).fill_null(False)
    )
    # "<supplier> Count" is how many lines a spreadsheet program counted, no pounds.
    says_total |= bare & date_blank & pl.col("supplier").str.contains(_ENDS_COUNT).fill_null(False)
    summary = bare & date_blank & ~no_supplier & (pl.col("_filled") <= 2)
    summary &= pl.col("_has_date") & pl.col("_labelled") & pl.col("description").is_null()
    called_total = pl.col("supplier").str.contains(_ENDS_TOTAL).fill_null(False)
    both_ways = pl.col("_date").str.contains(r"^\s*\d{1,2}[/.\-]\d{1,2}[/.\-]\d{2,4}")
    undecided = pl.col("_order").is_in(["undecided", "mixed", CONTRADICTED]) & both_ways
    rejected = pl.lit("rejected: ")
    return (
        pl.when("_again")
        .then(pl.lit("ignored: header repeated"))
        .when(says_total)
        .then(pl.lit("ignored: total"))
        .when(lone_amount & pl.col("amount_gbp").is_null())
        .then(pl.lit("ignored: note"))
        .when(lone_amount)
        .then(pl.lit(f"{UNLESS_SUM}rejected: {_ALONE}"))
        .when(amount_blank & no_supplier & (pl.col("_filled") <= 2))
        .then(pl.lit("ignored: note"))
        .when(amount_blank & (labels == "") & date_blank)
        .then(pl.lit("ignored: note"))
        .when(amount_blank & date_blank & (pl.col("_filled") == 1))
        .then(pl.lit("ignored: note"))
        .when(summary & ~amount_blank & pl.col("supplier").str.contains(_STATISTIC))
        .then(pl.lit("ignored: line of a summary"))
        .when(summary & pl.col("amount_gbp").is_not_null())
        .then(pl.lit(f"{UNLESS_SUM}rejected: {_SUMMARY}"))
        .when("_over")
        .then(
            pl.lit(
                "rejected: the row has more cells than the header names, so its cells may stand under "
                "the wrong names (a comma inside a text that was not put in quotation marks does "
                "that, and so does a table taken from a PDF)"
            )
        )
        .when(pl.col("_void").is_not_null() & ~amount_blank)
        .then(rejected + pl.format("its status is {}, so nothing was paid", "_void"))
        .when(amount_blank & pl.col("_in_workbook"))
        .then(pl.lit(f"rejected: {_NO_AMOUNT}{_UNSAVED_FORMULA}"))
        .when(amount_blank)
        .then(pl.lit(f"rejected: {_NO_AMOUNT}"))
        .when(pl.col("amount_gbp").is_null() & pl.col("_comma").is_null())
        .then(
            pl.lit(
                "rejected: the table's amounts can be read with a decimal point or with points between "
                "thousands and nothing tells which"
            )
        )
        .when(pl.col("amount_gbp").is_null())
        .then(
            rejected
            + pl.format(
                "the amount {} is no number we can read; expected pounds such as 49,521.52",
                pl.col("_amount").fill_null("").str.slice(0, 40),
            )
        )
        .when(pl.col("_currency").is_not_null())
        .then(
            rejected
            + pl.format("the amount is in {}, not in pounds; nothing is converted", "_currency")
        )
        .when(no_supplier & date_blank & pl.col("_has_date"))
        .then(pl.lit(f"{UNLESS_SUM}rejected: {_NOBODY}"))
        .when(no_supplier)
        .then(pl.lit(f"rejected: {_NOBODY}"))
        .when(pl.col("month").is_null() & undecided & (pl.col("_order") == CONTRADICTED))
        .then(
            rejected
            + pl.format(
                "the date {} can be read day first or month first: the months in the file's name and "
                "those in its own column of months or periods contradict each other; look which is "
                "wrong and correct it",
                pl.col("_date").str.slice(0, 40),
            )
        )
        .when(pl.col("month").is_null() & undecided)
        .then(
            rejected
            + pl.format(
                "the date {} can be read day first or month first and nothing in the file, its "
                "name or the publisher's other files tells which; put the month in the file's name",
                pl.col("_date").str.slice(0, 40),
            )
        )
        .when(pl.col("month").is_null() & date_blank & (pl.col("_no_dates") != ""))
        .then(rejected + pl.col("_no_dates") + pl.lit(f", and {_NO_MONTH}"))
        .when(pl.col("month").is_null() & date_blank)
        .then(pl.lit(f"rejected: the row has no date and {_NO_MONTH}"))
        .when(pl.col("month").is_null() & pl.col("_date").str.contains(_NO_YEAR))
        .then(
            rejected
            + pl.format(
                "the date {} has no year, and the name of the file gives none; put the month and the "
                "year into the file's name",
                pl.col("_date").str.slice(0, 40),
            )
        )
        .when(pl.col("month").is_null() & _year_is_impossible())
        .then(
            rejected
            + pl.format(
                "its year is {}, and payments before April 2005 or more than two years ahead are not "
                "believed; look at the date",
                _year_shown(),
            )
        )
        .when(pl.col("month").is_null())
        .then(
            rejected
            + pl.format(
                "the date {} is no date we can read; expected 30/04/2020 or 30-Apr-20",
                pl.col("_date").fill_null("").str.slice(0, 40),
            )
        )
        .when(called_total)
        .then(pl.lit(f"{UNLESS_SUM}kept"))
        .otherwise(pl.lit("kept"))
        .alias("_outcome")
    )


def _year_shown() -> pl.Expr:
    """The year with four digits in a date as published."""
    return pl.col("_date").str.extract(r"(?:^|[^\d])((?:19|20)\d\d)(?:[^\d]|$)", 1)


def _year_is_impossible() -> pl.Expr:
    """Whether a date that was not taken shows a year in which nobody can have published it."""
    number = _year_shown().cast(pl.Int32, strict=False)
    outside = (number <= EARLIEST.year) | (number > date.today().year + LATEST_YEARS_AHEAD)
    return outside.fill_null(False)


def dressed_totals(rows: pl.DataFrame, kept: np.ndarray) -> np.ndarray:
    """The places of payments that are the sum of all others of their table and look like no payment.

    Such a row has a name and an amount in a table whose payments have a type or an area as well, or its
    name says that it is a total. One that looks like a payment is left, for a warning.

    Args:
        rows: all rows: ``g``, ``amount_gbp``, ``supplier``, ``expense_type``, ``expense_area``.
        kept: which of them are payments.
    """
    table = rows["g"].to_numpy()
    amounts = np.where(kept, rows["amount_gbp"].fill_null(0.0).to_numpy(), 0.0)
    sums, counts = np.bincount(table, weights=amounts), np.bincount(table, weights=kept)
    alike = np.abs(2 * amounts - sums[table]) < 0.01
    places = np.flatnonzero(alike & kept & (counts[table] > FEW) & (amounts > 0))
    found: list[int] = []
    for at in places.tolist():
        row = rows.row(at, named=True)
        if any(row[name] for name in ("expense_type", "expense_area")):
            continue
        start, end = np.searchsorted(table, [table[at], table[at] + 1])
        labelled = pl.any_horizontal(pl.col("expense_type", "expense_area").is_not_null())
        share = (
            rows[int(start) : int(end)].filter(pl.Series(kept[start:end])).select(labelled.mean())
        )
        if share.item() >= NEARLY_ALL or _NAMES_TOTAL.search(row["supplier"] or ""):
            found.append(at)
    return np.array(found, dtype=np.int64)


def settle_totals(rows: pl.DataFrame, kept: np.ndarray, doubtful: pl.DataFrame) -> pl.DataFrame:
    """Decide which rows are totals because they are the sum of the rows above them.

    Args:
        rows: all rows, with ``g`` and ``amount_gbp``.
        kept: which of them are payments whatever they add up to.
        doubtful: rows with ``_at`` (their place in ``rows``), ``g``, ``amount_gbp`` and ``_outcome``.

    Returns:
        ``doubtful`` with every outcome that begins with :data:`UNLESS_SUM` settled.
    """
    outcomes = doubtful["_outcome"].to_list()
    if not any(o.startswith(UNLESS_SUM) for o in outcomes):
        return doubtful
    amounts = rows["amount_gbp"].fill_null(0.0).to_numpy()
    table = rows["g"].to_numpy()
    set_aside = np.zeros(len(amounts), dtype=bool)
    places = doubtful["_at"].to_numpy()
    rejected = [isinstance(o, str) and o.startswith("rejected") for o in outcomes]
    set_aside[places[np.array(rejected, dtype=bool)]] = True
    paid = np.concatenate([[0.0], np.cumsum(np.where(kept, amounts, 0.0))])
    read = np.concatenate([[0.0], np.cumsum(np.where(kept | set_aside, amounts, 0.0))])
    since: dict[int, int] = {}
    for i in np.argsort(places):
        otherwise = outcomes[i].removeprefix(UNLESS_SUM)
        open_question = otherwise != outcomes[i]
        if not open_question and outcomes[i] != "ignored: total":
            continue
        at, g = int(places[i]), int(table[places[i]])
        start = int(np.searchsorted(table, g))
        if open_question:
            spans = {start, since.get(g, start)}
            total = any(
                abs(amounts[at] - (sums[at] - sums[b])) <= 0.01 * (at - b) + 0.011
                for sums in (paid, read)
                for b in spans
                if b < at
            )
            outcomes[i] = "ignored: total" if total else otherwise
            if otherwise == "kept" and not total:
                continue
        since[g] = at
    return doubtful.with_columns(_outcome=pl.Series(outcomes, dtype=pl.String))
