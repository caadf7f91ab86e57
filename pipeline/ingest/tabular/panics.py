"""A panic in a library written in Rust as an error like any other.

Such a panic reaches Python as an exception outside ``Exception``, so that no reader's "one bad file
must not stop the others" would catch it: found by fuzzing, where a damaged xls ended a whole run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class LibraryPanicError(RuntimeError):
    """A library gave up in the middle of its work on this input."""


@contextmanager
def panics_are_errors() -> Iterator[None]:
    """Turn a panic within the block into :class:`LibraryPanicError`; the rest passes unchanged."""
    try:
        yield
    except Exception:
        raise
    except BaseException as error:
        # The class is made by the binding of each library and cannot be imported.
        if type(error).__name__ != "PanicException":
            raise
        raise LibraryPanicError(str(error)[:200]) from None
