"""One unattended refresh: fetch with patience, refresh, digest, alert.

Whatever goes wrong, the old publication stays, a digest says what happened, and somebody is told.

Belongs here: the order. Does not belong here: any of its steps.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pipeline.catalogue import Catalogue, load_catalogue
from pipeline.compare import Build, compare, read_build
from pipeline.fetch import fetch
from pipeline.refresh import RefreshFailedError, Summary, refresh
from pipeline.refresh.context import Progress
from pipeline.settings import Settings
from pipeline.store.lock import LockedError
from pipeline.store.publish import PublicationError, current_build
from pipeline.unattended.alerts import Alert, raise_alert
from pipeline.unattended.bringing import Brought, Fetch, bring_sources
from pipeline.unattended.digest import MOST, Digest, End, checks_of, figures_of, files_of
from pipeline.unattended.lateness import late_now
from pipeline.unattended.shelf import Shelf

log = logging.getLogger("fivepercent.unattended")
#: What a refresh refuses, or a disk does, with a sentence that says what to do.
EXPECTED = (RefreshFailedError, LockedError, PublicationError, OSError)


@dataclass(frozen=True)
class Outcome:
    """How an unattended refresh ended.

    Attributes:
        digest: what it has to tell.
        folder: where the digest lies; None when it could not be written.
        brought: what the fetch did.
        summary: of the refresh; None when it failed.
        alert: what was told to a person; None when nothing had to be.
        undelivered: ways in which the alert could not be sent.
    """

    digest: Digest
    folder: Path | None
    brought: Brought
    summary: Summary | None
    alert: Alert | None
    undelivered: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 when what is published is as new as what is here, 1 when the refresh failed."""
        return 0 if self.summary else 1


def _in_words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror} ({error.filename})" if error.filename else error.strerror
    return str(error) or type(error).__name__


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def unattended(
    settings: Settings,
    *,
    progress: Progress | None = None,
    fetch: Fetch = fetch,
    refresh: Callable[..., Summary] = refresh,
    now: Callable[[], dt.datetime] = _now,
    sleep: Callable[[float], None] = time.sleep,
) -> Outcome:
    """Fetch, refresh, publish, write the digest, and tell somebody when a person is needed.

    Args:
        settings: where, from where, how patient, and whom to tell.
        progress: who is told how far the refresh is.
        fetch: as :func:`pipeline.fetch.fetch` (tests).
        refresh: as :func:`pipeline.refresh.refresh` (tests).
        now: the clock, in UTC.
        sleep: waits some seconds.

    Returns:
        How it ended. Nothing is raised for trouble with publishers, files, checks or the disk.
    """
    shelf = Shelf(settings.out, settings.keep_digests)
    catalogue = load_catalogue()
    before = _before(shelf, settings)
    brought = bring_sources(settings, catalogue, sleep=sleep, fetch=fetch)
    for told in brought.sentences:
        log.warning("not fetched: %s", told)
    summary, failure = None, None
    try:
        summary = refresh(settings, progress=progress)
    except EXPECTED as error:  # the sentence says it all; where it came about helps nobody
        failure = _in_words(error)
        log.error("the refresh failed: %s", failure)
    except Exception as error:  # nobody watches: whatever it is, it must be told
        log.exception("the refresh failed")
        failure = str(error) or type(error).__name__
    digest, build = _digest(settings, catalogue, shelf, before, brought, summary, failure, now())
    folder, broken = _keep(shelf, digest, build)
    alert = _alert(digest, folder, broken)
    undelivered = raise_alert(alert, settings) if alert else []
    log.info("%s", digest.headline)
    return Outcome(digest, folder, brought, summary, alert, tuple(undelivered))


def _before(shelf: Shelf, settings: Settings) -> Build | None:
    """What the next digest compares with: the last digest's build, else the one published now."""
    if (last := shelf.last_build()) is not None:
        return last
    if current_build(settings.out) is None:
        return None
    try:
        return read_build(settings.out / "current")
    except Exception:  # unreadable: there is nothing to compare with
        log.exception("the published build cannot be read")
        return None


