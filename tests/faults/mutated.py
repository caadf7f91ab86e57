"""Inputs to be mutated and the ways they are: input number n of a seed is always the same bytes.

Not a test itself. Containers are mutated inside as well as outside: a flipped byte of a zip only
tries the checksum, a changed number in the XML within tries the reader.
"""

from __future__ import annotations

import io
import random
import sys
import zipfile
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import hostile_files as hostile
from reader_layouts import make_plan, write

KINDS = ("csv", "xlsx", "xls", "ods", "zip", "markup", "yaml", "page")
WORDS: dict[str, tuple[bytes, ...]] = {
    "csv": (
        b'"', b'""', b",", b",,,,,,,,", b";", b"\t", b"|", b"\r", b"\n", b"\r\n", b"\x00", b"\xef\xbb\xbf",
        b"\xff\xfe", b"\xe2\x80\xae", b"Total", b"-", b"(1,234.50)", b"1e308", b"-1e308", b"nan", b"inf",
        b"\xa31,000", b"99/99/9999", b"01/02/0000", b"31/12/9999", b"=HYPERLINK(1)", b"@x", b"Amount",
        b"Date", b"Supplier", b"1" * 400, b"a," * 500, b"\xc2\xa0", b"'; drop table facts.payment; --",
    ),
    "xml": (
        b"XFD1048576", b'r="A1"', b'r="0"', b"r=''", b'number-columns-repeated="99999999"',
        b'number-rows-repeated="-1"', b"<!DOCTYPE x [<!ENTITY a 'a'>]>&a;", b"&#0;", b"&lt;", b"]]>",
        b"<![CDATA[", b't="s"', b't="e"', b"<v>999999999</v>", b"<v>-1</v>", b"<v>1e400</v>", b"</row>",
        b"</c>", b"<row>", b"/>", b"\xff", b"count=\"4294967295\"", b"s=\"99999\"", b"'", b'"',
    ),
    "xls": (
        b"\xff\xff", b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\x04\x02", b"\xfd\x00\x0a\x00",
        b"\x09\x08", b"\x0a\x00\x00\x00", b"\xfe\xff\xff\xff", b"\x85\x00", b"\x3c\x00", b"\x00\x80",
    ),
    "markup": (
        b"<table>", b"</table>", b"<tr>", b"<td>", b"</td>", b"<td colspan=400>", b"<td rowspan=65535>",
        b"<!--", b"-->", b"<![CDATA[", b"<script>", b"</script", b"&#x110000;", b"&amp", b"<a href=",
        b"<base href='//x'>", b"<", b"<!", b"<?", b"</", b"'", b'"', b"javascript:x()", b"//[::1", b"..",
        b"%00", b"%2e%2e%2f", b"<a href='http://[bad'>x</a>", b"ss:Index=\"-5\"", b"ss:Index=\"99999999\"",
    ),
    "yaml": (
        b"!!python/object/apply:os.system [x]", b"&a [*a]", b"*a", b"- ", b": ", b"{", b"}", b"[", b"]",
        b"!!binary |", b"!!timestamp x", b"? ", b"| ", b"> ", b"---\n", b"...\n", b"\t", b"%YAML 9.9\n",
        b"1e999", b".nan", b"2022-99-99", b"0o777", b"null", b"~", b"\x00", b"<<: *a", b"!x y", b"'", b'"',
    ),
}  # fmt: skip
YAML_SEED = b"""corrections:
  - id: a-typing-error
    source: spend_over_25k
    file: spend_over_25k/RJ1/Nov 2022.csv
    where: {source_row: 3, supplier: "Fictional Birch Ltd"}
    field: amount_gbp
    was: 30000.00
    becomes: 300.00
    reason: the publisher said that it was typed wrongly
    evidence: https://example.org/letter-of-the-trust
    author: A Person
    date: 2024-01-02
  - id: another-error
    source: provider_accounts
    organisation: RJ1
    period: 2020/21
    field: value
    was: 1
    becomes: 2
    reason: a reason of some length
    evidence: a letter of the publisher
    author: A Person
    date: 2024-01-02
"""
PAGE_SEED = (
    b"<!doctype html><html><head><base href='https://files.example.org/a/'></head><body><nav>"
    + b"".join(
        b"<li><a href='/files/Spend-over-25k-%s-2022.csv'>%s 2022 (csv)</a></li>" % (m, m)
        for m in (b"April", b"May", b"June", b"July", b"August")
    )
    + b'<p>Text &amp; more <a href="x.xlsx?download=1&amp;n=2">Workbook</a></body></html>'
)
XML_SEED = (
    b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
    b'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="Nov 2022"><Table>'
    + b"".join(
        b"<Row>" + b"".join(b"<Cell><Data ss:Type='String'>%s</Data></Cell>" % c.encode() for c in row)
        + b"</Row>"
        for row in (hostile.HEADER, *hostile.ROWS)
    )
    + b"</Table></Worksheet></Workbook>"
)  # fmt: skip
HTML_SEED = (
    b"<html><table>"
    + b"".join(
        b"<tr>" + b"".join(b"<td>%s</td>" % c.encode() for c in row) + b"</tr>"
        for row in (hostile.HEADER, *hostile.ROWS)
    )
    + b"</table></html>"
)


