"""The refresh that nobody watches: fetch, refresh, digest, alert.

Belongs here: the order of these, patience with publishers, what is told to whom, and what is kept of
it. Does not belong here: how one thing is read, computed or compared, or Dagster, which calls the
same function from its schedule.
"""

from pipeline.unattended.run import Outcome, unattended

__all__ = ["Outcome", "unattended"]
