"""The questions that a refresh ends with go to the publication that it made."""

from __future__ import annotations

import shlex
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from pipeline.cli.refresh import REJECTED_ROWS, _tell
from pipeline.refresh.summary import Summary, first_of, tell_files


@pytest.mark.parametrize("out", ("elsewhere", "Über uns – it's here", None))
def test_the_question_about_rows_set_aside_names_the_place_of_the_results(
    out: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    place = None if out is None else Path(out)
    folder = Path(out or "data/marts")
    summary = Summary("b", published=True, out=folder, is_demo=False, rows_rejected=1)
    _tell(summary, place)
    told = [line for line in capsys.readouterr().out.splitlines() if "Every row" in line]
    words = shlex.split(told[0].split(": ", 1)[1])
    assert words == ["fivepercent", "query", *(["--out", out] if out else []), REJECTED_ROWS]


def told_of(*files: tuple[str, str, str | None, str | None]) -> Summary:
    """What the ending knows of files, given as path, status, reason and warnings."""
    names = ["path", "status", "reason", "warnings"]
    frame = pl.DataFrame(files, schema=dict.fromkeys(names, pl.String), orient="row")
    frame = frame.with_columns(rows_rejected=0)
    run = SimpleNamespace(store=SimpleNamespace(read=lambda _: frame, rows=lambda _: 0))
    summary = Summary("b", published=True, out=Path(), is_demo=False)
    tell_files(run, summary)  # pyright: ignore[reportArgumentType]
    return summary


def test_a_file_of_which_nothing_is_used_is_named_and_an_explanation_is_not() -> None:
    summary = told_of(
        ("workforce/Core 14.csv", "not data", "a layout that is not used", None),
        ("provider_accounts/i.xlsx", "not data", "an illustrative workbook: it explains", None),
    )
    assert summary.not_used == {"workforce/Core 14.csv": "a layout that is not used"}


@pytest.mark.parametrize(
    "warning",
    (
        "No payment reaches 25,000 pounds: this is no list of such payments, or its amounts are in thousands.",
        "Every amount is 2,500,000 pounds or more: its amounts may be in pence.",
        "3 amounts such as 2.74E+05 may have been rounded by a spreadsheet program; they were read.",
        "4 payments of August 2022 in a file of August 2023: a year may be mistyped; the dates were believed.",
        "2 rows differ from the rows about the same in a.xlsx, which is taken for the later file.",
    ),
)
def test_a_file_of_which_figures_may_be_wrong_is_named(warning: str) -> None:
    summary = told_of(("a.csv", "read", None, warning), ("b.csv", "read", None, "Dates by month."))
    assert summary.doubtful == [f"a.csv: {warning}"]


@pytest.mark.parametrize(
    "sample, words",
    [
        ('[{"source_file": "spend/RJ1/a.csv", "lines": 40, "repeated": 20}]', "spend/RJ1/a.csv"),
        ('[{"organisation_code": "RCU", "financial_year": "2017/18"}, {}]', "RCU, 2017/18"),
        ('[{"organisation_code": "R1", "organisation_name": "Dorset"}]', "Dorset"),
    ],
)
def test_a_check_that_failed_names_where_to_look_first(sample: str, words: str) -> None:
    assert first_of(sample) == f" First: {words}."


@pytest.mark.parametrize("sample", (None, "[]", '[{"lines": 3}]'))
def test_a_check_whose_rows_name_nothing_ends_with_its_sentence(sample: str | None) -> None:
    assert first_of(sample) == ""
