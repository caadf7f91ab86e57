"""One download over http(s): redirects checked, resumed, retried, bounded.

Belongs here: the conversation with one server about one address.
Does not belong here: which address (``plan``), whether the bytes are the right kind (``sniff``) or
where they go (``keeping``).

A download lands in a ``.part`` file beside a note of the server's validators. If the connection
breaks, or the whole process is killed, the next try asks for the rest only (Range), on the
condition that the file is still the same one (If-Range); a server that cannot do that sends it all.
"""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Thread, Timer
from typing import Any
from urllib.parse import urljoin, urlsplit

from pipeline.fetch.answers import (
    MEANING,
    Deadline,
    FetchFailedError,
    OutOfTimeError,
    Validators,
    announced_length,
    asked_wait,
    continued_size,
    is_encoded,
    is_encoded_twice,
    times_tried,
)
from pipeline.fetch.policy import HostPolicy, RefusedError
from pipeline.fetch.sniff import HEAD_BYTES

_AGENT = "fivepercent (public data pipeline; reads published files as they are)"
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Limits:
    """Bounds on one download."""

    attempts: int = 4
    wait_initial: float = 0.5
    wait_max: float = 20.0
    connect_seconds: float = 15.0
    read_seconds: float = 30.0
    headers_seconds: float = 60.0
    file_seconds: float = 900.0
    redirects: int = 5


class _TryAgainError(Exception):
    """Worth another attempt, after ``wait`` seconds if the server asked for that."""

    def __init__(
        self, sentence: str, wait: float | None = None, *, host_is_down: bool = False
    ) -> None:
        super().__init__(sentence)
        self.wait = wait
        self.host_is_down = host_is_down


@dataclass(frozen=True)
class Download:
    """A finished conversation: ``changed`` is False when the server said nothing is new (304)."""

    changed: bool
    validators: Validators
    final_address: str
    resumed: bool = False


