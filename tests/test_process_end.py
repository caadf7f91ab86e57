"""A process beside a refresh ends with it, in the middle of its work too."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from pipeline.refresh.process import Process

#: Says who it is, then is at work for a minute, and hears of nothing meanwhile.
_BUSY = """
import os, time
from pathlib import Path
from pipeline.refresh.process import standard_streams
def main():
    standard_streams()
    Path(os.environ["NOTE"]).write_text(str(os.getpid()))
    until = time.monotonic() + 60
    while time.monotonic() < until:
        sum(range(1000))
"""
_STARTS_IT = """
import time
from pipeline.refresh.process import Process
process = Process("busy")
time.sleep(60)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_when_the_one_that_started_it_is_killed(
    tmp_path: Path, how: signal.Signals
) -> None:
    (tmp_path / "busy.py").write_text(_BUSY)
    note = tmp_path / "note"
    given = {**os.environ, "PYTHONPATH": str(tmp_path), "NOTE": str(note)}
    starter = subprocess.Popen([sys.executable, "-c", _STARTS_IT], env=given)
    try:
        until = time.monotonic() + 50
        while not (note.exists() and note.read_text()):
            assert time.monotonic() < until
            time.sleep(0.05)
        busy = psutil.Process(int(note.read_text()))
        assert busy.is_running()
        starter.send_signal(how)
        starter.wait()
        assert psutil.wait_procs([busy], timeout=30)[1] == []
    finally:
        starter.kill()
        starter.wait()


def test_a_ctrl_c_in_the_terminal_is_for_the_one_that_started_it(
    tmp_path: Path, monkeypatch
) -> None:
    """It would tell of an interrupted import, in the middle of the sentence of its starter."""
    (tmp_path / "busy.py").write_text(
        "import os\ndef main():\n    print(os.getpgid(0), flush=True)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    process = Process("busy")
    assert int(process._answers.readline()) != os.getpgid(0)
    process.close()
