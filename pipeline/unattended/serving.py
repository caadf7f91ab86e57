"""Processes that belong together, and the published site as a web server on this machine.

Belongs here: starting, watching and stopping; files over HTTP. Does not belong here: what the
processes do.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType
from urllib.parse import unquote, urlsplit

#: How long a process may take to end by itself.
GRACE_SECONDS = 30.0
PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_together(
    commands: Mapping[str, Sequence[str]],
    *,
    environment: Mapping[str, str],
    folder: Path,
    grace_seconds: float = GRACE_SECONDS,
) -> int:
    """Run commands until they are told to stop, or one of them ends; then stop the others.

    SIGINT, SIGTERM and SIGHUP are passed on to all. What does not end in time is killed with
    everything it started. Must be called from the main thread.

    Args:
        commands: name -> command.
        environment: of all of them.
        folder: where they run.
        grace_seconds: how long they may take to end.

    Returns:
        0 when they were told to stop, else 1: one of them ended by itself.
    """
    told: list[int] = []
    # Each in a session of its own: a Ctrl-C in the terminal reaches them once, from here.
    running = {
        name: subprocess.Popen(  # noqa: S603 - our own commands
            list(command), env=dict(environment), cwd=folder, start_new_session=True
        )
        for name, command in commands.items()
    }

    def pass_on(number: int, _: FrameType | None) -> None:
        told.append(number)
        for process in running.values():
            _signal(process, number)

    before = {number: signal.signal(number, pass_on) for number in PASSED_ON}
    try:
        while not told and all(process.poll() is None for process in running.values()):
            time.sleep(0.2)
    finally:
        for process in running.values():
            if not told:
                _signal(process, signal.SIGTERM)
        deadline = time.monotonic() + grace_seconds
        for process in running.values():
            _end(process, deadline)
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0 if told else 1


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    if process.poll() is None:
        process.send_signal(number)


def _end(process: subprocess.Popen[bytes], deadline: float) -> None:
    """Wait for a process, then for what it started; kill what is left at the deadline."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(max(0.0, deadline - time.monotonic()))
    while _group_lives(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    if _group_lives(process.pid):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class _Site(SimpleHTTPRequestHandler):
    """The published site below ``/``, digests below ``/digests/``; no listings, nothing hidden."""

    out: Path
    protocol_version = "HTTP/1.1"

    def translate_path(self, path: str) -> str:
        """The file behind an address; looked up anew each time, so that a new build is seen."""
        parts = [p for p in unquote(urlsplit(path).path).split("/") if p not in ("", ".")]
        if any(p.startswith(".") or "\\" in p or "\0" in p for p in parts):
            return os.devnull + "/not-here"
        root = self.out / "digests" if parts[:1] == ["digests"] else self.out / "charts"
        target = root.joinpath(*(parts[1:] if parts[:1] == ["digests"] else parts))
        # SimpleHTTPRequestHandler tells a folder by the slash.
        return str(target) + ("/" if urlsplit(path).path.endswith("/") and target.is_dir() else "")

    def list_directory(self, path: str | os.PathLike[str]) -> None:
        """No listings."""
        self.send_error(404, "There is no page here")

    def end_headers(self) -> None:
        """Say that nothing is to be guessed or kept."""
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the proxy in front of it keeps a log."""


@contextmanager
def site_server(out: Path, host: str, port: int) -> Iterator[int]:
    """Serve the published site and the digests for as long as the context lasts.

    Args:
        out: folder of the publication.
        host: address to listen on.
        port: port to listen on; 0 for any free one.

    Yields:
        The port.

    Raises:
        OSError: when the port is taken.
    """
    handler = type("Site", (_Site,), {"out": out})
    server = ThreadingHTTPServer((host, port), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="site", daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
