"""Letters that a program read under the wrong code page.

Told by what no name has: a capital or a mark in the middle of a word (``MŽdical``), or the two or three
characters that one letter becomes when UTF-8 is encoded a second time (``Ã©``, ``â€™``).
"""

from __future__ import annotations

import re

import numpy as np

OLD_PAGES = ("mac_roman", "cp850")
MOST_PLACES = 2_000
_BETWEEN = re.compile("[A-Za-z][^\\x00-\\x7f][A-Za-z]")
_MARKS = frozenset("‚ƒ„…†‡ˆ‰‹“˜›¡¤")
#: How the letters, the pound sign and the quotation marks of UTF-8 look when encoded twice.
_TWICE = (b"\xc3\x83\xc2", b"\xc3\xa2\xe2\x82\xac", b"\xc3\x82\xc2")
_RUN = re.compile("[^\\x00-\\x7f]{2,}")
_PAGE = {bytes([n]).decode("cp1252", "replace"): n for n in range(128, 256)}
_BYTES = {chr(n): n for n in range(128, 256)} | {c: n for c, n in _PAGE.items() if c != "\ufffd"}


def old_code_page(data: bytes, places: np.ndarray) -> str | None:
    """The code page of an old Mac or of DOS, where its letters fit into words and cp1252's do not.

    Args:
        data: text that is not UTF-8.
        places: of its bytes that are not ASCII.
    """
    spots = [data[max(0, at - 1) : at + 2] for at in places[:MOST_PLACES].tolist()]
    if not any(_is_odd(spot.decode("cp1252", "replace")) for spot in spots):
        return None
    for page in OLD_PAGES:
        if not any(_is_odd(spot.decode(page)) for spot in spots):
            return page
    return None


def _is_odd(spot: str) -> bool:
    """Whether three characters are two letters around one that stands in no word."""
    if not _BETWEEN.fullmatch(spot):
        return False
    before, at, after = spot
    return (
        at in _MARKS
        or (at.isupper() and after.islower())
        or (not at.isalpha() and at not in "’‘–—·•-´`°" and before.islower() and after.islower())
    )


def encoded_once(data: bytes) -> bytes:
    """UTF-8 in which letters were encoded twice, with those encoded once; other bytes as they are."""
    if not any(mark in data for mark in _TWICE):
        return data
    return _RUN.sub(_mended, data.decode()).encode()


def _mended(found: re.Match[str]) -> str:
    text = found[0]
    if not all(c in _BYTES for c in text):
        return text
    try:
        return bytes(_BYTES[c] for c in text).decode()
    except UnicodeDecodeError:
        return text
