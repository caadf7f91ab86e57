"""One is never "1 rows": what a person reads at the end of a refresh and beside a check."""

from __future__ import annotations

from types import SimpleNamespace

from pipeline.cli.refresh import _tell
from pipeline.ingest.report import FileReport, SheetReport
from pipeline.plain_text import plural
from pipeline.quality.engine import outcome


def test_one_takes_the_singular_and_every_other_number_the_plural():
    assert [plural(n, "row") for n in (0, 1, 2, 1204)] == [
        "0 rows",
        "1 row",
        "2 rows",
        "1,204 rows",
    ]
    assert plural(1, "entry", "entries") == "1 entry"


def test_the_ending_of_a_refresh_with_one_of_everything(capsys, tmp_path):
    summary = SimpleNamespace(
        inbox=["one"], set_aside={}, partly_read={"a.csv": "1 row set aside"}, overlaps=["two"],
        doubtful=["c.csv: four"], not_used={"d.csv": "five"},
        warnings=["three"], is_demo=False, published=True, tables={"a": 1, "b": 2}, checks_passed=3,
        checks=4, rows_rejected=1, seconds=1.0, index=tmp_path / "index.html", gone={"b.csv": 1},
        figures_gone=["Z0A 2020/21 (D1)"], idle_corrections=["e.csv: six"],
    )  # fmt: skip
    _tell(summary)  # pyright: ignore[reportArgumentType]
    said = capsys.readouterr().out
    for sentence in (
        "Inbox (1 file):",
        "Read in part (1 file):",
        "(1 file):",
        "(1 check not blocking)",
        "No longer here (1 file):",
        "b.csv: 1 row",
        "In doubt (1 file):",
        "c.csv: four",
        "Not used (1 file):",
        "d.csv: five",
        "Without effect (1 correction):",
        "e.csv: six",
    ):
        assert sentence in said
    assert "1 row set aside, 1.0 s" in said
    for wrong in ("1 rows", "1 files", "1 checks"):
        assert wrong not in said


def test_a_check_says_one_row_breaks_it():
    check = SimpleNamespace(suite="s", check_name="c", sentence="t", severity="warning")
    told = [
        outcome(check, n, of).observed for n, of in ((1, None), (2, None), (1, 3), (2, 3), (0, 1))
    ]  # pyright: ignore[reportArgumentType]
    assert told == [
        "1 row breaks it", "2 rows break it", "1 of 3 rows breaks it", "2 of 3 rows break it", "1 row",
    ]  # fmt: skip


def test_most_often_is_said_only_where_one_reason_leads():
    def told(*sheets: dict[str, int]) -> str:
        report = FileReport("a.csv", "x", 1, "spend_over_25k")
        report.sheets = [SheetReport("", "csv", rejected=r) for r in sheets]
        return report.why_in_part()

    assert told({"no amount": 1}) == "1 row set aside: no amount"
    assert told({"no amount": 1, "no date": 1}) == "2 rows set aside; among others: no date"
    # One sheet's most is not the file's most.
    assert told({"a": 3, "b": 2}, {"b": 2}) == "7 rows set aside; most often: b"
