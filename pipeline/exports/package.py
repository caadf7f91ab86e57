"""``datapackage.json`` (Frictionless Data Package) of a folder of tables: schema, licences, checksums."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from pipeline.schema import Column, Table, all_tables
from pipeline.store.scratch import scratch
from pipeline.store.tables import write_bytes

PACKAGE = "datapackage.json"
OGL = {
    "name": "OGL-UK-3.0",
    "title": "Open Government Licence v3.0",
    "path": "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
}
_TYPES = {
    "VARCHAR": "string",
    "BIGINT": "integer",
    "INTEGER": "integer",
    "DOUBLE": "number",
    "DECIMAL(18,2)": "number",
    "DECIMAL(38,2)": "number",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "datetime",
}
_MEDIA = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "duckdb": "application/vnd.duckdb",
}


def describe_build(database: Path, known: Mapping[str, str] | None = None) -> Path:
    """Write the data package of a build beside its database: the database and its Parquet files.

    What it says of the build stands in the Parquet files too, and a database of this size takes longer
    to open than they do.

    Args:
        database: of the build, in its folder.
        known: hashes of files, by path from the folder, that were made since the files were closed.

    Raises:
        duckdb.Error: when the Parquet files about the build cannot be read.
    """
    folder = database.parent
    with scratch() as connection:
        connection.execute("create schema meta")
        for name in ("build", "source"):
            path = str(folder / "parquet" / "meta" / f"{name}.parquet").replace("'", "''")
            connection.execute(f"create view meta.{name} as select * from read_parquet('{path}')")
        return write_package(connection, folder, kinds=("duckdb", "parquet"), known=known)


def hashes_in(package: Path) -> dict[str, str]:
    """The hashes that a data package gives of its files, by path."""
    told = json.loads(package.read_text(encoding="utf-8"))["resources"]
    return {one["path"]: one["hash"].removeprefix("sha256:") for one in told}


def write_package(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    *,
    kinds: Sequence[str] = tuple(_MEDIA),
    known: Mapping[str, str] | None = None,
) -> Path:
    """Describe every data file below a folder in ``datapackage.json``.

    Args:
        connection: the published database the files were made of.
        folder: holds Parquet, CSV, workbooks or the database.
        kinds: endings of the files to describe.
        known: hashes of files, as in :func:`describe_build`.

    Returns:
        The path written.
    """
    build_id, built_at, version, is_demo, notice = connection.execute(
        "select build_id, built_at, version, is_demo, notice from meta.build"
    ).fetchall()[0]
    sources = connection.execute(
        "select title, landing_page, licence, publisher from meta.source where files > 0 order by source_id"
    ).fetchall()
    files = sorted(
        p for p in folder.rglob("*") if p.is_file() and p.suffix.removeprefix(".") in kinds
    )
    package: dict[str, Any] = {
        "name": "fivepercent-demonstration" if is_demo else "fivepercent",
        "id": build_id,
        "title": "How far each NHS trust in England is from spending 5% on digital",
        "description": f"{notice} Build {build_id} of fivepercent {version}.",
        "version": version,
        "created": f"{built_at.isoformat()}Z",
        "profile": "data-package",
        # fictional data are under no publisher's licence
        "sources": [
            {"title": f"{title} ({publisher}). Licence: {licence}"}
            | ({"path": page} if page and page.startswith("http") and not is_demo else {})
            for title, page, licence, publisher in sources
        ],
        "resources": [_resource(folder, path, known or {}) for path in files],
    }
    if not is_demo:
        package["licenses"] = [OGL]
    path = folder / PACKAGE
    write_bytes(path, (json.dumps(package, indent=1, ensure_ascii=False) + "\n").encode())
    return path


def _resource(folder: Path, path: Path, known: Mapping[str, str]) -> dict[str, Any]:
    """One file: where, how large, which hash, and its columns where it is one table."""
    relative = path.relative_to(folder).as_posix()
    kind = path.suffix.removeprefix(".")
    described: dict[str, Any] = {
        "name": relative.lower().replace("/", "-").replace(".", "-").replace("_", "-"),
        "path": relative,
        "format": kind,
        "mediatype": _MEDIA[kind],
        "bytes": path.stat().st_size,
        "hash": f"sha256:{known.get(relative) or file_hash(path)}",
    }
    table = _table_of(relative)
    if table is None:
        return described
    described |= {"title": table.title, "description": table.comment}
    if kind == "csv":
        described |= {"profile": "tabular-data-resource", "encoding": "utf-8"}
    return described | {"schema": _schema(table)}


def _table_of(relative: str) -> Table | None:
    """The table in a file: ``csv/marts.peer.csv``, ``parquet/marts/peer.parquet`` or a partition."""
    stem = relative.rpartition(".")[0].split("/", 1)[-1]
    parts = stem.replace("/", ".").split(".")
    return all_tables().get(".".join(parts[:2]))


def _schema(table: Table) -> dict[str, Any]:
    return {
        "fields": [_field(c) for c in table.columns],
        "primaryKey": list(table.key),
        "missingValues": [""],
    }


def _field(column: Column) -> dict[str, Any]:
    field: dict[str, Any] = {
        "name": column.name,
        "type": _TYPES[column.type],
        "description": column.said,
    }
    if column.type == "BOOLEAN":
        field |= {"trueValues": ["true"], "falseValues": ["false"]}
    if column.type == "TIMESTAMP":
        field["format"] = "%Y-%m-%d %H:%M:%S"
    return field


def file_hash(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
