"""Payments to digital or not, category and nature, by rules that are data.

Belongs here: the rule files (`rules/`), their application, and the measurement of their quality.
Does not belong here: reading payments (`pipeline.ingest`) and adding them up (`pipeline.marts`).

The public functions are `classify` (distinct texts in, labels out) and `detect_misaligned` (a
data-quality signal per source file); `pipeline.classify.evaluate` measures quality.
"""

from pipeline.classify.engine import ClassifierInputError, classify
from pipeline.classify.memory import Texts, texts_of
from pipeline.classify.misaligned import detect_misaligned, misalignment_sentences
from pipeline.classify.own_rules import default_rules, load_rules
from pipeline.classify.rulebook import RuleBook, RuleFileError

RULES_VERSION: str
"""Hash of the rule files: the same version gives the same labels. Read when first asked for."""

__all__ = [
    "RULES_VERSION",
    "ClassifierInputError",
    "RuleBook",
    "RuleFileError",
    "Texts",
    "classify",
    "default_rules",
    "detect_misaligned",
    "load_rules",
    "misalignment_sentences",
    "texts_of",
]


def __getattr__(name: str) -> str:
    if name == "RULES_VERSION":
        return default_rules().version
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
