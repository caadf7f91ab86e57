"""How one check is described before it is run.

Belongs here: the description and its SQL quoting. Does not belong here: which checks there are
(``suites``, ``rules``) or what runs them (``engine``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.quality.results import Severity


@dataclass(frozen=True)
class Check:
    """One expectation on one table.

    Attributes:
        suite: full name of the table.
        check_name: identifier, unique in the suite.
        sentence: what is expected, and what to do when it does not hold.
        severity: ``blocking`` where a mart would be wrong, else ``warning``.
        rows: a DuckDB query that returns the rows that break the expectation. ``{batch}`` stands
            for the table; other tables are written with their full names.
        needs: other tables the query reads; the check is left out while one is missing.
        expectation: the class of Great Expectations that decides; without one the query decides
            (``UnexpectedRowsExpectation``) and fails when it returns a row.
        arguments: arguments of ``expectation``.
        alone: whether what breaks it among the rows of one organisation depends on no row of another,
            in any table that names organisations; a row of a file counts as a row of all organisations
            that the file tells of.
    """

    suite: str
    check_name: str
    sentence: str
    severity: Severity
    rows: str
    needs: tuple[str, ...] = ()
    expectation: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    alone: bool = False


def sql_name(name: str) -> str:
    """``name`` quoted as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def sql_text(value: str) -> str:
    """``value`` quoted as an SQL string, with braces doubled for Great Expectations."""
    return "'" + value.replace("'", "''").replace("{", "{{").replace("}", "}}") + "'"


def sql_list(values: Iterable[str]) -> str:
    """Values quoted as SQL strings, separated by commas."""
    return ", ".join(sql_text(value) for value in values)


def sql_columns(names: Iterable[str]) -> str:
    """Names quoted as SQL identifiers, without repeats, separated by commas."""
    return ", ".join(sql_name(name) for name in dict.fromkeys(names))
