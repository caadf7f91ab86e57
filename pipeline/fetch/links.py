"""Find the files a landing page links to.

Belongs here: reading links out of untrusted HTML, matching them with the catalogue's patterns, and
naming the files they lead to.
Does not belong here: fetching the page (``plan``).
"""

from __future__ import annotations

import datetime as dt
import re
from contextlib import suppress
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import PurePosixPath
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from pipeline.catalogue.models import LinkPattern

MAX_LINKS = 20_000
MAX_ADDRESS = 2_000
MAX_NAME = 150

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("january", "jan"),
            ("february", "feb", "febuary"),
            ("march", "mar"),
            ("april", "apr"),
            ("may",),
            ("june", "jun"),
            ("july", "jul"),
            ("august", "aug"),
            ("september", "sep", "sept", "septeber"),
            ("october", "oct"),
            ("november", "nov", "novembe"),
            ("december", "dec"),
        ),
        start=1,
    )
    for name in names
}
_NAMES = "|".join(sorted(_MONTHS, key=len, reverse=True))
_NAME_YEAR = re.compile(
    rf"(?<![a-z])(?P<name>{_NAMES})[\W_]*(?P<year>20\d\d|\d\d(?!\d))", re.IGNORECASE
)
_YEAR_NAME = re.compile(rf"(?P<year>20\d\d)[\W_]*(?P<name>{_NAMES})(?![a-z])", re.IGNORECASE)
_YEAR_NUMBER = re.compile(r"(?<!\d)(?P<year>20\d\d)[-_./ ]?(?P<number>0[1-9]|1[0-2])(?!\d)")
_NUMBER_YEAR = re.compile(r"(?<!\d)(?P<number>0[1-9]|1[0-2])[-_./ ](?P<year>20\d\d)(?!\d)")
_RESERVED = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Link:
    """A link of a page: where it goes (resolved, no fragment) and what it says."""

    address: str
    text: str


@dataclass(frozen=True)
class FoundFile:
    """A link that a pattern takes for a file.

    Attributes:
        address: where the file is.
        name: what it is to be called.
        month: the first day of the month it is about, if that can be told.
    """

    address: str
    name: str
    month: dt.date | None


