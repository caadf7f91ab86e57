"""Suppliers by name: from what is printed on a line to an entry of the supplier dictionary.

Belongs here: looking names up, names cut off by the publisher, near misspellings. Does not belong
here: the canonical form itself (`text.py`) and what a kind of supplier means (`decide.py`).
"""

import re
from collections.abc import Sequence

import numpy as np
import polars as pl
from rapidfuzz import fuzz, process

from pipeline.classify.evidence import first_match, rule_table
from pipeline.classify.rulebook import SupplierRule, TextRule
from pipeline.classify.text import canonical_supplier, trading_name

_MOST_WORDS = 6
_CUT_FROM = 18
"""Publishers cut names at 20 to 30 characters; a shorter beginning says too little."""
_DEBRIS = re.compile(
    r"(?:LIMITED|LTD|NHS FOUNDATION TRUST|FOUNDATION TRUST|NHS TRUST|TRUST|AUTHORITY) "
)
"""The end of the name in the row above, in tables taken from PDFs."""
_FUZZY_LENGTH = 8
_FUZZY_SCORE = 94.0
_FUZZY_BLOCK = 20_000


def _names(rules: Sequence[SupplierRule]) -> tuple[dict[str, int], dict[str, int]]:
    """Names that may stand alone or before other words, and names that match only in full."""
    open_names: dict[str, int] = {}
    full_names: dict[str, int] = {}
    for index, rule in enumerate(rules):
        for name in rule.names:
            (full_names if rule.exact else open_names).setdefault(name, index)
            for length in range(_CUT_FROM, len(name)):
                full_names.setdefault(name[:length].strip(), index)
    return open_names, full_names


def _entry(form: str, open_names: dict[str, int], full_names: dict[str, int]) -> int | None:
    """Index of the entry whose name is the form, or the longest run of its first words."""
    found = open_names.get(form, full_names.get(form))
    if found is not None:
        return found
    words = form.split(" ")
    for count in range(min(_MOST_WORDS, len(words)), 0, -1):
        found = open_names.get(" ".join(words[:count]))
        if found is not None:
            return found
    return None


def _lookup(
    forms: pl.DataFrame, open_names: dict[str, int], full_names: dict[str, int]
) -> list[int | None]:
    """Index of the entry for each canonical form, its trading name, or what stands after debris.

    Dictionaries of Python: a batch asks about few new names, and the table library would make its
    own dictionaries at every call.
    """
    found = []
    for form, trading in forms.select("form", "trading").iter_rows():
        entry = _entry(form, open_names, full_names)
        if entry is None and trading:
            entry = _entry(trading, open_names, full_names)
        if entry is None and (debris := _DEBRIS.match(form)):
            entry = _entry(form[debris.end() :], open_names, full_names)
        found.append(entry)
    return found


def _near_misspellings(forms: pl.Series, open_names: dict[str, int]) -> pl.Series:
    """Index of the entry that a form misspells, by normalised edit similarity (rapidfuzz).

    Only names with the same first letter are compared: it is hardly ever the one mistyped, and the
    comparison costs a fraction.
    """
    long = [name for name in open_names if len(name) >= _FUZZY_LENGTH]
    distinct = forms.filter(forms.str.len_chars() >= _FUZZY_LENGTH).unique(maintain_order=True)
    by_letter = distinct.to_frame("form").group_by(pl.col("form").str.head(1), maintain_order=True)
    found: dict[str, int] = {}
    for (letter,), group in by_letter:
        names = [name for name in long if name[0] == letter]
        for part in group.iter_slices(_FUZZY_BLOCK) if names else ():
            queries = part["form"].to_list()
            scores = process.cdist(
                queries,
                names,
                scorer=fuzz.ratio,
                score_cutoff=_FUZZY_SCORE,
                dtype=np.uint8,
            )  # threads of its own would cost more than the comparison of so few
            best = scores.argmax(axis=1)
            for i in np.flatnonzero(scores[np.arange(len(queries)), best] > 0):
                found[queries[i]] = open_names[names[best[i]]]
    if not found:
        return pl.Series([None] * forms.len(), dtype=pl.UInt32)
    return forms.replace_strict(
        list(found), list(found.values()), default=None, return_dtype=pl.UInt32
    )


def supplier_table(rules: Sequence[SupplierRule], word_rules: Sequence[TextRule]) -> pl.DataFrame:
    """What can be said of a supplier: rule_id, effect, category, specific, rule_confidence.

    One row an entry of the dictionary, then one a text rule, then one for a supplier nothing is
    known of.
    """
    words = rule_table(word_rules).drop("rule")
    entries = pl.DataFrame(
        {
            "rule_id": [rule.id for rule in rules],
            "effect": [rule.kind for rule in rules],
            "category": [rule.category for rule in rules],
            "specific": [not rule.general for rule in rules],
            "rule_confidence": [rule.confidence for rule in rules],
        },
        schema=words.schema,
    )
    return pl.concat([entries, words])


def supplier_rules(
    values: pl.Series, rules: Sequence[SupplierRule], word_rules: Sequence[TextRule]
) -> pl.DataFrame:
    """Which entry or rule speaks for a supplier.

    A name is looked up in canonical form (in full, by its first words, as a name cut off by the
    publisher), then by its trading name, then without what a wrapped row above left, then as a
    near misspelling; at last the words in it are tried. A hotel stays a hotel even where the name
    of an IT supplier stands before it.

    Args:
        values: distinct supplier names as published, null allowed.
        rules: the supplier dictionary.
        word_rules: text rules on the canonical form (`pass: supplier_words`).

    Returns:
        Frame in the order of the values: said (a row of `supplier_table`), supplier_canonical.
    """
    forms = pl.DataFrame(
        {"value": values, "form": canonical_supplier(values), "trading": trading_name(values)}
    )
    open_names, full_names = _names(rules)
    entries = pl.Series("entry", _lookup(forms, open_names, full_names), dtype=pl.UInt32)
    known = forms.with_columns(entries)
    unknown = known.filter(pl.col("entry").is_null() & (pl.col("form") != ""))
    if unknown.height:
        near = unknown.select(
            "value", entry=_near_misspellings(unknown["form"], open_names).alias("entry")
        ).drop_nulls()
        known = known.update(near, on="value", how="left", maintain_order="left")
    names = pl.Series([rule.name for rule in rules], dtype=pl.String)
    refused = [i for i, rule in enumerate(word_rules) if rule.effect == "not_digital"]
    word = first_match(known["form"], word_rules)
    return known.select(
        said=pl.when(pl.col("entry").is_null() | word.is_in(refused))
        .then(len(rules) + word.fill_null(len(word_rules)))
        .otherwise("entry")
        .cast(pl.UInt32),
        supplier_canonical=pl.coalesce(
            names.gather(known["entry"]) if rules else pl.lit(None, pl.String), "form"
        ),
    )


def supplier_evidence(
    values: pl.Series, rules: Sequence[SupplierRule], word_rules: Sequence[TextRule]
) -> pl.DataFrame:
    """Evidence of the supplier column: `supplier_rules` with the words of `supplier_table`.

    Returns:
        Frame: value, supplier_canonical, rule_id, effect (a `SupplierKind`, or `none`), category,
        specific, rule_confidence.
    """
    found = supplier_rules(values, rules, word_rules)
    said = supplier_table(rules, word_rules)[found["said"]]
    return pl.concat(
        [pl.DataFrame({"value": values}), found.select("supplier_canonical"), said],
        how="horizontal",
    )
