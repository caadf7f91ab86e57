"""The whole way of the data in order: read, check, compute, check, publish.

Belongs here: the order of the stages, what a run remembers, and how it ends. Does not belong here:
how any one thing is read or computed. Nothing here knows Dagster; ``defs`` calls the same stages.
"""

from pipeline.refresh.run import RefreshFailedError, Summary, refresh

__all__ = ["RefreshFailedError", "Summary", "refresh"]
