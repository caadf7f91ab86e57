"""One refresh at a time: a lock beside the working store that says who holds it."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout


class LockedError(RuntimeError):
    """Another refresh holds the lock; the message says which."""


def holder(work: Path) -> str:
    """Who holds the lock, in words."""
    try:
        told = json.loads((work / "lock.json").read_text(encoding="utf-8"))
        return f"process {told['pid']} on {told['host']} since {told['since']}"
    except (OSError, ValueError, KeyError):
        return "another process"


@contextmanager
def refresh_lock(
    work: Path, *, wait_seconds: float = 600, on_wait: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Hold the lock of a working store.

    Args:
        work: the working folder.
        wait_seconds: how long to wait for another refresh.
        on_wait: called once with the holder when there is somebody to wait for.

    Raises:
        LockedError: when the other refresh did not finish in time.
    """
    work.mkdir(parents=True, exist_ok=True)
    lock = FileLock(str(work / "lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if on_wait:
            on_wait(holder(work))
        try:
            lock.acquire(timeout=wait_seconds)
        except Timeout as error:
            raise LockedError(
                f"another refresh is running ({holder(work)}); waited {wait_seconds:.0f} seconds"
            ) from error
    told = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    (work / "lock.json").write_text(json.dumps(told), encoding="utf-8")
    try:
        yield
    finally:
        (work / "lock.json").unlink(missing_ok=True)
        lock.release()
