"""One build as far as a comparison needs it.

Read from the database file, from a folder of Parquet files (``parquet/`` of a build, or the build's
own folder), or from a folder that :meth:`Build.save` wrote. Columns that an older build does not have
come back as nulls, so that builds of different versions can be compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

import duckdb
import polars as pl

from pipeline.store.tables import write_parquet

DATABASE = "fivepercent.duckdb"

#: What is read, by field of :class:`Build`: the table and its columns with their types.
READ: dict[str, tuple[str, dict[str, str]]] = {
    "figures": (
        "marts.digital_share",
        {
            "organisation_code": "VARCHAR",
            "organisation_name": "VARCHAR",
            "financial_year": "VARCHAR",
            "definition": "VARCHAR",
            "denominator": "VARCHAR",
            "numerator_gbp": "DOUBLE",
            "denominator_gbp": "DOUBLE",
            "share": "DOUBLE",
            "share_lower": "DOUBLE",
            "share_upper": "DOUBLE",
            "benchmark": "DOUBLE",
            "months_present": "INTEGER",
            "badge": "VARCHAR",
        },
    ),
    "files": (
        "meta.source_file",
        {
            "path": "VARCHAR",
            "sha256": "VARCHAR",
            "source_id": "VARCHAR",
            "organisation_code": "VARCHAR",
            "status": "VARCHAR",
            "reason": "VARCHAR",
            "rows_kept": "BIGINT",
            "pounds_kept": "DOUBLE",
            "is_superseded": "BOOLEAN",
            "facts_table": "VARCHAR",
        },
    ),
    "checks": (
        "meta.check_result",
        {
            "suite": "VARCHAR",
            "check_name": "VARCHAR",
            "severity": "VARCHAR",
            "sentence": "VARCHAR",
            "passed": "BOOLEAN",
            "observed": "VARCHAR",
            "failing_rows": "BIGINT",
        },
    ),
    "about": (
        "meta.build",
        {
            "build_id": "VARCHAR",
            "built_at": "TIMESTAMP",
            "version": "VARCHAR",
            "git_commit": "VARCHAR",
            "is_demo": "BOOLEAN",
            "rules_version": "VARCHAR",
        },
    ),
    "measures": (
        "dims.measure",
        {
            "definition": "VARCHAR",
            "denominator": "VARCHAR",
            "version": "VARCHAR",
            "numerator_sql": "VARCHAR",
            "denominator_sql": "VARCHAR",
        },
    ),
    "parameters": ("dims.parameter", {"name": "VARCHAR", "value": "DOUBLE"}),
    "corrections": (
        "meta.correction",
        {
            "correction_id": "VARCHAR",
            "source_file": "VARCHAR",
            "reason": "VARCHAR",
            "rows_affected": "BIGINT",
        },
    ),
    "months": (
        "marts.coverage_month",
        {"organisation_code": "VARCHAR", "month": "DATE", "is_present": "BOOLEAN"},
    ),
    "sources": (
        "meta.source",
        {"source_id": "VARCHAR", "title": "VARCHAR", "latest_period": "VARCHAR"},
    ),
}

#: Facts whose lines say which file, trust and perhaps year they are of.
TRACED = ("facts.payment", "facts.account_line", "facts.workforce")
PARTS = {
    "facts_table": "VARCHAR",
    "source_file": "VARCHAR",
    "organisation_code": "VARCHAR",
    "financial_year": "VARCHAR",
    "lines": "BIGINT",
}
COLUMNS = {"table_name": "VARCHAR", "column_name": "VARCHAR", "rows": "BIGINT"}


class NotABuildError(ValueError):
    """The path is neither a database nor a folder of a build; the message says what was expected."""


@dataclass(frozen=True)
class Build:
    """What a comparison needs of a build.

    Attributes:
        columns: every table and column: ``table_name``, ``column_name``, ``rows`` of the table.
        parts: lines by ``facts_table``, ``source_file``, ``organisation_code`` and
            ``financial_year`` (null where the facts have none): which figures a file can move.
        figures: see ``READ``, as all that follow.
    """

    columns: pl.DataFrame
    parts: pl.DataFrame
    figures: pl.DataFrame
    files: pl.DataFrame
    checks: pl.DataFrame
    about: pl.DataFrame
    measures: pl.DataFrame
    parameters: pl.DataFrame
    corrections: pl.DataFrame
    months: pl.DataFrame
    sources: pl.DataFrame

    @property
    def build_id(self) -> str:
        """The build's identifier; empty when it does not say."""
        return "" if self.about.is_empty() else str(self.about["build_id"][0])

    @property
    def is_demo(self) -> bool:
        """Whether it is about organisations that do not exist."""
        return bool(self.about.height and self.about["is_demo"][0])

    def save(self, folder: Path) -> None:
        """Keep what a later comparison needs, without the payments: small, as Parquet files."""
        for field in fields(self):
            write_parquet(getattr(self, field.name), folder / f"{field.name}.parquet")


