"""Where tables live between reading and publication, and how they are published.

Belongs here: the by-name writer of Parquet, the working store, the lock, the cache of read files,
the publication. Does not belong here: what a table contains (``schema``) or how it is made.

The names below are loaded when they are asked for: a question to the published database needs neither
them nor the table library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.store.tables import TableStore, conform

__all__ = ["TableStore", "conform"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from pipeline.store import tables

        return getattr(tables, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
