"""Writing the tables of one published build as Parquet, CSV and workbooks, all or nothing."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from pipeline.exports.package import PACKAGE, write_package
from pipeline.exports.whole import count, must_hold_all
from pipeline.exports.workbook import write_workbook
from pipeline.plain_text import FORMULA_SIGNS
from pipeline.schema import Table, all_tables

FORMATS = ("parquet", "csv", "excel")

#: Workbooks and the tables in them; every table of the contract is in exactly one.
THEMES: dict[str, tuple[str, ...]] = {
    "answer": (
        "marts.digital_share",
        "marts.digital_share_as_now",
        "marts.icb_share",
        "marts.icb_spread",
        "marts.rank_stability",
        "marts.coverage",
        "marts.coverage_month",
        "dims.measure",
        "dims.parameter",
    ),
    "spending": (
        "marts.spend_mix",
        "marts.capital_revenue",
        "marts.supplier",
        "marts.funding_pattern",
        "dims.category",
        "facts.deflator",
    ),
    "maturity_and_staff": (
        "marts.maturity",
        "marts.maturity_and_spend",
        "marts.maturity_and_spend_trust",
        "marts.peer",
        "marts.workforce",
        "marts.records_cost",
        "facts.maturity",
        "facts.workforce",
        "facts.records_cost",
        "facts.epr",
        "facts.platform",
        "facts.virtual_ward",
        "facts.security",
    ),
    "promises": ("marts.milestone", "marts.promised_money", "marts.published_evidence"),
    "payments": ("facts.payment",),
    "accounts": ("facts.account_line",),
    "organisations": (
        "dims.organisation",
        "dims.icb",
        "dims.icb_membership",
        "dims.succession",
    ),
    "about": (),  # everything else: the meta tables
}

#: Text that a spreadsheet would take for a formula; numbers written as text are left alone.
_FORMULA = rf"^\s*[{re.escape(''.join(sorted(FORMULA_SIGNS)))}]|^[\t\r\n]"


@dataclass
class Exported:
    """What was written.

    Attributes:
        folder: where everything lies.
        files: paths below it, sorted.
        shortened: sentences about tables of which a workbook holds a part only.
    """

    folder: Path
    files: list[str] = field(default_factory=list)
    shortened: list[str] = field(default_factory=list)


def tables_of(theme: str) -> tuple[str, ...]:
    """The tables in the workbook of a theme, the first the one people come for."""
    if theme != "about":
        return THEMES[theme]
    placed = {name for names in THEMES.values() for name in names}
    return tuple(name for name in all_tables() if name not in placed)


def export_build(
    database: Path,
    target: Path,
    *,
    formats: Iterable[str] = FORMATS,
    say: Callable[[str], None] | None = None,
) -> Exported:
    """Write a published database in other formats; ``target`` is replaced as a whole at the end.

    Formats that an earlier export left there are made again too, so all of a folder are of one build.

    Args:
        database: the published file; it is only read, and kept open, so all files are of one build.
        target: folder to make, such as ``data/marts/exports``.
        formats: any of ``parquet``, ``csv`` and ``excel``.
        say: called with a sentence for each format.

    Returns:
        What was written.

    Raises:
        ValueError: when a format is unknown.
        FileExistsError: when ``target`` holds something that no export wrote.
        LostRowsError: when a file holds other than all rows of its table; nothing is replaced.
    """
    wanted = list(dict.fromkeys(formats))
    if unknown := [f for f in wanted if f not in FORMATS]:
        raise ValueError(f"no format {', '.join(unknown)}; there are {', '.join(FORMATS)}")
    wanted += [f for f in _earlier(target) if f not in wanted]
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
    folder.mkdir()
    done = Exported(target)
    tell = say or (lambda _: None)
    connection = duckdb.connect(str(database), read_only=True)
    try:
        if "parquet" in wanted:
            tell("Parquet")
            for table in all_tables().values():
                _copy(connection, table, folder / "parquet", "parquet")
        if "csv" in wanted:
            tell("CSV")
            for table in all_tables().values():
                _copy(connection, table, folder / "csv", "csv")
        if "excel" in wanted:
            tell("Excel")
            for theme in THEMES:
                done.shortened += write_workbook(
                    connection,
                    folder / "excel" / f"fivepercent_{theme}.xlsx",
                    [all_tables()[n] for n in tables_of(theme)],
                )
        done.files = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.*"))
        write_package(connection, folder)
        done.files.append("datapackage.json")
        _replace(folder, target)
    finally:
        connection.close()
        shutil.rmtree(folder, ignore_errors=True)
    return done


def _earlier(target: Path) -> list[str]:
    """The formats of an earlier export; refused is a folder with anything else in it."""
    here = sorted(p.name for p in target.iterdir()) if target.exists() else []
    if here and PACKAGE not in here:
        raise FileExistsError(
            f"{target} is not empty and holds no earlier export; name a new folder"
        )
    ours = {*FORMATS, PACKAGE, "Thumbs.db", "desktop.ini"}  # the last two are a file browser's
    if others := [name for name in here if name not in ours and not name.startswith(".")]:
        raise FileExistsError(
            f"{target} holds what no export wrote ({others[0]}) and is replaced as a whole; "
            "move that, or name another folder"
        )
    return [name for name in FORMATS if name in here]


def _copy(connection: duckdb.DuckDBPyConnection, table: Table, folder: Path, kind: str) -> None:
    """One table as one file in the table's order, read once more to see that no row is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    path = str(folder / f"{table.full_name}.{kind}").replace("'", "''")
    options = "format parquet, compression zstd" if kind == "parquet" else "format csv, header true"
    connection.execute(f"copy ({rows_in_order(table, kind)}) to '{path}' ({options})")
    reader = (
        f"read_parquet('{path}')"
        if kind == "parquet"
        else f"read_csv('{path}', header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"')"
    )
    must_hold_all(f"{table.full_name}.{kind}", count(connection, reader), table, connection)


def rows_in_order(table: Table, kind: str) -> str:
    """The query whose rows a file of a table holds."""
    columns = ", ".join(
        _harmless(c.name) if kind == "csv" and c.type == "VARCHAR" else f'"{c.name}"'
        for c in table.columns
    )
    order = ", ".join(f"{name} nulls last" for name in table.order)
    return f"select {columns} from {table.full_name} order by {order}"


def _harmless(column: str) -> str:
    """Text with an apostrophe before what a spreadsheet would take for a formula."""
    return (
        f'case when regexp_matches("{column}", \'{_FORMULA}\') and try_cast("{column}" as double) is null'
        f' then \'\'\'\' || "{column}" else "{column}" end as "{column}"'
    )


def _replace(folder: Path, target: Path) -> None:
    """Put a finished folder in the place of the old one."""
    if target.exists():
        old = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.old")
        os.replace(target, old)
        os.replace(folder, target)
        shutil.rmtree(old, ignore_errors=True)
    else:
        os.replace(folder, target)
