"""What became of every figure from build to build, and what this build changed.

Belongs here: carrying ``meta.figure_history`` on from the publication that stands, and
``meta.change`` from a comparison with it. Does not belong here: how two builds are compared
(``compare``), or words about it. Both tables depend on what was published before, as ``meta.build``
does, so they are no part of what the same inputs reproduce.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import polars as pl

from pipeline.compare import Build, Comparison, NotABuildError, compare, read_build
from pipeline.compare.difference import KEY
from pipeline.refresh.code import code_hash
from pipeline.refresh.context import Run
from pipeline.schema import table
from pipeline.store import TableStore
from pipeline.store.publish import copy_ahead, current_build
from pipeline.store.seal import damage

HISTORY, CHANGE, CHECKS = "meta.figure_history", "meta.change", "meta.check_result"
VALUES = ["share", "share_lower", "share_upper", "numerator_gbp", "denominator_gbp", "badge"]


@dataclass
class Before:
    """The publication that a new build follows.

    Attributes:
        folder: of the latest build that is whole; None where there is none.
        is_current: whether that is the publication itself, not an older one in place of a damaged one.
        database: a copy of its database that the new build may go on from.
    """

    folder: Path | None
    is_current: bool
    database: Path | None = None
    _build: Build | None = None

    def read(self) -> Build | None:
        """What the build is; None where there is none, or it cannot be read. Read once."""
        if self._build is None and self.folder is not None and self.folder.is_dir():
            try:
                self._build = read_build(self.folder)
            except (NotABuildError, duckdb.Error, OSError, pl.exceptions.PolarsError):
                return None
        return self._build

    def copy_database(self) -> None:
        """Copy the database while there is little else to do; :meth:`forget_copy` must follow."""
        if self.is_current and self.folder:
            self.database = copy_ahead(self.folder, code_hash())

    def forget_copy(self) -> None:
        """Remove the copy, where nobody took it."""
        if self.database:
            self.database.unlink(missing_ok=True)


def build_before(run: Run) -> Before:
    """The publication, or when it is damaged the latest build here that is not; what is wrong is told.

    A history read from damaged files could say that a figure was something it never was.
    """
    current = current_build(run.settings.out)
    if current is None:
        return Before(None, is_current=False)
    builds = run.settings.out / "builds"
    found = damage(builds / current)
    if not found:
        return Before(builds / current, is_current=True)
    others = sorted((p for p in builds.iterdir() if p.name < current and p.is_dir()), reverse=True)
    whole = next((p for p in others if ".staging-" not in p.name and not damage(p)), None)
    told = f"the history goes on from {whole.name}" if whole else "the history starts anew"
    run.progress.say(f"The build {current} was damaged after its publication ({found[0]}); {told}.")
    return Before(whole, is_current=False)


def build_history(run: Run, before: Before, new: Build | None = None) -> dict[str, int]:
    """Write ``meta.figure_history`` and ``meta.change`` for the build in the working store.

    Where there is no build before, or it is of the other kind (demonstration or real), or it cannot be
    read, the history starts anew.

    Args:
        run: the run.
        before: the publication that the build follows.
        new: what is in the working store, where it was read but for the results of checks.

    Returns:
        Rows by table.
    """
    new = _with_checks(new, run.store) if new else read_build(run.store.root)
    old = before.read()
    if old is not None and (not old.build_id or old.is_demo != new.is_demo):
        old = None
    compared = compare(old, new) if old else None
    history = carry_on(
        _history_before(before.folder, old) if before.folder and old else None, new, compared
    )
    changes = changes_of(compared) if compared else pl.DataFrame(schema=table(CHANGE).polars)
    return {
        HISTORY: run.store.write(HISTORY, history).height,
        CHANGE: run.store.write(CHANGE, changes).height,
    }


def _with_checks(read: Build, store: TableStore) -> Build:
    """What was read, with the results of checks as they are now."""
    known = pl.col("table_name") == CHECKS
    if read.columns.filter(known).is_empty():  # they were not there yet
        return read_build(store.root)
    checks = store.read(CHECKS)
    rows = pl.when(known).then(checks.height).otherwise("rows")
    return replace(
        read,
        columns=read.columns.with_columns(rows=rows.cast(pl.Int64)),
        checks=checks.select(pl.col(n).cast(kind) for n, kind in read.checks.schema.items()),
    )


def _history_before(folder: Path, old: Build) -> pl.DataFrame:
    """The history the build before kept; its own figures, where it is older than the table."""
    path = folder / "parquet" / "meta" / "figure_history.parquet"
    wanted = table(HISTORY).polars
    if path.is_file():
        kept = pl.read_parquet(path)
        if kept.schema == wanted:
            return kept
    return carry_on(None, old, None)


def carry_on(before: pl.DataFrame | None, new: Build, compared: Comparison | None) -> pl.DataFrame:
    """The history with this build's changes.

    Args:
        before: the history so far, or None where it starts here.
        new: the build that is being published.
        compared: the build before against ``new``; None where there is none.

    Returns:
        Rows of ``meta.figure_history``: versions of a figure are numbered without a gap from 1, and
        exactly the last one is the latest.
    """
    wanted = table(HISTORY).polars
    built = new.about["built_at"][0] if new.about.height else None
    stamp = [
        pl.lit(new.build_id).alias("build_id"),
        pl.lit(built, pl.Datetime("us")).alias("built_at"),
    ]
    if before is None or compared is None:
        rows = new.figures.select(
            *KEY, *VALUES, *stamp, change=pl.lit("first published"), causes=pl.lit(None, pl.String)
        )
        return _numbered(rows, wanted)
    moved = compared.figures.select(
        *KEY,
        *(pl.col(f"{name}_new").alias(name) for name in VALUES),
        *stamp,
        change=pl.col("change").replace_strict(
            {"new": "first published", "changed": "changed", "gone": "withdrawn"},
            return_dtype=pl.String,
        ),
        causes=pl.col("causes").list.join("; "),
    )
    seen = before.select(KEY).unique().with_columns(seen=True)
    again = pl.col("seen").fill_null(value=False) & (pl.col("change") == "first published")
    moved = moved.join(seen, on=KEY, how="left", maintain_order="left").with_columns(
        change=pl.when(again).then(pl.lit("published again")).otherwise("change")
    )
    rows = pl.concat([before, moved], how="diagonal_relaxed")
    return _numbered(rows, wanted)


def _numbered(rows: pl.DataFrame, wanted: pl.Schema) -> pl.DataFrame:
    number = pl.int_range(1, pl.len() + 1).over(KEY).cast(pl.Int32)
    rows = rows.sort([*KEY, "built_at"], maintain_order=True).with_columns(version=number)
    return rows.with_columns(
        is_latest=pl.col("version") == pl.col("version").max().over(KEY)
    ).select(pl.col(name).cast(kind) for name, kind in wanted.items())


def changes_of(compared: Comparison) -> pl.DataFrame:
    """Rows of ``meta.change`` from a comparison."""
    nothing = pl.lit("")
    names = pl.concat_list("columns_added", "columns_removed")
    changed_table = (pl.col("change") != "kept") | (pl.col("delta") != 0) | (names.list.len() > 0)
    parts = [
        figures.select(
            kind=pl.lit(kind),
            subject=pl.format("{} over {}", "definition", "denominator"),
            organisation_code="organisation_code",
            financial_year="financial_year",
            change="change",
            was="share_old",
            becomes="share_new",
            cause=pl.col("causes").list.join("; "),
        )
        for kind, figures in (("figure", compared.figures), ("figure as now", compared.as_now))
    ] + [
        compared.files.select(
            kind=pl.lit("file"),
            subject="path",
            organisation_code=pl.col("organisation_code").fill_null(""),
            financial_year=nothing,
            change="change",
            was=pl.col("rows_old").cast(pl.Float64),
            becomes=pl.col("rows_new").cast(pl.Float64),
            cause="reason",
        ),
        compared.tables.filter(changed_table).select(
            kind=pl.lit("table"),
            subject="table_name",
            organisation_code=nothing,
            financial_year=nothing,
            change=pl.when(pl.col("change") == "kept").then(pl.lit("changed")).otherwise("change"),
            was=pl.col("rows_old").cast(pl.Float64),
            becomes=pl.col("rows_new").cast(pl.Float64),
            cause=pl.when(names.list.len() > 0).then(
                pl.format(
                    "columns added: {}; removed: {}",
                    pl.col("columns_added").list.join(", "),
                    pl.col("columns_removed").list.join(", "),
                )
            ),
        ),
        compared.checks.select(
            kind=pl.lit("check"),
            subject=pl.format("{}: {}", "suite", "check_name"),
            organisation_code=nothing,
            financial_year=nothing,
            change="change",
            was=pl.lit(None, pl.Float64),
            becomes=pl.lit(None, pl.Float64),
            cause="sentence",
        ),
        compared.general.select(
            kind=pl.lit("general"),
            subject="what",
            organisation_code=nothing,
            financial_year=nothing,
            change="kind",
            was=pl.lit(None, pl.Float64),
            becomes=pl.lit(None, pl.Float64),
            cause=pl.lit(None, pl.String),
        ),
    ]
    rows = pl.concat(parts).with_columns(previous_build=pl.lit(compared.old))
    key = ["kind", "subject", "organisation_code", "financial_year"]
    return rows.unique(key, keep="first", maintain_order=True).select(table(CHANGE).polars.names())
