"""A program beside this one that is told things on its standard input and answers on its standard output.

It imports nothing of the program that started it, so a notebook or a script may refresh as well as the
command, and it ends at once when the one that started it ends, however that comes about.

Belongs here: starting it, talking to it, serving. Does not belong here: what it does.
"""

from __future__ import annotations

import gc
import os
import pickle
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, BinaryIO, cast


class WorkerLostError(RuntimeError):
    """A worker ended without an answer."""


class Process:
    """A process that answers one thing at a time.

    While it loads it does not look for objects that hold each other, of which there are none yet.

    Args:
        module: the module whose ``main`` it runs.
        environment: what it has in its environment beside ours.
    """

    def __init__(self, module: str, environment: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - this program itself
            [sys.executable, "-c", f"import gc; gc.disable(); from {module} import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **(environment or {})},
            process_group=0,  # a Ctrl-C in the terminal is for the one that started it
        )
        self._told = cast(BinaryIO, self._process.stdin)
        self._answers = cast(BinaryIO, self._process.stdout)

    def send(self, told: object) -> None:
        """Tell it something.

        Raises:
            WorkerLostError: when it is not there to hear it.
        """
        try:
            pickle.dump(told, self._told)
            self._told.flush()
        except OSError as error:
            raise WorkerLostError from error

    def work(self, told: object) -> Any:
        """What the process answers.

        Raises:
            WorkerLostError: when it does not.
        """
        self.send(told)
        return self.answer()

    def answer(self) -> Any:
        """What it answers to the thing it was told first of those not answered yet.

        Raises:
            WorkerLostError: when it does not.
        """
        try:
            return pickle.load(self._answers)  # noqa: S301 - a pipe from our own process
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            raise WorkerLostError from error

    def end(self) -> None:
        """Tell it to end, without waiting until it has; :meth:`close` must follow."""
        self._process.terminate()

    def close(self) -> None:
        """End the process."""
        self.end()
        for pipe in (self._told, self._answers):
            with suppress(OSError):
                pipe.close()
        self._process.wait()


def answer_all(told: BinaryIO, answers: BinaryIO, work: Callable[[Any], object]) -> None:
    """Answer until nothing more is told: what the work gives, or the exception it raises."""
    gc.freeze()  # what was loaded stays
    gc.enable()
    while True:
        try:
            asked = pickle.load(told)  # noqa: S301 - a pipe from the process that started this one
        except EOFError:
            return
        try:
            answer: object = work(asked)
        except Exception as error:
            answer = error
        pickle.dump(answer, answers)
        answers.flush()


def standard_streams() -> tuple[BinaryIO, BinaryIO]:
    """The streams to serve on; what a library prints goes elsewhere, because it is no answer.

    When the process that started this one is gone, this one ends at once, whatever it is at: it would
    write on into a folder that the next refresh removes.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it decides when it ends
    threading.Thread(target=_end_with, args=(sys.stdin.fileno(),), daemon=True).start()
    answers = sys.stdout.buffer
    sys.stdout = sys.stderr
    return sys.stdin.buffer, answers


def _end_with(pipe: int) -> None:
    """End this process when nobody is left who could write to a pipe."""
    watch = select.poll()
    watch.register(pipe, 0)  # that the other end is gone is told in any case
    watch.poll()
    os._exit(1)
