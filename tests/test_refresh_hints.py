"""The questions that a refresh ends with go to the publication that it made."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from pipeline.cli.refresh import REJECTED_ROWS, _tell
from pipeline.refresh.summary import Summary


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
