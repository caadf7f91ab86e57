"""Bring published files into ``data/raw`` as they are: checked, versioned, never overwritten.

Belongs here: everything that moves bytes from publishers, or from a mirror, to the raw tree.
Does not belong here: what is published where (``pipeline.catalogue``) or what is in the files
(``pipeline.ingest``). Nothing here reads the environment; callers pass settings in.
"""

from __future__ import annotations

from pipeline.fetch.comparison import FileProfile, compare, profile
from pipeline.fetch.first_run import StarterReport, try_starter_set
from pipeline.fetch.policy import HostPolicy, RefusedError
from pipeline.fetch.progress import NoProgress, Progress, RichProgress
from pipeline.fetch.report import FetchReport, FileOutcome
from pipeline.fetch.run import FetchBusyError, fetch
from pipeline.fetch.transfer import Limits

__all__ = [
    "FetchBusyError",
    "FetchReport",
    "FileOutcome",
    "FileProfile",
    "HostPolicy",
    "Limits",
    "NoProgress",
    "Progress",
    "RefusedError",
    "RichProgress",
    "StarterReport",
    "compare",
    "fetch",
    "profile",
    "try_starter_set",
]