class _Links(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.base = page
        self.links: list[Link] = []
        self._open: str | None = None
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        href = values.get("href", "").strip()
        if tag == "base" and href and len(href) <= MAX_ADDRESS:
            try:
                self.base = urljoin(self.base, href)
            except ValueError:
                return
        elif tag == "a":
            self._finish()
            self._open = href or None
            self._text = [values.get("title", ""), " "]

    def handle_data(self, data: str) -> None:
        if self._open is not None and len(self._text) < 200:
            self._text.append(data[:500])

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._finish()

    def close(self) -> None:
        super().close()
        self._finish()

    def _finish(self) -> None:
        href, self._open = self._open, None
        if href is None or len(href) > MAX_ADDRESS or len(self.links) >= MAX_LINKS:
            return
        try:
            address = urldefrag(urljoin(self.base, href)).url
        except ValueError:
            return
        if address.startswith(("http://", "https://")):
            text = " ".join("".join(self._text).split())
            self.links.append(Link(address, text[:500]))


def read_links(html: str, page: str) -> list[Link]:
    """Every http(s) link of a page, resolved against its address, in order, each address once."""
    parser = _Links(page)
    # An odd declaration makes the standard library's parser give up; the links before it are good.
    with suppress(AssertionError):
        parser.feed(html)
        parser.close()
    first: dict[str, Link] = {}
    for link in parser.links:
        first.setdefault(link.address, link)
    return list(first.values())


def month_in(text: str) -> dt.date | None:
    """The month a text is about, e.g. "April 2020", "apr-20", "2020_04", "04/2020"."""
    for pattern in (_NAME_YEAR, _YEAR_NAME, _YEAR_NUMBER, _NUMBER_YEAR):
        found = pattern.search(text)
        if found is None:
            continue
        groups = found.groupdict()
        if "number" in groups and int(groups["number"]) == (int(groups["year"]) + 1) % 100:
            continue  # "2010-11" is a financial year, not a November
        month = _MONTHS[groups["name"].lower()] if "name" in groups else int(groups["number"])
        year = int(groups["year"])
        return dt.date(year + 2000 if year < 100 else year, month, 1)
    return None


def safe_name(text: str) -> str | None:
    """A file name out of untrusted text; None when nothing usable is left.

    Folders, hidden names, control characters, '~' (it marks versions) and names that mean
    devices on Windows do not survive.
    """
    name = re.sub(r"[\x00-\x1f\x7f<>:\"|?*~]", "-", text.replace("\\", "/").split("/")[-1]).strip()
    name = name.lstrip(".").strip()
    if not name or _RESERVED.match(name):
        return None
    path = PurePosixPath(name)
    if len(name) > MAX_NAME:
        name = path.stem[: MAX_NAME - len(path.suffix)] + path.suffix
    return name


def file_name(link: Link, formats: tuple[str, ...]) -> str | None:
    """What the file behind a link is called; None when it has none of these formats.

    The last part of the address, else the part of its query that looks like a file, else the
    link's text with the format it mentions.
    """
    parts = urlsplit(link.address)
    endings = "|".join(formats)
    candidates = [unquote(parts.path).rsplit("/", 1)[-1]]
    query = re.search(rf"[^/=&?]+\.(?:{endings})\b", unquote(parts.query), re.IGNORECASE)
    if query:
        candidates.append(query[0])
    mention = re.search(rf"\b({endings})\b", link.text, re.IGNORECASE)
    if mention:
        words = re.sub(r"\s*[\[(].*$", "", link.text).strip()
        candidates.append(f"{words or 'file'}.{mention[1].lower()}")
    for candidate in candidates:
        name = safe_name(candidate)
        if name and name.rsplit(".", 1)[-1].lower() in formats and "." in name:
            return name
    return None


def _groups(pattern: LinkPattern, link: Link) -> dict[str, str] | None:
    """Named groups of a match; None when the link does not match."""
    address = unquote(link.address)
    if pattern.exclude and re.search(pattern.exclude, f"{address} {link.text}", re.IGNORECASE):
        return None
    groups: dict[str, str] = {}
    for regex, text in ((pattern.address, address), (pattern.text, link.text)):
        if regex is None:
            continue
        found = re.search(regex, text, re.IGNORECASE)
        if found is None:
            return None
        groups |= {key: value for key, value in found.groupdict().items() if value}
    return groups


def _month(groups: dict[str, str], link: Link) -> dt.date | None:
    name = groups.get("month", "")
    year = groups.get("year", "")
    if name and year:
        number = int(name) if name.isdigit() else _MONTHS.get(name.lower(), 0)
        if 1 <= number <= 12:
            return dt.date(int(year) + (2000 if int(year) < 100 else 0), number, 1)
    file = unquote(urlsplit(link.address).path).rsplit("/", 1)[-1]
    return month_in(link.text) or month_in(file)


def find_files(
    links: list[Link], patterns: tuple[LinkPattern, ...], formats: tuple[str, ...]
) -> list[FoundFile]:
    """The files that the patterns find among the links, in page order, each address once."""
    found: dict[str, FoundFile] = {}
    for pattern in patterns:
        if pattern.leads_to != "file":
            continue
        taken = 0
        for link in links:
            groups = _groups(pattern, link)
            if groups is None or taken >= pattern.at_most:
                continue
            taken += 1
            month = _month(groups, link)
            name = file_name(link, formats)
            if pattern.save_as is not None:
                name = _named(pattern.save_as, month) or name
            if name is not None:
                found.setdefault(link.address, FoundFile(link.address, name, month))
    return list(found.values())


def _named(template: str, month: dt.date | None) -> str | None:
    if "{" not in template:
        return template
    if month is None:
        return None
    return template.format(year=f"{month:%Y}", month=f"{month:%m}")


def find_pages(links: list[Link], patterns: tuple[LinkPattern, ...]) -> list[str]:
    """The further pages that the patterns find, newest month first, then in page order."""
    pages: dict[str, dt.date] = {}
    for pattern in patterns:
        if pattern.leads_to != "page":
            continue
        mine: dict[str, dt.date] = {}
        for link in links:
            groups = _groups(pattern, link)
            if groups is not None:
                mine.setdefault(link.address, _month(groups, link) or dt.date.min)
        newest = sorted(mine.items(), key=lambda one: one[1], reverse=True)
        pages |= dict(newest[: pattern.at_most])
    return list(pages)
