"""`classify`: distinct payment texts in, digital or not, category and nature out.

Belongs here: the order of the work. Distinct values of each single column are looked at once, then
put together per row and weighed. Does not belong here: rules, or reading and writing.
"""

import polars as pl

from pipeline.classify.decide import COLUMNS, apply_rulings
from pipeline.classify.evidence import first_match, label_evidence
from pipeline.classify.rulebook import Pass, RuleBook, TextRule, default_rules
from pipeline.classify.suppliers import supplier_evidence
from pipeline.classify.text import normal_label, without_the_word_it

INPUT_COLUMNS = ("expense_type", "expense_area", "supplier", "description")
_LABEL_PASSES: dict[str, tuple[Pass, ...]] = {
    "expense_type": ("expense_type", "expense_area"),
    "expense_area": ("expense_area", "expense_type"),
    "description": ("expense_type", "expense_area"),
}


class ClassifierInputError(ValueError):
    """The frame given to the classifier lacks a column; the message says which."""


def _rules(book: RuleBook, passes: tuple[Pass, ...]) -> tuple[TextRule, ...]:
    return tuple(rule for rule_pass in passes for rule in book.text.get(rule_pass, ()))


def _nature(rows: pl.DataFrame, book: RuleBook) -> pl.Series:
    """Nature per row: the first column (type, area, description) that says one, capital first."""
    rules = book.text.get("nature", ())
    natures = pl.Series([rule.nature for rule in rules], dtype=pl.String)
    names = []
    for column in ("expense_type", "expense_area", "description"):
        distinct = rows.select(pl.col(column).unique())
        found = first_match(
            distinct.select(normal_label(pl.col(column), last_line=True)).to_series(), rules
        )
        said = distinct.with_columns(
            natures.gather(found).alias(f"{column}_nature")
            if len(rules)
            else pl.lit(None, dtype=pl.String).alias(f"{column}_nature")
        )
        rows = rows.join(said, on=column, how="left", nulls_equal=True, maintain_order="left")
        names.append(f"{column}_nature")
    return rows.select(
        pl.when(pl.any_horizontal(pl.col(names) == "capital"))
        .then(pl.lit("capital"))
        .otherwise(pl.coalesce(*names, pl.lit("revenue")))
    ).to_series()


def classify(combinations: pl.DataFrame, *, rules: RuleBook | None = None) -> pl.DataFrame:
    """Classify payment lines by their texts.

    Args:
        combinations: String columns expense_type, expense_area, supplier, description (nullable;
            further columns are kept). Rows need not be distinct, but distinct rows are faster.
        rules: another rule book than the package's own.

    Returns:
        The same rows in the same order plus supplier_canonical (String), digital
        ("yes" | "possible" | "no"), category (String, null for "no"), nature
        ("capital" | "revenue" | "unknown"), rule_id (String, never null), confidence (Float64, 0 to
        1) and is_balance_sheet (Boolean). Meaning: docs/classifier.md.

    Raises:
        ClassifierInputError: a column is missing.
    """
    missing = [column for column in INPUT_COLUMNS if column not in combinations.columns]
    if missing:
        raise ClassifierInputError(
            f"classify() needs the columns {', '.join(INPUT_COLUMNS)}; missing: "
            f"{', '.join(missing)}. Add them as nulls where the publisher gives none."
        )
    book = rules or default_rules()
    rows = combinations.select(pl.col(column).cast(pl.String) for column in INPUT_COLUMNS)
    evidence = rows
    for column in COLUMNS:
        distinct = rows.get_column(column).unique()
        read = distinct
        if column == "description":
            read = distinct.to_frame().select(without_the_word_it(pl.col(column))).to_series()
        found = (
            supplier_evidence(distinct, book.suppliers, book.text.get("supplier_words", ()))
            if column == "supplier"
            else label_evidence(read, _rules(book, _LABEL_PASSES[column])).with_columns(
                value=distinct
            )
        )
        evidence = evidence.join(
            found.rename(
                {
                    name: f"{column}_{name}"
                    for name in ("rule_id", "effect", "category", "specific", "rule_confidence")
                }
            ),
            left_on=column,
            right_on="value",
            how="left",
            nulls_equal=True,
            maintain_order="left",
        )
    decided = apply_rulings(evidence, book.rulings)
    return combinations.with_columns(
        evidence.get_column("supplier_canonical").replace("", None),
        decided.get_column("digital"),
        decided.get_column("category"),
        _nature(rows, book).alias("nature"),
        decided.get_column("rule_id"),
        decided.get_column("confidence"),
        decided.get_column("is_balance_sheet"),
    )
