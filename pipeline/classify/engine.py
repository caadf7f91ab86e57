"""`classify`: payment texts in, digital or not, category and nature out.

Belongs here: the order of the work. Distinct values of each single column are looked at once, then
each distinct combination of what was found is weighed once. Does not belong here: rules, or reading
and writing.
"""

from collections.abc import Mapping

import polars as pl

from pipeline.classify.answers import LABELS, Answers, answers_of
from pipeline.classify.decide import COLUMNS, apply_rulings
from pipeline.classify.memory import Texts, in_rows, texts_of
from pipeline.classify.rulebook import RuleBook

INPUT_COLUMNS = ("expense_type", "expense_area", "supplier", "description")


class ClassifierInputError(ValueError):
    """The frame given to the classifier lacks a column; the message says which."""


def _nature(evidence: pl.DataFrame) -> pl.Series:
    """Nature per row: the first column (type, area, description) that says one, capital first."""
    names = [f"{column}_nature" for column in LABELS]
    return evidence.select(
        nature=pl.when(pl.any_horizontal(pl.col(names) == "capital"))
        .then(pl.lit("capital"))
        .otherwise(pl.coalesce(*names, pl.lit("revenue")))
    ).to_series()


def _weighed(answers: Answers, said: pl.DataFrame) -> pl.DataFrame:
    """The labels of distinct combinations of answers.

    Args:
        answers: whose tables tell what the numbers mean.
        said: a number for each of `COLUMNS`.
    """
    evidence = pl.concat(
        [
            answers.tables[column][said[column]].rename(lambda name, of=column: f"{of}_{name}")
            for column in COLUMNS
        ],
        how="horizontal",
    )
    decided = apply_rulings(evidence, answers.book.rulings)
    return decided.select(
        "digital", "category", _nature(evidence), "rule_id", "confidence", "is_balance_sheet"
    )


def classify(
    lines: pl.DataFrame,
    *,
    rules: RuleBook | None = None,
    texts: Mapping[str, Texts] | None = None,
) -> pl.DataFrame:
    """Classify payment lines by their texts.

    Args:
        lines: String columns expense_type, expense_area, supplier, description (nullable;
            further columns are kept). The cost grows with the distinct texts; rows are cheap.
        rules: another rule book than the package's own.
        texts: the four columns taken apart, for whoever has done so already.

    Returns:
        The same rows in the same order plus supplier_canonical (String), digital
        ("yes" | "possible" | "no"), category (String, null for "no"), nature
        ("capital" | "revenue" | "unknown"), rule_id (String, never null), confidence (Float64, 0 to
        1) and is_balance_sheet (Boolean). Meaning: docs/classifier.md.

    Raises:
        ClassifierInputError: a column is missing.
    """
    missing = [column for column in INPUT_COLUMNS if column not in lines.columns]
    if missing:
        raise ClassifierInputError(
            f"classify() needs the columns {', '.join(INPUT_COLUMNS)}; missing: "
            f"{', '.join(missing)}. Add them as nulls where the publisher gives none."
        )
    answers = answers_of(rules)
    said: dict[str, pl.Series] = {}
    names = pl.Series("supplier_canonical", [], dtype=pl.String)
    for column in COLUMNS:
        own = texts[column] if texts else texts_of(lines[column])
        found = answers.about(column, own.distinct)
        said[column] = found["said"].gather(own.places)
        if column == "supplier":
            names = found["supplier_canonical"].replace("", None).gather(own.places)
    # One number for the four answers: a combination of them is found as fast as a single one.
    key = pl.lit(0, dtype=pl.UInt64)
    for column in COLUMNS:
        key = key * answers.tables[column].height + pl.col(column).cast(pl.UInt64)
    rows = pl.DataFrame(said).with_columns(key=key)
    each = rows.unique("key", maintain_order=True)
    labels = _weighed(answers, each)[in_rows(rows["key"], each["key"])]
    return lines.with_columns(names.alias("supplier_canonical"), *labels)
