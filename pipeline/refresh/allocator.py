"""How the C library hands out memory to threads, in a process that refreshes again and again.

Belongs here: settings of the allocator of this process. Does not belong here: those of the workers,
which end with a refresh (``workers``).
"""

from __future__ import annotations

import ctypes
import sys

#: Number of the setting in ``malloc.h`` of glibc.
_M_ARENA_MAX = -8
AREAS = 2


def few_areas() -> bool:
    """Let threads share two areas of memory, in place of up to eight a core.

    What a thread gives back stays in its area, so each of sixteen areas grows to the most that any
    thread ever needed: that is what rose from refresh to refresh in one process (``docs/faults.md``).
    Polars and DuckDB have allocators of their own, so hardly anybody waits for an area. What was set
    from outside (``MALLOC_ARENA_MAX``) is the same setting; a call overrides it.

    Returns:
        Whether it was set; only Linux with glibc has it.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    return bool(mallopt(_M_ARENA_MAX, AREAS))
