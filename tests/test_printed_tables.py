"""Tables that commands print for a person: no figure loses digits that matter."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pipeline.cli.common import print_table


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (21_963_605.56, "21,963,605.56"),
        (-1_234.5, "-1,234.50"),
        (0.0123456789, "0.0123457"),
        (Decimal("12345678.90"), "12,345,678.90"),
        (2020, "2020"),
        (None, ""),
    ],
)
def test_pounds_are_told_to_the_penny_and_shares_to_six_digits(value, told, capsys):
    print_table(["figure"], [[value]])
    cell = capsys.readouterr().out.splitlines()[3].strip("│ ")
    assert cell == told


def test_figures_of_every_kind_stand_to_the_right(capsys):
    print_table(["figure"], [[Decimal("1.00")], [Decimal("1000.00")]])
    first, second = capsys.readouterr().out.splitlines()[3:5]
    assert first.index("1.00") > second.index("1,000.00")


@pytest.mark.parametrize("columns", [["figure"], [f"column_{i}" for i in range(40)]])
def test_an_answer_without_rows_says_so_however_many_columns_it_has(columns, capsys):
    print_table(columns, [])
    assert capsys.readouterr().out == f"No rows. Columns: {', '.join(columns)}.\n"
