"""A local web server that misbehaves on request, and a catalogue that points to it.

Not a test itself. The catalogue holds https addresses of hosts that do not exist; a transport
carries the requests to 127.0.0.1, so that every rule about hosts and schemes stays in force.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.catalogue import Catalogue, Source
from pipeline.fetch import FetchReport, HostPolicy, Limits, fetch

HOST = "files.example.org"
SPEND = (
    b"Department family,Entity,Date,Expense type,Expense area,Supplier,Transaction number,Amount\n"
    + b"".join(
        b"DHSC,Made-up Trust,%02d/04/2020,Software,IT,Supplier %d,%d,30000.00\n" % (day, day, day)
        for day in range(1, 29)
    )
)
ERROR_PAGE = b"<!DOCTYPE html><html><head><title>Sorry</title></head><body>Not here</body></html>"
QUICK = Limits(attempts=3, wait_initial=0.01, wait_max=0.02, read_seconds=2.0, file_seconds=10.0)


@dataclass
class Request:
    """What the server was asked."""

    path: str
    headers: httpx.Headers


@dataclass
class Misbehaving:
    """The server's rules: a path and what it answers, and what it was asked so far."""

    rules: dict[str, Callable[[Handler], None]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    port: int = 0

    def asked(self, path: str) -> list[Request]:
        return [one for one in self.requests if one.path == path]

    def serve(
        self,
        path: str,
        body: bytes = SPEND,
        *,
        kind: str = "text/csv",
        etag: str | None = None,
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Answer properly: conditional requests and ranges included."""

        def answer(handler: Handler) -> None:
            more = dict(headers or {})
            if etag:
                more["ETag"] = etag
                if handler.headers.get("If-None-Match") == etag:
                    handler.reply(304, b"", kind, more)
                    return
            wanted = handler.headers.get("Range", "")
            fits = handler.headers.get("If-Range") in (None, etag)
            if wanted.startswith("bytes=") and etag and fits:
                start = int(wanted.removeprefix("bytes=").rstrip("-"))
                more["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
                handler.reply(206, body[start:], kind, more)
                return
            handler.reply(status, body, kind, more)

        self.rules[path] = answer

    def answers_in_turn(self, path: str, *answers: Callable[[Handler], None]) -> None:
        """Each request gets the next answer; the last one stays."""
        left = list(answers)

        def answer(handler: Handler) -> None:
            (left.pop(0) if len(left) > 1 else left[0])(handler)

        self.rules[path] = answer


class Handler(BaseHTTPRequestHandler):
    """Looks the path up in the rules; 404 with an HTML page otherwise."""

    protocol_version = "HTTP/1.1"
    rules: Misbehaving

    def do_GET(self) -> None:
        self.rules.requests.append(Request(self.path, httpx.Headers(dict(self.headers))))
        rule = self.rules.rules.get(self.path)
        try:
            if rule is None:
                self.reply(404, ERROR_PAGE, "text/html")
            else:
                rule(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def reply(
        self,
        status: int,
        body: bytes,
        kind: str = "text/csv",
        headers: dict[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status != 304:
            self.wfile.write(body)

    def cut_short(self, body: bytes, keep: int, headers: dict[str, str] | None = None) -> None:
        """Promise the whole body, send a part, hang up."""
        self.send_response(200)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:keep])
        self.wfile.flush()
        self.close_connection = True
        self.connection.close()

    def drip(
        self, body: bytes, seconds_a_byte: float, headers: dict[str, str] | None = None
    ) -> None:
        """Send byte by byte."""
        self.send_response(200)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        for byte in body:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(seconds_a_byte)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def misbehaving_server() -> Iterator[Misbehaving]:
    rules = Misbehaving()
    handler = type("BoundHandler", (Handler,), {"rules": rules})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    rules.port = server.server_address[1]
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    try:
        yield rules
    finally:
        server.shutdown()
        server.server_close()


class ToLocalServer(httpx.BaseTransport):
    """Carries every request to the local server, whatever host it names."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        local = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port)
        request = httpx.Request(
            request.method,
            local,
            headers=[(k, v) for k, v in request.headers.multi_items() if k.lower() != "host"],
            extensions=request.extensions,
        )
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


def local_policy(source: Source) -> HostPolicy:
    """The real policy, but names are not looked up and this machine may answer."""
    return HostPolicy(
        source.allowed_hosts, private=True, direct=True, resolve=lambda host: ["127.0.0.1"]
    )


def source(**more: object) -> Source:
    """A source of made-up spend files on HOST."""
    fields: dict[str, object] = {
        "id": "spend_over_25k",
        "title": "Made-up spend",
        "publisher": "Made-up Trust",
        "licence": "Open Government Licence v3.0",
        "how_found": "by the test",
        "hosts": (HOST,),
        "formats": ("csv", "xlsx", "zip"),
        "periods": "April 2020",
        "calendar": {"cadence": "monthly", "usual_lag_days": 45, "first_month": "2020-04-01"},
        "reader": "payments",
        "max_bytes": 2_000_000,
    }
    return Source.model_validate(fields | more)


def one_file(path: str = "/spend.csv", name: str = "ABC/spend.csv", **more: object) -> Catalogue:
    """A catalogue of one source with one file of a fixed address."""
    file = {"path": name, "address": f"https://{HOST}{path}", **more}
    return Catalogue((source(files=(file,)),))


def stored(raw: Path) -> dict[str, bytes]:
    """Everything in the raw tree but the downloader's own notes."""
    return {
        path.relative_to(raw).as_posix(): path.read_bytes()
        for path in sorted(raw.rglob("*"))
        if path.is_file() and ".fetch" not in path.parts
    }


def fetch_from(
    server: Misbehaving, raw: Path, catalogue: Catalogue | None = None, **more: Any
) -> FetchReport:
    """Fetch through the local server, quickly."""
    options: dict[str, Any] = {"policy_for": local_policy, "limits": QUICK}
    return fetch(
        catalogue or one_file(), raw, transport=ToLocalServer(server.port), **(options | more)
    )


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Misbehaving]:
    """A local server without rules yet; no proxy stands between."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with misbehaving_server() as rules:
        yield rules
