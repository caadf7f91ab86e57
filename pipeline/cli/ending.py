"""How a command ends when somebody stops it, when nobody reads on, and when a disk is full.

Exit codes as other tools have them: 128 and the number of the signal that stopped it (130 for Ctrl-C,
143 for SIGTERM), and 141 when whoever read what it says went away.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import NoReturn

#: What is at work when somebody stops it has so long to end in order.
GRACE_SECONDS = 20.0
NOBODY_READS = 128 + signal.SIGPIPE
SHOW_CURSOR = "\x1b[?25h"


class _Ending:
    """What is known of the end of this process before it comes."""

    sentence = "Stopped."
    number = 0
    is_json = False


def ask_json(asked: bool) -> None:
    """Whether standard output is read by a machine."""
    _Ending.is_json = asked


def json_asked() -> bool:
    """Whether standard output is read by a machine."""
    return _Ending.is_json


def listen() -> None:
    """From now on Ctrl-C or SIGTERM unwinds what is at work; a second one ends it at once."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup asks for
            signal.signal(number, _stop)


def stopped() -> bool:
    """Whether somebody has stopped this process."""
    return _Ending.number != 0


def if_stopped(sentence: str) -> None:
    """What is said when somebody stops this command."""
    _Ending.sentence = sentence


def _stop(number: int, _: FrameType | None) -> None:
    if stopped():
        _at_once()
    _Ending.number = number
    late = threading.Timer(GRACE_SECONDS, _at_once)
    late.daemon = True
    late.start()
    raise KeyboardInterrupt


def _at_once() -> NoReturn:
    to_person(SHOW_CURSOR + _Ending.sentence if _is_terminal() else _Ending.sentence)
    os._exit(128 + _Ending.number)


def _is_terminal() -> bool:
    with suppress(OSError, ValueError):
        return sys.stderr.isatty()
    return False


def to_person(text: str) -> None:
    """A line on standard error, when somebody is there to read it."""
    with suppress(OSError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def open_streams() -> None:
    """Give a standard stream that was closed a place where all is lost.

    The next file that is opened would take its number, and with it whatever is printed.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8"))


def run(command: Callable[[], object]) -> int:
    """Run a command and give its exit code; what a disk or a reader does is told in a sentence at most.

    Raises:
        BaseException: what nobody expected, for Python to show where it came about.
    """
    status: object = 0
    try:
        command()
    except SystemExit as end:
        status = NOBODY_READS if isinstance(end.__context__, BrokenPipeError) else end.code
    except BrokenPipeError:
        status = NOBODY_READS
    except OSError as error:
        status = 1 if stopped() else _trouble(error)
    except BaseException:
        if not stopped():
            raise
    if stopped():
        to_person(_Ending.sentence)
        return 128 + _Ending.number
    if isinstance(status, str):  # as Python does it
        to_person(status)
        status = 1
    code = int(status or 0)  # type: ignore[call-overload]
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        return code or NOBODY_READS
    except OSError as error:
        return code or _trouble(error)
    return code


def _trouble(error: OSError) -> int:
    named = f" ({error.filename})" if error.filename else ""
    why = f"{error.strerror or error}{named}"
    to_person(f"Failed: {why}")
    if json_asked():
        with suppress(OSError):
            sys.stdout.write(json.dumps({"failed": why}) + "\n")
            sys.stdout.flush()
    return 1