@cache
def _seeds(kind: str) -> tuple[bytes, ...]:
    if kind in ("csv", "xlsx"):
        plans = [make_plan(seed) for seed in range(60)]
        written = [write(plan) for plan in plans]
        found = [w.data for w in written if w.path.endswith("." + kind)]
        return (getattr(hostile, kind)(), *found)
    if kind == "zip":
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("April 2022.csv", hostile.csv())
            archive.writestr("May 2022.xlsx", hostile.xlsx())
        return (buffer.getvalue(),)
    return {
        "xls": (hostile.xls(),),
        "ods": (hostile.ods(),),
        "markup": (XML_SEED, HTML_SEED),
        "yaml": (YAML_SEED,),
        "page": (PAGE_SEED,),
    }[kind]


def _words(kind: str) -> tuple[bytes, ...]:
    if kind in ("xlsx", "ods"):
        return WORDS["xml"]
    if kind in ("markup", "page"):
        return WORDS["markup"]
    return WORDS["csv" if kind == "zip" else kind]


def _scribble(data: bytes, words: tuple[bytes, ...], lot: random.Random) -> bytes:
    """Some of: bytes flipped, words put in, parts cut, doubled, moved or repeated many times."""
    body = bytearray(data)
    for _ in range(lot.choice((1, 1, 2, 3, 5, 12, 30))):
        if not body:
            break
        at = lot.randrange(len(body))
        end = min(len(body), at + lot.choice((1, 2, 8, 40, 400)))
        how = lot.randrange(9)
        if how == 0:
            body[at] = lot.randrange(256)
        elif how == 1:
            body[at] ^= 1 << lot.randrange(8)
        elif how in (2, 3):
            body[at:at] = lot.choice(words)
        elif how == 4:
            body[at:end] = lot.choice(words)
        elif how == 5:
            del body[at:end]
        elif how == 6:
            body[at:at] = body[at:end]
        elif how == 7:
            body[at:at] = bytes(body[at:end]) * lot.choice((2, 10, 200))
        elif lot.random() < 0.2:
            del body[at:]
        else:
            body[at:end] = lot.randbytes(end - at)
    return bytes(body[: 4 << 20])


def _inside(data: bytes, kind: str, lot: random.Random) -> bytes:
    """A container with one member scribbled over."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [n for n in archive.namelist() if kind == "zip" or n.endswith((".xml", ".rels"))]
    chosen = lot.choice(names)
    return hostile.rewritten(
        data, lambda name, old: _scribble(old, _words(kind), lot) if name == chosen else old
    )


def mutated(seed: int, number: int) -> tuple[str, bytes]:
    """The kind and bytes of an input.

    Args:
        seed: of the whole series.
        number: of the input within it.
    """
    lot = random.Random(f"{seed}/{number}")
    kind = KINDS[number % len(KINDS)]
    seeds = _seeds(kind)
    data = lot.choice(seeds)
    if kind in ("xlsx", "ods", "zip") and lot.random() < 0.75:
        return kind, _inside(data, kind, lot)
    return kind, _scribble(data, _words(kind), lot)
