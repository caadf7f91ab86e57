"""The try of a first run: fetch the starter set, bounded in time, and say what is missing.

Belongs here: that one bounded try.
Does not belong here: falling back to the demonstration (``pipeline.refresh`` decides).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.catalogue.load import Catalogue
from pipeline.catalogue.models import Source
from pipeline.catalogue.starter import StarterState, starter_state
from pipeline.fetch.policy import HostPolicy
from pipeline.fetch.progress import Progress
from pipeline.fetch.report import FetchReport
from pipeline.fetch.run import fetch
from pipeline.fetch.transfer import Limits

if TYPE_CHECKING:
    import httpx

QUICK = Limits(attempts=2, wait_initial=0.5, wait_max=2.0, connect_seconds=5.0, read_seconds=20.0)
"""A first run should not keep people waiting: fewer tries than a scheduled fetch."""


@dataclass(frozen=True)
class StarterReport:
    """What the try brought.

    Attributes:
        parts: every part of the starter set, here or not, after the try.
        fetch: the report of the fetch; None when the network was not tried.
        tried: whether the network was tried.
    """

    parts: tuple[StarterState, ...]
    fetch: FetchReport | None
    tried: bool

    @property
    def complete(self) -> bool:
        """Whether the whole starter set is here."""
        return all(part.complete for part in self.parts)

    def sentences(self) -> list[str]:
        """One line a part, and why the missing ones are missing."""
        lines = [part.sentence for part in self.parts]
        if not self.tried:
            lines.append("the network was not tried (offline)")
        elif self.fetch is not None and not self.complete:
            lines += self.fetch.sentences()
        return lines


def try_starter_set(
    catalogue: Catalogue,
    raw_dir: Path,
    *,
    seconds: float = 60.0,
    offline: bool = False,
    progress: Progress | None = None,
    transport: httpx.BaseTransport | None = None,
    policy_for: Callable[[Source], HostPolicy] = HostPolicy.of_source,
    limits: Limits = QUICK,
) -> StarterReport:
    """Try to fetch the starter set within ``seconds``, then say part by part what is here.

    Args:
        catalogue: what there is.
        raw_dir: the raw tree, usually empty.
        seconds: bound on the whole try.
        offline: do not touch the network (``FIVEPERCENT_OFFLINE=1``).
        progress: told what is going on.
        transport: for httpx, instead of the network (tests).
        policy_for: which hosts are allowed for a source (tests).
        limits: bounds on a single download.
    """
    if offline:
        return StarterReport(starter_state(catalogue, raw_dir), None, tried=False)
    report = fetch(
        catalogue,
        raw_dir,
        starter_only=True,
        deadline_seconds=seconds,
        progress=progress,
        transport=transport,
        policy_for=policy_for,
        limits=limits,
    )
    return StarterReport(starter_state(catalogue, raw_dir), report, tried=True)
