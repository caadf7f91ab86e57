"""Files whose columns slipped: supplier names among the expense types, or the other way round.

Belongs here: the signal per source file. Does not belong here: repairing the file.
"""

import polars as pl

from pipeline.classify.evidence import label_evidence
from pipeline.classify.rulebook import RuleBook, default_rules
from pipeline.classify.suppliers import supplier_evidence

_COMPANY = r"(?i)\b(?:ltd|limited|plc|llp|inc|gmbh|nhs (?:foundation )?trust|university of)\b"
_SUSPECT = 0.01
_MISALIGNED = 0.10


def detect_misaligned(payments: pl.DataFrame, *, rules: RuleBook | None = None) -> pl.DataFrame:
    """Share of lines per file whose type and supplier seem to have changed places.

    A supplier looks like an expense type when a rule on expense types knows it, no supplier rule
    does, and it has no company suffix; an expense type looks like a supplier when it has a company
    suffix or is a known supplier, and no rule on expense types knows it. A cell with a line break
    (`Software/License\\nComputer`) counts as slipped as well: such files were made from PDFs.

    Args:
        payments: String columns source_file, supplier, expense_type.
        rules: another rule book than the package's own.

    Returns:
        Frame, one row per source_file in order of name: source_file, lines (UInt32),
        supplier_like_type, type_like_supplier, wrapped (Float64, shares of lines), misaligned_share
        (share of lines with any of them), verdict ("aligned" | "suspect" | "misaligned").
    """
    book = rules or default_rules()
    type_rules = (*book.text.get("expense_type", ()), *book.text.get("expense_area", ()))
    looks: list[pl.DataFrame] = []
    for column in ("supplier", "expense_type"):
        values = payments.get_column(column).cast(pl.String).unique()
        as_type = label_evidence(values, type_rules)
        as_supplier = supplier_evidence(values, book.suppliers, ())
        looks.append(
            pl.DataFrame(
                {
                    column: values,
                    f"{column}_typed": as_type["effect"] != "none",
                    f"{column}_supplied": as_supplier["effect"] != "none",
                }
            ).with_columns(pl.col(column).str.contains(_COMPANY).alias(f"{column}_company"))
        )
    lines = payments.select("source_file", "supplier", "expense_type")
    for look, column in zip(looks, ("supplier", "expense_type"), strict=True):
        lines = lines.join(look, on=column, how="left", nulls_equal=True)
    flagged = lines.select(
        "source_file",
        supplier_like_type=(
            pl.col("supplier_typed") & ~pl.col("supplier_supplied") & ~pl.col("supplier_company")
        ).fill_null(value=False),
        type_like_supplier=(
            (pl.col("expense_type_company") | pl.col("expense_type_supplied"))
            & ~pl.col("expense_type_typed")
        ).fill_null(value=False),
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
