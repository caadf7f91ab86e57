"""Work that does not wait for each other, done at the same time, each piece after those it reads.

Belongs here: reading from SQL which relations it names, and running a graph of work on some threads.
Does not belong here: what a mart or a measure is (``run``).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter

_COMMENT = re.compile(r"--[^\n]*")
_NAME = re.compile(r"\b(?:dims|facts|meta|marts|measures)\.\w+")


def cores() -> int:
    """How many pieces of work are done at the same time."""
    return os.cpu_count() or 1


def named_in(sql: str) -> set[str]:
    """The relations, with their schemas, that an SQL text names outside its comments."""
    return set(_NAME.findall(_COMMENT.sub("", sql)))


def needed(
    wanted: Iterable[str], texts: Mapping[str, str], known: Iterable[str]
) -> dict[str, set[str]]:
    """The graph of what must be made: each name with the names among ``known`` that it reads.

    Args:
        wanted: what is to be made; what they read is added, and what that reads.
        texts: the SQL of everything that may be named.
        known: names that may be made; others are there already.

    Returns:
        By name, what must be made before it, in the order of ``texts``.
    """
    allowed, waiting = set(known), list(wanted)
    graph: dict[str, set[str]] = {}
    while waiting:
        name = waiting.pop()
        if name not in graph:
            graph[name] = (named_in(texts[name]) & allowed) - {name}
            waiting.extend(graph[name])
    return {name: graph[name] for name in texts if name in graph}


def run_graph(graph: Mapping[str, set[str]], work: Callable[[str], None], threads: int) -> None:
    """Do a piece of work for every name of a graph, after those it needs, several at a time.

    Of what could be begun, that with the longest way to the end goes first, so that no thread is left
    alone with a chain of work when all the rest is done.

    Args:
        graph: by name, the names it needs.
        work: called with a name, in one of the threads.
        threads: how many.

    Raises:
        Exception: whatever ``work`` raised first; what had not begun is left undone.
    """
    order = TopologicalSorter(graph)
    order.prepare()
    steps = _steps_to_the_end(graph)
    ready: list[str] = []
    running: dict[Future[None], str] = {}
    with ThreadPoolExecutor(threads) as pool:
        while order.is_active():
            ready = sorted([*ready, *order.get_ready()], key=lambda name: -steps[name])
            while ready and len(running) < threads:
                name = ready.pop(0)
                running[pool.submit(work, name)] = name
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                name = running.pop(future)
                future.result()
                order.done(name)


def _steps_to_the_end(graph: Mapping[str, set[str]]) -> dict[str, int]:
    """By name, how many pieces of work wait for each other from it to the end."""
    steps = dict.fromkeys(graph, 1)
    for name in reversed(tuple(TopologicalSorter(graph).static_order())):
        for needed_by_it in graph.get(name, ()):
            steps[needed_by_it] = max(steps.get(needed_by_it, 1), steps[name] + 1)
    return steps
