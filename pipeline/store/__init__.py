"""Where tables live between reading and publication, and how they are published.

Belongs here: the by-name writer of Parquet, the working store, the lock, the cache of read files,
the publication. Does not belong here: what a table contains (``schema``) or how it is made.
"""

from pipeline.store.tables import TableStore, conform

__all__ = ["TableStore", "conform"]
