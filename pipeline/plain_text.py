"""Text that others chose: the signs in it that are obeyed instead of shown.

A terminal obeys some characters instead of showing them, and others turn or hide what stands beside
them. Cells of files lose such signs when they are read (``ingest``); names of files and what a database
answers do not pass there. And a number with its noun, so that one is never "1 rows".
"""

from __future__ import annotations

import re

#: What starts a formula; some spreadsheets take the wide forms of East Asian text for the same.
FORMULA_SIGNS = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
_BREAKS = "\t\n"
#: Control characters, and marks that turn, join or hide text.
_STEERING = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


def written_out(text: str, *, breaks: bool = False) -> str:
    r"""The text with every sign that steers a terminal or turns text round as its escape.

    Args:
        text: any text.
        breaks: leave line breaks and tabs as they are.

    Returns:
        Text that shows all it holds: an escape sign becomes the four characters ``\x1b``.
    """

    def escape(found: re.Match[str]) -> str:
        sign = found[0]
        if breaks and sign in _BREAKS:
            return sign
        return f"\\x{ord(sign):02x}" if ord(sign) < 0x100 else f"\\u{ord(sign):04x}"

    return text if text.isascii() and text.isprintable() else _STEERING.sub(escape, text)


def plural(number: int, noun: str, many: str | None = None) -> str:
    """``1 trust``, ``10 trusts``, ``1,204 trusts``."""
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"
