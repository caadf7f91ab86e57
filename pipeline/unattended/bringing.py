"""Fetching with patience: what fails is tried again after a while, and never stops the rest.

Belongs here: rounds of a fetch and the waits between them. Does not belong here: the retries of a
single download, which ``fetch`` does itself within seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.catalogue import Catalogue
from pipeline.fetch import FetchBusyError, FetchReport, RefusedError, fetch
from pipeline.settings import Settings

Fetch = Callable[..., FetchReport]
#: What may go wrong with a whole fetch; everything about one file is in its report.
WHOLE = (FetchBusyError, RefusedError, OSError)


@dataclass(frozen=True)
class Brought:
    """What a patient fetch brought.

    Attributes:
        tried: whether anything was tried; False when the settings forbid the network.
        stored: files added to the raw tree.
        rounds: how often it was tried.
        troubles: source -> what still failed in the last round, in sentences.
        looked_at: sources of which everything was seen.
        changed: what differs from the previous version of a file, in sentences.
    """

    tried: bool
    stored: int
    rounds: int
    troubles: dict[str, tuple[str, ...]]
    looked_at: frozenset[str]
    changed: tuple[str, ...] = ()

    @property
    def sentences(self) -> list[str]:
        """The troubles, one sentence each."""
        return [f"{s}: {told}" for s, some in sorted(self.troubles.items()) for told in some]


#: The name troubles have that are about no single source.
EVERYTHING = "all sources"


def bring_sources(
    settings: Settings,
    catalogue: Catalogue,
    *,
    sleep: Callable[[float], None],
    fetch: Fetch = fetch,
) -> Brought:
    """Fetch every source; sources with failures are tried again, later and later.

    Args:
        settings: where to, from which mirror, how often and how long.
        catalogue: what there is.
        sleep: waits some seconds.
        fetch: as :func:`pipeline.fetch.fetch`.

    Returns:
        What was brought. Nothing is raised for what a publisher, a mirror or a disk does.
    """
    left = [source.id for source in catalogue.sources]
    looked_at: set[str] = set()
    troubles: dict[str, tuple[str, ...]] = {}
    changed: list[str] = []
    stored = rounds = 0
    for rounds in range(1, settings.fetch_attempts + 1):
        if rounds > 1:
            sleep(settings.fetch_wait_seconds * 2 ** (rounds - 2))
        try:
            report = fetch(
                catalogue,
                settings.raw,
                # All of them in the first round: a mirror need not hold every source.
                sources=None if rounds == 1 or EVERYTHING in troubles else left,
                mirror=settings.mirror or None,
                offline=settings.offline,
                deadline_seconds=60 * settings.fetch_minutes,
            )
        except WHOLE as error:
            troubles = {EVERYTHING: (str(error) or type(error).__name__,)}
            continue
        if not report.tried:
            return Brought(False, 0, rounds, {}, frozenset())
        stored += report.stored
        changed += [f"{one.path}: {text}" for one in report.outcomes for text in one.warnings]
        troubles = _troubles(report)
        looked_at |= set(left) - troubles.keys()
        left = sorted(troubles)
        if not left:
            break
    return Brought(True, stored, rounds, troubles, frozenset(looked_at), tuple(changed))


def _troubles(report: FetchReport) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for one in report.outcomes:
        if not one.ok:
            where = one.path or one.address or ""
            named = one.sentence if one.sentence.startswith(where) else f"{where}: {one.sentence}"
            found.setdefault(one.source_id, []).append(named)
    return {source: tuple(dict.fromkeys(told)) for source, told in found.items()}
