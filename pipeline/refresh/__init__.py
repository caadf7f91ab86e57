"""The whole way of the data in order: read, check, compute, check, publish.

Belongs here: the order of the stages, what a run remembers, and how it ends. Does not belong here:
how any one thing is read or computed. Nothing here knows Dagster; ``defs`` calls the same stages.

The names below are loaded when they are asked for: the processes that work beside a refresh need
little of it, and start with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.refresh.run import RefreshFailedError, Summary, UnknownTableError, refresh

__all__ = ["RefreshFailedError", "Summary", "UnknownTableError", "refresh"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from pipeline.refresh import run

        return getattr(run, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
