"""Dagster's web server, for requests of its own page only: ``python -m pipeline.defs.web``.

Dagster's server (1.13) carries out whatever reaches it: changes by plain GET, whoever sent them. A web
page that somebody visits in the same browser could so start, end or delete runs. Here the server has a
guard in front; it takes the options of ``dagster-webserver``, and nothing else about it is different.

The rule is that of Go's ``net/http.CrossOriginProtection``: what a browser says about where a request
comes from (``Sec-Fetch-Site``, ``Origin``) must be this server. Programs say neither and pass.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from pipeline.settings import Settings

READS = frozenset({"GET", "HEAD", "OPTIONS"})
DEFAULT_PORTS = {"http": 80, "https": 443}


def _place(address: str) -> tuple[str, int | None]:
    """Name and port in ``scheme://name:port``; an empty name when it is none, such as ``null``."""
    try:
        parts = urlsplit(address)
        return (parts.hostname or "").rstrip("."), parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return "", None


def _is_at(origin: str, host: str) -> bool:
    """Whether an origin is the server that a Host header names."""
    scheme = origin.partition("://")[0].lower()
    return bool(_place(origin)[0]) and _place(origin) == _place(f"{scheme}://{host}")


def is_own_name(name: str, named: Iterable[str]) -> bool:
    """Whether a server may be called so.

    A page on the web can have a name of its own point at this machine and then counts as the same
    place to a browser. It cannot do so with an address, with ``localhost``, or with a name that is
    not its own.

    Args:
        name: from the Host header, lower case, without port.
        named: further names of this server.
    """
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name == "localhost" or name.endswith(".localhost") or name in named
    return True


def refusal(
    kind: str, method: str, path: str, query: str, headers: Mapping[str, str], named: Iterable[str]
) -> tuple[int, str]:
    """Why a request is refused.

    Args:
        kind: ``http`` or ``websocket``.
        method: of the request; nothing for a websocket.
        path: of the request.
        query: what stands after the question mark.
        headers: names in lower case.
        named: names this server goes by, beside addresses and localhost.

    Returns:
        Status and sentence; 0 and an empty one when it may pass.
    """
    host = headers.get("host", "")
    if not is_own_name(_place(f"http://{host}")[0], named):
        return 421, (
            "This server does not go by that name. If it is yours, list it in FIVEPERCENT_PAGE_HOSTS."
        )
    asks_by_address = path.rstrip("/").endswith("/graphql") and "query" in parse_qs(
        query, keep_blank_values=True
    )
    if kind == "http" and method in READS and not asks_by_address:
        return 0, ""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return 403, "Another web page sent this; only Dagster's own page may."
    origin = headers.get("origin")
    hosts = [host, *headers.get("x-forwarded-host", "").split(",")]
    if origin is not None and not any(_is_at(origin, h.strip()) for h in hosts):
        return 403, "Another web page sent this; only Dagster's own page may."
    if kind == "http" and asks_by_address:
        return 405, "Questions to Dagster go by POST with a body of JSON, not by an address."
    return 0, ""


class OwnPageOnly:
    """ASGI middleware that answers what ``refusal`` refuses and passes on the rest.

    Args:
        app: what is behind it.
        named: names this server goes by, beside addresses and localhost.
    """

    def __init__(self, app: ASGIApp, named: Iterable[str] = ()) -> None:
        self.app = app
        self.named = frozenset(name.strip().lower() for name in named if name.strip())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] in ("http", "websocket"):
            status, why = refusal(
                scope["type"],
                scope.get("method", ""),
                scope["path"],
                scope["query_string"].decode("latin-1"),
                Headers(scope=scope),
                self.named,
            )
            if status and scope["type"] == "http":
                answer = PlainTextResponse(why + "\n", status, {"Cache-Control": "no-store"})
                await answer(scope, receive, send)
                return
            if status:
                await WebSocketClose(1008, why)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def main() -> None:
    """Run Dagster's web server behind the guard."""
    from dagster_webserver.cli import main as serve
    from dagster_webserver.webserver import DagsterWebserver

    named = [*Settings().page_hosts.split(","), socket.gethostname(), socket.getfqdn()]
    before = DagsterWebserver.build_middleware

    def build_middleware(self: DagsterWebserver[Any, Any]) -> list[Middleware]:
        return [Middleware(OwnPageOnly, named=named), *before(self)]

    DagsterWebserver.build_middleware = build_middleware
    serve()


if __name__ == "__main__":
    main()