def read_build(path: Path) -> Build:
    """Read a build from its database, its folder, its Parquet folder, or what ``save`` kept.

    Raises:
        NotABuildError: when ``path`` is none of these.
    """
    if (path / "figures.parquet").is_file():
        return Build(**{f.name: pl.read_parquet(path / f"{f.name}.parquet") for f in fields(Build)})
    with _opened(path) as connection:
        columns = _columns(connection)
        known = columns.group_by("table_name").agg("column_name")
        names = {name: set(found) for name, found in known.iter_rows()}
        frames = {
            field: _select(connection, name, wanted, names)
            for field, (name, wanted) in READ.items()
        }
        return Build(columns=columns, parts=_parts(connection, names), **frames)


@contextmanager
def _opened(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory DuckDB that sees the build's tables as ``schema.table``, read only."""
    connection = duckdb.connect()
    try:
        if path.is_file():
            try:
                connection.execute(f"attach {_quoted(path)} as build (read_only)")
                connection.execute("use build")
            except duckdb.Error as error:
                raise NotABuildError(f"{path} is no DuckDB database: {error}") from error
        else:
            folder = path / "parquet" if (path / "parquet").is_dir() else path
            if not _views(connection, folder):
                raise NotABuildError(
                    f"{path} is no build; expected a database ({DATABASE}), or a folder with "
                    "schema/table.parquet or parquet/schema/table.parquet"
                )
        yield connection
    finally:
        connection.close()


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _views(connection: duckdb.DuckDBPyConnection, folder: Path) -> int:
    made = 0
    for schema in sorted(p for p in folder.glob("*") if p.is_dir() and p.name.isidentifier()):
        connection.execute(f'create schema if not exists "{schema.name}"')
        for table in sorted(schema.glob("*")):
            files = table / "*.parquet" if table.is_dir() else table
            if not table.stem.isidentifier() or not (
                any(table.glob("*.parquet")) if table.is_dir() else table.suffix == ".parquet"
            ):
                continue
            connection.execute(
                f'create view "{schema.name}"."{table.stem}" as '
                f"select * from read_parquet({_quoted(files)}, union_by_name = true)"
            )
            made += 1
    return made


def _columns(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    found = connection.sql(
        "select table_schema || '.' || table_name as table_name, column_name "
        "from information_schema.columns "
        "where table_schema in ('dims', 'facts', 'marts', 'meta') "
        # beside the tables the database has views of meta.usage_warning, which Parquet has not
        "and (table_schema = 'meta' or table_name <> 'usage_warning') "
        "and table_catalog = current_database() order by table_name, ordinal_position"
    ).pl()
    rows = {
        name: connection.sql(f"select count(*) from {name}").fetchall()[0][0]
        for name in found["table_name"].unique(maintain_order=True)
    }
    counts = pl.DataFrame(
        list(rows.items()), schema={"table_name": pl.String, "rows": pl.Int64}, orient="row"
    )
    return found.join(counts, on="table_name", how="left", maintain_order="left")


def _select(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    wanted: Mapping[str, str],
    known: Mapping[str, set[str]],
) -> pl.DataFrame:
    have = known.get(name, set())
    columns = ", ".join(
        f'{f"{c}" if c in have else "null"}::{kind} as "{c}"' for c, kind in wanted.items()
    )
    source = f"from {name}" if have else "where false"
    return connection.sql(f"select {columns} {source}").pl()


def _parts(connection: duckdb.DuckDBPyConnection, known: Mapping[str, set[str]]) -> pl.DataFrame:
    queries = [
        f"select '{name}' as facts_table, source_file, organisation_code, "
        f"{'financial_year' if 'financial_year' in known[name] else 'null'}::VARCHAR as financial_year, "
        f"count(*) as lines from {name} group by all"
        for name in TRACED
        if {"source_file", "organisation_code"} <= known.get(name, set())
    ]
    empty = ", ".join(f"null::{kind} as {c}" for c, kind in PARTS.items())
    queries.append(f"select {empty} where false")
    return connection.sql(" union all by name ".join(queries)).pl()
