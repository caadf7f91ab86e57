"""Which tables a mart reads, taken from its SQL and from the SQL of the views it uses."""

from __future__ import annotations

import re
from functools import cache

from pipeline.marts.milestones import LEDGER_MARTS, tables_read_by
from pipeline.marts.run import POINTS, STATISTICS, measure_views, sql_of
from pipeline.schema import all_tables

_NAME = re.compile(r"\b(?:dims|facts|marts|measures|meta)\.[a-z][a-z0-9_]*\b")
_COMMENT = re.compile(r"--[^\n]*")


def _names_in(sql: str) -> set[str]:
    return set(_NAME.findall(_COMMENT.sub("", sql)))


@cache
def _tables_of_views() -> dict[str, set[str]]:
    views = {name: _names_in(sql) for name, sql, _ in measure_views()}

    def expand(name: str) -> set[str]:
        return {t for n in views[name] for t in (expand(n) if n in views else {n})}

    return {name: expand(name) for name in views}


def reads_of(name: str) -> list[str]:
    """The tables of the contract that a mart reads, sorted; its own name left out.

    The marts of the claims ledger are made by its queries, which say themselves what they read; a
    mart with statistics made in Python reads their points.
    """
    found = set(tables_read_by(name)) if name in LEDGER_MARTS else _names_in(sql_of(name))
    tables: set[str] = {POINTS} if name in STATISTICS else set()
    for used in found:
        tables |= _tables_of_views().get(used, {used})
    return sorted(t for t in tables if t in all_tables() and t != name)
