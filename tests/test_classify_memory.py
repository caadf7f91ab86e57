"""Texts are asked about once, and what is remembered is what asking again would give."""

from collections.abc import Callable
from dataclasses import replace

import polars as pl

from pipeline.classify import classify, default_rules
from pipeline.classify.memory import Memory, in_rows, texts_in_runs, texts_of


def _ask(asked: list[list[str | None]]) -> Callable[[pl.Series], pl.DataFrame]:
    def ask(texts: pl.Series) -> pl.DataFrame:
        asked.append(texts.to_list())
        return pl.DataFrame({"n": [len(t or "") for t in texts]}, schema={"n": pl.UInt32})

    return ask


def test_a_text_is_asked_about_once_and_missing_ones_are_texts_too():
    asked: list[list[str | None]] = []
    memory = Memory(_ask(asked))
    first = memory.about(pl.Series(["ab", None, "c"], dtype=pl.String))
    again = memory.about(pl.Series([None, "defg", "ab"], dtype=pl.String))
    assert first.rows() == [("ab", 2), (None, 0), ("c", 1)]
    assert again.rows() == [(None, 0), ("defg", 4), ("ab", 2)]
    assert asked == [["ab", None, "c"], ["defg"]]


def test_a_full_memory_keeps_the_present_texts_only():
    asked: list[list[str | None]] = []
    memory = Memory(_ask(asked), most=3)
    memory.about(pl.Series(["a", "b", "c"]))
    memory.about(pl.Series(["c", "d"]))
    assert memory.about(pl.Series(["d", "a"])).rows() == [("d", 1), ("a", 1)]
    assert asked == [["a", "b", "c"], ["d"], ["a"]]


def test_places_of_texts_in_rows():
    column = pl.Series(["b", None, "a", "b"])
    distinct = pl.Series(["a", "b", None])
    assert in_rows(column, distinct).to_list() == [1, 2, 0, 1]
    empty = pl.Series([], dtype=pl.String)
    assert in_rows(empty, empty).to_list() == []


def test_the_same_texts_of_one_batch_are_looked_up_once():
    memory = Memory(_ask([]))
    texts, others = pl.Series(["a", "b"]), pl.Series(["c"])
    found = memory.about(texts)
    memory.about(others)
    assert memory.about(texts) is found
    assert memory.about(pl.Series(["a", "b"])).equals(found)


def test_texts_that_follow_one_another_are_taken_apart_as_any_others():
    for texts in (["b", "b", None, "a", "a", "b"], [], [None, None], ["a"]):
        column = pl.Series("path", texts, dtype=pl.String)
        runs, cells = texts_in_runs(column), texts_of(column)
        assert runs.distinct.equals(cells.distinct, null_equal=True)
        assert runs.places.equals(cells.places)


def test_what_is_remembered_is_what_a_fresh_rule_book_says():
    texts = {
        "expense_type": ["Computer Maintenance", "Drugs", None, "Drugs", "IT\nDrugs"],
        "expense_area": [None, "Radiology", "Ward 7", "Capital Projects", None],
        "supplier": ["Softcat plc", "BT plc", "Nobody Ltd", "softcat  PLC", ""],
        "description": [None, "as it was", "IT support", None, None],
    }
    lines = pl.DataFrame(texts)
    classify(lines.reverse())  # now everything is remembered
    fresh = replace(default_rules())
    assert classify(lines).equals(classify(lines, rules=fresh))
    alone = pl.concat([classify(lines[i], rules=fresh) for i in range(lines.height)])
    assert classify(lines).equals(alone)
    assert classify(lines.clear()).height == 0
