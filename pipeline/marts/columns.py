"""Which columns of the contract each column of a mart is made of, read from the SQL itself.

Belongs here: following a column of a mart through its steps and through the views ``measures.*``
to the tables they read. Does not belong here: which tables a mart needs to be built (``defs``), or
showing it to anybody.

Only what makes the *value* counts: a column that merely joins or filters is not named.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipeline.beside import keep, kept
from pipeline.marts.milestones import LEDGER_MARTS
from pipeline.marts.run import MART_ORDER, POINTS, STATISTICS, measure_views, sql_of
from pipeline.schema import all_tables, table

Column = tuple[str, str]
"""A table of the contract and one of its columns."""

Sources = dict[str, list[Column]]
"""By column of a relation: the columns its value is made of, sorted."""

_PAIRED: set[Column] = {(POINTS, "mean_share"), (POINTS, "score")}


def column_sources(name: str) -> Sources:
    """The columns that each column of a mart is made of.

    Args:
        name: such as ``marts.digital_share``.

    Returns:
        By column name; a column that is counted or constant has no sources. Empty for a mart that
        no SQL file makes (the claims ledger).
    """
    if name in LEDGER_MARTS:
        return {}
    found = _of_relation(name, sql_of(name))
    return {c.name: found.get(c.name, []) for c in table(name).columns}


def known_column_sources(name: str) -> Sources:
    """As :func:`column_sources`, but of what is kept beside the compiled modules, where it is."""
    return _kept().get(name, (None, {}))[0] or column_sources(name)


def known_formulas(name: str) -> dict[str, str]:
    """As :func:`written_formulas`, but of what is kept beside the compiled modules, where it is."""
    return _kept()[name][1] if name in _kept() else written_formulas(name)


def keep_columns() -> None:
    """Keep what all marts are made of: to parse their SQL takes some seconds of a first refresh."""
    made_of = {name: (column_sources(name), written_formulas(name)) for name in MART_ORDER}
    keep(Path(__file__), _told(), made_of)


@cache
def written_formulas(name: str) -> dict[str, str]:
    """The expression with which the SQL of a mart makes each column, aliases of its steps left out.

    Args:
        name: such as ``marts.digital_share``.

    Returns:
        By column; columns that the last step copies or adorns are not in it, nor is anything of a
        mart that no SQL file makes.
    """
    if name in LEDGER_MARTS:
        return {}
    import sqlglot
    from sqlglot import exp as expressions

    parsed: Any = sqlglot.parse_one(sql_of(name), dialect="duckdb")
    found: dict[str, str] = {}
    for selected in parsed.selects:
        made = selected.unalias()
        if isinstance(made, expressions.Column | expressions.Literal):
            continue
        for column in list(made.find_all(expressions.Column)):
            column.set("table", None)
        found[selected.alias_or_name] = made.sql(dialect="duckdb")
    return found


@cache
def _kept() -> dict[str, tuple[Sources, dict[str, str]]]:
    found = kept(Path(__file__), _told())
    return found if isinstance(found, dict) else {}


def _told() -> str:
    """What the columns are made of depends on: all SQL, the tables, what reads them, and the parser."""
    texts = [sql for _, sql, _ in measure_views()]
    texts += [sql_of(n) for n in MART_ORDER if n not in LEDGER_MARTS]
    texts += [f"{n}{t.polars.names()}" for n, t in all_tables().items()]
    texts += [Path(__file__).read_text(encoding="utf-8"), version("sqlglot")]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


@cache
def _views() -> dict[str, str]:
    return {name: sql for name, sql, _ in measure_views()}


@cache
def _of_view(name: str) -> Sources:
    return _of_relation(name, _views()[name])


def _of_relation(name: str, sql: str) -> Sources:
    """Sources of every output column of ``sql``, views resolved to the tables they read."""
    import sqlglot
    from sqlglot import exp as expressions
    from sqlglot.lineage import lineage
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope
    from sqlglot.schema import MappingSchema

    parsed: Any = sqlglot.parse_one(sql, dialect="duckdb")  # its types name none of its methods
    # Made once: of a dictionary, the lineage of each column would make it anew (3.8 s in place of 1.0 for all marts).
    schema = MappingSchema(_schema_for(parsed, reading=name), dialect="duckdb")
    qualified: Any = qualify(
        parsed, dialect="duckdb", schema=schema, validate_qualify_columns=False
    )
    scope = build_scope(qualified)
    found: Sources = {}
    for column in qualified.named_selects:
        node = lineage(
            column,
            qualified,
            schema=schema,
            scope=scope,
            dialect="duckdb",
            copy=False,
            trim_selects=False,
        )
        columns: set[Column] = set()
        for step in node.walk():
            if isinstance(step.expression, expressions.Table):
                columns |= _resolved(step.expression, step.name.rpartition(".")[2].strip('"'))
        found[column] = sorted(columns)
    return found


def _resolved(relation: Any, column: str) -> set[Column]:
    """The columns of the contract behind one column of a table or view."""
    name = ".".join(part.name for part in relation.parts)
    if name in _views():
        return set(_of_view(name).get(column, []))
    if name in STATISTICS.values():
        return {(POINTS, column)} if column in table(POINTS).polars.names() else set(_PAIRED)
    known = all_tables().get(name)
    return {(name, column)} if known and column in known.polars.names() else set()


def _schema_for(parsed: Any, *, reading: str) -> dict[str, object]:
    """Column names of what a query reads: the contract's tables, and the views it mentions."""
    from sqlglot import exp as expressions

    schema: dict[str, dict[str, dict[str, str]]] = {}
    for described in all_tables().values():
        columns = {c.name: c.type for c in described.columns}
        schema.setdefault(described.database_schema, {})[described.name] = columns
    for mentioned in parsed.find_all(expressions.Table):
        name = f"{mentioned.db}.{mentioned.name}"
        if name in _views() and name != reading:
            columns = dict.fromkeys(_of_view(name), "VARCHAR")
            schema.setdefault(mentioned.db, {})[mentioned.name] = columns
    return dict(schema)
