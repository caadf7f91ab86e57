"""Text to pounds: brackets, trailing minus, currency signs, thousands, decimal commas.

The convention (decimal point or decimal comma) is decided for a whole table from all its values;
a value that contradicts the table is left null for the caller to reject, never guessed.
"""

from __future__ import annotations

import polars as pl

from pipeline.ingest.tabular.dress import AMOUNTS, undressed

# What most publishers write, readable at once: 1234.5  1,234.50  £1,234.50  -£1,234.50
_USUAL = r"^-?£?-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.(?:\d{0,2}|\d{4,17}))?$"
_POINT = r"^(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d*)?$"
_COMMA = r"^(?:\d{1,3}(?:\.\d{3})+|\d+)?(?:,\d*)?$"
_SCIENCE = r"^\d+(?:\.\d+)?e[+-]?\d{1,2}$"


def pounds_of(cells: pl.Series) -> pl.Series:
    """The amounts of one table's column (String) in pounds (Float64); null where a cell is none."""
    frame = pl.DataFrame({"g": pl.repeat(0, len(cells), dtype=pl.Int32, eager=True), "a": cells})
    return parse_amounts(frame, "a", "g")[0]["amount_gbp"]


def parse_amounts(
    frame: pl.DataFrame, column: str, group: str
) -> tuple[pl.DataFrame, dict[int, bool | None]]:
    """Parse a column of published amounts.

    Args:
        frame: at least the columns ``column`` (String) and ``group`` (Int32).
        column: the text to parse.
        group: the table each row belongs to; the decimal convention is decided for each.

    Returns:
        ``frame`` with ``amount_gbp`` (Float64, pounds rounded to pence, null where the text is no
        amount), and group -> whether a decimal comma is used (None when the table's values fit
        both conventions with different results).
    """
    text = frame[column]
    usual = text.str.contains(_USUAL).fill_null(False)
    others = (~usual & text.is_not_null()).arg_true()
    if others.len():  # outer blanks are no difference; most cells have none
        stripped = text[others].str.strip_chars()
        text = text.clone().scatter(others, stripped)
        usual = usual.scatter(others, stripped.str.contains(_USUAL))
    value = text.cast(pl.Float64, strict=False)
    value = value.zip_with(usual, pl.Series([None], dtype=pl.Float64))  # not inf, not 1e5
    signed = usual & value.is_null()
    if signed.any():
        # A minus on both sides of the pound sign would leave two; that is no amount.
        bare = text.filter(signed).str.replace("£", "", literal=True)
        bare = bare.str.replace_all(",", "", literal=True).cast(pl.Float64, strict=False)
        value = value.scatter(signed.arg_true(), bare)
    unusual = ((~usual) & (text != "")).fill_null(False)
    commas: dict[int, bool | None] = dict.fromkeys(frame[group].unique().to_list(), False)
    if unusual.any():
        odd = pl.DataFrame({"g": frame[group].filter(unusual), "_raw": text.filter(unusual)})
        tables = odd["g"].unique()
        within = frame[group].is_in(tables.implode()) & usual
        votes = (
            pl.DataFrame({"g": frame[group].filter(within), "_t": text.filter(within)})
            .group_by("g")
            .agg(
                point=pl.col("_t").str.contains(r"\.\d{1,2}$").sum(),
                comma=pl.col("_t").str.contains(",", literal=True).sum(),
            )
        )
        slow, found = _parse_unusual(odd, votes)
        commas |= found
        value = value.scatter(unusual.arg_true(), slow)
    # Two cells run together, or an account number: no payment is a trillion pounds.
    value = value.set(value.abs() >= 1e12, None)
    return frame.with_columns(amount_gbp=value.round(2)), commas


