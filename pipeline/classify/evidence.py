"""What the labels of a line say: one sweep of the text rules over the distinct values of a column.

Belongs here: which text rule is the first to match a value. Does not belong here: the meaning of
several matches together (`decide.py`), suppliers by name (`suppliers.py`).
"""

import re
from collections.abc import Sequence
from functools import cache

import polars as pl

from pipeline.classify.rulebook import TextRule
from pipeline.classify.text import normal_label

_CHUNK = 40
_FEW = 300
"""Texts up to which Python's patterns are asked, one after another. The table library searches a
hundred times faster, but makes its patterns anew at every call, which costs as much as 700 texts."""
_FEW_HITS = 1_000
"""The same for texts of which it is known that one of a few rules matches each."""
_BEYOND_ASCII = re.compile(r"(?<!\\)\.|\[\^|\\[DSWBPp]")


@cache
def _ascii(pattern: str) -> str:
    """A pattern whose letters, digits and word ends are those of ASCII; quicker made, as values are.

    What could match half a character beyond ASCII stays as it is.
    """
    return pattern if _BEYOND_ASCII.search(pattern) else f"(?-u:{pattern})"


def first_match(values: pl.Series, rules: Sequence[TextRule]) -> pl.Series:
    """Index of the first rule that matches each value.

    Args:
        values: String series in normal form (ASCII), no nulls.
        rules: in the order in which they are tried.

    Returns:
        UInt32 series of the same length; null where no rule matches.
    """
    open_rows = values.to_frame("value").with_row_index("row").filter(pl.col("value") != "")
    matched = _of_few if open_rows.height <= _FEW else _of_many
    found = matched(open_rows, rules)
    none = pl.Series("rule", [None], dtype=pl.UInt32).new_from_index(0, values.len())
    return none.scatter(found["row"], found["rule"])


def _of_few(open_rows: pl.DataFrame, rules: Sequence[TextRule], start: int = 0) -> pl.DataFrame:
    """The rows that a rule matches: row, rule (counted from `start`)."""
    searches = [re.compile(rule.pattern).search for rule in rules]
    found = []
    for row, value in open_rows.iter_rows():
        for number, search in enumerate(searches, start):
            if search(value):
                found.append((row, number))
                break
    return pl.DataFrame(found, schema={"row": pl.UInt32, "rule": pl.UInt32}, orient="row")


def _of_many(open_rows: pl.DataFrame, rules: Sequence[TextRule]) -> pl.DataFrame:
    """The same; rules are first tried joined in groups, so that most values cost a few searches."""
    found = [pl.DataFrame(schema={"row": pl.UInt32, "rule": pl.UInt32})]
    for start in range(0, len(rules), _CHUNK):
        chunk = rules[start : start + _CHUNK]
        patterns = [_ascii(rule.pattern) for rule in chunk]
        joined = "|".join(f"(?:{pattern})" for pattern in patterns)
        hits = open_rows.filter(pl.col("value").str.contains(joined))
        if hits.height <= _FEW_HITS:
            matched = _of_few(hits, chunk, start)
        else:
            matched = hits.select(
                "row",
                rule=pl.coalesce(
                    pl.when(pl.col("value").str.contains(pattern)).then(
                        pl.lit(start + offset, dtype=pl.UInt32)
                    )
                    for offset, pattern in enumerate(patterns)
                ),
            )
        found.append(matched)
        open_rows = open_rows.join(matched, on="row", how="anti")
    return pl.concat(found)


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


def label_forms(values: pl.Series) -> pl.DataFrame:
    """The normal forms of labels: last (of the last line of a wrapped cell) and whole (of all).

    Hardly any label is wrapped, and of the others both are the same.

    Args:
        values: as published, null allowed.
    """
    label = pl.col("value")
    forms = values.to_frame("value").select("value", whole=normal_label(label))
    wrapped = forms["value"].str.contains(r"[\r\n]").fill_null(value=False)
    last = forms["whole"].alias("last")
    if wrapped.any():
        of_line = forms.filter(wrapped).select(normal_label(label, last_line=True)).to_series()
        last = last.scatter(wrapped.arg_true(), of_line)
    return pl.DataFrame([last, forms["whole"]])


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
    forms = label_forms(values)
    rule = first_match(forms["last"], rules)
    rest = rule.is_null() & (forms["last"] != forms["whole"])
    if rest.any():
        rule = rule.scatter(rest.arg_true(), first_match(forms["whole"].filter(rest), rules))
    return forms.select(rule.fill_null(len(rules)).alias("rule"), "last", "whole")
