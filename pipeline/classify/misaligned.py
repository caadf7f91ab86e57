"""Files whose columns slipped: supplier names among the expense types, or types beside wrong suppliers.

Belongs here: the signal per source file, and the sentence about it. Does not belong here: repairing
the file.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl

from pipeline.classify.answers import Answers, answers_of
from pipeline.classify.memory import Texts, texts_in_runs, texts_of
from pipeline.classify.rulebook import RuleBook

_COMPANY = r"(?i)\b(?:ltd|limited|plc|llp|gmbh|nhs (?:foundation )?trust|university of)\b"
_SUSPECT = 0.01
_MISALIGNED = 0.10
_SELLS_IT = ("system", "reseller", "network", "people")
_SELLS_OTHER = ("not_digital", "other_trade", "other")
_SPEAKS_AGAINST = ("no", "unlikely", "balance")
#: Types beside suppliers that cannot have sold them: of at least so many pairs of supplier and type
#: that both tell, so many at odds both ways, under so many types. Pairs, not lines: a cleaner booked
#: as IT costs every week is one mistake. Of ten trusts no file with five such pairs reaches half.
_AT_ODDS_SHARE, _AT_ODDS_PAIRS, _AT_ODDS_TYPES, _AT_ODDS_OTHER = 0.6, 5, 3, 2


def _as_types(answers: Answers, texts: pl.Series) -> pl.DataFrame:
    """What the rules on expense types say of texts, whichever column they stand in.

    Returns:
        Frame in the order of the texts: form (normal form), typed (a rule knows it), type (what
        that rule says).
    """
    table, found = answers.tables["expense_type"], answers.about("expense_type", texts)
    said = table[found["said"]]
    return pl.DataFrame(
        {"form": found["form"], "typed": said["rule_id"].is_not_null(), "type": said["effect"]}
    )


def _as_sellers(answers: Answers, texts: pl.Series) -> pl.DataFrame:
    """What the dictionary of suppliers says of texts.

    Returns:
        Frame in the order of the texts: known (a supplier of the dictionary), sells (what kind).
    """
    said = answers.tables["supplier"][answers.about("supplier", texts)["said"]]
    return said.select(
        known=pl.col("rule_id").str.starts_with("supplier.").fill_null(value=False), sells="effect"
    )


def _as_seen(texts: pl.Series) -> pl.DataFrame:
    """What the letters of texts tell: company (a company suffix), wrapped (holds a line break)."""
    text = pl.col("text")
    return pl.DataFrame({"text": texts}).select(
        company=text.str.contains(_COMPANY),
        wrapped=text.str.strip_chars().str.contains("\n", literal=True),
    )


def _about_types(answers: Answers, texts: pl.Series) -> pl.DataFrame:
    """What can be seen of expense types: form, typed, type, company, wrapped, is_supplier."""
    about = pl.concat([_as_types(answers, texts), _as_seen(texts)], how="horizontal")
    known = _as_sellers(answers, texts)["known"]
    return about.with_columns(is_supplier=(pl.col("company") | known) & ~pl.col("typed"))


def _about_suppliers(answers: Answers, texts: pl.Series, doubtful: pl.Series) -> pl.DataFrame:
    """What can be seen of suppliers: form, typed, sells, company, wrapped.

    Args:
        answers: the answers of the rule book.
        texts: the suppliers.
        doubtful: places of those that stand beside a type that looks like a supplier; only of them
            it matters whether a rule on expense types knows them.
    """
    typed = pl.Series([False], dtype=pl.Boolean).new_from_index(0, texts.len())
    if doubtful.len():
        typed = typed.scatter(doubtful, _as_types(answers, texts.gather(doubtful))["typed"])
    form = answers.about("supplier", texts).select("form")
    return pl.concat(
        [form, _as_sellers(answers, texts).select("sells"), _as_seen(texts)], how="horizontal"
    ).with_columns(typed.alias("typed"))


def _more_often_in(
    lines: pl.DataFrame, about: dict[str, pl.DataFrame], column: str, other: str
) -> pl.Series:
    """Forms of a column's texts that stand more often in the other column, over all files."""
    counts = [
        lines.group_by(name)
        .agg(pl.col("n").sum())
        .select("n", form=pl.lit(about[name]["form"]).gather(pl.col(name)))
        .group_by("form")
        .agg(pl.col("n").sum().alias(name))
        for name in (column, other)
    ]
    both = counts[0].join(counts[1], on="form", how="inner")
    return both.filter((pl.col(other) > pl.col(column)) & (pl.col("form") != ""))["form"]


