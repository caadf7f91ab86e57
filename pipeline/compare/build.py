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

from pipeline.schema import POLARS_TYPES
from pipeline.store.scratch import scratch
from pipeline.store.tables import write_parquet

DATABASE = "fivepercent.duckdb"

#: Columns that a share has, whether of the organisations of its year or of today's.
_SHARE = {
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
}
#: What is read, by field of :class:`Build`: the table and its columns with their types.
READ: dict[str, tuple[str, dict[str, str]]] = {
    "figures": (
        "marts.digital_share",
        {
            **_SHARE,
            "months_present": "INTEGER",
            "badge": "VARCHAR",
        },
    ),
    "as_now": (
        "marts.digital_share_as_now",
        {
            **_SHARE,
            "badge": "VARCHAR",
            "made_of": "VARCHAR",
            "is_pro_forma": "BOOLEAN",
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
#: Schemas whose tables are told of.
SCHEMAS = ("dims", "facts", "marts", "meta")


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
    as_now: pl.DataFrame
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
        return Build(**{f.name: _kept(path / f"{f.name}.parquet") for f in fields(Build)})
    with _opened(path) as (connection, files):
        columns = _columns_of(files) if files else _columns(connection)
        known = columns.group_by("table_name").agg("column_name")
        names = {name: set(found) for name, found in known.iter_rows()}
        frames = {
            field: _select(connection, name, wanted, names)
            for field, (name, wanted) in READ.items()
        }
        return Build(columns=columns, parts=_parts(connection, names), **frames)


def _kept(path: Path) -> pl.DataFrame:
    """What an earlier comparison kept; nothing where an older version did not keep it."""
    if path.is_file() or path.stem not in READ:
        return pl.read_parquet(path)
    kinds = READ[path.stem][1]
    return pl.DataFrame(schema={name: POLARS_TYPES[kind] for name, kind in kinds.items()})


@contextmanager
def _opened(path: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, dict[str, list[Path]]]]:
    """A DuckDB that sees the tables that are read as ``schema.table``, and the files of all tables.

    Of a database there are no files.
    """
    with scratch() as connection:
        if path.is_file():
            try:
                connection.execute(f"attach {_quoted(path)} as build (read_only)")
            except duckdb.Error as error:
                raise NotABuildError(f"{path} is no DuckDB database: {error}") from error
            connection.execute("use build")
            yield connection, {}
            connection.execute("use scratch; detach build")
            return
        files = _files(path / "parquet" if (path / "parquet").is_dir() else path)
        if not files:
            raise NotABuildError(
                f"{path} is no build; expected a database ({DATABASE}), or a folder with "
                "schema/table.parquet or parquet/schema/table.parquet"
            )
        _views(connection, files)
        yield connection, files


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _files(folder: Path) -> dict[str, list[Path]]:
    """The Parquet files of every table below a folder, by ``schema.table``."""
    found: dict[str, list[Path]] = {}
    for schema in sorted(p for p in folder.glob("*") if p.is_dir() and p.name.isidentifier()):
        for table in sorted(schema.glob("*")):
            parts = sorted(table.glob("*.parquet")) if table.is_dir() else [table]
            if table.stem.isidentifier() and parts and parts[0].suffix == ".parquet":
                found[f"{schema.name}.{table.stem}"] = parts
    return found


def _views(connection: duckdb.DuckDBPyConnection, files: Mapping[str, list[Path]]) -> None:
    """See the tables that are read; to see all of them takes longer than to read these."""
    wanted = {name for name, _ in READ.values()} | set(TRACED)
    for name in sorted(wanted & files.keys()):
        schema, _, table = name.partition(".")
        listed = ", ".join(map(_quoted, files[name]))
        connection.execute(
            f'create schema if not exists "{schema}"; create view "{schema}"."{table}" as '
            f"select * from read_parquet([{listed}], union_by_name = true)"
        )


def _columns_of(files: Mapping[str, list[Path]]) -> pl.DataFrame:
    """Every table, its columns and rows, as the ends of its files tell."""
    import pyarrow.parquet as pq  # slow to import
    from pyarrow import ArrowInvalid

    found: list[tuple[str, str, int]] = []
    for name, parts in sorted(files.items()):
        if name.partition(".")[0] not in SCHEMAS:
            continue
        try:
            told = [pq.read_metadata(part) for part in parts]
        except ArrowInvalid as error:
            raise NotABuildError(f"{name} cannot be read: {error}") from error
        rows = sum(one.num_rows for one in told)
        columns = dict.fromkeys(c for one in told for c in one.schema.to_arrow_schema().names)
        found += [(name, column, rows) for column in columns]
    kinds = (pl.String, pl.String, pl.Int64)
    return pl.DataFrame(found, schema=dict(zip(COLUMNS, kinds, strict=True)), orient="row")


def _columns(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    found = connection.sql(
        "select table_schema || '.' || table_name as table_name, column_name "
        "from information_schema.columns "
        f"where table_schema in {SCHEMAS} "
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
