"""Whether rules do what whoever wrote them believes: each is tried on its own examples.

A rule that can never speak, or that speaks always, moves figures or does nothing, both in silence. So a
rule book in which one does is refused when its files are read.

Belongs here: what a rule must prove. Does not belong here: reading files (``rule_files``), or whether rules
are right about real payments (``evaluate``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import get_args

import polars as pl

from pipeline.classify.engine import classify
from pipeline.classify.evidence import first_match
from pipeline.classify.rulebook import Effect, Pass, RuleBook, Ruling, SupplierKind, TextRule
from pipeline.classify.suppliers import supplier_evidence
from pipeline.classify.text import canonical_supplier, normal_label

#: A repeat of what holds a repeat: on some texts it would be tried for hours.
_NESTED = re.compile(
    r"\((?:[^()\\]|\\.)*(?<!\\)[+*](?:[^()\\]|\\.)*\)(?:[+*]|\{\d+,)"  # ([A-Z]+ ?)+
)
_LABELS = ("expense_type", "expense_area", "description")
Fault = tuple[str, str]


def faults(book: RuleBook) -> Iterator[Fault]:
    """What is wrong with a rule book: id of the rule, and a sentence that says what to do.

    Args:
        book: rules that are well formed.
    """
    for column, rules in book.text.items():
        wrong = list(_unfit(column, rules))
        yield from wrong
        if not wrong:
            yield from _unheard(column, rules)
    yield from _suppliers(book)
    yield from _rulings(book)


def _form(texts: Sequence[str], column: Pass) -> pl.Series:
    values = pl.Series("text", texts, dtype=pl.String)
    if column == "supplier_words":
        return canonical_supplier(values)
    return values.to_frame().select(normal_label(pl.col("text"))).to_series()


def _unfit(column: Pass, rules: Sequence[TextRule]) -> Iterator[Fault]:
    """Rules that say nothing, or whose pattern does not do what its examples say."""
    examples = _form([rule.example for rule in rules], column)
    counters = _form([rule.counter_example for rule in rules], column)
    what = "nature" if column == "nature" else "effect"
    for rule, yes, no in zip(rules, examples, counters, strict=True):
        if getattr(rule, what) is None:
            yield rule.id, f"a rule of the pass {column!r} needs {what!r}"
            continue
        if rule.nature and what != "nature":
            yield (
                rule.id,
                f"'nature' has no effect in the pass {column!r}; use the pass 'nature'",
            )
            continue
        if _NESTED.search(rule.pattern):
            said = (
                "repeats a group that itself holds + or *, which may take hours; write it without"
            )
            yield rule.id, f"the pattern {rule.pattern!r} {said}"
            continue
        try:
            found = pl.Series([yes, no]).str.contains(rule.pattern).to_list()
        except pl.exceptions.PolarsError:
            said = "is none of Rust's, which has no look-ahead, no \\1 and a limit on its size"
            yield rule.id, f"the pattern {rule.pattern!r} {said}"
            continue
        if found != [bool(re.search(rule.pattern, text)) for text in (yes, no)]:
            yield rule.id, f"the pattern {rule.pattern!r} means different things to two libraries"
        elif not found[0]:
            yield rule.id, f"its pattern does not match its example, which is searched as {yes!r}"
        elif found[1]:
            yield rule.id, f"its pattern matches its counter-example, which is searched as {no!r}"


def _unheard(column: Pass, rules: Sequence[TextRule]) -> Iterator[Fault]:
    """Rules whose own example an earlier rule decides."""
    decided = first_match(_form([rule.example for rule in rules], column), rules)
    for number, (rule, found) in enumerate(zip(rules, decided, strict=True)):
        if found != number:
            before = rules[found].id if found is not None else None
            yield (
                rule.id,
                f"{before!r} stands before it and decides its example; put it before that",
            )


def _suppliers(book: RuleBook) -> Iterator[Fault]:
    """Entries of the dictionary that no supplier is found by, or more than meant."""
    rules = book.suppliers
    names = [(rule.id, name) for rule in rules for name in rule.names]
    canonical = canonical_supplier(pl.Series("name", [name for _, name in names], dtype=pl.String))
    first: dict[str, str] = {}
    wrong = False
    for (rule_id, name), form in zip(names, canonical, strict=True):
        if name != form or not name:
            wrong = True
            yield (
                rule_id,
                f"the name {name!r} is never found; names are written like {form or 'ZORB'!r}",
            )
        elif name in first:
            wrong = True
            yield rule_id, f"the name {name!r} also stands in {first[name]!r}, which is found first"
        first.setdefault(name, rule_id)
    if wrong or not rules:
        return
    said = [
        supplier_evidence(pl.Series(texts, dtype=pl.String), rules, ())["rule_id"].to_list()
        for texts in ([r.example for r in rules], [r.counter_example for r in rules])
    ]
    for rule, yes, no in zip(rules, *said, strict=True):
        if yes != rule.id:
            yield rule.id, f"its example is not found by it (found: {yes!r}); see its names"
        elif no == rule.id:
            yield rule.id, "its counter-example is found by it; see its names"


def _rulings(book: RuleBook) -> Iterator[Fault]:
    """Rulings that can never hold, and a book that leaves lines without one."""
    rulings = book.rulings
    if not rulings or any(_conditions(rulings[-1])):
        yield (
            rulings[-1].id if rulings else "rulings",
            "the last ruling must hold for every line: give it no conditions",
        )
        return
    effects = set(get_args(Effect))
    unknown = [
        (ruling.id, f"no rule has the effect {word!r}, which it asks of {column}")
        for ruling in rulings
        for column in (*_LABELS, "supplier")
        for word in getattr(ruling, column)
        if word not in effects | (set(get_args(SupplierKind)) if column == "supplier" else set())
    ]
    yield from unknown
    if unknown:
        return
    decided = [_decided(book, [getattr(r, kind) for r in rulings]) for kind in _EXAMPLES]
    for ruling, yes, no in zip(rulings, *decided, strict=True):
        if yes != ruling.id:
            yield ruling.id, f"its example is decided by {yes!r}"
        elif no == ruling.id:
            yield ruling.id, "its counter-example is decided by it, too"


_EXAMPLES = ("example", "counter_example")


def _conditions(ruling: Ruling) -> tuple[tuple[str, ...], ...]:
    return tuple(getattr(ruling, column) for column in (*_LABELS, "supplier"))


def _decided(book: RuleBook, lines: Sequence[object]) -> list[str]:
    schema = dict.fromkeys((*_LABELS, "supplier"), pl.String)
    frame = pl.DataFrame([asdict(line) for line in lines], schema=schema)  # type: ignore[call-overload]
    return [rule_id.partition(":")[0] for rule_id in classify(frame, rules=book)["rule_id"]]
