"""What a server's answer says about itself: versions, lengths, ranges, when to come back.

Belongs here: reading headers, the time limits and the two ways a download ends badly.
Does not belong here: sending requests (``transfer``).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any


class FetchFailedError(Exception):
    """The download cannot succeed; the message is a sentence for people."""


class OutOfTimeError(FetchFailedError):
    """The time given ran out."""


@dataclass(frozen=True)
class Validators:
    """What a server said identifies a version of a file."""

    etag: str | None = None
    last_modified: str | None = None

    @property
    def for_resume(self) -> str | None:
        """The value for If-Range: a strong ETag, else the date, else nothing."""
        if self.etag and not self.etag.startswith("W/"):
            return self.etag
        return self.last_modified


class Deadline:
    """A moment after which no more work is started, and running work stops."""

    def __init__(self, seconds: float | None, within: Deadline | None = None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds
        self._within = within
        self._stopped = False

    def stop(self) -> None:
        """Let everything that watches this deadline stop now (the user pressed Ctrl-C)."""
        self._stopped = True

    def remaining(self, at_most: float) -> float:
        """Seconds left, at most ``at_most``; zero or less when the time is over."""
        if self._stopped:
            return 0.0
        if self._within is not None:
            at_most = self._within.remaining(at_most)
        return at_most if self._end is None else min(at_most, self._end - time.monotonic())

    def check(self) -> None:
        """Raise OutOfTimeError when the time is over."""
        if self.remaining(1.0) <= 0:
            raise OutOfTimeError("the time given for fetching ran out")


MEANING = {
    401: " (a login is asked for)",
    403: " (refused; some publishers block programs: download it by hand)",
    404: " (not found; the publisher may have moved it)",
    410: " (withdrawn)",
}


def times_tried(tries: int) -> str:
    """A remark on how often it was tried; nothing when once."""
    return "" if tries <= 1 else f" ({tries} times tried)"


def is_encoded(response: Any) -> bool:
    """Whether the body is compressed although we asked for it plain."""
    return response.headers.get("content-encoding", "identity").lower() != "identity"


def is_encoded_twice(response: Any) -> bool:
    """Whether it is compressed in layers: one piece of 64 kB can become 64 GB before it is counted."""
    return "," in response.headers.get("content-encoding", "")


def announced_length(response: Any) -> int | None:
    """The announced length of the body; None when there is none."""
    text = response.headers.get("content-length", "")
    return int(text) if text.isdigit() else None


def continued_size(response: Any, start: int) -> int | None:
    """The whole size from Content-Range, 0 when unknown, None when it does not fit."""
    unit, _, rest = response.headers.get("content-range", "").partition(" ")
    span, _, whole = rest.partition("/")
    first = span.partition("-")[0]
    if unit.lower() != "bytes" or not first.isdigit() or int(first) != start:
        return None
    return int(whole) if whole.isdigit() else 0


def asked_wait(response: Any) -> float | None:
    """Seconds the server asks to wait (Retry-After), at most a minute."""
    text = response.headers.get("retry-after", "").strip()
    return min(float(text), 60.0) if text.isdigit() else None
