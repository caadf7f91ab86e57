"""Text to pounds: brackets, trailing minus, currency signs, thousands, decimal commas.

The convention (decimal point or decimal comma) is decided for a whole table from all its values;
a value that contradicts the table is left null for the caller to reject, never guessed.
"""

from __future__ import annotations

import polars as pl

_POINT = r"^(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d*)?$"
_COMMA = r"^(?:\d{1,3}(?:\.\d{3})+|\d+)?(?:,\d*)?$"
_SCIENCE = r"^\d+(?:\.\d+)?e[+-]?\d{1,2}$"


def parse_amounts(frame: pl.DataFrame, column: str, group: str) -> pl.DataFrame:
    """Parse a column of published amounts.

    Args:
        frame: at least the columns ``column`` (String) and ``group``.
        column: the text to parse.
        group: the table each row belongs to; the decimal convention is decided for each.

    Returns:
        ``frame`` with ``amount_gbp`` (Float64, pounds rounded to pence, null where the text is no
        amount) and ``decimal_comma`` (Boolean, the convention of the row's table; null when the
        table's values fit both conventions with different results).
    """
    text = pl.col(column).str.strip_chars().str.to_lowercase()
    text = text.str.replace_all(r"[\s\x{00a0}\x{2009}\x{202f}'\x{2019}]", "")
    text = text.str.replace_all(r"[\x{2212}\x{2013}\x{2014}]", "-")
    text = text.str.replace_all(r"£|gbp|\x{fffd}|^\?|\+", "")
    frame = frame.with_columns(_t=text)
    negative = (
        (pl.col("_t").str.starts_with("(") & pl.col("_t").str.ends_with(")"))
        | pl.col("_t").str.starts_with("-")
        | pl.col("_t").str.ends_with("-")
        | pl.col("_t").str.ends_with("cr")
    )
    frame = frame.with_columns(
        _neg=negative,
        _d=pl.col("_t").str.replace(r"(?:cr|dr)$", "").str.replace_all(r"^[-(]+|[-)]+$", ""),
    )
    digits = pl.col("_d")
    has = digits.str.contains(r"\d")
    comma_end = digits.str.contains(r"^[\d.]*,\d{1,2}$") & has
    point_end = digits.str.contains(r"^[\d,]*\.(?:\d{1,2}|\d{4,})$") & has
    grouped_by_point = digits.str.contains(r"^\d{1,3}(?:\.\d{3})+$")
    grouped_by_comma = digits.str.contains(r"^\d{1,3}(?:,\d{3})+$")
    votes = frame.group_by(group).agg(
        _ce=comma_end.sum(),
        _pe=point_end.sum(),
        _gp=grouped_by_point.sum(),
        _gp2=digits.str.contains(r"^\d{1,3}(?:\.\d{3}){2,}$").sum(),
        _gc=(grouped_by_comma | digits.str.contains(r"^\d{1,3}(?:,\d{3})+\.")).sum(),
    )
    uses_comma = (pl.col("_ce") + pl.col("_gp2") > 0) & (pl.col("_pe") + pl.col("_gc") == 0)
    undecided = (
        (pl.col("_ce") == 0)
        & (pl.col("_pe") == 0)
        & (pl.col("_gc") == 0)
        & (pl.col("_gp2") == 0)
        & (pl.col("_gp") >= 3)
    )
    votes = votes.select(group, decimal_comma=pl.when(undecided).then(None).otherwise(uses_comma))
    frame = frame.join(votes, on=group, how="left", maintain_order="left")
    comma = pl.col("decimal_comma")
    plain = (
        pl.when(comma & digits.str.contains(_COMMA))
        .then(digits.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True))
        .when(comma.not_() & digits.str.contains(_POINT))
        .then(digits.str.replace_all(",", "", literal=True))
        .when(digits.str.contains(_SCIENCE))
        .then(digits)
    )
    value = pl.when(has).then(plain).cast(pl.Float64, strict=False)
    return frame.with_columns(
        amount_gbp=pl.when(pl.col("_neg")).then(-value).otherwise(value).round(2)
    ).drop("_t", "_neg", "_d")
