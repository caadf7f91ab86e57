"""What a fetch did, file by file, and in a few lines for a person.

Belongs here: the record of outcomes.
Does not belong here: printing it (``pipeline.cli``) or deciding it (``run``).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Literal

State = Literal[
    "fetched",
    "new version",
    "unchanged",
    "would fetch",
    "by hand",
    "not on the mirror",
    "out of time",
    "failed",
]

MOST_LISTED = 12
LISTED = ("would fetch", "not on the mirror")
SEVERAL_HOSTS = 3
"""When so many hosts are not found, it is the network rather than the publishers."""

_BAD: tuple[State, ...] = ("failed", "out of time")


@dataclass(frozen=True)
class FileOutcome:
    """What became of one file or landing page.

    Attributes:
        source_id: the source.
        path: below ``data/raw/<source id>/``; for a page its address.
        address: where it came from, or would.
        state: what happened.
        sentence: the same in words; for a failure why, and what to do.
        kind: ``file`` or ``page``.
        stored_as: where it lies now, below the raw tree; None when nothing was stored.
        bytes: its size.
        sha256: of the content.
        seconds: spent on it.
        warnings: what differs from the previous version.
    """

    source_id: str
    path: str
    address: str | None
    state: State
    sentence: str
    kind: Literal["file", "page"] = "file"
    stored_as: str | None = None
    bytes: int | None = None
    sha256: str | None = None
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is left to be done about it by the downloader."""
        return self.state not in _BAD


@dataclass(frozen=True)
class FetchReport:
    """The outcome of one fetch."""

    outcomes: tuple[FileOutcome, ...] = ()
    seconds: float = 0.0
    dry_run: bool = False
    mirror: str | None = None
    notes: tuple[str, ...] = ()
    tried: bool = True

    @property
    def ok(self) -> bool:
        """Whether it was tried, nothing failed and nothing ran out of time."""
        return self.tried and all(outcome.ok for outcome in self.outcomes)

    @property
    def stored(self) -> int:
        """How many files were added to the raw tree."""
        return sum(one.state in ("fetched", "new version") for one in self.outcomes)

    def counts(self) -> dict[str, int]:
        """How many files ended in each state (pages are not counted)."""
        return dict(Counter(one.state for one in self.outcomes if one.kind == "file"))

    def to_rows(self) -> list[dict[str, object]]:
        """One dictionary an outcome, for tables and ``--json``."""
        return [asdict(outcome) for outcome in self.outcomes]

    def sentences(self) -> list[str]:
        """What a person should know: totals first, then failures, warnings, things by hand."""
        counts = self.counts()
        total = ", ".join(f"{number} {state}" for state, number in sorted(counts.items()))
        where = f"from the mirror {self.mirror}: " if self.mirror else ""
        lines = [f"{where}{total or 'nothing fetched'}, in {self.seconds:.1f} s"]
        lines += self._listed()
        lines += self._troubles()
        for one in self.outcomes:
            lines += [f"changed: {one.source_id}: {one.path}: {text}" for text in one.warnings]
        lines += [
            f"by hand: {one.source_id}: {one.sentence}"
            for one in self.outcomes
            if one.state == "by hand"
        ]
        return [*lines, *self.notes]

    def _listed(self) -> list[str]:
        """What a dry run would do, and what a mirror does not hold, by source and file."""
        files: dict[tuple[str, str], list[str]] = {}
        for one in self.outcomes:
            if one.state in LISTED and one.path:
                files.setdefault((one.state, one.source_id), []).append(one.path)
        return [
            f"{state}: {source} ({len(paths)}): "
            + ", ".join(p.removeprefix(f"{source}/") for p in paths[:MOST_LISTED])
            + (
                f" and {len(paths) - MOST_LISTED} more (--json names all)"
                if len(paths) > MOST_LISTED
                else ""
            )
            for (state, source), paths in files.items()
        ]

    def _troubles(self) -> list[str]:
        """Failures, those with one cause on one line."""
        causes: dict[tuple[str, str], list[FileOutcome]] = {}
        for one in self.outcomes:
            if not one.ok:
                cause = re.sub(r" \(\d+ times tried\)$", "", one.sentence)
                causes.setdefault((one.state, cause), []).append(one)
        lines = [f"{state}: {_named(some)}: {cause}" for (state, cause), some in causes.items()]
        lost = [cause for _, cause in causes if cause.endswith("was not found")]
        if len(lost) >= SEVERAL_HOSTS:
            lines.append(
                f"{len(lost)} hosts were not found: is there a network? Behind a proxy set "
                "HTTPS_PROXY; without network `--mirror DIR` takes the files from a folder"
            )
        return lines


def _named(some: list[FileOutcome]) -> str:
    """The files of one cause: by name when it is one, else counted by source."""
    if len(some) == 1:
        return f"{some[0].source_id}: {some[0].path}" if some[0].path else some[0].source_id
    by_source = Counter((one.source_id, one.kind) for one in some)
    return ", ".join(
        f"{number} {kind}{'s' if number > 1 else ''} of {source_id}"
        for (source_id, kind), number in by_source.items()
    )
