"""The starter set: what a first run needs to say something true about real trusts.

Belongs here: which parts it has and whether a tree of raw files holds them.
Does not belong here: fetching it (``pipeline.fetch``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.catalogue.load import Catalogue
from pipeline.catalogue.models import Source


@dataclass(frozen=True)
class StarterState:
    """One part of the starter set: is it here, and if not, what is missing."""

    source_id: str
    title: str
    complete: bool
    sentence: str


def starter_set(catalogue: Catalogue) -> tuple[Source, ...]:
    """The sources of which the first run needs something."""
    return tuple(source for source in catalogue.sources if source.starter is not None)


def starter_state(catalogue: Catalogue, raw_dir: Path) -> tuple[StarterState, ...]:
    """For each part of the starter set, whether ``raw_dir`` holds it and what is missing."""
    states: list[StarterState] = []
    for source in starter_set(catalogue):
        if source.starter is None:
            continue
        folder = raw_dir / source.id
        listed = [file.path for file in source.files if file.starter]
        missing = [path for path in listed if not (folder / path).is_file()]
        here = [
            path.relative_to(folder).as_posix()
            for path in (folder.rglob("*") if folder.is_dir() else ())
            if path.is_file()
        ]
        unmet = [
            wanted.what
            for wanted in source.starter.wanted
            if not any(wanted.is_met_by(name) for name in here)
        ]
        complete = not missing and not unmet
        if complete:
            sentence = f"{source.starter.title}: complete"
        else:
            parts: list[str] = []
            if missing:
                parts.append(
                    f"{missing[0]!r} is missing"
                    if len(missing) == 1
                    else f"{len(missing)} of {len(listed)} files are missing"
                )
            parts += [f"{what} is missing" for what in unmet]
            sentence = f"{source.starter.title}: {'; '.join(parts)}"
        states.append(StarterState(source.id, source.starter.title, complete, sentence))
    return tuple(states)
