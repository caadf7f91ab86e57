"""Processes that work on batches of portions beside this one.

Much of the work on a batch is Python, of which one process does one piece at a time, so a second
process is worth its start where there are several batches. A worker is a program of its own:
it is told batches on its standard input and tells what they cost on its standard output. It imports
nothing of the program that started it, so a notebook or a script may refresh as well as the command. A
worker that is lost costs nothing but time: its batch is worked on here.

Belongs here: starting workers and talking to them. Does not belong here: the work (``portions``).
"""

from __future__ import annotations

import gc
import os
import pickle
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from queue import SimpleQueue
from typing import BinaryIO, TypeVar

from pipeline.ingest.payments.portions import Portion
from pipeline.refresh.portions import Done, Job, Orders, work_on
from pipeline.refresh.process import Process, WorkerLostError, answer_all, standard_streams

Answer = TypeVar("Answer")
#: A worker keeps the memory it is done with for its next batch: giving it back and asking again cost
#: a tenth of its time. Both are read by the libraries' own allocators before they are loaded.
_ENVIRONMENT = {
    "POLARS_MAX_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "_RJEM_MALLOC_CONF": "narenas:1,dirty_decay_ms:5000,muzzy_decay_ms:0",
    "MALLOC_TOP_PAD_": str(16 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
}
#: Objects made before Python looks for those that hold each other; between batches it always looks.
_OBJECTS = 100_000
#: Fewer batches are done before a second process has begun.
FEWEST_BATCHES = 4
MOST_WORKERS = 4


class _Worker(Process):
    """One process; it is told a job, then one batch at a time."""

    def __init__(self) -> None:
        super().__init__("pipeline.refresh.workers", _ENVIRONMENT)

    def take(self, job: Job) -> None:
        """Tell what every batch needs."""
        with suppress(WorkerLostError):  # the first batch will say so
            self.send(job)


class Crew:
    """The processes of one run: started when they are sure to be needed, or with the first batches.

    They stay until :meth:`close`, so that what one has found out about texts serves a second pass.

    Args:
        workers: processes that may be at work.
    """

    def __init__(self, workers: int) -> None:
        self._most = min(workers, MOST_WORKERS)
        self._started: list[_Worker] = []
        self._job: Job | None = None

    def start(self) -> None:
        """Start the processes, so that they are ready when there is work."""
        if self._most > 1 and not self._started:
            self._started = [_Worker() for _ in range(self._most)]

    def close(self) -> None:
        """End the processes."""
        for worker in self._started:
            worker.end()  # all at once: giving back the memory of one takes a while
        for worker in self._started:
            worker.close()
        self._started = []

    def work(
        self,
        job: Job,
        batches: Sequence[Sequence[Portion]],
        orders: Orders | None,
        classify_lines: Callable,
    ) -> Iterator[Done]:
        """Work on batches, several at a time where it pays; yields what each cost, in their order.

        Args:
            job: what every batch needs; the same at every call.
            batches: the batches.
            orders: as in :func:`pipeline.refresh.portions.work_on`.
            classify_lines: a function of a module, so that a worker finds it by its name.

        Raises:
            Exception: what the work on a batch raised, here or in a worker.
        """
        few = 2 if self._started else FEWEST_BATCHES
        if self._most < 2 or len(batches) < few or not _can_travel(job, classify_lines):
            for batch in batches:
                yield work_on(job, batch, orders, classify_lines)
            return
        self.start()
        asked = [(batch, orders, classify_lines) for batch in batches]
        # The largest first: what is left at the end is small, so no process waits long.
        yield from self._spread(job, work_on, asked, _largest_first(batches))

    def each(
        self, job: Job, work: Callable[..., Answer], asked: Sequence[tuple]
    ) -> Generator[Answer]:
        """What a function gives for each of some things, in their order.

        By the processes where they are at hand, else by threads of this one.

        Args:
            job: the job whose batches were worked on; the function's first argument.
            work: a function of a module.
            asked: its other arguments, once for each time.

        Raises:
            Exception: what the function raised, here or in a worker.
        """
        if self._job is not None and len(asked) > 1:
            yield from self._spread(job, work, asked, range(len(asked)))
            return
        with ThreadPoolExecutor(max(1, min(2, self._most))) as pool:
            yield from pool.map(lambda told: work(job, *told), asked)

    def _spread(
        self,
        job: Job,
        work: Callable[..., Answer],
        asked: Sequence[tuple],
        order: Sequence[int],
    ) -> Iterator[Answer]:
        self._tell(job)
        idle: SimpleQueue[_Worker] = SimpleQueue()
        for worker in self._started:
            idle.put(worker)

        def one(told: tuple) -> Answer:
            worker = idle.get()
            try:
                answer = worker.work((work, *told))
            except WorkerLostError:
                return work(job, *told)
            finally:
                idle.put(worker)
            if isinstance(answer, Exception):
                raise answer
            return answer

        with ThreadPoolExecutor(len(self._started)) as pool:
            begun = {i: pool.submit(one, asked[i]) for i in order}
            try:
                for i in range(len(asked)):
                    yield begun[i].result()
            finally:
                for future in begun.values():
                    future.cancel()

    def _tell(self, job: Job) -> None:
        if self._job is None:
            self._job = job
            own = replace(job, threads=max(1, job.threads // self._most))
            for worker in self._started:
                worker.take(own)


def _largest_first(batches: Sequence[Sequence[Portion]]) -> list[int]:
    return sorted(range(len(batches)), key=lambda i: -sum(p.bytes for p in batches[i]))


def _can_travel(*things: object) -> bool:
    """Whether another process can be told these things; a function inside a function cannot."""
    try:
        pickle.dumps(things)
    except (AttributeError, TypeError, pickle.PicklingError):
        return False
    return True


def get_ready() -> None:
    """Load the rules and the writer of files before the first batch is told."""
    from pipeline.classify.answers import answers_of

    if hasattr(os, "SCHED_BATCH"):
        # The table library wakes a thread of its own at every call, which otherwise pushes others aside.
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    answers_of(None)
    gc.set_threshold(_OBJECTS)


def serve(told: BinaryIO, answers: BinaryIO) -> None:
    """Answer batches until there are no more.

    Args:
        told: a pickled job, then pickled functions with what they take beside the job.
        answers: what the function gave, or what was raised, for each.
    """
    get_ready()
    try:
        job = pickle.load(told)  # noqa: S301 - a pipe from the process that started this one
    except EOFError:
        return

    def one(asked: tuple) -> object:
        gc.collect()  # circles of objects hold the tables of the batch before
        gc.freeze()  # what is left stays: answers about texts, which need not be walked again
        return asked[0](job, *asked[1:])

    answer_all(told, answers, one)


def main() -> None:
    """Serve on the standard streams."""
    serve(*standard_streams())
