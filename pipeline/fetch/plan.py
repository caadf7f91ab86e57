"""Which files a fetch is about: fixed addresses of the catalogue, and links found on pages.

Belongs here: reading landing pages and turning what they link to into targets.
Does not belong here: downloading the files (``run``) or the rules for links (``links``).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from pipeline.catalogue.models import LinkPattern, Publisher, Source, SourceFile
from pipeline.fetch.answers import FetchFailedError, OutOfTimeError
from pipeline.fetch.comparison import compare_pages
from pipeline.fetch.ledger import Ledger, LedgerEntry
from pipeline.fetch.links import FoundFile, Link, find_files, find_pages, read_links
from pipeline.fetch.policy import RefusedError
from pipeline.fetch.report import FileOutcome
from pipeline.fetch.sniff import WrongContentError, kind_of
from pipeline.fetch.transfer import Transfer

MAX_PAGE_BYTES = 8_000_000


@dataclass(frozen=True)
class Target:
    """One file to bring.

    Attributes:
        source: whose file it is.
        path: of its first version, below ``data/raw/<source id>/``.
        address: where it is.
        sha256: the only content accepted, if pinned.
        bytes: the size of that content.
        fallback: taken instead when this one fails and nothing of it is here.
        mirrored_as: the path on a mirror, which may name a later version.
    """

    source: Source
    path: str
    address: str
    sha256: str | None = None
    bytes: int | None = None
    fallback: SourceFile | None = None
    mirrored_as: str | None = None

    @property
    def name(self) -> str:
        """What progress bars call it."""
        return f"{self.source.id}/{self.path}"


@dataclass(frozen=True)
class Page:
    """A landing page to look at."""

    source: Source
    address: str
    patterns: tuple[LinkPattern, ...]
    publisher: Publisher | None = None


@dataclass
class PageResult:
    """What a landing page gave: files, and what is to be said about it."""

    page: Page
    targets: list[Target] = field(default_factory=list)
    outcome: FileOutcome | None = None
    entry: LedgerEntry | None = None


def fixed_target(source: Source, file: SourceFile) -> Target:
    """The target of a file with a fixed address."""
    return Target(source, file.path, file.address, file.sha256, file.bytes)


def pages_of(source: Source, starter_only: bool) -> list[Page]:
    """The landing pages to look at for this source."""
    if starter_only and not (source.starter and source.starter.wanted):
        return []
    pages = [
        Page(source, one.page, one.links or source.links, one)
        for one in source.publishers
        if one.page is not None and (one.links or source.links)
    ]
    if not source.publishers and source.landing_page and source.links:
        pages.append(Page(source, source.landing_page, source.links))
    return pages


def by_hand(source: Source) -> list[FileOutcome]:
    """What cannot be fetched because no address is known."""
    found = [
        FileOutcome(
            source.id,
            one.organisation_code,
            None,
            "by hand",
            f"{one.name}: no page address is known; put its files into "
            f"data/raw/{source.id}/{one.organisation_code}/",
        )
        for one in source.publishers
        if one.page is None
        and not any(file.organisation_code == one.organisation_code for file in source.files)
    ]
    if not (source.files or source.links or source.publishers):
        found.append(
            FileOutcome(source.id, "", None, "by hand", f"{source.title}: {source.how_found}")
        )
    return found


def _read_page(transfer: Transfer, address: str, scratch: Path) -> list[Link]:
    def must_be_html(head: bytes) -> None:
        if kind_of(head) != "html":
            raise WrongContentError(f"expected a web page, got {kind_of(head)}")

    key = hashlib.sha256(address.encode()).hexdigest()[:16]
    part = scratch / f"page-{key}.part"
    try:
        got = transfer.download(address, part, max_bytes=MAX_PAGE_BYTES, check=must_be_html)
        content = part.read_bytes()
        must_be_html(content[:4096])
    finally:
        part.unlink(missing_ok=True)
        part.with_suffix(".json").unlink(missing_ok=True)
    return read_links(content.decode("utf-8", errors="replace"), got.final_address)


def _path(page: Page, found: FoundFile) -> str:
    return f"{page.publisher.organisation_code}/{found.name}" if page.publisher else found.name


def _targets(page: Page, files: list[FoundFile], ledger: Ledger) -> list[Target]:
    """Targets with distinct paths.

    Two different files of one name would look like two versions of one file. The one that had the
    name before keeps it; the others carry a piece of their address's hash.
    """
    by_path: dict[str, list[FoundFile]] = {}
    for file in files:
        by_path.setdefault(_path(page, file).casefold(), []).append(file)
    targets: list[Target] = []
    for same in by_path.values():
        for file in same:
            path = _path(page, file)
            known = ledger.address_of(page.source.id, path)
            if len(same) > 1 and file.address != known:
                pure = PurePosixPath(path)
                mark = hashlib.sha256(file.address.encode()).hexdigest()[:8]
                path = str(pure.with_name(f"{pure.stem}-{mark}{pure.suffix}"))
            targets.append(Target(page.source, path, file.address))
    return targets


def _on_known_hosts(links: list[Link], source: Source) -> list[Link]:
    """Links to hosts of the catalogue, over https (an http link is asked for over https)."""
    kept: list[Link] = []
    for link in links:
        parts = urlsplit(link.address)
        try:
            usual_port = parts.port is None
        except ValueError:
            continue
        if (parts.hostname or "").lower() in source.allowed_hosts and usual_port:
            kept.append(replace(link, address=parts._replace(scheme="https").geturl()))
    return kept


def _recent(files: list[FoundFile], page: Page) -> list[FoundFile]:
    """Files of the months the catalogue asks for; those of unknown month stay."""
    source = page.source
    calendar = source.calendar_of(page.publisher) if page.publisher else source.calendar
    first = calendar.first_month
    return [one for one in files if one.month is None or first is None or one.month >= first]


def look_at(
    page: Page, transfer: Transfer, ledger: Ledger, scratch: Path, at: str, starter_only: bool
) -> PageResult:
    """Read a landing page (and the pages it leads to) and list the files it offers.

    Args:
        page: the page.
        transfer: the means.
        ledger: for the comparison with the last time.
        scratch: a folder for the page's bytes while they are read.
        at: the moment, for the ledger.
        starter_only: keep only the files the first run wants.
    """
    source = page.source
    result = PageResult(page)

    def outcome(state: str, sentence: str, warnings: tuple[str, ...] = ()) -> PageResult:
        result.outcome = FileOutcome(
            source.id,
            page.address,
            page.address,
            state,  # type: ignore[arg-type]
            sentence,
            kind="page",
            warnings=warnings,
        )
        return result

    try:
        all_links = _read_page(transfer, page.address, scratch)
        links = _on_known_hosts(all_links, source)
        further = find_pages(links, page.patterns)
        for address in further:
            more = _read_page(transfer, address, scratch)
            all_links += more
            links += _on_known_hosts(more, source)
    except OutOfTimeError as error:
        return outcome("out of time", str(error))
    except (FetchFailedError, RefusedError, WrongContentError) as error:
        return outcome("failed", str(error))
    files = find_files(links, page.patterns, source.formats)
    elsewhere = len(find_files(all_links, page.patterns, source.formats)) - len(files)
    files = _recent(files, page)
    targets = _targets(page, files, ledger)
    before = ledger.latest("page", source.id, page.address)
    paths = tuple(target.path for target in targets)
    months = tuple(sorted({f"{file.month:%Y-%m}" for file in files if file.month}))
    warnings: tuple[str, ...] = ()
    if before is not None and not further:
        warnings = compare_pages(before.links, paths, before.months, months)
    if elsewhere > 0:
        warnings += (f"{elsewhere} links lead to hosts the catalogue does not name; left out",)
    if not targets:
        return outcome(
            "failed",
            "no link on the page fits the catalogue's patterns; has the page changed?",
            warnings,
        )
    result.entry = LedgerEntry(
        at, "page", source.id, page.address, page.address, links=paths, months=months
    )
    if starter_only and source.starter:
        wanted = source.starter.wanted
        targets = [one for one in targets if any(what.is_met_by(one.path) for what in wanted)]
    result.targets = targets
    return outcome("unchanged", f"{len(files)} files linked", warnings)


def fixed_targets(source: Source, starter_only: bool) -> list[Target]:
    """Files with an address of their own, known without looking at any page."""
    return [
        fixed_target(source, file)
        for file in source.files
        if not file.fallback and (file.starter or not starter_only)
    ]


def found_targets(source: Source, found: list[Target], starter_only: bool) -> list[Target]:
    """Files that pages gave, and the copies that stand by for them.

    A file with a fixed address wins over a link of the same path. A fallback gives way to the link
    and stands by in case it fails.
    """
    fixed = {file.path.casefold() for file in source.files if not file.fallback}
    standing_by = {
        file.path.casefold(): file
        for file in source.files
        if file.fallback and (file.starter or not starter_only)
    }
    targets = [
        replace(target, fallback=standing_by.pop(target.path.casefold(), None))
        for target in found
        if target.path.casefold() not in fixed
    ]
    return targets + [
        replace(fixed_target(source, file), fallback=file) for file in standing_by.values()
    ]
