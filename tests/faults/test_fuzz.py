"""Some mutated inputs at every run of the tests, and those that once broke something for ever.

``make faults`` tries 20,000 of them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from fuzz import read_one, run
from mutated import mutated

#: (seed, number): what it did before it was mended.
KEPT = {
    (3, 130): "an xls whose directory points outside: a panic of the library ended the whole run",
    (3, 210): "an xls of odd records: another panic of the library",
    (3, 474): "the same with other numbers",
    (1, 557): "a page with an odd declaration: an error of the parser outside all walls",
    (1, 1270): "a date in YAML that is none: an error of the loader outside all walls",
    (1, 1287): "a landing page with an odd declaration",
    (1, 3555): "an ods in an encoding nobody knows",
    (1, 13891): "an ods of a zip version of the future",
    (
        1,
        14457,
    ): "a workbook with one sheet listed eight times: its payments were lost as copies of itself",
    (1, 7722): "an xls that the library never finished opening",
    (1, 16938): "another one",
    (1, 6300): "a sheet of two tables, one a copy, one not understood: 80 rejected rows were lost",
    (1, 15669): "a web page with a row of 3,953 cells: 45 seconds and 3.7 GB",
    (1, 17594): "an xls whose sectors run in a circle",
}


@pytest.mark.parametrize("place", KEPT)
def test_what_once_broke_something_gets_an_answer_or_a_reason(place: tuple[int, int]) -> None:
    said = read_one(*mutated(*place))
    assert said == "answer" or said.startswith("refused: ")


def test_a_panic_of_a_library_is_a_refusal() -> None:
    from pipeline.ingest.tabular.panics import LibraryPanicError, panics_are_errors

    class PanicException(BaseException):
        """What the bindings of Rust libraries raise."""

    with pytest.raises(LibraryPanicError, match="out of range"), panics_are_errors():
        raise PanicException("index out of range")
    with pytest.raises(KeyboardInterrupt), panics_are_errors():
        raise KeyboardInterrupt


def test_mutated_inputs_get_an_answer_or_a_reason() -> None:
    told = run(count=240, seed=20)
    assert told["bad"] == []
    assert told["answers"] > 40
    assert told["refusals"] > 40
    assert len(told["by_kind"]) == 8


def test_an_input_is_the_same_bytes_each_time() -> None:
    assert mutated(5, 17) == mutated(5, 17)
    assert mutated(5, 17) != mutated(6, 17)