def _digest(
    settings: Settings,
    catalogue: Catalogue,
    shelf: Shelf,
    before: Build | None,
    brought: Brought,
    summary: Summary | None,
    failure: str | None,
    at: dt.datetime,
) -> tuple[Digest, Build | None]:
    """The digest, and the build it is about when there is a new one."""
    notes = [] if brought.tried else ["The network was not tried: the settings say so."]
    notes += [f"Changed at the publisher: {told}" for told in brought.changed[:MOST]]
    end: End = "failed" if summary is None else "published" if summary.published else "unchanged"
    known: dict[str, Any] = {
        "made_at": at,
        "end": end,
        "build": current_build(settings.out),
        "compared_with": before.build_id if before else None,
        "is_demo": settings.is_demo,
        "failure": failure,
        "troubles": tuple(brought.sentences[:MOST]),
    }
    last = shelf.last()
    try:
        after = read_build(settings.out / "current") if known["build"] else None
        more = _changes(before, after, notes) if summary else {}
        late = late_now(after, catalogue, at.date()) if after else {}
    except Exception as error:  # a digest without a comparison is better than none
        log.exception("the builds cannot be compared")
        notes.append(f"What changed could not be told: {type(error).__name__}: {error}")
        return Digest(**known, notes=tuple(notes), late_all=last.late_all if last else {}), None
    was_late = last.late_all if last else {}
    new = tuple(told for name, told in late.items() if name not in was_late)
    digest = Digest(**known, **more, notes=tuple(notes), late=new[:MOST], late_all=late)
    return digest, after if summary else None


def _changes(before: Build | None, after: Build | None, notes: list[str]) -> dict[str, Any]:
    """What differs, as fields of the digest; failing checks are told even without an earlier build."""
    if after is None:
        return {}
    comparison = compare(before or after, after)
    checks = checks_of(comparison)
    if before is None:
        checks = [one.model_copy(update={"change": "fails"}) for one in checks]
        return {"checks": tuple(checks[:MOST])}
    if not comparison.comparable:
        notes.append("Not compared: one of the two builds is the demonstration.")
        return {"checks": tuple(checks[:MOST])}
    files = files_of(comparison)
    figures, trusts = figures_of(comparison)
    notes += [
        f"Changed for every trust: {kind}: {what}"
        for kind, what, _ in comparison.general.iter_rows()
    ]
    return {
        "files": tuple(files[:MOST]),
        "files_all": len(files),
        "figures": tuple(figures[:MOST]),
        "figures_listed_of": len(figures),
        "figures_all": comparison.figures.height,
        "trusts": trusts,
        "checks": tuple(checks[:MOST]),
    }


def _keep(shelf: Shelf, digest: Digest, build: Build | None) -> tuple[Path | None, str | None]:
    """Write the digest; where it lies, or why it does not."""
    try:
        folder = shelf.put(digest)
        if build is not None:
            shelf.remember(build)
    except OSError as error:
        broken = f"The digest could not be written: {error.strerror or error}."
        log.error("%s", broken)
        return None, broken
    return folder, None


def _alert(digest: Digest, folder: Path | None, broken: str | None) -> Alert | None:
    sentences = [line for line in (digest.failure or "").splitlines() if line.strip()]
    sentences += [f"Not fetched: {told}" for told in digest.troubles]
    sentences += [broken] if broken else []
    if not sentences:
        return None
    if digest.end == "failed":
        title = f"The refresh failed. {digest.headline}"
    elif digest.troubles:
        title = f"Not every source could be fetched. {digest.headline}"
    else:
        title = f"The digest is missing. {digest.headline}"
    where = str(folder / "digest.html") if folder else None
    level: Literal["failed", "attention"] = "failed" if digest.end == "failed" else "attention"
    return Alert(level, title, tuple(sentences), digest.build, where)
