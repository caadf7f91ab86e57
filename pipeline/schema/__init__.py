"""The tables: names, columns, types, meanings, keys. The single source of every schema fact.

Belongs here: the description of each table (``*.yaml``) and its translation into DuckDB and Polars
types, comments and the dictionary. Does not belong here: how a table is made.

Every process reads this, so the library that checks the other reviewed files is not loaded for it: an
unknown or missing key, a bad name or type stops the reading here, and a test holds the kind of every
value to what is written here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import polars as pl

from pipeline.yaml_text import read_yaml

ColumnType = Literal[
    "VARCHAR", "BIGINT", "INTEGER", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP", "DECIMAL(18,2)",
    "DECIMAL(38,2)",
]  # fmt: skip

POLARS_TYPES: dict[str, pl.DataType] = {
    "VARCHAR": pl.String(),
    "BIGINT": pl.Int64(),
    "INTEGER": pl.Int32(),
    "DOUBLE": pl.Float64(),
    "BOOLEAN": pl.Boolean(),
    "DATE": pl.Date(),
    "TIMESTAMP": pl.Datetime("us"),
    "DECIMAL(18,2)": pl.Decimal(18, 2),
    "DECIMAL(38,2)": pl.Decimal(38, 2),
}


#: The version in which the contract was first published.
FIRST_VERSION = "0.1.0"


_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: its name, type, unit and meaning."""

    name: str
    type: ColumnType
    comment: str
    unit: str | None = None
    nullable: bool = True
    allowed: tuple[str, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None
    caveat: str | None = None
    #: How a figure is computed, where the SQL of its mart does not say it in one expression.
    formula: str | None = None
    #: First version of the package that published the column.
    since: str = FIRST_VERSION

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is no name of a column: small letters, digits and _")
        if self.type not in POLARS_TYPES:
            raise ValueError(
                f"{self.name}: no type {self.type!r}; there are {', '.join(POLARS_TYPES)}"
            )
        if len(self.comment) < 6:
            raise ValueError(f"{self.name}: a comment says what the column holds")

    @property
    def said(self) -> str:
        """The sentence that travels with the column in the database."""
        parts = [self.comment]
        if self.unit:
            parts.append(f"Unit: {self.unit}.")
        if self.caveat:
            parts.append(f"CAREFUL: {self.caveat}")
        return " ".join(parts)

    @property
    def polars(self) -> pl.DataType:
        """The Polars type of the column."""
        return POLARS_TYPES[self.type]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table: its grain, the question it answers, its columns and its key."""

    database_schema: str
    name: str
    title: str
    grain: str
    question: str
    warning: str | None = None
    #: SQL condition that leaves out the rows the warning is about.
    safe_filter: str | None = None
    sources: tuple[str, ...] = ()
    key: tuple[str, ...]
    sort: tuple[str, ...] = ()
    partition_by: str | None = None
    #: First version of the package that published the table.
    since: str = FIRST_VERSION
    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        if not self.key:
            raise ValueError(f"{self.full_name}: a table has a key")

    @property
    def full_name(self) -> str:
        """``schema.table`` as written in SQL."""
        return f"{self.database_schema}.{self.name}"

    @property
    def polars(self) -> pl.Schema:
        """Column names and Polars types, in order."""
        return pl.Schema({c.name: c.polars for c in self.columns})

    @property
    def comment(self) -> str:
        """The sentence that travels with the table in the database."""
        parts = [f"{self.title}. One row: {self.grain}. Question: {self.question}"]
        parts.append(f"Key: {', '.join(self.key)}.")
        if self.warning:
            parts.append(f"CAREFUL: {self.warning}")
        if self.safe_filter:
            parts.append(f"Safe to sum: where {self.safe_filter}.")
        return " ".join(parts)

    @property
    def order(self) -> tuple[str, ...]:
        """Columns the rows are sorted by: those most filtered first, then the rest of the key.

        The key is unique, so the order of the rows is too, whatever order they were made in.
        """
        return (*self.sort, *(name for name in self.key if name not in self.sort))

    def column(self, name: str) -> Column:
        """The column called ``name``; KeyError when the table has none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.full_name} has no column {name!r}")


@cache
def all_tables() -> dict[str, Table]:
    """Every table of the contract by ``schema.table``, in the order of the YAML files.

    Raises:
        TypeError: when a YAML file has an unknown key or lacks one.
        ValueError: when it has a bad value.
    """
    tables: dict[str, Table] = {}
    for stem in ("dims", "facts", "marts", "meta"):
        for name, body in read_yaml(Path(__file__).parent / f"{stem}.yaml").items():
            columns = tuple(_column(column) for column in body["columns"])
            told = {"database_schema": stem, "name": name, **_fixed(body), "columns": columns}
            table = Table(**told)
            tables[table.full_name] = table
    return tables


def _column(body: dict[str, Any]) -> Column:
    ends = {end: float(body[end]) for end in ("minimum", "maximum") if body.get(end) is not None}
    return Column(**{**_fixed(body), **ends})


def _fixed(body: dict[str, Any]) -> dict[str, Any]:
    """What a YAML file says, lists as tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in body.items()}


def table(full_name: str) -> Table:
    """The table called ``schema.table``; KeyError names the tables there are."""
    tables = all_tables()
    if full_name not in tables:
        raise KeyError(f"no table {full_name!r}; there are: {', '.join(tables)}")
    return tables[full_name]