@dataclass
class Transfer:
    """The means of downloading: an httpx client, a policy, bounds.

    Attributes:
        client: an ``httpx.Client`` that does not follow redirects itself.
        policy: which addresses are allowed.
        limits: bounds on one download.
        deadline: bound on all of them.
        unreachable: hosts that could not be reached, and the sentence that says so. They are
            not tried again in this run: without network that is learnt once a host.
    """

    client: Any
    policy: HostPolicy
    limits: Limits
    deadline: Deadline
    unreachable: dict[str, str] = field(default_factory=dict)

    def download(
        self,
        address: str,
        part: Path,
        *,
        max_bytes: int,
        known: Validators | None = None,
        check: Callable[[bytes], None] | None = None,
        advance: Callable[[int, int | None], None] | None = None,
    ) -> Download:
        """Download ``address`` into ``part``.

        Args:
            address: where from.
            part: the file to fill; one left by an earlier try is continued.
            max_bytes: more than this is refused.
            known: validators of the version already here, for a conditional request.
            check: given the first bytes; raises to stop early.
            advance: told the bytes so far and the total, if known.

        Raises:
            FetchFailedError: it cannot succeed (or not in time: OutOfTimeError).
            RefusedError: the policy does not allow the address or a redirect.
        """
        import httpx
        import stamina

        # Retries show in the report's sentences; log lines would spoil output meant for machines.
        stamina.instrumentation.set_on_retry_hooks(())
        passing = (
            httpx.TimeoutException,
            httpx.NetworkError,
            httpx.RemoteProtocolError,
            httpx.ProxyError,
        )
        self.deadline.check()
        host = urlsplit(address).hostname or ""
        if host in self.unreachable:
            raise FetchFailedError(self.unreachable[host])
        end = Deadline(self.limits.file_seconds, self.deadline)
        tries = 0

        def worth_another_try(error: Exception) -> bool | float:
            # The wait is ours to choose, so that it never reaches beyond the time given.
            nonlocal tries
            tries += 1
            if not isinstance(error, (_TryAgainError, *passing)):
                return False
            wait = min(self.limits.wait_initial * 2 ** (tries - 1), self.limits.wait_max)
            wait *= random.uniform(0.5, 1.0)  # noqa: S311 (spreads retries, guards nothing)
            if isinstance(error, _TryAgainError) and error.wait is not None:
                wait = error.wait
            return wait if wait < end.remaining(wait + 1.0) else False

        try:
            for attempt in stamina.retry_context(
                on=worth_another_try,
                attempts=self.limits.attempts,
                timeout=None,
            ):
                with attempt:
                    end.check()
                    return self._once(address, part, max_bytes, known, check, advance, end)
        except _TryAgainError as error:
            if error.host_is_down:
                self.unreachable[host] = str(error)
            raise FetchFailedError(f"{error}{times_tried(tries)}") from error
        except httpx.TransportError as error:
            self.deadline.check()
            why = str(error) or type(error).__name__
            sentence = f"no answer from {host}: {why}{times_tried(tries)}"
            if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
                self.unreachable[host] = sentence
            raise FetchFailedError(sentence) from error
        except OutOfTimeError:
            raise  # what came so far is kept, to be continued
        except Exception:
            _forget(part, part.with_suffix(".json"))
            raise
        raise FetchFailedError("not tried")  # unreachable: the loop returns or raises

    def _once(
        self,
        address: str,
        part: Path,
        max_bytes: int,
        known: Validators | None,
        check: Callable[[bytes], None] | None,
        advance: Callable[[int, int | None], None] | None,
        end: Deadline,
    ) -> Download:
        note = part.with_suffix(".json")
        start, resume_by = _resumable(part, note, address)
        headers = {"User-Agent": _AGENT, "Accept-Encoding": "identity"}
        if start and resume_by:
            headers |= {"Range": f"bytes={start}-", "If-Range": resume_by}
        elif known is not None:
            if known.etag:
                headers["If-None-Match"] = known.etag
            if known.last_modified:
                headers["If-Modified-Since"] = known.last_modified
        with closing(self._follow(address, headers, end)) as response:
            status = response.status_code
            found = Validators(response.headers.get("etag"), response.headers.get("last-modified"))
            final = str(response.url)
            if status == 304:
                return Download(False, found if found.etag else known or found, final)
            if status == 416:
                _forget(part, note)
                raise _TryAgainError("the server would not continue the download")
            if status in _TRY_AGAIN:
                raise _TryAgainError(
                    f"the publisher's server answers {status}", asked_wait(response)
                )
            if status not in (200, 206):
                raise FetchFailedError(
                    f"the publisher's server answers {status}{MEANING.get(status, '')}"
                )
            encoded = is_encoded(response)
            if encoded and is_encoded_twice(response):
                raise FetchFailedError(
                    "the publisher's server sends the file compressed more than once, which no honest one does"
                )
            total = None if encoded else announced_length(response)
            if status == 206:
                whole = None if encoded else continued_size(response, start)
                if whole is None:
                    _forget(part, note)
                    raise _TryAgainError("the server continued at another place than asked")
                total = whole if whole > 0 else (None if total is None else start + total)
            else:
                start = 0
            if total is not None and total > max_bytes:
                raise FetchFailedError(
                    f"{total:,} bytes announced, at most {max_bytes:,} are taken"
                )
            part.parent.mkdir(parents=True, exist_ok=True)
            # An encoded body is unpacked as it comes, so its parts cannot be counted.
            resume_by = "" if encoded else found.for_resume or ""
            kept = {"address": address, "resume_by": resume_by}
            note.write_text(json.dumps(kept), encoding="utf-8")
            with _hung_up_at(end, response, self.limits.file_seconds):
                size = _receive(response, part, start, max_bytes, total, check, advance, end)
            if total is not None and size != total:
                raise _TryAgainError(f"cut short: {size:,} of {total:,} bytes came")
            note.unlink(missing_ok=True)
            return Download(True, found, final, resumed=start > 0)

    def _follow(self, address: str, headers: dict[str, str], end: Deadline) -> Any:
        """Send the request, follow allowed redirects, return the open answer."""
        import httpx

        for _ in range(self.limits.redirects + 1):
            try:
                self.policy.check(address)
            except OSError as error:
                host = urlsplit(address).hostname
                raise _TryAgainError(f"the host {host} was not found", host_is_down=True) from error
            left = max(end.remaining(self.limits.read_seconds), 0.05)
            timeout = httpx.Timeout(left, connect=min(self.limits.connect_seconds, left))
            request = self.client.build_request("GET", address, headers=headers, timeout=timeout)
            response = self._send(request, end)
            try:
                self.policy.check_peer(response)
            except RefusedError:
                response.close()
                raise
            location = response.headers.get("location")
            if response.status_code not in (301, 302, 303, 307, 308) or not location:
                return response
            response.close()
            address = urljoin(address, location)
        raise FetchFailedError(f"more than {self.limits.redirects} redirects")

    def _send(self, request: Any, end: Deadline) -> Any:
        """The open answer, with all its headers.

        The client bounds the wait for each piece only: a server that sends one letter of its headers now and
        then would hold it for days.
        """
        answers: Queue[Any] = Queue()
        left = Event()

        def send() -> None:
            try:
                answer = self.client.send(request, stream=True)
            except Exception as error:
                answers.put(error)
                return
            answers.put(answer)
            if left.is_set():
                answer.close()

        Thread(target=send, daemon=True, name=f"ask {request.url.host}").start()
        own = Deadline(self.limits.headers_seconds, end)
        while (wait := own.remaining(0.5)) > 0:
            try:
                answer = answers.get(timeout=wait)
            except Empty:
                continue
            if isinstance(answer, Exception):
                raise answer
            return answer
        left.set()
        end.check()
        raise _TryAgainError(
            f"the headers of {request.url.host} did not end in {self.limits.headers_seconds:g} s"
        )


