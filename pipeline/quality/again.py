"""What checks said before, asked of the database again.

The library decides what a check says the first time, and for other code, rules or libraries. After that,
the query that finds the rows which break the check is asked of all rows by itself: where no row breaks a
check that held, it holds, and where rows break one that warned, it warns, with their number. Where a check
would now say something else, or its query cannot be asked, nothing is said here, and the library is asked.
So no check begins to fail, or to hold, without the library having said so.

Belongs here: that question. Does not belong here: what was said before and whose rows changed since
(``refresh.checked``), or asking the library (``engine``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import duckdb

from pipeline.quality.checks import Check
from pipeline.quality.engine import batch_name, opened, outcome, rows_that_break
from pipeline.quality.results import CheckResult
from pipeline.schema import table
from pipeline.store import TableStore

#: A check: its table and its name.
Key = tuple[str, str]


@dataclass(frozen=True)
class Since:
    """What some checks said before, and what changed since.

    Attributes:
        said: by table and name of the check, whether it held; of those that did not, warnings only.
        organisations: whose rows changed, in any table that the checks in ``apart`` read.
        apart: names of checks by table that held before, so that only the rows of these
            organisations can break them now.
    """

    said: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)
    organisations: tuple[str, ...] = ()
    apart: Mapping[str, frozenset[str]] = field(default_factory=dict)


def say_again(
    store: TableStore, suites: Mapping[str, Sequence[Check]], since: Since
) -> dict[Key, CheckResult]:
    """The results of the checks that say what they said before.

    Args:
        store: the working store.
        suites: checks by full table name; the tables must be in the store.
        since: what they said, and whose rows changed.

    Returns:
        Results by table and name, as the library would give them (which rows of a failed check are shown is
        chance in both); without those of checks that would say something else.
    """
    found = _of_changed_rows(store, suites, since)
    left = {
        name: [c for c in checks if c.check_name in said and (name, c.check_name) not in found]
        for name, checks in suites.items()
        if (said := since.said.get(name, {}))
    }
    left = {name: checks for name, checks in left.items() if checks}
    if left:
        with opened(store, read_by(left)) as connection:
            for name, checks in left.items():
                found |= {
                    (name, r.check_name): r
                    for r in _of_all_rows(connection, name, checks, since.said[name])
                }
    return found


def read_by(suites: Mapping[str, Sequence[Check]]) -> set[str]:
    """The tables that some checks are about or read."""
    return {name for own, checks in suites.items() for c in checks for name in (own, *c.needs)}


def _of_changed_rows(
    store: TableStore, suites: Mapping[str, Sequence[Check]], since: Since
) -> dict[Key, CheckResult]:
    """Checks that held before, and hold among the rows that changed."""
    asked = {
        name: [c for c in checks if c.alone and c.check_name in since.apart.get(name, ())]
        for name, checks in suites.items()
    }
    asked = {name: checks for name, checks in asked.items() if checks}
    if not asked:
        return {}
    with opened(store, read_by(asked), since.organisations) as connection:
        unbroken = [c for own in asked.values() for c in _unbroken(connection, own)]
    counted = {c.suite for c in unbroken if c.expectation}
    rows = {name: store.rows(name) for name in counted}
    return {
        (c.suite, c.check_name): outcome(c, 0, rows[c.suite] if c.expectation else None)
        for c in unbroken
    }


def _of_all_rows(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    checks: Sequence[Check],
    said: Mapping[str, bool],
) -> Iterator[CheckResult]:
    """The results on a table of the checks that say what they said."""
    held = [c for c in checks if said[c.check_name]]
    # The payments are many: what reads all of them takes its time and its memory one by one.
    small = [c for c in held if not any(table(n).partition_by for n in (c.suite, *c.needs))]
    unbroken = [
        *_unbroken(connection, small),
        *(c for c in held if c not in small and _broken(connection, [c]) == 0),
    ]
    counted: int | None = None
    for check in [*unbroken, *(c for c in checks if not said[c.check_name])]:
        broken = 0 if said[check.check_name] else _broken(connection, [check])
        if broken is None or (broken == 0) != said[check.check_name]:
            continue
        if check.expectation and counted is None:
            counted = connection.execute(f"select count(*) from {batch_name(name)}").fetchall()[0][
                0
            ]
        of = counted if check.expectation else None
        yield outcome(check, broken, of, connection)


def _unbroken(connection: duckdb.DuckDBPyConnection, checks: Sequence[Check]) -> list[Check]:
    """Those of some checks that no row breaks: asked as one, and one by one where a row breaks any."""
    if not checks or _broken(connection, checks) == 0:
        return list(checks)
    return [c for c in checks if _broken(connection, [c]) == 0] if len(checks) > 1 else []


def _broken(connection: duckdb.DuckDBPyConnection, checks: Sequence[Check]) -> int | None:
    """How many rows break some checks, counted once for each; None where that cannot be asked."""
    rows = " union all ".join(f"select 1 as broken from ({rows_that_break(c)})" for c in checks)
    try:
        return connection.execute(f"select count(*) from ({rows})").fetchall()[0][0]
    except duckdb.Error:
        return None
