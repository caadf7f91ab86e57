"""A digest as Markdown and as one HTML page without outside requests.

Belongs here: words, order and escaping. Names and reasons come from published files, so nothing in
them may become markup. Does not belong here: which facts there are (``digest``).
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline.charts import format as fmt
from pipeline.unattended.digest import Digest, FigureChange

HERE = Path(__file__).parent / "templates"
_MARKUP = re.compile(r"([\\\[\]*|#!~])")
#: A reason longer than this is cut: the data-quality page has it whole.
MOST_TEXT = 600


def _markdown(value: object) -> str:
    """Text inside Markdown: one line, without markup of its own."""
    text = " ".join(str(value).split())[:MOST_TEXT].replace("`", "'")
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKUP.sub(r"\\\1", text)


def _share(figure: FigureChange) -> str:
    old, new = fmt.percent(figure.share_old), fmt.percent(figure.share_new)
    if figure.share_old is None:
        return f"now {new}"
    if figure.share_new is None:
        return f"was {old}, no longer there"
    if old != new:
        return f"{old} to {new}"
    if figure.badge_old != figure.badge_new:
        return f"{new}; badge {figure.badge_old} to {figure.badge_new}"
    return f"{new} (the range or the pounds differ)"


@cache
def _environment(*, html: bool) -> Environment:
    env = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=html,  # noqa: S701 - Markdown is escaped by finalize
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=None if html else _markdown,
    )
    env.filters.update(
        share=_share, count=fmt.count, money=fmt.money, day=fmt.day, plural=fmt.plural,
        cut=lambda text: str(text)[:MOST_TEXT],
    )  # fmt: skip
    return env


def markdown(digest: Digest) -> str:
    """The digest as Markdown."""
    return _environment(html=False).get_template("digest.md").render(d=digest)


def html(digest: Digest) -> str:
    """The digest as a page that loads nothing."""
    return _environment(html=True).get_template("digest.html").render(d=digest)