@contextmanager
def _hung_up_at(end: Deadline, response: Any, at_most: float) -> Generator[None]:
    """Ends the connection when the time is over.

    Not every byte a server sends is a byte of the file: a compressed body may hold nothing without end, and
    so may what stands between the pieces of one. Nothing of that reaches the loop that looks at the clock.
    """
    stream = response.extensions.get("network_stream")
    connection = stream.get_extra_info("socket") if stream is not None else None

    if connection is None:
        yield
        return

    def hang_up() -> None:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    timer = Timer(max(end.remaining(at_most), 0.05), hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _receive(
    response: Any,
    part: Path,
    start: int,
    max_bytes: int,
    total: int | None,
    check: Callable[[bytes], None] | None,
    advance: Callable[[int, int | None], None] | None,
    end: Deadline,
) -> int:
    """Write the body behind ``start``; return the size of the file afterwards."""
    size = start
    head = b""
    checked = start > 0 or check is None
    with part.open("r+b" if start else "wb") as file:
        file.seek(start)
        file.truncate()
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > max_bytes:
                raise FetchFailedError(
                    f"more than {max_bytes:,} bytes came, which is the most taken"
                )
            file.write(chunk)
            file.flush()  # what is here survives a killed process and is continued
            if not checked and check is not None:
                head += chunk
                if len(head) >= HEAD_BYTES:
                    check(head[:HEAD_BYTES])
                    checked = True
            if advance is not None:
                advance(size, total)
            end.check()
    return size


def _resumable(part: Path, note: Path, address: str) -> tuple[int, str | None]:
    """Bytes already here and the value to resume by; (0, None) when it starts anew."""
    try:
        kept = json.loads(note.read_text(encoding="utf-8"))
        size = part.stat().st_size
    except (OSError, ValueError):
        return 0, None
    if kept.get("address") != address or not kept.get("resume_by") or not size:
        return 0, None
    return size, str(kept["resume_by"])


def _forget(part: Path, note: Path) -> None:
    part.unlink(missing_ok=True)
    note.unlink(missing_ok=True)
