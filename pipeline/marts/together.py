"""Work that does not wait for each other, done at the same time, each piece after those it reads.

Belongs here: reading from SQL which relations it names, and running a graph of work on some threads.
Does not belong here: what a mart or a measure is (``run``).
"""

from __future__ import annotations

import gc
import os
import re
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from graphlib import TopologicalSorter
from heapq import heapify, heappop, heappush

_COMMENT = re.compile(r"--[^\n]*")
_NAME = re.compile(r"\b(?:claims|dims|facts|meta|marts|measures)\.\w+")

#: How long one of several threads may keep the others waiting for Python.
TURN_SECONDS = 0.0005


def cores() -> int:
    """How many pieces of work are done at the same time."""
    return os.cpu_count() or 1


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let threads that mostly wait for a library take turns quickly, and keep every object they make.

    A thread that comes back from a query waits for its turn, by default up to 5 milliseconds, which is
    longer than most queries take. What a hundred queries leave behind is not worth being looked for. And
    DuckDB warns that an answer is copied once more, which for marts is cheaper than what it advises.
    """
    turn, collects = sys.getswitchinterval(), gc.isenabled()
    sys.setswitchinterval(min(turn, TURN_SECONDS))
    gc.disable()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Arrow output on a DB-API result")
            yield
    finally:
        sys.setswitchinterval(turn)
        if collects:
            gc.enable()


def put_in(sql: str, queries: Mapping[str, str]) -> str:
    """An SQL text with queries in place of the relations it reads, which saves making views of them.

    Args:
        sql: reads relations as ``from`` or ``join`` name them.
        queries: by name of the relation, what it stands for, without comments.
    """
    if not queries:
        return sql
    names = "|".join(re.escape(name) for name in queries)
    return re.sub(
        rf"\b(from|join)\s+({names})\b", lambda m: f"{m[1]} ({queries[m[2]]})", sql, flags=re.I
    )


def without_comments(sql: str) -> str | None:
    """An SQL text in one line, so that it can stand in another's comment; None where that is not certain.

    A sign of a comment that stands behind quotation marks may be part of a text.
    """
    lines = []
    for line in sql.splitlines():
        before, sign, _ = line.partition("--")
        if sign and ("'" in before or '"' in before):
            return None
        lines.append(before.strip())
    return " ".join(line for line in lines if line)


@lru_cache(maxsize=512)
def named_in(sql: str) -> frozenset[str]:
    """The relations, with their schemas, that an SQL text names outside its comments."""
    return frozenset(_NAME.findall(_COMMENT.sub("", sql)))


def behind(name: str, texts: Mapping[str, str]) -> dict[str, str]:
    """The SQL of a name and of everything that it reads, and that these read, sorted by name.

    Args:
        name: such as a mart.
        texts: the SQL of everything that may be named; without SQL it is read as it is.
    """
    found, waiting = set[str](), [name]
    while waiting:
        reads = waiting.pop()
        if reads not in found:
            found.add(reads)
            waiting.extend(named_in(texts[reads]) & texts.keys())
    return {reads: texts[reads] for reads in sorted(found)}


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
            graph[name] = set((named_in(texts[name]) & allowed) - {name})
            waiting.extend(graph[name])
    return {name: graph[name] for name in texts if name in graph}


def run_graph(
    graph: Mapping[str, set[str]],
    work: Callable[[str], None],
    threads: int,
    weigh: Callable[[str], int] = lambda _: 1,
) -> None:
    """Do a piece of work for every name of a graph, after those it needs, several at a time.

    Of what could be begun, that with the longest way to the end goes first, so that no thread is left
    alone with a chain of work when all the rest is done. The thread that calls is one of those that
    work, and each takes its next piece itself: nobody stands between them.

    Args:
        graph: by name, the names it needs.
        work: called with a name, in one of the threads.
        threads: how many.
        weigh: about how long a piece takes; all the same by default.

    Raises:
        Exception: whatever ``work`` raised first; what had not begun is left undone.
    """
    order = TopologicalSorter(graph)
    order.prepare()
    ways = _ways_to_the_end(graph, weigh)
    ready = [(-ways[name], place, name) for place, name in enumerate(order.get_ready())]
    heapify(ready)
    turn = threading.Condition()
    failures: list[BaseException] = []

    def take_pieces() -> None:
        with turn:
            while not failures and order.is_active():
                if not ready:
                    turn.wait()
                    continue
                name = heappop(ready)[-1]
                turn.release()
                failure = None
                try:
                    work(name)
                except BaseException as error:
                    failure = error
                finally:
                    turn.acquire()
                if failure is not None:
                    failures.append(failure)
                else:
                    order.done(name)
                    for next_name in order.get_ready():
                        heappush(ready, (-ways[next_name], len(ways), next_name))
                turn.notify_all()

    helpers = [threading.Thread(target=take_pieces) for _ in range(threads - 1)]
    for helper in helpers:
        helper.start()
    take_pieces()
    for helper in helpers:
        helper.join()
    if failures:
        raise failures[0]


def _ways_to_the_end(graph: Mapping[str, set[str]], weigh: Callable[[str], int]) -> dict[str, int]:
    """By name, the weight of the longest chain of work from it to the end."""
    ways = {name: weigh(name) for name in graph}
    for name in reversed(tuple(TopologicalSorter(graph).static_order())):
        for needed_by_it in graph.get(name, ()):
            if needed_by_it in ways:
                ways[needed_by_it] = max(ways[needed_by_it], ways[name] + weigh(needed_by_it))
    return ways
