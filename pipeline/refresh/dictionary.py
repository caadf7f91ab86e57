"""What the database says about itself: tables, columns, warnings, worked queries.

Belongs here: turning ``pipeline/schema`` into the tables ``meta.column``, ``meta.table``,
``meta.usage_warning`` and ``meta.example``. Does not belong here: the meanings themselves.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from pipeline.marts import measure_views, open_store
from pipeline.marts.columns import known_column_sources, known_formulas
from pipeline.marts.described import add_described, described_columns
from pipeline.marts.milestones import LEDGER_MARTS
from pipeline.refresh.context import Run
from pipeline.refresh.unchanged import Note
from pipeline.schema import Table, all_tables
from pipeline.schema.described import examples, macros, views
from pipeline.store import TableStore

Rows = list[dict[str, Any]]
DICTIONARY = ("meta.column", "meta.table", "meta.usage_warning", "meta.example")


def build_dictionary(run: Run) -> dict[str, int]:
    """The four tables; rows by table. They depend on the code alone."""
    note = Note(run, "dictionary")
    if note.holds():
        return {name: run.store.rows(name) for name in DICTIONARY}
    frames = {
        "meta.column": _columns(run),
        "meta.table": _tables(),
        "meta.usage_warning": _warnings(),
        "meta.example": [
            {"step": i, "question": e.question, "sql": " ".join(e.sql.split()), "answer": e.answer}
            for i, e in enumerate(examples(), 1)
        ],
    }
    rows = {
        name: run.store.write(
            name, pl.DataFrame(rows, schema=all_tables()[name].polars, orient="row")
        ).height
        for name, rows in frames.items()
    }
    note.write(path for name in DICTIONARY for path in run.store.files(name))
    return rows


def _columns(run: Run) -> Rows:
    rows: Rows = []
    for table in all_tables().values():
        made_of, formulas = _making(table)
        for position, column in enumerate(table.columns, 1):
            rows.append(
                {
                    "table_name": table.full_name,
                    "column_name": column.name,
                    "position": position,
                    "type": column.type,
                    "unit": column.unit,
                    "meaning": column.comment,
                    "caveat": column.caveat,
                    "table_title": table.title,
                    "table_grain": table.grain,
                    "table_warning": table.warning,
                    "formula": column.formula or formulas.get(column.name),
                    "source": made_of.get(column.name) or _origin(table),
                    "first_published": max(table.since, column.since),
                }
            )
    return rows + _columns_of_views_and_macros(run)


def _origin(table: Table) -> str | None:
    """Where a table comes from as a whole: the catalogue's sources, or a ledger of the package."""
    if table.full_name in LEDGER_MARTS:
        return "Reviewed ledger of the package (pipeline/reference)"
    return ", ".join(table.sources) or None


def _making(table: Table) -> tuple[dict[str, str], dict[str, str]]:
    """What the columns of a mart are made of, and the expressions its SQL makes them with."""
    if table.database_schema != "marts":
        return {}, {}
    found = known_column_sources(table.full_name)
    made_of = {c: ", ".join(f"{t}.{name}" for t, name in s) for c, s in found.items()}
    return made_of, known_formulas(table.full_name)


def _columns_of_views_and_macros(run: Run) -> Rows:
    titles = {name: comment for name, _, comment in measure_views()}
    # Types do not depend on rows: a store that holds nothing has every table of this contract.
    connection = open_store(TableStore(run.settings.work / "nothing"))
    rows: Rows = []
    try:
        add_described(connection)
        for name, columns in described_columns(connection).items():
            view, macro = views().get(name), macros().get(name.removeprefix("main."))
            described = view or macro
            if described is None:
                raise KeyError(f"{name} is described nowhere in pipeline/schema")
            for position, (column, kind) in enumerate(columns, 1):
                meaning = described.meaning(column)
                rows.append(
                    {
                        "table_name": name,
                        "column_name": column,
                        "position": position,
                        "type": kind,
                        "unit": meaning.unit,
                        "meaning": meaning.comment,
                        "caveat": None,
                        "table_title": described.title or titles[name],
                        "table_grain": described.grain,
                        "table_warning": macro.caveat if macro else None,
                        "formula": None,
                        "source": None,
                        "first_published": described.since,
                    }
                )
    finally:
        connection.close()
    return rows


def _tables() -> Rows:
    rows: Rows = [
        {
            "table_name": t.full_name,
            "kind": "table",
            "title": t.title,
            "grain": t.grain,
            "question": t.question,
            "key_columns": ", ".join(t.key),
            "sorted_by": ", ".join(t.order),
            "sources": ", ".join(t.sources) or None,
            "warning": t.warning,
            "call": None,
            "definition": None,
            "first_published": t.since,
        }
        for t in all_tables().values()
    ]
    made = {name: (sql, comment) for name, sql, comment in measure_views()}
    for name, view in views().items():
        sql, comment = made.get(name, (view.sql, view.title))
        rows.append(
            {
                "table_name": name,
                "kind": "view",
                "title": comment,
                "grain": view.grain,
                "key_columns": ", ".join(view.key),
                "definition": sql,
                "first_published": view.since,
            }
        )
    for macro in macros().values():
        rows.append(
            {
                "table_name": f"main.{macro.name}",
                "kind": "macro",
                "title": macro.title,
                "grain": macro.grain,
                "warning": macro.caveat,
                "call": f"{macro.call}, for example: {macro.example}",
                "definition": macro.sql,
                "first_published": macro.since,
            }
        )
    return rows


def _warnings() -> Rows:
    rows: Rows = []
    for table in all_tables().values():
        told = [(None, table.warning, table.safe_filter)] if table.warning else []
        told += [(c.name, c.caveat, None) for c in table.columns if c.caveat]
        rows += [
            {"table_name": table.full_name, "column_name": c, "warning": w, "safe_filter": f}
            for c, w, f in told
        ]
    return rows
