"""What a rule book says about single texts, found once and remembered.

A text is answered with a small number: the rule that speaks for it. What the numbers mean stands in
a table with one row a number, so that millions of lines are weighed as a few thousand combinations of
numbers.

Belongs here: which rules are asked about which column. Does not belong here: weighing columns against
each other (`decide.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import polars as pl

from pipeline.classify.evidence import first_match, label_forms, label_rules, rule_table
from pipeline.classify.memory import Memory
from pipeline.classify.own_rules import default_rules
from pipeline.classify.rulebook import Pass, RuleBook, TextRule
from pipeline.classify.suppliers import supplier_rules, supplier_table
from pipeline.classify.text import normal_label, without_the_word_it

LABELS: dict[str, tuple[Pass, ...]] = {
    "expense_type": ("expense_type", "expense_area"),
    "expense_area": ("expense_area", "expense_type"),
    "description": ("expense_type", "expense_area"),
}
"""Column -> the passes whose rules are tried on it, in this order."""
NATURES = (None, "capital", "revenue", "unknown")
"""What a label can say of the nature of a payment, in the order of their numbers."""


class Answers:
    """The answers of one rule book.

    Args:
        book: the rules.

    Attributes:
        tables: column -> what its numbers mean: rule_id, effect, category, specific,
            rule_confidence and nature, one row a number.
    """

    def __init__(self, book: RuleBook) -> None:
        self.book = book
        self._words = book.text.get("supplier_words", ())
        self._memories = {column: Memory(self._label(column)) for column in LABELS}
        self._memories["supplier"] = Memory(self._supplier)
        natures = pl.DataFrame({"nature": NATURES}, schema={"nature": pl.String})
        self.tables = {
            column: rule_table(self._rules(column)).drop("rule").join(natures, how="cross")
            for column in LABELS
        }
        self.tables["supplier"] = supplier_table(book.suppliers, self._words)

    def about(self, column: str, values: pl.Series) -> pl.DataFrame:
        """What is said about distinct texts, in their order.

        Args:
            column: expense_type, expense_area, description or supplier. A text may be asked about
                under another column's name than it stands in.
            values: the texts, null allowed.

        Returns:
            Frame: value, said (a row of the column's table) and form (the normal form of a label);
            for suppliers supplier_canonical as well.
        """
        return self._memories[column].about(values)

    def _rules(self, column: str) -> tuple[TextRule, ...]:
        return tuple(r for name in LABELS[column] for r in self.book.text.get(name, ()))

    def _label(self, column: str) -> Callable[[pl.Series], pl.DataFrame]:
        rules, natures = self._rules(column), self.book.text.get("nature", ())
        numbers = pl.Series([NATURES.index(rule.nature) for rule in natures], dtype=pl.UInt32)

        def ask(values: pl.Series) -> pl.DataFrame:
            if column == "description":
                read = values.to_frame("d").select(without_the_word_it(pl.col("d"))).to_series()
                found, last = label_rules(read, rules), label_forms(values)["last"]
            else:
                found = label_rules(values, rules)
                last = found["last"]
            nature = first_match(last, natures)
            said = found["rule"] * len(NATURES)
            if natures:
                said += numbers.gather(nature).fill_null(0)
            return pl.DataFrame({"said": said, "form": found["whole"]})

        return ask

    def _supplier(self, values: pl.Series) -> pl.DataFrame:
        form = pl.DataFrame({"value": values}).select(form=normal_label(pl.col("value")))
        found = supplier_rules(values, self.book.suppliers, self._words)
        return pl.concat([found, form], how="horizontal")


@cache
def _own() -> Answers:
    return Answers(default_rules())


def answers_of(book: RuleBook | None) -> Answers:
    """The answers of a rule book; those of the package's own are kept for the life of the process."""
    return _own() if book is None or book is default_rules() else Answers(book)
