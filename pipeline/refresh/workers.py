"""Processes that work on batches of portions beside this one.

Much of the work on a batch is Python, of which one process does one piece at a time, so a second
process is worth its start where there are several batches. A worker is a program of its own:
it is told batches on its standard input and tells what they cost on its standard output. It imports
nothing of the program that started it, so a notebook or a script may refresh as well as the command. A
worker that is lost costs nothing but time: its batch is worked on here.

Belongs here: starting workers and talking to them. Does not belong here: the work (``portions``).
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from queue import SimpleQueue
from typing import BinaryIO

from pipeline.ingest.portions import Portion
from pipeline.refresh.portions import Done, Job, Orders, work_on
from pipeline.refresh.process import Process, WorkerLostError, answer_all, standard_streams

#: Fewer batches are done before a second process has begun.
FEWEST_BATCHES = 4
MOST_WORKERS = 4


class _Worker(Process):
    """One process; it is given one batch at a time."""

    def __init__(self, job: Job) -> None:
        super().__init__("pipeline.refresh.workers", {"POLARS_MAX_THREADS": "1"})
        with suppress(WorkerLostError):  # the first batch will say so
            self.send(job)


def work_on_all(
    job: Job,
    batches: Sequence[Sequence[Portion]],
    orders: Orders | None,
    classify_lines: Callable,
    *,
    workers: int,
) -> Iterator[Done]:
    """Work on batches, several at a time where it pays; yields what each cost, in their order.

    Args:
        job: what every batch needs.
        batches: the batches.
        orders: as in :func:`pipeline.refresh.portions.work_on`.
        classify_lines: a function of a module, so that a worker finds it by its name.
        workers: processes that may be at work.

    Raises:
        Exception: what the work on a batch raised, here or in a worker.
    """
    workers = min(workers, MOST_WORKERS)
    if workers < 2 or len(batches) < FEWEST_BATCHES or not _can_travel(job, classify_lines):
        for batch in batches:
            yield work_on(job, batch, orders, classify_lines)
        return
    job = replace(job, threads=max(1, job.threads // workers))
    idle: SimpleQueue[_Worker] = SimpleQueue()
    started = [_Worker(job) for _ in range(workers)]
    for worker in started:
        idle.put(worker)

    def one(batch: Sequence[Portion]) -> Done:
        worker = idle.get()
        try:
            answer = worker.work((batch, orders, classify_lines))
        except WorkerLostError:
            return work_on(job, batch, orders, classify_lines)
        finally:
            idle.put(worker)
        if isinstance(answer, Exception):
            raise answer
        return answer

    try:
        with ThreadPoolExecutor(workers) as pool:
            yield from pool.map(one, batches)
    finally:
        for worker in started:
            worker.close()


def _can_travel(*things: object) -> bool:
    """Whether another process can be told these things; a function inside a function cannot."""
    try:
        pickle.dumps(things)
    except (AttributeError, TypeError, pickle.PicklingError):
        return False
    return True


def serve(told: BinaryIO, answers: BinaryIO) -> None:
    """Answer batches until there are no more.

    Args:
        told: a pickled job, then pickled (batch, orders, function to classify with).
        answers: a pickled :class:`Done`, or what was raised, for each.
    """
    job = pickle.load(told)  # noqa: S301 - a pipe from the process that started this one
    answer_all(told, answers, lambda asked: work_on(job, *asked))


def main() -> None:
    """Serve on the standard streams."""
    serve(*standard_streams())
