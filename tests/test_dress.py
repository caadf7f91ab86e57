"""What stands around a date or an amount is taken off as the patterns say, one after the other."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.ingest.tabular.dress import AMOUNTS, DATES, Dress, undress

WORDS = (
    *("bacs", "w/e", "week ending ", "paid on ", "cr", "DR", "inc vat", "pounds", "p", "(", ")", "[", "]"),
    *("13/04/2023", "26,500.00", "1", "04", "2023", "mar", "*", "\u2010", "\u2212", "\u00b2", '"', "=", "#"),
    *(" ", "-", "/", "//", ",", ".", ":", "10:30", "12:30 pm", "£", "ú", "INV", "Ltd"),
)  # fmt: skip
cells = st.lists(st.sampled_from(WORDS), max_size=6).map("".join) | st.text(max_size=20)


def one_after_the_other(cell: str, dress: Dress) -> str:
    """The slow way: every pattern is tried on every cell."""
    text = cell.lower()
    for pattern, by in dress:
        python = re.sub(r"\\x\{(\w+)\}", r"\\u\1", pattern)
        text = re.sub(python, re.sub(r"\$(\d)", r"\\\1", by), text)
    return text


@pytest.mark.parametrize("dress", [DATES, AMOUNTS], ids=["dates", "amounts"])
@given(cell=cells)
@example(cell="BACS 13/04/2023")
@example(cell="CR27,500.25")
@example(cell="26,500.00*")
@example(cell="(w/e 07/04/2023),")
def test_a_cell_is_undressed_as_if_every_pattern_were_tried(dress: Dress, cell: str) -> None:
    assert undress(cell, dress) == one_after_the_other(cell, dress)


def test_what_stands_around_a_date_or_an_amount_goes() -> None:
    assert undress("BACS 13/04/2023", DATES) == "13/04/2023"
    assert undress("CR27,500.25", AMOUNTS) == "27,500.25cr"
    assert undress("INV0012345", AMOUNTS) == "inv0012345"