def _parse_unusual(
    odd: pl.DataFrame, votes: pl.DataFrame
) -> tuple[pl.Series, dict[int, bool | None]]:
    """Amounts in rarer spellings, under the convention their table votes for."""
    text = pl.col("_raw").str.to_lowercase()
    text = text.str.replace_all(r"[\s\x{00a0}\x{2009}\x{202f}'\x{2019}]", "")
    text = undressed(text, AMOUNTS)
    text = text.str.replace_all(r"[\x{2212}\x{2013}\x{2014}]", "-")
    # A pound sign read in the wrong encoding leaves one of these letters before it.
    text = text.str.replace_all(r"[âãï¿½]*£|&pound;|œ|gbp|\x{fffd}|^\?|\+|[âã]|^'|^=\"|\"$", "")
    text = text.str.replace(r"^-\((.*)\)$", "($1)")
    text = text.str.replace(r"(\.\d\d[cd])$", "${1}r")  # 1,234.50D and 1,234.50C
    odd = odd.with_columns(_t=text)
    negative = (
        (pl.col("_t").str.starts_with("(") & pl.col("_t").str.ends_with(")"))
        | pl.col("_t").str.starts_with("-")
        | pl.col("_t").str.ends_with("-")
        | pl.col("_t").str.ends_with("cr")
    )
    odd = odd.with_columns(
        _neg=negative,
        _nil=pl.col("_t") == "-",
        _half=pl.col("_t").str.starts_with("(") != pl.col("_t").str.ends_with(")"),
        _d=pl.col("_t").str.replace(r"(?:cr|dr)$", "").str.replace_all(r"^[-(]+|[-)]+$", ""),
    )
    digits = pl.col("_d")
    has = digits.str.contains(r"\d") & ~pl.col("_half")  # half a bracket is half a cell
    comma_end = digits.str.contains(r"^[\d.]*,\d{1,2}$") & has
    point_end = digits.str.contains(r"^[\d,]*\.(?:\d{1,2}|\d{4,})$") & has
    grouped_by_point = digits.str.contains(r"^\d{1,3}(?:\.\d{3})+$")
    grouped_by_comma = digits.str.contains(r"^\d{1,3}(?:,\d{3})+(?:\.|$)")
    tables = (
        odd.group_by("g")
        .agg(
            _ce=comma_end.sum(),
            _pe=point_end.sum(),
            _gp=grouped_by_point.sum(),
            _gp2=digits.str.contains(r"^\d{1,3}(?:\.\d{3}){2,}$").sum(),
            _gc=grouped_by_comma.sum(),
        )
        .join(votes, on="g", how="left")
        .with_columns(
            _pe=pl.col("_pe") + pl.col("point").fill_null(0),
            _gc=pl.col("_gc") + pl.col("comma").fill_null(0),
        )
    )
    uses_comma = (pl.col("_ce") + pl.col("_gp2") > 0) & (pl.col("_pe") + pl.col("_gc") == 0)
    undecided = (
        (pl.col("_ce") == 0)
        & (pl.col("_pe") == 0)
        & (pl.col("_gc") == 0)
        & (pl.col("_gp2") == 0)
        & (pl.col("_gp") >= 3)
    )
    tables = tables.select("g", decimal_comma=pl.when(undecided).then(None).otherwise(uses_comma))
    odd = odd.join(tables, on="g", how="left", maintain_order="left")
    comma = pl.col("decimal_comma")
    plain = (
        pl.when(comma & digits.str.contains(_COMMA))
        .then(digits.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True))
        .when(comma.not_() & digits.str.contains(_POINT))
        .then(digits.str.replace_all(",", "", literal=True))
        .when(digits.str.contains(_SCIENCE))
        .then(digits)
    )
    value = (
        pl.when("_nil").then(0.0).when(has).then(plain.cast(pl.Float64, strict=False))
    )  # an accountant's dash is nought
    signed = odd.select(
        pl.when(pl.col("_neg") & ~pl.col("_nil")).then(-value).otherwise(value)
    ).to_series()
    return signed, dict(tables.iter_rows())
