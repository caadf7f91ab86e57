"""The tables: names, columns, types, meanings, keys. The single source of every schema fact.

Belongs here: the description of each table (``*.yaml``) and its translation into DuckDB and Polars
types, comments and the dictionary. Does not belong here: how a table is made.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from pipeline.yaml_text import parse_yaml

ColumnType = Literal[
    "VARCHAR", "BIGINT", "INTEGER", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP", "DECIMAL(18,2)"
]

POLARS_TYPES: dict[str, pl.DataType] = {
    "VARCHAR": pl.String(),
    "BIGINT": pl.Int64(),
    "INTEGER": pl.Int32(),
    "DOUBLE": pl.Float64(),
    "BOOLEAN": pl.Boolean(),
    "DATE": pl.Date(),
    "TIMESTAMP": pl.Datetime("us"),
    "DECIMAL(18,2)": pl.Decimal(18, 2),
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(_Strict):
    """One column: its name, type, unit and meaning."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    type: ColumnType
    comment: str = Field(min_length=6)
    unit: str | None = None
    nullable: bool = True
    allowed: tuple[str, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None
    caveat: str | None = None

    @property
    def polars(self) -> pl.DataType:
        """The Polars type of the column."""
        return POLARS_TYPES[self.type]


class Table(_Strict):
    """One table: its grain, the question it answers, its columns and its key."""

    database_schema: str
    name: str
    title: str
    grain: str
    question: str
    warning: str | None = None
    sources: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    partition_by: str | None = None
    columns: tuple[Column, ...]

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
        if self.warning:
            parts.append(f"CAREFUL: {self.warning}")
        return " ".join(parts)

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
        pydantic.ValidationError: when a YAML file has an unknown key or a bad value.
    """
    tables: dict[str, Table] = {}
    for stem in ("dims", "facts", "marts", "meta"):
        text = (Path(__file__).parent / f"{stem}.yaml").read_text(encoding="utf-8")
        for name, body in parse_yaml(text).items():
            table = Table(database_schema=stem, name=name, **body)
            tables[table.full_name] = table
    return tables


def table(full_name: str) -> Table:
    """The table called ``schema.table``; KeyError names the tables there are."""
    tables = all_tables()
    if full_name not in tables:
        raise KeyError(f"no table {full_name!r}; there are: {', '.join(tables)}")
    return tables[full_name]
