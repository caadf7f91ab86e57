"""What a header says a column is: the words of ``roles.yaml`` with tolerance for misspelling."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path

from rapidfuzz import fuzz, process

from pipeline.yaml_text import read_yaml

_NOT_WORD = re.compile(r"[^a-z0-9]+")
#: Where a word begins in ``grossAmountGBP`` or ``VATAmount``.
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
FUZZY_AT_LEAST = 82.0
LONGEST_NAME = 70  # characters; longer cells are sentences
#: A cell that says the same as the one above it.
DITTO = (
    r"(?i)^\s*(?:[-–—]*\s*(?:[\"“”″〃„]|\"\s+\")\s*[-–—]*|-?do\.?-|do\.|-*\s*ditto\.?\s*-*"
    r"|\(?(?:same )?as above\)?)\s*$"
)


def normalise(text: str | None) -> str:
    """Lower-case words and digits only: ``Amount in Sterling £`` -> ``amount in sterling``.

    A single word is cut at its humps, as programs write headers: ``netAmount`` -> ``net amount``.
    """
    text = (text or "").strip()
    if " " not in text:
        text = _HUMP.sub(" ", text)
    return _NOT_WORD.sub(" ", text.lower()).strip()


@cache
def _vocabulary() -> tuple[dict[str, tuple[str, float]], dict[str, tuple[str, ...]]]:
    raw = read_yaml(Path(__file__).parent / "roles.yaml")
    words: dict[str, tuple[str, float]] = {}
    keywords: dict[str, tuple[str, ...]] = {}
    for role, body in raw.items():
        for place, word in enumerate(body["words"]):
            words.setdefault(word, (role, 1.0 - 0.3 * place / len(body["words"])))
        keywords[role] = tuple(body["keyword"])
    return words, keywords


@lru_cache(maxsize=20_000)
def role_of(header: str | None) -> tuple[str, float] | None:
    """The role a header names, with how good a name it is (0..1).

    Args:
        header: the header cell as published.

    Returns:
        ``(role, strength)``, or None when the header is blank or means nothing to us.
    """
    text = normalise(header)
    if not text and header and "£" in header:
        text = "gbp"  # the pound sign is all that stands above the amounts
    if not text or len(text) > LONGEST_NAME:
        return None
    words, keywords = _vocabulary()
    if text in words:
        return words[text]
    if text.endswith(" date") and text not in words:  # "Invoice/Item Date" is no invoice number
        return words["date"][0], 0.7
    if header and "/" in header:  # two names for one thing, or one name in two languages
        for part in header.split("/"):
            if normalise(part) in words:
                return words[normalise(part)]
    if (
        text.endswith((" desc", " descr"))
        and (long := text.rpartition(" ")[0] + " description") in words
    ):
        return words[long]
    squeezed = text.replace(" ", "")
    for word, found in words.items():
        if word.replace(" ", "") == squeezed:
            return found
    stripped = re.sub(r"^\d+\w{0,2} ", "", text)
    if stripped in words:
        return words[stripped]
    if len(text) >= 4 and not text.isdigit():
        best = process.extractOne(
            text, words.keys(), scorer=fuzz.ratio, score_cutoff=FUZZY_AT_LEAST
        )
        if best:
            role, strength = words[best[0]]
            return role, strength * best[1] / 100 * 0.9
    longest: tuple[str, float] | None = None
    for role, inside in keywords.items():
        for word in inside:
            if f" {word}" in f" {text}" and (longest is None or len(word) / 40 > longest[1]):
                longest = (role, len(word) / 40)
    return (longest[0], 0.5 + min(longest[1], 0.4) * 0.2) if longest else None


def header_strength(cells: list[str | None]) -> tuple[int, float]:
    """How much a row looks like a header: distinct roles named, and their summed strength."""
    roles: dict[str, float] = {}
    for cell in cells:
        found = role_of(cell)
        if found:
            roles[found[0]] = max(roles.get(found[0], 0.0), found[1])
    return len(roles), sum(roles.values())