def _counted(places: dict[str, pl.Series], each: dict[str, pl.Series]) -> pl.DataFrame:
    """Combinations of places with the lines of each (`n`); one number a combination is compared."""
    key = pl.lit(0, dtype=pl.UInt64)
    for name, distinct in each.items():
        key = key * (distinct.len() + 1) + pl.col(name).cast(pl.UInt64)
    ordered = np.sort(pl.DataFrame(places).select(key=key)["key"].to_numpy())
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: ordered.size])
    counts = np.diff(starts, append=ordered.size)
    left, found = pl.Series(ordered[starts]), {"n": pl.Series(counts, dtype=pl.UInt32)}
    for name in reversed(each):
        size = each[name].len() + 1
        found[name] = (left % size).cast(pl.UInt32)
        left = left // size
    return pl.DataFrame(found).select(*each, "n")


def detect_misaligned(
    payments: pl.DataFrame,
    *,
    rules: RuleBook | None = None,
    texts: Mapping[str, Texts] | None = None,
) -> pl.DataFrame:
    r"""Share of lines per file whose type and supplier seem to have changed places.

    An expense type looks like a supplier when it carries a company suffix or is a known supplier,
    and no rule on expense types knows it. A supplier looks like an expense type when the same text
    stands more often among the expense types of all files, or when a rule on expense types knows it
    while its own type looks like a supplier. A cell with a line break (as in
    `Software/License\nComputer`) is `wrapped`: in files made from PDFs rows ran into each other.
    Type and supplier are `at_odds` when a supplier of nothing but IT stands under a type that is
    something else, or a supplier that sells none under a type that is IT.

    Args:
        payments: String columns source_file, supplier, expense_type; the more files, the better.
        rules: another rule book than the package's own.
        texts: columns taken apart, for whoever has done so already.

    Returns:
        Frame, one row per source_file in order of name: source_file, lines (UInt32),
        supplier_like_type, type_like_supplier, wrapped (Float64, shares of lines), misaligned_share
        (share of lines with any of them), at_odds (share of the pairs of supplier and type where
        both tell; null where none does), verdict: "aligned" (under 1%), "suspect" (under 10%),
        "misaligned", or "unfit" (columns in place, but most types beside suppliers that cannot
        have sold them).
    """
    answers = answers_of(rules)
    columns = ("source_file", "supplier", "expense_type")
    apart = dict(texts or {})
    apart.setdefault("source_file", texts_in_runs(payments["source_file"]))
    apart |= {c: texts_of(payments[c]) for c in columns if c not in apart}
    each = {column: apart[column].distinct for column in columns}
    lines = _counted({column: apart[column].places for column in columns}, each)
    about = {"expense_type": _about_types(answers, each["expense_type"])}
    odd = about["expense_type"]["is_supplier"].gather(lines["expense_type"]).fill_null(value=False)
    doubtful = lines["supplier"].filter(odd).unique()
    about["supplier"] = _about_suppliers(answers, each["supplier"], doubtful)
    strangers = _more_often_in(lines, about, "supplier", "expense_type")
    about["supplier"] = about["supplier"].with_columns(
        stranger=pl.col("form").is_in(strangers.implode())
    )
    lines = pl.concat(
        [
            lines,
            *(
                about[column][lines[column]].rename(lambda name, of=column: f"{of}_{name}")
                for column in about
            ),
        ],
        how="horizontal",
    )
    type_is_supplier = pl.col("expense_type_is_supplier")
    odd_type = pl.col("supplier_sells").is_in(_SELLS_IT) & pl.col("expense_type_type").is_in(
        _SPEAKS_AGAINST
    )
    odd_supplier = pl.col("supplier_sells").is_in(_SELLS_OTHER) & (
        pl.col("expense_type_type") == "yes"
    )
    fits = pl.col("supplier_sells").is_in(_SELLS_IT) & (pl.col("expense_type_type") == "yes")
    flagged = lines.select(
        "n",
        "expense_type",
        source_file=pl.lit(each["source_file"]).gather("source_file"),
        supplier_like_type=(
            pl.col("supplier_stranger")
            | (pl.col("supplier_typed") & ~pl.col("supplier_company") & type_is_supplier)
        ).fill_null(value=False),
        type_like_supplier=type_is_supplier.fill_null(value=False),
        wrapped=pl.any_horizontal(pl.col("supplier_wrapped", "expense_type_wrapped")).fill_null(
            value=False
        ),
        odd_type=odd_type.fill_null(value=False),
        odd_supplier=odd_supplier.fill_null(value=False),
        fits=fits.fill_null(value=False),
    )
    signals = ("supplier_like_type", "type_like_supplier", "wrapped")

    def of_lines(flag: str) -> pl.Expr:
        return (pl.col(flag) * pl.col("n")).sum()

    odds = pl.col("odd_type_n") + pl.col("odd_supplier_n")
    unfit = (
        (pl.col("at_odds") >= _AT_ODDS_SHARE)
        & (odds >= _AT_ODDS_PAIRS)
        & (pl.col("odd_types") >= _AT_ODDS_TYPES)
        & (pl.col("odd_supplier_n") >= _AT_ODDS_OTHER)
    )
    return (
        flagged.with_columns(misaligned_share=pl.any_horizontal(signals))
        .group_by("source_file")
        .agg(
            pl.col("n").sum().alias("lines"),
            *(of_lines(s) / pl.col("n").sum() for s in (*signals, "misaligned_share")),
            odd_type_n=pl.col("odd_type").sum(),
            odd_supplier_n=pl.col("odd_supplier").sum(),
            fits_n=pl.col("fits").sum(),
            odd_types=pl.col("expense_type").filter(pl.col("odd_type")).n_unique(),
        )
        .with_columns(told=odds + pl.col("fits_n"))
        .with_columns(at_odds=pl.when(pl.col("told") > 0).then(odds / pl.col("told")))
        .with_columns(
            verdict=pl.when(pl.col("misaligned_share") >= _MISALIGNED)
            .then(pl.lit("misaligned"))
            .when(unfit.fill_null(value=False))
            .then(pl.lit("unfit"))
            .when(pl.col("misaligned_share") >= _SUSPECT)
            .then(pl.lit("suspect"))
            .otherwise(pl.lit("aligned"))
        )
        .select("source_file", "lines", *signals, "misaligned_share", "at_odds", "verdict")
        .sort("source_file")
    )


def misalignment_sentences(found: pl.DataFrame) -> dict[str, str]:
    """What to tell about files whose columns slipped.

    Args:
        found: from :func:`detect_misaligned`.

    Returns:
        Path of the file -> sentence; files that are aligned or merely suspect are left out.
    """
    told: dict[str, str] = {}
    for row in found.iter_rows(named=True):
        if row["verdict"] == "misaligned":
            told[row["source_file"]] = (
                f"Supplier and expense type seem to have slipped against each other in "
                f"{row['misaligned_share']:.0%} of the rows: look at the columns before using "
                "what is said about single lines."
            )
        elif row["verdict"] == "unfit":
            told[row["source_file"]] = (
                f"Expense types stand beside suppliers that cannot have sold them (in "
                f"{row['at_odds']:.0%} of the pairs where both tell): a column may have been sorted "
                "on its own, and what is digital here is less sure than the range says."
            )
    return told
