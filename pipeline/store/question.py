"""One question to the published database, asked in a process of its own that has bounds.

Whoever may ask may ask for anything: a cross join without end, a text of gigabytes, a sort larger than the
disk. DuckDB bounds most of its memory, not all of it, and not every step of it can be interrupted. So a
question runs apart, within limits that the system enforces, and is ended from outside.

Belongs here: what may be asked, within which bounds, and the ending. Does not belong here: how an answer is
shown (``cli``).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any, cast

MEGABYTE = 1 << 20
#: Rows that travel at a time.
BATCH = 2_000
#: What the interpreter and the libraries take of the memory, beside what DuckDB counts.
BESIDE_MB = 150
#: Kinds of statement that are a question; MULTI is how DuckDB names a pivot.
QUESTIONS = frozenset({"SELECT", "EXPLAIN", "MULTI"})


@dataclass(frozen=True)
class Bounds:
    """What one question may take.

    Attributes:
        seconds: time until its last row is there, without what the one who reads takes.
        memory_mb: memory of its process; temp_mb: what may spill to the disk, below the system's
            folder for temporary files.
        rows: rows of the answer.
    """

    seconds: float
    memory_mb: int
    temp_mb: int
    rows: int


class QuestionRefusedError(ValueError):
    """The text is no single question, is wrong, or asks for what is not given."""


class QuestionTooLargeError(RuntimeError):
    """The question took more than it may."""


@dataclass(frozen=True)
class Answer:
    """Names of the columns, and batches of rows as they come.

    The batches raise ``QuestionRefusedError`` or ``QuestionTooLargeError`` like ``ask`` does.
    """

    names: list[str]
    batches: Iterator[list[tuple[Any, ...]]]


@contextmanager
def ask(database: Path, sql: str, bounds: Bounds) -> Generator[Answer]:
    """Ask one question; its process and its temporary files are gone when the block ends.

    Args:
        database: the published file; it is opened read-only, with files and network out of reach.
        sql: one statement.
        bounds: what it may take.

    Raises:
        QuestionRefusedError: the statement is none that can be asked, or DuckDB refuses it.
        QuestionTooLargeError: it took more time, memory, disk or rows than it may.
    """
    with tempfile.TemporaryDirectory(prefix="fivepercent-question-") as spill:
        process = subprocess.Popen(
            [sys.executable, "-c", "from pipeline.store.question import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        told, said = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
        # Each connection closes the handle it is given, so it gets one of its own.
        with Connection(os.dup(said.fileno()), writable=False) as answers:
            try:
                with Connection(os.dup(told.fileno()), readable=False) as asking:
                    asking.send((str(database), sql, spill, bounds))
                parts = _parts(answers, process, bounds)
                yield Answer(next(parts), parts)
            finally:
                process.kill()
                told.close()
                said.close()
                process.wait()


def _parts(answers: Connection, process: subprocess.Popen[bytes], bounds: Bounds) -> Generator[Any]:
    """Names of the columns, then batches of rows."""
    left, rows = bounds.seconds, 0
    while True:
        started = time.monotonic()
        if not answers.poll(max(0.0, left)):
            raise QuestionTooLargeError(
                f"the question was stopped after {bounds.seconds:g} seconds; ask for less, or allow more "
                "with FIVEPERCENT_QUERY_SECONDS"
            )
        try:
            kind, body = answers.recv()
        except (EOFError, OSError):
            process.wait()
            raise QuestionTooLargeError(_fell(bounds)) from None
        left -= time.monotonic() - started
        if kind == "refused":
            raise QuestionRefusedError(body)
        if kind == "too large":
            raise QuestionTooLargeError(body)
        if kind == "end":
            return
        if kind == "rows":
            rows += len(body)
            if rows > bounds.rows:
                yield body[: len(body) - (rows - bounds.rows)]
                raise QuestionTooLargeError(
                    f"the answer has more than {bounds.rows:,} rows and ends here; ask for less, allow more "
                    "with FIVEPERCENT_QUERY_ROWS, or take whole tables with `fivepercent export`"
                )
        yield body


def _fell(bounds: Bounds) -> str:
    return (
        f"the question needs more than the {bounds.memory_mb:,} MB of memory or "
        f"{bounds.temp_mb:,} MB of temporary files that it may take; ask for less, or allow more with "
        "FIVEPERCENT_QUERY_MEMORY_MB and FIVEPERCENT_QUERY_TEMP_MB"
    )


def connect(database: Path, *, memory_mb: int = 0, temp_mb: int = 0, spill: str = "") -> Any:
    """Open a database read-only with files, network, extensions and settings out of reach.

    Args:
        database: the file.
        memory_mb: bound of DuckDB's memory; 0 leaves the library's own.
        temp_mb: bound of what it may write to ``spill``.
        spill: folder for what does not fit into memory; empty writes nothing.
    """
    import duckdb

    config: dict[str, Any] = {
        "temp_directory": spill,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    if memory_mb:
        config |= {"memory_limit": f"{memory_mb}MB", "threads": min(4, os.cpu_count() or 1)}
    connection = duckdb.connect(str(database), read_only=True, config=config)
    if (
        memory_mb
    ):  # DuckDB 2.0 shows this bound when it comes with the configuration, and does not keep it
        connection.execute(f"set max_temp_directory_size = '{temp_mb}MB'")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return connection


def main() -> None:
    """Answer one question; the program of the process apart."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who asked decides when this ends
    answers = Connection(os.dup(1), readable=False)
    os.dup2(2, 1)  # what a library prints is no answer
    asking = Connection(os.dup(0), writable=False)
    database, sql, spill, bounds = asking.recv()
    _end_with_the_asker(asking, spill)
    _bound(bounds)
    with suppress(OSError):  # nobody listens any more
        try:
            _answer(answers, Path(database), sql, spill, bounds)
        except MemoryError:
            answers.send(("too large", _fell(bounds)))


