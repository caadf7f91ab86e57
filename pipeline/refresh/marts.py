"""Stage three: the marts, of what the refresh before kept where nothing behind it changed.

Belongs here: where that is kept, and when it is not believed. Does not belong here: what is kept
(``marts.kept``), or making marts (``marts.run``).
"""

from __future__ import annotations

from pipeline.marts.kept import Kept
from pipeline.refresh.code import code_hash
from pipeline.refresh.context import Run
from pipeline.refresh.unchanged import FOLDER


def kept_of_marts(run: Run) -> Kept:
    """What marts were made of before; nothing of it in a forced run, or after a gate that failed."""
    folder = run.settings.work / FOLDER / "marts"
    return Kept(folder, run.contents, code_hash(), hashes=run.hashes, afresh=run.force)
