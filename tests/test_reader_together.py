"""What is looked at in many sheets or cells together gives what each would have given alone."""

from __future__ import annotations

import polars as pl
from hostile_files import csv, xls, xlsx
from ingest_files import workbook

from pipeline.ingest.payments.publisher_rows import entities_of
from pipeline.ingest.spend.cells import TEXTS
from pipeline.ingest.spend.rows import _UNTIDY, _is_untidy, _tidy
from pipeline.ingest.tabular import Grid, Limits, UnreadableFileError, read_grids, read_many
from pipeline.ingest.tabular.repeated import cells_that, is_blank
from pipeline.ingest.tabular.sheets import HIDDEN, HIDDEN_CHARACTERS, number_plain

HEADER = ("Date", "Supplier", "Amount")
ROW = ("13/04/2020", "Larkspur Ltd", "30000.50")
EVERY_CHARACTER = pl.Series([chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000])


def read_or_why_not(data: bytes, limits: Limits) -> list[Grid] | str:
    try:
        return read_grids(data, limits=limits)
    except UnreadableFileError as error:
        return str(error)


def test_workbooks_read_together_are_what_each_is_alone():
    hidden = ("14/04/2020", "Lark\u202espur Ltd", "1.00")
    long = ("15/04/2020", "x" * 300, "2.00")
    books = [
        workbook({"A": [HEADER, ROW], "B": [HEADER, ROW, ROW]}, hidden=["B"]),
        workbook({"blank rows": [HEADER, *[(None, " ", None)] * 6, ROW, (None, None, None), ROW]}),
        workbook({"hidden signs": [HEADER, hidden, ROW], "plain": [HEADER, ROW]}),
        workbook({"wide": [(*HEADER, "Note"), (*ROW, "")], "empty": []}),
        workbook({"first": [HEADER, ROW], "long cell": [HEADER, long]}),
        xlsx(),
        xls(),
        csv(),
        b"PK\x03\x04 damaged",
    ]
    limits = Limits(max_cell_characters=200)
    together = read_many([lambda data=data: data for data in books], limits=limits)
    for data, found in zip(books, together, strict=True):
        alone = read_or_why_not(data, limits)
        if isinstance(alone, str) or isinstance(found, Exception):
            assert str(found) == alone
            continue
        for one, other in zip(found, alone, strict=True):
            assert one.frame.equals(other.frame, null_equal=True)
            assert one.frame.schema == other.frame.schema
            assert (one.sheet, one.visible, one.container) == (
                other.sheet,
                other.visible,
                other.container,
            )
    assert isinstance(together[2], list)
    assert together[2][0].frame["c1"].to_list() == ["Supplier", "Larkspur Ltd", "Larkspur Ltd"]
    assert isinstance(together[1], list)
    assert together[1][0].frame["row"].to_list() == [1, 8, 10]
    assert "300 characters" in str(together[4])


def test_what_is_odd_is_found_among_texts_that_come_again_and_again():
    texts = ["Larkspur Ltd", None, "Foxglove plc", "Teasel & Co"] * 1_000
    odd, blank = [*texts], [*texts]
    odd[3_500], blank[3_500] = "Lark\u202espur Ltd", " \t"
    cells = ["1.00"] * len(texts)
    frames = [pl.DataFrame({"c0": some, "c1": cells}) for some in (texts, odd, blank)]
    plain, hiding, with_blank = number_plain(frames, 100)
    assert hiding is None
    assert plain is not None
    assert plain["row"].to_list() == list(range(1, 4_001))
    assert with_blank is not None
    alone = pl.DataFrame({"c0": blank, "c1": [None, *cells[1:3_500], None, *cells[3_501:]]})
    (numbered,) = number_plain([alone], 100)
    assert numbered is not None
    assert sorted(set(range(1, 4_001)) - set(numbered["row"])) == [3_501]
    found = cells_that(pl.Series(blank), is_blank)
    assert found is not None
    assert found.arg_true().to_list() == [3_500]
    assert cells_that(pl.Series(texts), is_blank) is None


def test_texts_that_come_again_are_tidied_as_each_is_alone():
    untidy = ["Ward  7", "Ward 7 ", "#N/A", '="0012"', "B&amp;Q", None, "", "Ward 7", "Drugs"]
    rows = pl.DataFrame(dict.fromkeys(TEXTS, untidy * 300))
    tidy = ["Ward 7", "Ward 7", None, "0012", "B&Q", None, None, "Ward 7", "Drugs"]
    each = rows.head(len(untidy))  # too few to come again
    for some, times in ((rows, 300), (each, 1)):
        found = _tidy(some)
        assert all(found[name].to_list() == tidy * times for name in TEXTS)


def test_a_sheet_beyond_the_rows_allowed_is_refused_among_others():
    books = [workbook({"S": [HEADER, *[ROW] * n]}) for n in (2, 9, 2)]
    found = read_many([lambda data=data: data for data in books], limits=Limits(max_rows=5))
    assert [isinstance(f, Exception) for f in found] == [False, True, False]


def test_the_hidden_characters_are_those_of_the_pattern():
    found = EVERY_CHARACTER.str.contains(HIDDEN)
    assert found.equals(EVERY_CHARACTER.str.contains_any(HIDDEN_CHARACTERS))
    assert found.sum() == len(HIDDEN_CHARACTERS) == 73


def test_untidy_texts_are_those_of_the_pattern():
    inside = pl.concat(
        [
            EVERY_CHARACTER,
            "a" + EVERY_CHARACTER,
            EVERY_CHARACTER + "a",
            "a " + EVERY_CHARACTER + "b",
        ]
    )
    odd = pl.Series(["", None, '="0012"', "#N/A", "#REF!", "B&amp;Q", "a  b", "a b", "#12"])
    texts = pl.concat([inside, odd])
    expected = texts.str.contains(_UNTIDY) | (texts == "")
    assert _is_untidy(texts).equals(expected, null_equal=True)


def test_entities_counted_by_stretches_are_those_counted_line_by_line():
    lines = pl.DataFrame(
        {
            "source_file": ["b"] * 5 + ["a"] * 6 + ["c"] * 2,
            "entity": ["Y", "Y", None, "X", "X", "X", "Z", "X", "Z", "Z", "Z", None, None],
        },
        schema={"source_file": pl.String, "entity": pl.String},
    )
    for some in (lines, lines.head(1), lines.clear(), lines.tail(2)):
        counted = some.group_by("source_file", "entity").agg(n=pl.len().cast(pl.Int64))
        in_order = counted.sort("source_file", "n", "entity", descending=[False, True, False])
        found = entities_of(some).with_columns(pl.col("n").cast(pl.Int64))
        assert found.equals(in_order, null_equal=True)
    assert entities_of(lines).rows()[:3] == [("a", "Z", 4), ("a", "X", 2), ("b", "X", 2)]
