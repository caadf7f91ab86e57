"""Is a download what its name says? An HTML error page is not a csv.

Belongs here: recognising kinds of content by their first bytes, and refusing the wrong kind.
Does not belong here: understanding tables (``pipeline.ingest``).
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

HEAD_BYTES = 4096

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HTML = re.compile(rb"<\s*(!doctype\s+html|html|head|body|title|script|meta)\b", re.IGNORECASE)
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")

_ACCEPTED = {
    "csv": {"text"},
    "txt": {"text"},
    "json": {"text", "json"},
    # Publishers name old workbooks .xlsx and new ones .xls; the reader goes by content.
    "xlsx": {"zip", "ole"},
    "xlsm": {"zip", "ole"},
    "xls": {"zip", "ole"},
    "ods": {"zip"},
    "zip": {"zip"},
    "pdf": {"pdf"},
}
_IN_WORDS = {
    "html": "a web page",
    "zip": "a zip archive or workbook",
    "ole": "an old workbook",
    "pdf": "a PDF",
    "json": "JSON",
    "text": "plain text",
    "binary": "unknown binary content",
    "empty": "nothing at all",
}


class WrongContentError(Exception):
    """The bytes are not what the file's name promises; the message says what they are."""


def kind_of(head: bytes) -> str:
    """What the first bytes look like: html, zip, ole, pdf, json, text, binary or empty."""
    if not head:
        return "empty"
    if head.startswith(_ZIP):
        return "zip"
    if head.startswith(_OLE):
        return "ole"
    if head.lstrip()[:5] == b"%PDF-":
        return "pdf"
    body = head
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    if wide:
        body = head.replace(b"\x00", b"")
    for bom in _BOMS:
        body = body.removeprefix(bom)
    body = body.lstrip()
    if body.startswith(b"<") and _HTML.search(body[:1500]):
        return "html"
    if body.startswith((b"{", b"[{")):
        return "json"
    if b"\x00" in body:
        return "binary"
    return "text" if body else "empty"


def check_head(name: str, head: bytes) -> None:
    """Refuse content that cannot be a file of this name, by its first bytes.

    Args:
        name: the file's name; its ending says what is expected.
        head: the first bytes, at best ``HEAD_BYTES`` of them.

    Raises:
        WrongContentError: naming what came instead.
    """
    suffix = name.rsplit(".", 1)[-1].lower() if "." in name else ""
    accepted = _ACCEPTED.get(suffix)
    kind = kind_of(head)
    if accepted is None:
        raise WrongContentError(f"{name}: files ending in .{suffix} are not fetched")
    if kind not in accepted:
        raise WrongContentError(f"{name}: expected .{suffix}, got {_IN_WORDS[kind]}")
    if suffix == "csv" and not re.search(rb"[,;\t|]", head):
        raise WrongContentError(f"{name}: expected a table, got text without any column separator")


def check_whole(name: str, path: Path, min_bytes: int, max_bytes: int) -> None:
    """Check a complete download: kind, size, and that a workbook's end is there.

    Raises:
        WrongContentError: what is wrong with it.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    check_head(name, head)
    if size < min_bytes:
        raise WrongContentError(f"{name}: {size:,} bytes, expected at least {min_bytes:,}")
    if size > max_bytes:
        raise WrongContentError(f"{name}: {size:,} bytes, expected at most {max_bytes:,}")
    if kind_of(head) == "zip" and not zipfile.is_zipfile(path):
        raise WrongContentError(f"{name}: the end of the archive is missing (cut short?)")