def _answer(answers: Connection, database: Path, sql: str, spill: str, bounds: Bounds) -> None:
    import duckdb

    try:
        connection = connect(
            database,
            memory_mb=max(bounds.memory_mb // 4, bounds.memory_mb - 2 * BESIDE_MB),
            temp_mb=bounds.temp_mb,
            spill=spill,
        )
        statements = duckdb.extract_statements(sql)
        if refusal := _refusal([s.type.name for s in statements]):
            answers.send(("refused", refusal))
            return
        found = connection.execute(statements[0])
        answers.send(("names", [column[0] for column in found.description or ()]))
        while batch := found.fetchmany(BATCH):
            answers.send(("rows", batch))
        answers.send(("end", None))
    except duckdb.OutOfMemoryException:
        answers.send(("too large", _fell(bounds)))
    except duckdb.Error as error:
        answers.send(("refused", str(error)))


def _refusal(kinds: list[str]) -> str:
    """Why statements of these kinds are not answered; empty when they are."""
    if not kinds:
        return "there is no statement; ask something such as: from read_me"
    if len(kinds) > 1:
        return "only one statement is answered at a time"
    if kinds[0] not in QUESTIONS:
        return (
            f"this is a statement of kind {kinds[0]}; only questions can be asked: SELECT, FROM, WITH, DESCRIBE, "
            "SHOW, SUMMARIZE, PIVOT, EXPLAIN"
        )
    return ""


def _bound(bounds: Bounds) -> None:
    """Bounds that the system enforces, where it can."""
    try:
        import resource
    except ImportError:
        return
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # a file beyond its bound ends this process
    threads = min(4, os.cpu_count() or 1)
    for what, most in (
        (resource.RLIMIT_DATA, bounds.memory_mb * MEGABYTE),
        (resource.RLIMIT_FSIZE, bounds.temp_mb * MEGABYTE),
        (resource.RLIMIT_CPU, int(bounds.seconds * threads) + 30),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # a lower bound is already set
            resource.setrlimit(what, (most, most))


def _end_with_the_asker(asking: Connection, spill: str) -> None:
    """End at once, and tidy up, when the process that asked is gone, however that came about."""
    import shutil
    import threading

    def wait() -> None:
        with suppress(EOFError, OSError):
            asking.recv_bytes()
        shutil.rmtree(spill, ignore_errors=True)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
