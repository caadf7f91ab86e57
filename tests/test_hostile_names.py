"""Names of files that steer a terminal, hide text, read alike, or are no files at all."""

from __future__ import annotations

import io
import os
import threading
import zipfile
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.cli.common import json_text
from pipeline.ingest.files import list_raw_files
from pipeline.ingest.tabular import read_grids
from pipeline.plain_text import written_out
from pipeline.refresh.context import Run
from pipeline.refresh.inbox import sort_inbox
from pipeline.settings import Settings

STEERING = "\x1b]0;PWNED\x07\x1b[31m\x9b31m\u202e\u2066\u200b"
ROWS = "Date,Supplier,Expense Type,Amount\n" + "13/03/2022,A Ltd,Software,30000.00\n" * 9


def _steers(text: str) -> bool:
    return any(
        sign in text for sign in set(STEERING) if not (sign.isascii() and sign.isprintable())
    )


def test_signs_that_steer_are_written_out_and_all_others_stay() -> None:
    assert written_out("a\x1b[31mb\u202ec") == "a\\x1b[31mb\\u202ec"
    for harmless in ("Guy's and St Thomas'", "Ysbyty Môn – £5", "病院", "", "a b\u00a0c"):
        assert written_out(harmless) == harmless
    assert written_out("a\tb\nc", breaks=True) == "a\tb\nc"
    assert written_out("a\tb\nc") == "a\\x09b\\x0ac"


def test_json_for_a_terminal_holds_no_such_sign_and_says_the_same() -> None:
    import json

    body = {"path": f"é{STEERING}", "plain": "Môn – £5"}
    text = json_text(body)
    assert json.loads(text) == body
    assert not _steers(text)
    assert "Môn – £5" in text


def test_two_names_that_read_the_same_are_two_files(tmp_path: Path) -> None:
    """They were one path with two rows, which stopped every refresh."""
    folder = tmp_path / "spend_over_25k" / "RJ1"
    folder.mkdir(parents=True)
    (folder / os.fsdecode(b"caf\xe9.csv")).write_text("a,1\n")
    (folder / "café.csv").write_text("b,2\n")
    (folder / "x\x1b.csv").write_text("c,3\n")
    (folder / "x\\x1b.csv").write_text("d,4\n")
    (folder / "no ending\u202e").write_text("e,5\n")
    found = list_raw_files(tmp_path)
    assert len({f.path for f in found}) == len({f.sha256 for f in found}) == 5
    assert {f.path.rsplit("/", 1)[1] for f in found} == {
        "café.csv", "café (2).csv", "x\\x1b.csv", "x\\x1b (2).csv", "no ending\\u202e",
    }  # fmt: skip


def test_names_in_a_zip_and_of_sheets_are_written_out() -> None:
    book = openpyxl.Workbook()
    book.active.title = "Mar\u202e\u2066"  # type: ignore[union-attr]
    for row in ROWS.splitlines():
        book.active.append(row.split(","))  # type: ignore[union-attr]
    made = io.BytesIO()
    book.save(made)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"a{STEERING}.csv", ROWS)
    for data in (made.getvalue(), packed.getvalue()):
        (grid,) = read_grids(data)
        assert grid.sheet
        assert not _steers(grid.sheet)


def test_what_the_commands_print_of_a_name_does_not_steer(tmp_path: Path) -> None:
    path = tmp_path / f"a{STEERING}.csv"
    path.write_text("x\n")
    for more in ([], ["--json"]):
        told = CliRunner().invoke(app, ["inspect", str(path), *more])
        assert told.exit_code == 1, "one letter is no table"
        assert "PWNED" in told.output
        assert not _steers(told.output)
    missing = CliRunner().invoke(app, ["inspect", str(path) + "x"])
    assert missing.exit_code == 2
    assert not _steers(missing.output)


@pytest.mark.parametrize("where", ["inbox", "inbox/RJ1", "spend_over_25k/RJ1"])
def test_a_pipe_that_nobody_writes_to_holds_nobody_up(tmp_path: Path, where: str) -> None:
    raw = tmp_path / "raw"
    (raw / where).mkdir(parents=True)
    os.mkfifo(raw / where / "March 2022.csv")
    said: list[object] = []

    def look() -> None:
        run = Run(Settings(raw=raw, out=tmp_path / "out"))
        said.extend([sort_inbox(run), list_raw_files(raw)])

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    looking.join(60)
    assert not looking.is_alive()
    outcomes, files = said
    assert files == []
    if where.startswith("inbox"):
        (outcome,) = outcomes  # type: ignore[misc]
        assert outcome.stays
        assert "no ordinary file" in outcome.reason
