"""Files made to do harm are refused with a reason, within bounded memory, or lose their sting."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import hostile_files as hostile
import pytest

from pipeline.ingest.files import list_raw_files
from pipeline.ingest.spend.reader import SpendInput, read_spend
from pipeline.ingest.tabular import Limits, UnreadableFileError, read_grids

MEMORY_MB = 400
ZERO_CSV = ",".join(hostile.HEADER).encode() + b"\n" + b"0" * (40 << 20)
ENTITIES = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
CELL = '<table:table-cell office:value-type="string" {}><text:p>x</text:p></table:table-cell>'


def zipped(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def declared(book: bytes, member: str, text: str) -> bytes:
    """A workbook with a document type before the root of one part."""
    return hostile.rewritten(
        book,
        lambda name, data: (
            data.replace(b"?>", b"?>" + text.encode(), 1) if name == member else data
        ),
    )


def xml_sheet(before: str) -> bytes:
    return (
        f'<?xml version="1.0"?>{before}<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">'
        "<Worksheet><Table/></Worksheet></Workbook>"
    ).encode()


def sheet_of_zeros() -> bytes:
    cell = (
        b"<row r='1'><c r='A1' t='inlineStr'><is><t>" + b"0" * (300 << 20) + b"</t></is></c></row>"
    )
    return b"<worksheet><sheetData>" + cell + b"</sheetData></worksheet>"


# What it is -> how it is made, and what the refusal must say.
REFUSED = {
    "zip bomb that says its size": (
        lambda: zipped(("a.csv", b"0" * (400 << 20))),
        "times its size",
    ),
    "zip bomb that lies": (
        lambda: hostile.lying(zipped(("b.txt", b"")), "a.csv", b"0" * (400 << 20), 100),
        "larger than the archive says",
    ),
    "xlsx bomb that says its size": (
        lambda: hostile.rewritten(
            hostile.xlsx(), lambda n, d: sheet_of_zeros() if n.endswith("sheet1.xml") else d
        ),
        "times its size",
    ),
    "xlsx bomb that lies": (
        lambda: hostile.lying(hostile.xlsx(), "xl/worksheets/sheet1.xml", sheet_of_zeros(), 900),
        "larger than the archive says",
    ),
    "xlsx bomb in a part nobody reads": (
        lambda: hostile.lying(hostile.xlsx(), "xl/sharedStrings.xml", b"0" * (400 << 20), 9),
        "larger than the archive says",
    ),
    "zip of very many files": (
        lambda: zipped(*((f"{i}.csv", b"a,b") for i in range(20_000))),
        "files; the limit is 10,000",
    ),
    "zip of many files": (
        lambda: zipped(*((f"{i}.csv", b"a,b") for i in range(300))),
        "files; the limit is 200",
    ),
    "zip in a zip": (
        lambda: zipped(("inner.csv", zipped(("a.csv", hostile.csv())))),
        "a zip inside a zip",
    ),
    "row of a million columns": (lambda: hostile.csv() + b"," * 1_000_000 + b"\n", "fields"),
    "first row of a million columns": (lambda: b"," * 1_000_000 + b"\n" + hostile.csv(), "fields"),
    "wide row above many short ones": (
        lambda: b"a" + b"," * 9_000 + b"\n" + b"1,2\n" * 500_000,
        "more cells than the limit",
    ),
    "short rows above a wide one": (
        lambda: hostile.csv() + b"1,2,3,4,5\n" * 500_000 + b"," * 9_000 + b"\n",
        "more cells than the limit",
    ),
    "twenty million empty lines": (lambda: hostile.csv() + b"\n" * 20_000_000, "max_rows"),
    "huge cell": (
        lambda: hostile.csv([*hostile.ROWS, ("18/11/2022", "A" * 5_000_000, "IT", "IT", "1.00")]),
        "5,000,000 characters",
    ),
    "huge cell in a workbook": (
        lambda: hostile.rewritten(
            hostile.xlsx(),
            lambda n, d: re.sub(rb"Fictional Ash Ltd", b"A" * 200_000, d),
        ),
        "200,000 characters",
    ),
    "xls with a cell beyond Excel's own columns": (
        lambda: hostile.xls([(65_535, 60_000, "x")]),
        "stray cell",
    ),
    "ods that repeats a row a billion times": (
        lambda: hostile.ods(
            f'<table:table-row table:number-rows-repeated="1000000000">{CELL.format("")}'
            "</table:table-row>"
        ),
        "stray cell",
    ),
    "ods that repeats a cell a billion times": (
        lambda: hostile.ods(
            "<table:table-row>"
            + CELL.format('table:number-columns-repeated="1000000000"')
            + "</table:table-row>"
        ),
        "stray cell",
    ),
    "ods with a cell behind a billion empty ones": (
        lambda: hostile.ods(
            '<table:table-row><table:table-cell table:number-columns-repeated="900000000"/>'
            + CELL.format("")
            + "</table:table-row>"
        ),
        "stray cell",
    ),
    "ods with a cell below a billion empty rows": (
        lambda: hostile.ods(
            '<table:table-row table:number-rows-repeated="900000000"><table:table-cell/>'
            f"</table:table-row><table:table-row>{CELL.format('')}</table:table-row>"
        ),
        "stray cell",
    ),
    "xlsx with a stray cell, written oddly": (
        lambda: hostile.with_cell(b'<row r = "1048576"><c r = "XFD1048576"><v>1</v></c></row>'),
        "stray cell",
    ),
    "xlsx with a stray cell in small letters": (
        lambda: hostile.with_cell(b'<row r="1048576"><c r="xfd1048576"><v>1</v></c></row>'),
        "stray cell",
    ),
    "xlsx with entities in its sheet": (
        lambda: declared(hostile.xlsx(), "xl/worksheets/sheet1.xml", ENTITIES),
        "document type",
    ),
    "xlsx with an outside entity in its strings": (
        lambda: declared(hostile.xlsx(), "xl/sharedStrings.xml", OUTSIDE),
        "document type",
    ),
    "xlsx with an outside entity in its workbook": (
        lambda: declared(hostile.xlsx(), "xl/workbook.xml", OUTSIDE),
        "document type",
    ),
    "ods with entities": (lambda: hostile.ods(before=ENTITIES), "document type"),
    "ods with an outside entity": (lambda: hostile.ods(before=OUTSIDE), "document type"),
    "XML spreadsheet with entities": (lambda: xml_sheet(ENTITIES), "document type"),
    "XML spreadsheet with an outside entity": (lambda: xml_sheet(OUTSIDE), "document type"),
    "XML spreadsheet with a row far down": (
        lambda: (
            b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
            b'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet><Table>'
            b'<Row ss:Index="2000000000"><Cell><Data>x</Data></Cell></Row>'
            b"</Table></Worksheet></Workbook>"
        ),
        "more cells",
    ),
    "page with a row of a million cells": (
        lambda: b"<html><table><tr>" + b"<td>a</td>" * 1_000_000 + b"</tr></table></html>",
        "a row has more than",
    ),
    "page with a row of some thousand cells": (
        lambda: hostile.html().replace(b"</tr>", b"<td>a</td>" * 4_000 + b"</tr>", 2),
        "columns, more than 400",
    ),
    "page of a hundred megabytes": (lambda: b"<html>" + b"<tr>" * (25 << 20), "MB is not read"),
    "XML spreadsheet with a row of a hundred thousand cells": (
        lambda: hostile.xml().replace(b"</Row>", b"<Cell/>" * 100_000 + b"</Row>", 1),
        "a row has more than",
    ),
    "page of nested tables": (lambda: b"<html>" + b"<table><tr><td>" * 200_000, "web page"),
}

READ_ONE = """
import json, pathlib, resource, sys
from pipeline.ingest.tabular import UnreadableFileError, read_grids
read_grids(b"a,b\\n1,2\\n")
import fastexcel
data = pathlib.Path(sys.argv[1]).read_bytes()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    said = "read: %s" % [g.frame.shape for g in read_grids(data)]
except UnreadableFileError as error:
    said = "refused: %s" % error
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([said, (after - before) // 1024]))
"""


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_refused_with_a_reason_and_little_memory(what: str, tmp_path: Path) -> None:
    make, said = REFUSED[what]
    path = tmp_path / "file"
    path.write_bytes(make())
    ran = subprocess.run(
        [sys.executable, "-c", READ_ONE, str(path)], capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    answer, memory = json.loads(ran.stdout)
    assert answer.startswith("refused: ")
    assert said in answer
    assert memory < MEMORY_MB, f"{memory} MB for {what}"


@pytest.mark.parametrize("kind", ["csv", "xlsx", "ods", "xls", "html", "xml"])
def test_honest_files_of_each_kind_are_read(kind: str) -> None:
    (grid,) = read_grids(getattr(hostile, kind)())
    assert grid.frame.rows()[1][1:] == hostile.ROWS[0]
    assert grid.container == kind


def test_cells_far_to_the_right_are_read_and_their_rows_compared_in_pairs() -> None:
    """A chain of thousands of operations is planned in the square of its length: two minutes."""
    from pipeline.ingest.spend.cells import _fingerprint

    lines = [line + b"," * 9_900 + b"x" for line in hostile.csv().splitlines()]
    path, data = "spend_over_25k/RJ1/Nov 2022.csv", b"\n".join(lines)
    batch = read_spend([SpendInput(path, lambda: data, bytes=len(data))], threads=1)
    assert batch.lines.height == len(hostile.ROWS)
    depth = deepest = 0
    for sign in str(_fingerprint([f"c{i}" for i in range(500)])):
        depth += (sign in "([") - (sign in ")]")
        deepest = max(deepest, depth)
    assert deepest < 50


def test_an_ods_may_end_in_a_million_empty_rows_as_office_programs_write_it() -> None:
    one = f"<table:table-row>{CELL.format('') * 4}</table:table-row>"
    empty = '<table:table-cell table:number-columns-repeated="16384"/>'
    tail = f'<table:table-row table:number-rows-repeated="1048575">{empty}</table:table-row>'
    (grid,) = read_grids(hostile.ods(one * 3 + tail))
    assert grid.frame.shape == (3, 5)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (Limits(max_bytes=100), "max_file_mb"),
        (Limits(max_rows=5), "max_rows"),
        (Limits(max_columns=3), "3"),
        (Limits(max_cells=20), "max_cells"),
        (Limits(max_cell_characters=10), "max_cell_characters"),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "xlsx", "ods", "xls", "html", "xml"])
def test_each_limit_holds_for_each_kind_and_names_its_setting(
    kind: str, limits: Limits, said: str
) -> None:
    with pytest.raises(UnreadableFileError, match=said):
        read_grids(getattr(hostile, kind)(), limits=limits)


def test_limits_are_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from pipeline.refresh.context import Run
    from pipeline.settings import Settings

    for name in ("MAX_ROWS", "MAX_COLUMNS", "MAX_RATIO", "MAX_MEMBERS", "MAX_CELLS"):
        monkeypatch.setenv(f"FIVEPERCENT_{name}", "7")
    limits = Run(Settings(raw=tmp_path)).limits
    told = (limits.max_rows, limits.max_columns, limits.max_ratio, limits.max_members)
    assert (*told, limits.max_cells) == (7, 7, 7, 7, 7)


def test_a_file_beyond_the_limit_is_refused_before_its_bytes_are_in_memory() -> None:
    def load() -> bytes:
        raise AssertionError("it was read")

    batch = read_spend([SpendInput("spend_over_25k/RJ1/big.csv", load, bytes=1 << 40)])
    assert "max_file_mb" in str(batch.reports["spend_over_25k/RJ1/big.csv"].reason)


def test_members_of_a_zip_that_point_elsewhere_write_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    evil = ("../../evil.csv", "/evil.csv", "..\\..\\evil.csv", "C:\\evil.csv")
    grids = read_grids(zipped(*((name, hostile.csv()) for name in evil)))
    assert sorted(g.sheet for g in grids) == ["evil.csv", *(f"evil.csv ({n})" for n in (2, 3, 4))]
    assert list(tmp_path.iterdir()) == []


def test_a_link_in_a_zip_is_text_not_a_way_out() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        link = zipfile.ZipInfo("link.csv")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    grids = read_grids(buffer.getvalue())
    assert [g.frame.rows() for g in grids] == [[(1, "/etc/passwd")]]


def test_links_out_of_the_raw_folder_are_not_followed(tmp_path: Path) -> None:
    raw, outside = tmp_path / "raw", tmp_path / "outside"
    (raw / "spend_over_25k" / "RJ1").mkdir(parents=True)
    outside.mkdir()
    (outside / "secret.csv").write_bytes(hostile.csv())
    (raw / "spend_over_25k" / "RJ1" / "a.csv").symlink_to(outside / "secret.csv")
    (raw / "spend_over_25k" / "RJ2").symlink_to(outside, target_is_directory=True)
    (raw / "spend_over_25k" / "RJ3").symlink_to(raw, target_is_directory=True)
    (raw / "spend_over_25k" / "RJ1" / "b.csv").symlink_to("/dev/zero")
    os.mkfifo(raw / "spend_over_25k" / "RJ1" / "c.csv")
    assert list_raw_files(raw) == []


TURNED = "Fictional \u202eLtd hsA\u202c Supplies\u200b\u2066\x07\x00\x9b31m"


@pytest.mark.parametrize("kind", ["csv", "ods"])
def test_characters_that_turn_text_round_are_taken_out(kind: str) -> None:
    content = getattr(hostile, kind)()
    turned = TURNED if kind == "csv" else TURNED.replace("\x07\x00", "")
    if kind == "csv":
        content = content.replace(b"Fictional Ash Ltd", turned.encode())
    else:
        content = hostile.rewritten(
            content, lambda n, d: d.replace(b"Fictional Ash Ltd", turned.encode())
        )
    path = f"spend_over_25k/RJ1/Nov 2022.{kind}"
    batch = read_spend([SpendInput(path, lambda: content)])
    assert batch.lines["supplier"][0] == "Fictional Ltd hsA Supplies31m"
    assert batch.lines.height == 8


@pytest.mark.parametrize(
    "text",
    [
        "- !!python/object/apply:os.system ['touch evil']",
        "!!python/name:os.system",
        "a: !!python/object/new:subprocess.Popen [[touch, evil]]",
        "a: !Unknown {b: 1}",
        "[" * 5_000,
    ],
)
def test_tags_in_a_corrections_file_make_nothing_and_are_refused(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.corrections import CorrectionError, load_corrections

    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "mine.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(CorrectionError, match=r"mine\.yaml"):
        load_corrections(tmp_path / "mine")
    assert not (tmp_path / "evil").exists()


def test_aliases_in_a_corrections_file_do_not_unfold(tmp_path: Path) -> None:
    from pipeline.corrections import CorrectionError, load_corrections

    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    (tmp_path / "mine.yaml").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(CorrectionError):
        load_corrections(tmp_path)


def test_members_of_one_name_in_a_zip_keep_their_payments_apart() -> None:
    other = hostile.csv(
        (*hostile.ROWS[:4], ("19/11/2022", "Fictional Ivy Ltd", "IT", "IT", "5.00"))
    )
    data = zipped(("a/spend.csv", hostile.csv()), ("b/spend.csv", other))
    path = "spend_over_25k/RJ1/Nov 2022.zip"
    batch = read_spend([SpendInput(path, lambda: data)])
    assert [s.sheet for s in batch.reports[path].sheets] == ["spend.csv", "spend.csv (2)"]
    assert batch.lines.height == batch.reports[path].rows_kept
    assert set(batch.lines["supplier"]) >= {row[1] for row in hostile.ROWS} | {"Fictional Ivy Ltd"}


def test_a_sheet_that_is_there_twice_counts_once_and_is_not_lost() -> None:
    data = zipped(("a/spend.csv", hostile.csv()), ("b/spend.csv", hostile.csv()))
    path = "spend_over_25k/RJ1/Nov 2022.zip"
    batch = read_spend([SpendInput(path, lambda: data)])
    assert batch.lines.height == batch.reports[path].rows_kept == 8
