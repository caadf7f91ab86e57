"""What the labels of a line say: one sweep of the text rules over the distinct values of a column.

Belongs here: which text rule is the first to match a value. Does not belong here: the meaning of
several matches together (`decide.py`), suppliers by name (`suppliers.py`).
"""

from collections.abc import Sequence

import polars as pl

from pipeline.classify.rulebook import TextRule
from pipeline.classify.text import normal_label

_CHUNK = 40


def first_match(values: pl.Series, rules: Sequence[TextRule]) -> pl.Series:
    """Index of the first rule that matches each value.

    Args:
        values: String series in normal form, no nulls.
        rules: in the order in which they are tried.

    Returns:
        UInt32 series of the same length; null where no rule matches. Rules are first tried joined
        together in groups, so that most values cost a handful of searches rather than hundreds.
    """
    frame = pl.DataFrame({"value": values}).with_row_index("row")
    found: list[pl.DataFrame] = []
    open_rows = frame.filter(pl.col("value") != "")
    for start in range(0, len(rules), _CHUNK):
        chunk = rules[start : start + _CHUNK]
        joined = "|".join(f"(?:{rule.pattern})" for rule in chunk)
        hits = open_rows.filter(pl.col("value").str.contains(joined))
        if hits.height == 0:
            continue
        matched = hits.select(
            "row",
            pl.coalesce(
                pl.when(pl.col("value").str.contains(rule.pattern)).then(
                    pl.lit(start + offset, dtype=pl.UInt32)
                )
                for offset, rule in enumerate(chunk)
            ).alias("rule"),
        )
        found.append(matched)
        open_rows = open_rows.join(matched, on="row", how="anti")
    if not found:
        return pl.Series("rule", [None] * values.len(), dtype=pl.UInt32)
    return (
        frame.select("row")
        .join(pl.concat(found), on="row", how="left", maintain_order="left")
        .get_column("rule")
    )


def rule_table(rules: Sequence[TextRule]) -> pl.DataFrame:
    """The rules as a frame: rule (index), rule_id, effect, category, specific, confidence.

    The last row, one after the last rule, stands for "no rule matches": its effect is `none`.
    """
    return pl.DataFrame(
        {
            "rule": range(len(rules) + 1),
            "rule_id": [*(rule.id for rule in rules), None],
            "effect": [*(rule.effect or "none" for rule in rules), "none"],
            "category": [*(rule.category for rule in rules), None],
            "specific": [*(rule.specific for rule in rules), None],
            "rule_confidence": [*(rule.confidence for rule in rules), None],
        },
        schema={
            "rule": pl.UInt32,
            "rule_id": pl.String,
            "effect": pl.String,
            "category": pl.String,
            "specific": pl.Boolean,
            "rule_confidence": pl.Float64,
        },
    )


def label_rules(values: pl.Series, rules: Sequence[TextRule]) -> pl.DataFrame:
    """Which rule a label is the first to fulfil.

    The last line of a wrapped cell is asked first (in files made from PDFs what stands above it
    belongs to the previous row), the whole text only when the last line matches nothing.

    Args:
        values: distinct values as published, null allowed.
        rules: text rules in the order in which they are tried.

    Returns:
        Frame in the order of the values: rule (a row of `rule_table(rules)`), last and whole (the
        normal forms of the last line and of all).
    """
    forms = pl.DataFrame({"value": values}).select(
        last=normal_label(pl.col("value"), last_line=True), whole=normal_label(pl.col("value"))
    )
    rule = first_match(forms["last"], rules)
    rest = rule.is_null() & (forms["last"] != forms["whole"])
    if rest.any():
        rule = rule.scatter(rest.arg_true(), first_match(forms["whole"].filter(rest), rules))
    return forms.select(rule.fill_null(len(rules)).alias("rule"), "last", "whole")
