"""The rules of the gates in plain Polars: the obvious way, one expression a rule, no library.

Belongs here: what follows from the schema for every table (columns and types, required values, the
key, allowed values, bounds, financial years), and what costs the most: the written rules about
payments, and those about marts that read every payment again. Does not belong here: the product's
own checks (``pipeline.quality``). Each rule gives the number of rows that break it, and must give the
same number as the gate.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import polars as pl

from pipeline.schema import Column, Table, all_tables

AMOUNT = r"^[-(£ ]*[0-9]{1,3}(,[0-9]{3})*\.[0-9]{2}\)?$"
Counts = dict[tuple[str, str], int]


def failing_rows(tables: Mapping[str, pl.DataFrame]) -> Counts:
    """Rows that break each rule that has a twin here, by table and check.

    Args:
        tables: frames by full name; the registers ``dims.organisation`` and ``dims.category`` are
            needed for the rules about payments, payments and accounts for those about marts.
    """
    counts: Counts = {}
    for name, frame in tables.items():
        found = _schema_rules(all_tables()[name], frame)
        if name == "facts.payment":
            found |= _payment_rules(frame, tables["dims.organisation"], tables["dims.category"])
        if name in _MART_RULES:
            found |= _MART_RULES[name](frame, tables)
        counts |= {(name, check): rows for check, rows in found.items()}
    return counts


def _count(frame: pl.DataFrame, condition: pl.Expr) -> int:
    return int(frame.select(condition.sum()).item())


def _schema_rules(table: Table, frame: pl.DataFrame) -> dict[str, int]:
    declared, found = table.polars, frame.schema
    counts = {
        "columns_and_types": sum(
            declared.get(n) != found.get(n) for n in {*declared.names(), *found.names()}
        )
    }
    required = [c.name for c in table.columns if not c.nullable]
    if required:
        counts["required_values_present"] = _count(
            frame, pl.any_horizontal(pl.col(required).is_null())
        )
    if table.key:
        counts["key_is_unique"] = int(frame.select(table.key).is_duplicated().sum())
    for column in table.columns:
        counts |= _column_rules(column, frame)
    return counts


def _column_rules(column: Column, frame: pl.DataFrame) -> dict[str, int]:
    counts, value = {}, pl.col(column.name)
    if column.allowed is not None:
        counts[f"{column.name}_is_allowed"] = _count(frame, ~value.is_in(list(column.allowed)))
    if column.minimum is not None or column.maximum is not None:
        low = pl.lit(False) if column.minimum is None else value < column.minimum
        high = pl.lit(False) if column.maximum is None else value > column.maximum
        counts[f"{column.name}_in_bounds"] = _count(frame, low | high)
    if column.name == "financial_year":
        first = value.str.slice(0, 4).cast(pl.Int32, strict=False)
        second = value.str.slice(-2).cast(pl.Int32, strict=False)
        counts["financial_year_is_well_formed"] = _count(
            frame, ~value.str.contains(r"^[0-9]{4}/[0-9]{2}$") | (second != (first + 1) % 100)
        )
    return counts


def _payment_rules(
    frame: pl.DataFrame, register: pl.DataFrame, categories: pl.DataFrame
) -> dict[str, int]:
    month, paid, amount = pl.col("month"), pl.col("payment_date"), pl.col("amount_gbp")
    category, code = pl.col("category"), pl.col("organisation_code")
    digital = pl.col("digital") == "yes"
    april = month.dt.year() - (month.dt.month() < 4).cast(pl.Int32)
    year = pl.format("{}/{}", april, ((april + 1) % 100).cast(pl.String).str.zfill(2))
    day = pl.coalesce(paid, month)
    known = register["organisation_code"].implode()
    national = register.filter(pl.col("kind") != "trust")["organisation_code"].implode()
    middle = month.sort().gather((pl.len() - 1) // 2).first().over("source_file")
    apart = (month.dt.year() - middle.dt.year()) * 12 + month.dt.month() - middle.dt.month()
    files = frame.group_by("source_file").agg(
        lines=pl.len(),
        counted=(~pl.col("is_superseded")).sum(),
        repeated=(pl.col("is_duplicate") & ~pl.col("is_superseded")).sum(),
        named=pl.col("supplier").count(),
    )
    years = (
        frame.filter(~pl.col("is_superseded"))
        .group_by("organisation_code", "financial_year")
        .agg(
            pounds=amount.abs().sum(),
            balance=amount.filter(pl.col("is_balance_sheet")).abs().sum(),
        )
    )
    spent = (
        frame.filter(
            ~(pl.col("is_superseded") | pl.col("is_balance_sheet") | pl.col("is_duplicate"))
        )
        .group_by("organisation_code", "financial_year")
        .agg(pounds=amount.sum(), digital=amount.filter(digital).sum())
    )
    closed = frame.join(register.select("organisation_code", "closed"), on="organisation_code")
    return {
        "month_is_first_day": _count(frame, month != month.dt.truncate("1mo")),
        "month_inside_financial_year": _count(frame, pl.col("financial_year") != year),
        "payment_date_inside_month": _count(frame, paid.dt.truncate("1mo") > month),
        "payment_date_plausible": _count(
            frame, (day < dt.date(2008, 4, 1)) | (day > dt.datetime.now(dt.UTC).date())
        ),
        "dates_near_the_rest_of_the_file": _count(frame, apart.abs() > 18),
        "amount_is_not_zero": _count(frame, amount == 0),
        "amount_below_one_billion": _count(
            frame,
            (amount.abs() >= 1_000_000_000) & ~pl.col("is_superseded") & ~code.is_in(national),
        ),
        "digital_lines_have_a_category": _count(
            frame, (pl.col("digital") == "no") != category.is_null()
        ),
        "category_is_known": frame.filter(
            category.is_not_null() & ~category.is_in(categories["category"].implode())
        )
        .select("category", "rule_id")
        .n_unique(),
        "organisation_is_known": frame.filter(~code.is_in(known))["organisation_code"].n_unique(),
        "organisation_existed": closed.filter(month > pl.col("closed").dt.offset_by("1y"))
        .select("organisation_code", "month", "closed")
        .n_unique(),
        "few_duplicates": _count(
            files, (pl.col("repeated") > 0.2 * pl.col("counted")) & (pl.col("counted") >= 20)
        ),
        "balance_sheet_share_plausible": _count(
            years, pl.col("balance").cast(pl.Float64) > 0.7 * pl.col("pounds").cast(pl.Float64)
        ),
        "digital_share_of_pounds_plausible": _count(
            spent,
            (pl.col("digital").cast(pl.Float64) > 0.3 * pl.col("pounds").cast(pl.Float64))
            & (pl.col("pounds") > 1_000_000),
        ),
        "supplier_is_given": _count(files, pl.col("named") < 0.9 * pl.col("lines")),
        "supplier_is_not_an_amount": _count(frame, pl.col("supplier").str.contains(AMOUNT)),
    }


def _published(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    return tables["facts.payment"].filter(~pl.col("is_superseded"))


def _paid(tables: Mapping[str, pl.DataFrame]) -> pl.Expr:
    """Digital payments that count; the categories that count in the upper bound only are left out."""
    categories = tables["dims.category"]
    doubtful = categories.filter(pl.col("upper_bound_only"))["category"].implode()
    return (pl.col("digital") == "yes") & ~pl.col("category").is_in(doubtful).fill_null(False)


def _month_rules(frame: pl.DataFrame, tables: Mapping[str, pl.DataFrame]) -> dict[str, int]:
    """Rules about ``marts.coverage_month`` that read every payment."""
    parameters = dict(tables["dims.parameter"].select("name", "value").iter_rows())
    counted = ~(pl.col("is_balance_sheet") | pl.col("is_duplicate"))
    amount = pl.col("amount_gbp")
    published = _published(tables)
    sums = published.group_by("organisation_code", "month").agg(
        published_lines=(~pl.col("is_duplicate")).sum(),
        published_gbp=amount.filter(counted).sum().cast(pl.Float64),
        published_digital_gbp=amount.filter(counted & _paid(tables)).sum().cast(pl.Float64),
    )
    beside = frame.join(sums, on=["organisation_code", "month"], how="left").with_columns(
        pl.col("published_lines", "published_gbp", "published_digital_gbp").fill_null(0)
    )
    months = (
        published.filter(~pl.col("is_duplicate"))
        .group_by("organisation_code", "financial_year", "month")
        .agg(lines=pl.len())
    )
    enough = months.with_columns(usual=pl.col("lines").median().over("organisation_code")).filter(
        pl.col("lines")
        >= pl.min_horizontal(
            pl.lit(parameters["month_lines"]), parameters["month_part"] * pl.col("usual")
        )
    )
    year = ["organisation_code", "financial_year"]
    return {
        "every_year_has_twelve_months": _count(frame.group_by(year).len(), pl.col("len") != 12),
        "every_published_year_is_here": enough.join(frame, on=year, how="anti")
        .select(year)
        .n_unique(),
        "months_hold_what_was_published": _count(
            beside,
            (pl.col("lines") != pl.col("published_lines"))
            | ((pl.col("amount_gbp").cast(pl.Float64) - pl.col("published_gbp")).abs() > 1)
            | (
                (pl.col("digital_gbp").cast(pl.Float64) - pl.col("published_digital_gbp")).abs() > 1
            ),
        ),
    }


def _share_rules(frame: pl.DataFrame, tables: Mapping[str, pl.DataFrame]) -> dict[str, int]:
    """Rules about ``marts.digital_share`` that read every payment."""
    year = ["organisation_code", "financial_year"]
    spent = (
        tables["facts.account_line"]
        .filter((pl.col("main_code") == "A08CY01") & (pl.col("sub_code") == "EXP0390"))
        .group_by(year)
        .agg(pl.col("value").sum())
        .filter(pl.col("value") > 0)
    )
    counted = _published(tables).filter(~(pl.col("is_balance_sheet") | pl.col("is_duplicate")))
    first = frame.filter(pl.col("definition") == "D1")
    missing = counted.join(spent, on=year, how="semi").join(first, on=year, how="anti")
    return {"every_publisher_has_a_share": missing.select(year).n_unique()}


def _supplier_rules(frame: pl.DataFrame, tables: Mapping[str, pl.DataFrame]) -> dict[str, int]:
    """Rules about ``marts.trust_supplier`` that read every payment."""
    year = ["organisation_code", "financial_year"]
    register = tables["dims.organisation"]
    others = register.filter(pl.col("kind") != "trust")["organisation_code"].implode()
    supplier = pl.col("supplier_canonical").str.strip_chars(" ")
    largest = (
        _published(tables)
        .filter(~(pl.col("is_balance_sheet") | pl.col("is_duplicate")) & _paid(tables))
        .filter(~pl.col("organisation_code").is_in(others), supplier != "")
        .filter(~supplier.str.contains(r"^[0-9 ]+$|^\(no supplier"))
        .group_by(*year, supplier.alias("supplier"))
        .agg(pounds=pl.col("amount_gbp").sum().cast(pl.Float64))
        .filter(pl.col("pounds") > 0)
        .group_by(year)
        .agg(expected=pl.len().clip(upper_bound=10), expected_gbp=pl.col("pounds").top_k(10).sum())
    )
    shown = frame.group_by(year).agg(
        suppliers=pl.len(), shown_gbp=pl.col("amount_gbp").sum().cast(pl.Float64)
    )
    beside = shown.join(largest, on=year, how="full", coalesce=True)
    return {
        "the_ten_largest_are_all_here": _count(
            beside,
            pl.col("suppliers").ne_missing(pl.col("expected"))
            | ((pl.col("shown_gbp") - pl.col("expected_gbp")).abs() > 1).fill_null(False),
        )
    }


_MART_RULES = {
    "marts.coverage_month": _month_rules,
    "marts.digital_share": _share_rules,
    "marts.trust_supplier": _supplier_rules,
}
