"""The rows of many understood sheets to typed payment lines, in one vectorised pass.

A pass over the rows of 200 files costs little more than a pass over those of one, so nothing here
works file by file but the choice of columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import polars as pl

from pipeline.ingest.report import raw_rows
from pipeline.ingest.spend.cells import TEXTS, Sheet, rows_of
from pipeline.ingest.spend.months import (
    months_of_headings,
    months_of_period_column,
    months_of_publication,
)
from pipeline.ingest.spend.orders import settle_orders
from pipeline.ingest.spend.outcome import (
    MAYBE_TOTAL,
    describe_cells,
    dressed_totals,
    outcome,
    settle_totals,
)
from pipeline.ingest.spend.pounds import count_others, count_read
from pipeline.ingest.spend.signs import called_credits
from pipeline.ingest.tabular.amounts import parse_amounts
from pipeline.ingest.tabular.dates import parse_dates
from pipeline.ingest.tabular.repeated import cells_that, different, is_repeated
from pipeline.plain_text import plural

LINE_SCHEMA = pl.Schema(
    {
        "source_file": pl.String(),
        "source_sheet": pl.String(),
        "source_row": pl.Int64(),
        "payment_date": pl.Date(),
        "month": pl.Date(),
        "supplier": pl.String(),
        "expense_type": pl.String(),
        "expense_area": pl.String(),
        "description": pl.String(),
        "transaction_reference": pl.String(),
        "amount_gbp": pl.Float64(),
        "is_duplicate": pl.Boolean(),
        "entity": pl.String(),
    }
)
FEW_AMOUNTS, NEARLY_ALL = 8, 0.9
_ROUNDED = r"(?i)^\s*-?\d(?:\.\d{1,3})?e\+?\d{1,2}\s*$"
_UNTIDY = r"^\s|\s$|[\t\n\r\x{00a0}]|\s\s|^=\"|^#[ADNRV][/A-Z0!]+[!?A]$|&amp;"
#: Of these, which are all blanks and the other beginnings, each text of that pattern holds one.
_MAY_BE_UNTIDY = [*(c for c in map(chr, range(0x3001)) if c.isspace()), '="', "#", "&amp;"]
#: What a spreadsheet shows in place of a value that it could not find or work out.
_NO_VALUE = r"^#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NULL!|NUM!)$"
_FORMULA = r"^=\"([^\"]*)\"$"


def _hints(sheets: list[Sheet]) -> pl.DataFrame:
    """What is known of each sheet before its values are read; row ``n`` belongs to sheet ``n``."""
    spans = [s.hint.span for s in sheets]
    return pl.DataFrame(
        {
            "g": [s.key for s in sheets],
            "hint_month": [s.hint.month for s in sheets],
            "hint_from": [span[0] if span else None for span in spans],
            "hint_to": [span[1] if span else None for span in spans],
            "hint_months": [s.hint.months_without_year for s in sheets],
            "hint_day": [s.hint.first_day for s in sheets],
            "forced_order": [s.forced_order for s in sheets],
            "source_file": [s.path for s in sheets],
            "source_sheet": [s.grid.sheet for s in sheets],
        },
        schema_overrides={
            "g": pl.Int32,
            "hint_month": pl.Int32,
            "hint_from": pl.Date,
            "hint_to": pl.Date,
            "hint_months": pl.List(pl.List(pl.Int32)),
            "hint_day": pl.Date,
            "forced_order": pl.String,
        },
    )


def _is_untidy(texts: pl.Series) -> pl.Series:
    """Whether texts are to be tidied; the pattern is for the few that hold one of its characters.

    A reference holds none as a rule, and to look for single characters takes a third of the time.
    """
    found = texts == ""
    at = texts.str.contains_any(_MAY_BE_UNTIDY).arg_true()
    return found.scatter(at, texts[at].str.contains(_UNTIDY)) if at.len() else found


def _tidy(rows: pl.DataFrame) -> pl.DataFrame:
    """Outer blanks go, runs of blanks and line breaks become one blank, nothing becomes null.

    A program that guards digits writes a text as ``="0012"``; the text is meant. ``#N/A`` and the like
    are nothing.
    """
    repeated = [name for name in TEXTS if is_repeated(rows[name])]
    tidied = {}
    for name, odd in zip(repeated, _untidy_of([rows[name] for name in repeated]), strict=True):
        if odd.len():
            at = rows[name].is_in(odd.implode()).arg_true()
            tidied[name] = rows[name].scatter(at, _tidied(rows[name].gather(at)))
    for name in TEXTS:
        if name not in repeated and (at := _is_untidy(rows[name]).arg_true()).len():
            tidied[name] = rows[name].scatter(at, _tidied(rows[name].gather(at)))
    return rows.with_columns(**tidied)


def _untidy_of(columns: Sequence[pl.Series]) -> list[pl.Series]:
    """The different texts of each column that are to be tidied; all are looked at together."""
    texts = [different(column).alias("") for column in columns]
    if not texts:
        return []
    whole = pl.concat(texts)
    untidy = _is_untidy(whole)
    ends = list(accumulate((some.len() for some in texts), initial=0))
    return [whole[a:b].filter(untidy[a:b]) for a, b in pairwise(ends)]


def _tidied(texts: pl.Series) -> pl.Series:
    better = texts.str.replace_all(r"[\s\x{00a0}]+", " ").str.strip_chars()
    better = better.str.replace(_FORMULA, "$1").str.strip_chars()
    better = better.str.replace_all("&amp;", "&", literal=True)
    return better.set((better == "") | better.str.contains(_NO_VALUE), None)


@contextmanager
def _beside() -> Iterator[Callable[..., Callable[[], Any]]]:
    """What calls a function beside what follows, and gives what waits for its answer.

    Where the table library has one thread, the function is called when its answer is asked for.
    """
    if pl.thread_pool_size() == 1:
        yield partial
        return
    with ThreadPoolExecutor(1) as pool:
        yield lambda *called: pool.submit(*called).result


def type_rows(sheets: list[Sheet], rejected: list[pl.DataFrame]) -> pl.DataFrame:
    """Type the rows of all sheets and sort them into kept, rejected and ignored.

    Args:
        sheets: understood sheets, their keys 0, 1, 2, ...
        rejected: rejected rows are appended here.

    Returns:
        Kept rows in :data:`LINE_SCHEMA`, in the order of the sheets; counts and decisions are
        written into the reports of the sheets.
    """
    if not sheets:
        return pl.DataFrame(schema=LINE_SCHEMA)
    rows = rows_of(sheets)
    hints = _hints(sheets)
    with _beside() as beside:  # half of it works on one core only
        amounts = beside(parse_amounts, rows.select("g", "_amount"), "_amount", "g")
        rows, decisions = parse_dates(_tidy(rows), "_date", "g", hints)
        rows, decisions = settle_orders(rows, decisions, sheets, hints)
        amount, commas = amounts()
    rows = rows.with_columns(amount["amount_gbp"])
    _warn_of_rounded(rows, sheets)
    rows, turned = _turn_negative_tables(rows, sheets)
    count_read(sheets, rows)
    decided = {row["g"]: row for row in decisions.iter_rows(named=True)}
    rows = months_of_headings(_fill_months(rows, hints), sheets)
    rows, by_column = months_of_period_column(rows, sheets)
    named = {s.key: None if s.key in by_column else s.hint.month for s in sheets}
    rows, by_name = months_of_publication(rows, named)
    totals = cells_that(rows["supplier"], lambda texts: texts.str.contains(MAYBE_TOTAL))
    plain = rows.select(
        ~pl.col("_over")
        & pl.col("supplier").is_not_null()
        & (pl.lit(True) if totals is None else ~totals)
        & pl.col("amount_gbp").is_not_null()
        & pl.col("_currency").is_null()
        & pl.col("_void").is_null()
        & pl.col("month").is_not_null()
        & _dated(rows)
    ).to_series()
    doubtful = _judge(rows, plain, sheets, decided, commas)
    kept = plain.to_numpy().copy()
    if doubtful.height:
        for settled in (False, True):
            kept[doubtful.filter(pl.col("_outcome") == "kept")["_at"].to_numpy()] = True
            doubtful = doubtful if settled else settle_totals(rows, kept, doubtful)
    totals = dressed_totals(rows, kept)
    if totals.size:
        kept[totals] = False
        own = rows[totals].with_columns(_at=pl.Series(totals), _outcome=pl.lit("ignored: total"))
        doubtful = pl.concat([doubtful, own], how="diagonal")
    _count(sheets, rows, kept, doubtful, rejected)
    for sheet in sheets:
        source = (
            sheet.report.columns["period"]
            if sheet.key in by_column
            else sheet.said_by * (sheet.key in by_name)
        )
        if sheet.key in turned:
            sheet.report.warnings.append(
                "Nearly all amounts are negative, as a ledger of creditors writes payments; the sign of "
                "every amount was turned."
            )
        _tell(sheet, decided.get(sheet.key), commas.get(sheet.key, False), source)
    mask = pl.Series(kept)
    lines = rows.select("g", *(name for name in LINE_SCHEMA if name in rows.columns))
    lines = lines.filter(mask) if not mask.all() else lines
    place = hints.select("source_file", "source_sheet")[lines["g"]]
    lines = lines.hstack(place)
    return lines.select(pl.col(name).cast(kind) for name, kind in LINE_SCHEMA.items())


def _warn_of_rounded(rows: pl.DataFrame, sheets: Sequence[Sheet]) -> None:
    """Warn of amounts such as ``2.74E+05``, of which a spreadsheet program kept three digits."""
    short = cells_that(rows["_amount"], lambda texts: texts.str.contains(_ROUNDED))
    if short is None:
        return
    found = rows.filter(short).group_by("g", maintain_order=True)
    for key, n, first in found.agg(pl.len(), pl.col("_amount").first().alias("first")).iter_rows():
        sheets[key].report.warnings.append(
            f"{plural(n, 'amount')} such as {first.strip()} may have been rounded by a spreadsheet "
            "program; they were read as they stand. Ask the publisher for the whole numbers."
        )


def _turn_negative_tables(
    rows: pl.DataFrame, sheets: Sequence[Sheet]
) -> tuple[pl.DataFrame, set[int]]:
    """Turn the signs of tables whose payments are written as negative amounts.

    Hardly anybody publishes nothing but credits, and who does calls them so: where nine in ten amounts of
    another table are negative, they are the payments and the others the credits.
    """
    less = (rows["amount_gbp"] < 0).fill_null(False)
    if not less.any():
        return rows, set()
    table = rows["g"].to_numpy()
    known = np.bincount(table[rows["amount_gbp"].is_not_null().to_numpy()])
    below = np.bincount(table[less.to_numpy()], minlength=len(known))
    turned = set(np.flatnonzero((known >= FEW_AMOUNTS) & (below >= NEARLY_ALL * known)).tolist())
    turned = {key for key in turned if not called_credits(sheets[key].path, sheets[key].grid.sheet)}
    if turned:
        mine = pl.col("g").is_in(list(turned))
        rows = rows.with_columns(
            amount_gbp=pl.when(mine).then(-pl.col("amount_gbp")).otherwise("amount_gbp")
        )
    return rows, turned


def _dated(rows: pl.DataFrame) -> pl.Series:
    """Which rows have something in the cell of their date; where it was read there is no need to ask."""
    told = rows["payment_date"].is_not_null()
    others = (~told).arg_true()
    cells = rows["_date"][others]
    return told.scatter(others, (cells.str.strip_chars() != "").fill_null(False))


def _fill_months(rows: pl.DataFrame, hints: pl.DataFrame) -> pl.DataFrame:
    """A row without a date takes the only month of its table, else the month in the name."""
    at = rows["month"].is_null().arg_true()
    if at.is_empty():
        return rows
    cells = rows["_date"][at]
    at = at.filter(cells.is_null() | (cells.str.strip_chars() == ""))
    tables = rows["g"][at]
    month = pl.col("month")
    known = (
        rows.lazy()
        .filter(pl.col("g").is_in(tables.unique().implode()))
        .group_by("g")
        .agg(_only=pl.when(month.min() == month.max()).then(month.min()))
        .collect()
        .join(hints.select("g", "hint_day"), on="g", how="left")
        .select("g", _known=pl.coalesce("_only", "hint_day"))
    )
    told = tables.to_frame().join(known, on="g", how="left", maintain_order="left")["_known"]
    return rows.with_columns(rows["month"].scatter(at, told))


def _judge(
    rows: pl.DataFrame,
    plain: pl.Series,
    sheets: list[Sheet],
    decided: dict[int, dict[str, Any]],
    commas: dict[int, bool | None],
) -> pl.DataFrame:
    """Rows that are not plainly payments, with ``_at`` (their place) and ``_outcome``."""
    at = (~plain).arg_true()
    doubtful = rows[at].with_columns(_at=at.cast(pl.Int64))
    if doubtful.is_empty():
        return doubtful.with_columns(_outcome=pl.lit("kept"))
    keys = doubtful["g"].unique().to_list()
    labelled = _labelled(rows, plain, keys)
    told = pl.DataFrame(
        {
            "g": keys,
            "_has_date": ["date" in sheets[key].layout.columns for key in keys],
            "_order": [decided.get(key, {}).get("date_order") for key in keys],
            "_comma": [commas.get(key, False) for key in keys],
            "_no_dates": [sheets[key].layout.no_dates for key in keys],
            "_in_workbook": [sheets[key].grid.container != "csv" for key in keys],
            "_labelled": [key in labelled for key in keys],
        },
        schema={
            "g": pl.Int32,
            "_has_date": pl.Boolean,
            "_order": pl.String,
            "_comma": pl.Boolean,
            "_no_dates": pl.String,
            "_in_workbook": pl.Boolean,
            "_labelled": pl.Boolean,
        },
    )
    shown = _cells_shown(doubtful.select("g", "source_row"), sheets)
    return (
        doubtful.join(shown, on=["g", "source_row"], how="left", maintain_order="left")
        .join(told, on="g", how="left", maintain_order="left")
        .with_columns(outcome())
    )


def _labelled(rows: pl.DataFrame, plain: pl.Series, keys: Sequence[int]) -> set[int]:
    """The tables nearly all of whose payments have a date and a type, an area or a reference."""
    more = pl.any_horizontal(
        pl.col("expense_type", "expense_area", "transaction_reference").is_not_null()
    )
    some = rows.filter(plain & rows["g"].is_in(list(keys)))
    shares = some.group_by("g").agg(
        n=pl.len(), full=(more & pl.col("payment_date").is_not_null()).sum()
    )
    full = shares.filter(
        (pl.col("full") >= NEARLY_ALL * pl.col("n")) & (pl.col("n") >= FEW_AMOUNTS)
    )
    return set(full["g"].to_list())


def _cells_shown(places: pl.DataFrame, sheets: list[Sheet]) -> pl.DataFrame:
    """What the published cells of rows show; tables under one header are looked at together."""
    alike: dict[object, list[pl.DataFrame]] = {}
    headers: dict[object, list[list[str]]] = {}
    for (key,), own in places.partition_by("g", as_dict=True, maintain_order=True).items():
        sheet = sheets[key]
        grid = sheet.grid.frame
        at = np.searchsorted(grid["row"].to_numpy(), own["source_row"].to_numpy())
        header = (tuple(grid.columns), tuple(map(tuple, sheet.headers)))
        alike.setdefault(header, []).append(grid[at].insert_column(0, own["g"]))
        headers[header] = sheet.headers
    return pl.concat(describe_cells(pl.concat(some), headers[h]) for h, some in alike.items())


def _count(
    sheets: list[Sheet],
    rows: pl.DataFrame,
    kept: np.ndarray,
    doubtful: pl.DataFrame,
    rejected: list[pl.DataFrame],
) -> None:
    """Write the counts into the reports, and the rejected rows to the list."""
    counts = np.bincount(rows["g"].to_numpy()[kept], minlength=len(sheets))
    for sheet in sheets:
        sheet.report.rows_kept = int(counts[sheet.key])
    others = doubtful.filter(pl.col("_outcome") != "kept")
    count_others(sheets, others)
    for key, told, n in others.group_by("g", "_outcome").len().sort("g", "_outcome").iter_rows():
        kind, _, reason = told.partition(": ")
        report = sheets[key].report
        if kind == "ignored":
            report.ignored[reason] = report.ignored.get(reason, 0) + n
        else:
            report.rejected[reason] = n
    bad = others.filter(pl.col("_outcome").str.starts_with("rejected: "))
    for (key,), part in bad.partition_by("g", as_dict=True, maintain_order=True).items():
        reasons = part.select(
            row="source_row", reason=pl.col("_outcome").str.strip_prefix("rejected: ")
        )
        sheet = sheets[key]
        rejected.append(raw_rows(sheet.grid.frame, sheet.path, sheet.grid.sheet, reasons))


def _tell(sheet: Sheet, decided: dict[str, Any] | None, comma: bool | None, source: str) -> None:
    """Write what was decided about dates and amounts into the sheet's report."""
    report = sheet.report
    report.decimal_comma = comma
    report.date_order = decided["date_order"] if decided else "missing"
    reason = decided["date_reason"] if decided else ""
    report.date_reason = reason.replace("the file's name", sheet.said_by)
    if comma:
        report.notes.append("Amounts are written with a decimal comma.")
    if source:
        report.warnings.append(
            "The dates are spread over many earlier months, as invoice dates are; the month of every "
            f"line was taken from {source}, the dates were kept."
        )
    if not decided:
        return
    if report.date_order == "mixed":
        report.warnings.append(
            "Some dates are written day first, others month first; " + report.date_reason + "."
        )
    elif decided["exceptions"]:
        report.warnings.append(
            f"{decided['exceptions']:,} rows are dated the other way round than the rest of the "
            f"table ({report.date_order}) and can be read in one way only; they were read so."
        )
    if decided["exchanged"]:
        report.warnings.append(
            f"{decided['exchanged']:,} rows hold real dates whose day and month look exchanged (a "
            "program with American settings does that to days up to 12); they were kept as "
            "published, so their months are probably wrong. Ask the publisher for the file again."
        )
