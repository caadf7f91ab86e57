"""Files whose columns slipped: supplier names among the expense types, or the other way round.

Belongs here: the signal per source file. Does not belong here: repairing the file.
"""

import polars as pl

from pipeline.classify.evidence import label_evidence
from pipeline.classify.rulebook import RuleBook, default_rules
from pipeline.classify.suppliers import supplier_evidence
from pipeline.classify.text import normal_label

_COMPANY = r"(?i)\b(?:ltd|limited|plc|llp|gmbh|nhs (?:foundation )?trust|university of)\b"
_SUSPECT = 0.01
_MISALIGNED = 0.10


def _more_often_in(payments: pl.DataFrame, column: str, other: str) -> pl.DataFrame:
    """Values of a column that stand more often in the other column, over all files."""
    counts = [
        payments.group_by(normal_label(pl.col(name)).alias("form")).agg(pl.len().alias(name))
        for name in (column, other)
    ]
    both = counts[0].join(counts[1], on="form", how="inner")
    return both.filter((pl.col(other) > pl.col(column)) & (pl.col("form") != "")).select("form")


def detect_misaligned(payments: pl.DataFrame, *, rules: RuleBook | None = None) -> pl.DataFrame:
    r"""Share of lines per file whose type and supplier seem to have changed places.

    An expense type looks like a supplier when it carries a company suffix or is a known supplier,
    and no rule on expense types knows it. A supplier looks like an expense type when the same text
    stands more often among the expense types of all files, or when a rule on expense types knows it
    while its own type looks like a supplier. A cell with a line break (as in
    `Software/License\nComputer`) is `wrapped`: in files made from PDFs rows ran into each other.

    Args:
        payments: String columns source_file, supplier, expense_type; the more files, the better.
        rules: another rule book than the package's own.

    Returns:
        Frame, one row per source_file in order of name: source_file, lines (UInt32),
        supplier_like_type, type_like_supplier, wrapped (Float64, shares of lines), misaligned_share
        (share of lines with any of them), verdict: "aligned" (under 1%), "suspect" (under 10%) or
        "misaligned".
    """
    book = rules or default_rules()
    type_rules = (*book.text.get("expense_type", ()), *book.text.get("expense_area", ()))
    lines = payments.select("source_file", "supplier", "expense_type").with_row_index("line")
    for column in ("supplier", "expense_type"):
        values = lines.get_column(column).cast(pl.String).unique()
        look = pl.DataFrame(
            {
                column: values,
                f"{column}_typed": label_evidence(values, type_rules)["rule_id"].is_not_null(),
                f"{column}_known": supplier_evidence(values, book.suppliers, ())[
                    "rule_id"
                ].is_not_null(),
            }
        ).with_columns(pl.col(column).str.contains(_COMPANY).alias(f"{column}_company"))
        lines = lines.join(look, on=column, how="left", nulls_equal=True, maintain_order="left")
    strangers = _more_often_in(payments, "supplier", "expense_type").get_column("form")
    type_is_supplier = (pl.col("expense_type_company") | pl.col("expense_type_known")) & ~pl.col(
        "expense_type_typed"
    )
    flagged = lines.select(
        "source_file",
        supplier_like_type=(
            normal_label(pl.col("supplier")).is_in(strangers.implode())
            | (pl.col("supplier_typed") & ~pl.col("supplier_company") & type_is_supplier)
        ).fill_null(value=False),
        type_like_supplier=type_is_supplier.fill_null(value=False),
        wrapped=pl.any_horizontal(
            pl.col("supplier", "expense_type").str.strip_chars().str.contains("\n")
        ).fill_null(value=False),
    )
    signals = ("supplier_like_type", "type_like_supplier", "wrapped")
    return (
        flagged.with_columns(misaligned_share=pl.any_horizontal(signals))
        .group_by("source_file")
        .agg(pl.len().alias("lines"), *(pl.col(s).mean() for s in (*signals, "misaligned_share")))
        .with_columns(
            verdict=pl.when(pl.col("misaligned_share") >= _MISALIGNED)
            .then(pl.lit("misaligned"))
            .when(pl.col("misaligned_share") >= _SUSPECT)
            .then(pl.lit("suspect"))
            .otherwise(pl.lit("aligned"))
        )
        .sort("source_file")
    )
