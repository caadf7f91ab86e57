"""Names that a register keeps in capitals, in readable spelling."""

from __future__ import annotations

import re

_SMALL = {"AND", "OF", "THE", "FOR", "IN", "ON", "TO", "WITH", "UPON", "AT"}
_CAPITALS = {"NHS", "ICB", "UK", "ST&T", "II"}


def _word(word: str, first: bool) -> str:
    if word in _CAPITALS or not word.isupper():
        return word
    if word in _SMALL and not first:
        return word.lower()
    parts = re.split(r"([-(/])", word)
    spelt = "".join(p.lower() if p in _SMALL and i else p.capitalize() for i, p in enumerate(parts))
    return re.sub(r"^(Mc)([a-z])", lambda m: m[1] + m[2].upper(), spelt)


def readable(name: str) -> str:
    """``GUY'S AND ST THOMAS' NHS TRUST`` to ``Guy's and St Thomas' NHS Trust``.

    A name that is not wholly in capitals is left as it is.
    """
    if name != name.upper():
        return name
    return " ".join(_word(word, i == 0) for i, word in enumerate(name.split()))
