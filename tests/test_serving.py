"""Processes that belong together end together; the published site is served and nothing else."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import httpx
import psutil
import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.refresh import Summary
from pipeline.settings import Settings
from pipeline.unattended.serving import run_together, site_server

CHILD = textwrap.dedent(
    """
    import signal, subprocess, sys, time, pathlib
    name, folder, stubborn = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3] == "stubborn"
    def stop(number, frame):
        (folder / f"{name}.stopped").write_text(str(number))
        if not stubborn:
            sys.exit(0)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    (folder / f"{name}.pids").write_text(f"{__import__('os').getpid()} {helper.pid}")
    time.sleep(600)
    """
)
PARENT = textwrap.dedent(
    """
    import os, pathlib, sys
    from pipeline.unattended.serving import run_together
    folder = pathlib.Path(sys.argv[1])
    commands = {n: [sys.executable, "-c", sys.argv[2], n, str(folder), s] for n, s in (("a", ""), ("b", "stubborn"))}
    sys.exit(run_together(commands, environment=os.environ, folder=folder, grace_seconds=2))
    """
)


def pids(folder: Path) -> list[int]:
    for _ in range(300):
        told = [folder / f"{n}.pids" for n in "ab"]
        if all(p.exists() and p.read_text() for p in told):
            return [int(pid) for p in told for pid in p.read_text().split()]
        time.sleep(0.1)
    raise AssertionError("the children did not start")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_passed_on_and_nobody_is_left_behind(
    tmp_path: Path, number: signal.Signals
) -> None:
    """Also the child that does not want to end, and what the children started."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path), CHILD])
    children = pids(tmp_path)
    parent.send_signal(number)
    assert parent.wait(60) == 0
    assert (tmp_path / "a.stopped").read_text() == str(int(number))
    assert (tmp_path / "b.stopped").read_text() == str(int(number))
    alive = [p for p in children if psutil.pid_exists(p) and psutil.Process(p).status() != "zombie"]
    assert alive == []


def test_when_one_ends_by_itself_the_other_is_stopped_and_it_is_a_failure(tmp_path: Path) -> None:
    commands = {
        "short": [sys.executable, "-c", "raise SystemExit(3)"],
        "long": [sys.executable, "-c", "import time; time.sleep(600)"],
    }
    before = signal.getsignal(signal.SIGTERM)
    assert run_together(commands, environment=os.environ, folder=tmp_path, grace_seconds=5) == 1
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_site_and_the_digests_are_served_and_nothing_beside_them(
    demo_build: tuple[Settings, Summary],
) -> None:
    out = demo_build[0].out
    with site_server(out, "127.0.0.1", 0) as port:
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}")
        page = client.get("/index.html")
        assert page.status_code == 200
        assert "text/html" in page.headers["content-type"]
        assert client.get("/").text == page.text
        for path in (
            "/../fivepercent.duckdb",
            "/%2e%2e/fivepercent.duckdb",
            "/digests/.last/figures.parquet",
            "/digests/../../current/fivepercent.duckdb",
            "/digests/",
            "/assets/",
            "/.work/state.json",
            "//etc/passwd",
        ):
            assert client.get(path).status_code == 404, path
        assert client.post("/index.html").status_code == 501


def test_a_port_that_is_taken_is_told_before_anything_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.cli.ui._prepare", lambda _: pytest.fail("it went on"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = CliRunner().invoke(app, ["ui", "--port", port, "--out", str(tmp_path)])
    assert done.exit_code == 1
    assert f"port {port} of 127.0.0.1: Address already in use; give --port" in done.stderr
