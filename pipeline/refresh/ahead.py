"""A process that is started before it is certain that it is needed, because it is slow to load.

Whether anything changed is known when every raw file has been hashed. Long before, names and sizes may
already differ from those of the run that published last; then the process that draws hashes the raw
files while this one still loads itself, and loads what it needs while this one reads. It is a guess about
work, never about results: where it is wrong, a process was started in vain, or is started later, and a
file that was written since it was hashed is hashed again.

Belongs here: the guess, and starting and ending it. Does not belong here: what it does (``drawing``).
Nothing heavy is imported here, because it is the first thing a refresh does.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.refresh.drawing import Drawer

if TYPE_CHECKING:
    from pipeline.ingest.hashing import Hashed
    from pipeline.settings import Settings


def has_cores(settings: Settings) -> bool:
    """Whether there is a core beside the one that refreshes."""
    return settings.threads >= 2 and (os.cpu_count() or 1) >= 2


def seen(raw: Path) -> str:
    """Names and sizes of all files below a folder, as a hash; of a shut folder its name only."""
    found: list[tuple[str, int]] = []
    waiting = [str(raw)]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        found.append((entry.path, entry.stat(follow_symlinks=False).st_size))
        except OSError:  # who reads the files tells of it; here it only counts as another state
            found.append((folder, -1))
    return hashlib.sha256(os.fsencode(repr(sorted(found)))).hexdigest()


class Ahead:
    """What was started ahead; use as a context, which ends it where nobody took it over."""

    def __init__(self) -> None:
        self._drawer: Drawer | None = None
        self._hashes: dict[str, Hashed] | None = None
        self._has_looked = False
        self._seen: dict[Path, str] = {}

    def __enter__(self) -> Ahead:
        return self

    def __exit__(self, *_: object) -> None:
        if held := self.drawer():
            held.close()

    def look(self, settings: Settings, *, force: bool = False) -> None:
        """Start the process where files differ from those of the run that published last; looks once."""
        if self._has_looked or not has_cores(settings):
            return
        self._has_looked = True
        try:
            state = json.loads((settings.work / "state.json").read_text(encoding="utf-8"))
            if not force:
                self._seen[settings.raw] = seen(settings.raw)
                if state["seen"] == self._seen[settings.raw]:
                    return
        except (OSError, ValueError, KeyError, TypeError):
            return  # nothing was published yet, so reading will take longer than loading
        self._drawer = Drawer(settings.raw)
        self._drawer.get_ready()

    def seen(self, raw: Path) -> str:
        """As :func:`seen`; what was found when this looked, where no file was moved since."""
        return self._seen.get(raw) or seen(raw)

    def forget_seen(self) -> None:
        """Files were moved since this looked."""
        self._seen.clear()

    def hashes(self) -> dict[str, Hashed]:
        """What was hashed of the raw files ahead, by path; nothing where the process was not started."""
        if self._hashes is None:
            self._hashes = self._drawer.hashes() if self._drawer else {}
        return self._hashes

    def drawer(self) -> Drawer | None:
        """The process that draws, where it was started; whoever takes it closes it."""
        taken, self._drawer = self._drawer, None
        return taken
