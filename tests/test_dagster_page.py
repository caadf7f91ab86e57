"""Dagster's page takes requests from itself and from programs, not from other web pages."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from pipeline.defs.web import OwnPageOnly, refusal

HERE, SOCKET = "http://127.0.0.1:3000", "ws://127.0.0.1:3000/graphql"
ROOT = Path(__file__).resolve().parents[1]


async def _done(request: Request) -> PlainTextResponse:
    return PlainTextResponse("carried out")


async def _socket(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("open")
    await socket.close()


@pytest.fixture
def page() -> TestClient:
    """A server that does whatever reaches it, behind the guard."""
    routes = [
        Route("/graphql", _done, methods=["GET", "POST"]),
        Route("/{path:path}", _done, methods=["GET", "POST"]),
        WebSocketRoute("/graphql", _socket),
    ]
    app = Starlette(routes=routes)
    app.add_middleware(OwnPageOnly, named=["Dagster.Example.org"])
    return TestClient(app, base_url=HERE)


MUTATION = "/graphql?query=mutation{deletePipelineRun(runId:%22x%22){__typename}}"
FOREIGN = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:3001"},  # the site beside it is another place
    {"origin": "http://127.0.0.1"},
    {"origin": "http://127.0.0.1:99999"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site", "origin": HERE},
]
OWN = [
    {},
    {"origin": HERE},
    {"origin": HERE, "sec-fetch-site": "same-origin"},
    {"sec-fetch-site": "none"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_other_pages_change_nothing(page: TestClient, headers: dict[str, str]) -> None:
    for path in ("/graphql", "/report_asset_materialization/facts/payment"):
        assert page.post(path, json={}, headers=headers).status_code == 403, path
    assert page.get(MUTATION, headers=headers).status_code == 403
    with pytest.raises(WebSocketDisconnect), page.websocket_connect(SOCKET, headers=headers):
        pass


@pytest.mark.parametrize("headers", OWN, ids=str)
def test_its_own_page_and_programs_pass(page: TestClient, headers: dict[str, str]) -> None:
    for path in ("/graphql", "/report_asset_materialization/facts/payment"):
        assert page.post(path, json={}, headers=headers).text == "carried out"
    with page.websocket_connect(SOCKET, headers=headers) as connected:
        assert connected.receive_text() == "open"


def test_nobody_asks_by_address(page: TestClient) -> None:
    """An image on any page can send a GET, and old browsers do not say from where."""
    assert page.get(MUTATION).status_code == 405
    assert page.get("/graphql/?query=").status_code == 405
    assert page.get("/graphql").status_code == 200  # the page to type questions in


def test_links_from_elsewhere_open_the_page(page: TestClient) -> None:
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert page.get("/assets/marts", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:3000", 200),
        ("localhost:8444", 200),
        ("[::1]:3000", 200),
        ("10.1.2.3", 200),
        ("dagster.example.org", 200),
        ("DAGSTER.example.org.:443", 200),
        ("rebound.evil.example:3000", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example", 421),
        ("[", 421),
        ("", 421),
    ],
)
def test_names_that_are_not_its_own_are_refused(page: TestClient, host: str, status: int) -> None:
    """A name that its owner has point here would count as the same place to a browser."""
    assert page.get("/", headers={"host": host}).status_code == status


@pytest.mark.parametrize("header", ["host", "x-forwarded-host"])
def test_it_works_behind_a_proxy(page: TestClient, header: str) -> None:
    headers = {header: "dagster.example.org", "origin": "https://dagster.example.org"}
    assert page.post("/graphql", json={}, headers=headers).status_code == 200
    headers["origin"] = "https://dagster.example.org:8444"
    assert page.post("/graphql", json={}, headers=headers).status_code == 403


@given(st.text(), st.text(), st.text(), st.sampled_from(["GET", "POST", "PUT", ""]))
def test_whatever_headers_say_there_is_an_answer(
    host: str, origin: str, query: str, method: str
) -> None:
    headers = {"host": host, "origin": origin}
    status, why = refusal("http", method, "/graphql", query, headers, ())
    assert (status == 0) == (why == "")
    if status == 0 and method == "POST":
        assert host
        assert origin.lower().endswith(host.lower().rstrip("."))


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _asked(port: int, path: str, **headers: str) -> tuple[int, str]:
    body = json.dumps({"query": "{ version }"}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        data=None if "?" in path else body,
        headers={"Content-Type": "application/json"} | headers,
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_dagsters_own_server_is_behind_the_guard(tmp_path: Path) -> None:
    """The real server, with a code location that is empty because only the guard is tried."""
    port = _free_port()
    (tmp_path / "nothing.py").write_text("import dagster as dg\ndefs = dg.Definitions()\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.defs.web", "-f", "nothing.py", "-p", str(port)],
        cwd=tmp_path,
        env=os.environ | {"DAGSTER_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                assert _asked(port, "/graphql")[0] == 200
                break
            except urllib.error.URLError:
                assert process.poll() is None, "the server ended"
                assert time.monotonic() < deadline, "the server does not answer"
                time.sleep(0.3)
        status, text = _asked(port, "/graphql", Origin=f"http://127.0.0.1:{port}")
        assert status == 200
        assert "version" in text
        assert _asked(port, "/graphql", Origin="https://evil.example")[0] == 403
        assert _asked(port, "/graphql?query=%7B%20version%20%7D")[0] == 405
        assert _asked(port, "/graphql", Host="evil.example")[0] == 421
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)
