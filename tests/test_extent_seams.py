"""A workbook's parts are looked at in pieces; what lies across two of them is found all the same."""

from __future__ import annotations

import pytest

from pipeline.ingest.tabular import extent
from pipeline.ingest.tabular.limits import Limits, UnreadableFileError

START = b'<worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c></row>'
FAR = {
    "a cell far to the right": b'<row r="2"><c r="XFD999999"><v>1</v></c></row>',
    "a cell with blanks round the sign": b'<row r="2"><c r = "XFD999999"><v>1</v></c></row>',
    "a last row far down": b'<row r="9999999"></row>',
    "a row with much said of it": b"<row " + b'a="b" ' * 100 + b'r="9999999"></row>',
    "a document type": b"<!DOCTYPE x [<!ENTITY y 'z'>]>",
}


def pieces(text: bytes, at: int) -> list[bytes]:
    return [piece for piece in (text[:at], text[at:]) if piece]


@pytest.mark.parametrize("what", FAR)
def test_it_is_refused_wherever_two_pieces_meet(what: str):
    text = START + FAR[what] + b"</sheetData></worksheet>"
    for at in range(len(START), len(START) + min(len(FAR[what]), 200)):
        with pytest.raises(UnreadableFileError):
            extent._check_xml(iter(pieces(text, at)), Limits(), strings=False)


def test_a_plain_sheet_passes_wherever_two_pieces_meet():
    text = START + b'<row r="2"><c r="AA2"><v>1</v></c></row></sheetData></worksheet>'
    for at in range(len(text)):
        extent._check_xml(iter(pieces(text, at)), Limits(), strings=False)


@pytest.mark.parametrize("text", [b"r =x", b"r= x"])
def test_blanks_round_a_sign_are_seen_across_the_stretches_of_one_piece(text: bytes):
    for at in range(-4, 2):
        long = bytearray(b"x" * (2 * extent._STRETCH + 5))
        place = extent._STRETCH + at
        long[place : place + len(text)] = text
        assert extent._has_odd_style(bytes(long))
    assert not extent._has_odd_style(b"x" * (2 * extent._STRETCH) + b"r=x x")
