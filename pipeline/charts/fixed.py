"""Tables that do not change while charts are drawn from them, with what was chosen from them.

Two dozen charts and pages ask which definition and year is shown first; each answer takes as long as
drawing a small chart. It is kept with the tables it was found in, and goes when they go.

Belongs here: holding tables and answers together. Does not belong here: any question
(``selection``).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import TypeVar, cast

import polars as pl

from pipeline.store.tables import plain

Found = TypeVar("Found")


class FixedTables(Mapping[str, pl.DataFrame]):
    """Tables by ``schema.table``; money as floating-point numbers (:func:`pipeline.store.tables.plain`).

    Args:
        tables: what it holds from now on, whatever becomes of the mapping.
    """

    def __init__(self, tables: Mapping[str, pl.DataFrame]) -> None:
        self._tables = {name: plain(rows) for name, rows in tables.items()}
        self._found: dict[Hashable, object] = {}

    def __getitem__(self, name: str) -> pl.DataFrame:
        return self._tables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def once(self, question: Hashable, find: Callable[[], Found]) -> Found:
        """What was found when the question was asked first; nobody may change it."""
        if question not in self._found:
            self._found[question] = find()
        return cast(Found, self._found[question])


def once(
    tables: Mapping[str, pl.DataFrame], question: Hashable, find: Callable[[], Found]
) -> Found:
    """:meth:`FixedTables.once`; of tables that may change, each time anew."""
    return tables.once(question, find) if isinstance(tables, FixedTables) else find()
