"""The difference of two builds as frames; pure.

Belongs here: tables, files, figures and checks that differ. Does not belong here: why a figure
differs (``causes``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.catalogue.versions import base_path
from pipeline.compare.build import Build
from pipeline.compare.causes import explain, general_causes

KEY = ["organisation_code", "financial_year", "definition", "denominator"]
#: Figures are sums of pounds and pence in floating point; a relative difference below is none.
TOLERANCE = 1e-9
#: Tables about the build before; they differ whenever anything does.
ABOUT_BUILDS = ("meta.build", "meta.figure_history", "meta.change")


@dataclass(frozen=True)
class Comparison:
    """What differs between two builds.

    Attributes:
        old: identifier of the earlier build.
        new: identifier of the later build.
        tables: ``table_name``, ``change`` (added, removed, kept), ``rows_old``, ``rows_new``,
            ``delta``, ``columns_added``, ``columns_removed`` (lists); every table but ``ABOUT_BUILDS``.
        files: ``path``, ``source_id``, ``organisation_code``, ``change`` (new, revised, gone,
            superseded, read differently), ``status_old``, ``status_new``, ``rows_old``,
            ``rows_new``, ``pounds_old``, ``pounds_new``, ``reason``; only what changed.
        figures: the key of ``marts.digital_share`` with ``organisation_name``, ``change`` (changed,
            new, gone), old and new ``share``, ``numerator_gbp``, ``denominator_gbp``,
            ``share_lower``, ``share_upper``, ``badge``, ``delta_pp`` (percentage points) and
            ``causes`` (list of sentences); only what changed.
        as_now: the same of ``marts.digital_share_as_now``, where predecessors are added: what
            ``figures`` does not tell already. Empty where one of the builds has none.
        checks: ``suite``, ``check_name``, ``change`` (newly failing, still failing, holds again),
            ``severity``, ``sentence``, ``observed``, ``failing_rows``.
        general: ``kind``, ``what``: causes that are about every trust.
        comparable: False when one build is the demonstration and the other is not.
    """

    old: str
    new: str
    tables: pl.DataFrame
    files: pl.DataFrame
    figures: pl.DataFrame
    checks: pl.DataFrame
    general: pl.DataFrame
    as_now: pl.DataFrame
    comparable: bool = True

    @property
    def is_same(self) -> bool:
        """Whether no figure, file, table or check differs."""
        unchanged = self.tables.filter((pl.col("change") != "kept") | (pl.col("delta") != 0))
        moved = self.checks.filter(pl.col("change") != "still failing")
        return all(f.is_empty() for f in (unchanged, self.files, self.figures, self.as_now, moved))


def compare(old: Build, new: Build) -> Comparison:
    """Compare two builds.

    Args:
        old: the earlier one.
        new: the later one.

    Returns:
        Every difference, sorted by its key, so that the same builds give the same frames.
    """
    files = _files(old.files, new.files)
    general = general_causes(old, new)
    figures = _figures(old.figures, new.figures)
    return Comparison(
        old=old.build_id,
        new=new.build_id,
        tables=_tables(old.columns, new.columns),
        files=files,
        figures=explain(figures, files=files, general=general, old=old, new=new),
        checks=_checks(old.checks, new.checks),
        general=general,
        as_now=_as_now(old.as_now, new.as_now, figures),
        comparable=old.is_demo == new.is_demo,
    )


def _tables(old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    def one(columns: pl.DataFrame, side: str) -> pl.DataFrame:
        return columns.group_by("table_name").agg(
            pl.col("rows").first().alias(f"rows_{side}"), pl.col("column_name").alias(side)
        )

    old, new = (c.filter(~pl.col("table_name").is_in(ABOUT_BUILDS)) for c in (old, new))
    both = one(old, "old").join(one(new, "new"), on="table_name", how="full", coalesce=True)
    nothing = pl.lit([], dtype=pl.List(pl.String))
    return both.select(
        "table_name",
        pl.when(pl.col("rows_old").is_null())
        .then(pl.lit("added"))
        .when(pl.col("rows_new").is_null())
        .then(pl.lit("removed"))
        .otherwise(pl.lit("kept"))
        .alias("change"),
        "rows_old",
        "rows_new",
        (pl.col("rows_new").fill_null(0) - pl.col("rows_old").fill_null(0)).alias("delta"),
        pl.col("new")
        .fill_null(nothing)
        .list.set_difference(pl.col("old").fill_null(nothing))
        .list.sort()
        .alias("columns_added"),
        pl.col("old")
        .fill_null(nothing)
        .list.set_difference(pl.col("new").fill_null(nothing))
        .list.sort()
        .alias("columns_removed"),
    ).sort("table_name")


def _base(path: str) -> str:
    return base_path(Path(path)).as_posix()


def _files(old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    known = {_base(path) for path in old["path"]}
    both = old.join(new, on="path", how="full", coalesce=True, suffix="_new")
    is_version = pl.col("path").map_elements(lambda p: _base(p) in known, return_dtype=pl.Boolean)
    change = (
        pl.when(pl.col("sha256").is_null() & is_version)
        .then(pl.lit("revised"))
        .when(pl.col("sha256").is_null())
        .then(pl.lit("new"))
        .when(pl.col("sha256_new").is_null())
        .then(pl.lit("gone"))
        .when(pl.col("sha256") != pl.col("sha256_new"))
        .then(pl.lit("revised"))
        .when(~pl.col("is_superseded") & pl.col("is_superseded_new"))
        .then(pl.lit("superseded"))
        .when(
            pl.col("status").ne_missing(pl.col("status_new"))
            | pl.col("rows_kept").ne_missing(pl.col("rows_kept_new"))
            | ~_close("pounds_kept", "pounds_kept_new")
        )
        .then(pl.lit("read differently"))
    )
    return (
        both.with_columns(change=change)
        .filter(pl.col("change").is_not_null())
        .select(
            "path",
            pl.coalesce("source_id_new", "source_id").alias("source_id"),
            pl.coalesce("organisation_code_new", "organisation_code").alias("organisation_code"),
            "change",
            pl.col("status").alias("status_old"),
            pl.col("status_new"),
            pl.col("rows_kept").alias("rows_old"),
            pl.col("rows_kept_new").alias("rows_new"),
            pl.col("pounds_kept").alias("pounds_old"),
            pl.col("pounds_kept_new").alias("pounds_new"),
            pl.coalesce("reason_new", "reason").alias("reason"),
        )
        .sort("change", "path")
    )


def _close(one: str, other: str) -> pl.Expr:
    """Whether two columns hold the same number, or both none."""
    a, b = pl.col(one), pl.col(other)
    near = (a - b).abs() <= TOLERANCE * pl.max_horizontal(a.abs(), b.abs(), pl.lit(1e-12))
    return (a.is_null() & b.is_null()) | near.fill_null(value=False)


NUMBERS = ("numerator_gbp", "denominator_gbp", "share", "share_lower", "share_upper", "benchmark")


def _figures(old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    kept = [*KEY, "organisation_name", *NUMBERS, "badge"]
    both = old.select(kept).join(
        new.select(kept), on=KEY, how="full", coalesce=True, suffix="_new", nulls_equal=True
    )
    same = pl.all_horizontal(
        *(_close(n, f"{n}_new") for n in NUMBERS), pl.col("badge").eq_missing(pl.col("badge_new"))
    )
    change = (
        pl.when(pl.col("benchmark").is_null())
        .then(pl.lit("new"))
        .when(pl.col("benchmark_new").is_null())
        .then(pl.lit("gone"))
        .when(~same)
        .then(pl.lit("changed"))
    )
    sides = [
        pl.col(f"{name}{source}").alias(f"{name}_{side}")
        for name in (*NUMBERS, "badge")
        for source, side in (("", "old"), ("_new", "new"))
    ]
    return (
        both.with_columns(change=change)
        .filter(pl.col("change").is_not_null())
        .select(
            *KEY,
            pl.coalesce("organisation_name_new", "organisation_name").alias("organisation_name"),
            "change",
            *sides,
            (100 * (pl.col("share_new") - pl.col("share"))).alias("delta_pp"),
            (~_close("numerator_gbp", "numerator_gbp_new")).alias("numerator_moved"),
            (~_close("denominator_gbp", "denominator_gbp_new")).alias("denominator_moved"),
            (~_close("benchmark", "benchmark_new")).alias("benchmark_moved"),
        )
        .sort(KEY)
    )


def _as_now(old: pl.DataFrame, new: pl.DataFrame, figures: pl.DataFrame) -> pl.DataFrame:
    """Figures of today's organisations that differ, with what they are made of as the cause.

    Those of one organisation alone move with its figure as reported, and are told there.
    """
    moved = _figures(old, new).head(0) if old.is_empty() or new.is_empty() else _figures(old, new)
    for side, build in (("old", old), ("new", new)):
        told = build.select(
            *KEY,
            pl.col("made_of").alias(f"made_{side}"),
            pl.col("is_pro_forma").alias(f"joined_{side}"),
        )
        moved = moved.join(told, on=KEY, how="left", nulls_equal=True, maintain_order="left")
    reported = figures.select(*KEY, "change", told=True)
    moved = moved.join(
        reported, on=[*KEY, "change"], how="left", nulls_equal=True, maintain_order="left"
    )
    joined = pl.any_horizontal("joined_old", "joined_new").fill_null(value=False)
    was, now = pl.col("made_old"), pl.col("made_new")
    cause = (
        pl.when(now.is_null())
        .then(pl.format("made of {} before; now counted with its successor, or not at all", was))
        .when(was.is_null())
        .then(pl.format("made of {}", now))
        .when(was != now)
        .then(pl.format("made of {}; before of {}", now, was))
        .otherwise(pl.format("made of {}, of which a figure as reported differs", now))
    )
    return (
        moved.filter(joined | pl.col("told").is_null())
        .with_columns(causes=pl.concat_list(cause))
        .select(*figures.columns, "causes")
        .sort(KEY)
    )


def _checks(old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    key = ["suite", "check_name"]
    before = old.select(*key, pl.col("passed").alias("passed_old"))
    failing = new.filter(~pl.col("passed")).join(before, on=key, how="left")
    still = pl.col("passed_old").eq_missing(pl.lit(value=False))
    failing = failing.with_columns(
        change=pl.when(still).then(pl.lit("still failing")).otherwise(pl.lit("newly failing"))
    )
    held = new.filter(pl.col("passed")).join(
        before.filter(~pl.col("passed_old")), on=key, how="inner"
    )
    held = held.with_columns(change=pl.lit("holds again"))
    columns = [*key, "change", "severity", "sentence", "observed", "failing_rows"]
    return pl.concat([failing.select(columns), held.select(columns)]).sort("change", *key)
