"""Why a figure differs between two builds.

A cause is named when it *can* have moved the figure: a file of that trust and year in a table the
definition reads, and only on the side (numerator or denominator) that moved; a rule when payments
are counted; a measure or parameter when it differs. What none of these explains is said to be
unexplained, never given a cause for the look of it. How much each of several causes moved a figure
is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from pipeline.compare.build import Build
from pipeline.measures import load_measures

PAYMENT, ACCOUNT, WORKFORCE = "facts.payment", "facts.account_line", "facts.workforce"
TABLE_OF_SOURCE = {
    "spend_over_25k": PAYMENT,
    "provider_accounts": ACCOUNT,
    "workforce": WORKFORCE,
}
UNEXPLAINED = "not explained by files, rules, measures, parameters, corrections or code"
WORDS = {
    "new": "new file",
    "revised": "revised file",
    "gone": "file gone",
    "superseded": "earlier version no longer counted",
    "read differently": "file read differently",
}
GENERAL = pl.Schema({"kind": pl.String, "what": pl.String, "definition": pl.String})


def general_causes(old: Build, new: Build) -> pl.DataFrame:
    """Causes that are not about one trust.

    Returns:
        ``kind`` (rule change, measure change, parameter change, code change), ``what`` in words,
        ``definition`` (null where it is about all).
    """
    found: list[tuple[str, str, str | None]] = []
    before, after = _first(old.about), _first(new.about)
    if before.get("rules_version") != after.get("rules_version"):
        found.append(("rule change", "the classification rules changed", None))
    found += _measures(old.measures, new.measures)
    names = {"old": dict(old.parameters.iter_rows()), "new": dict(new.parameters.iter_rows())}
    for name in sorted(names["old"].keys() | names["new"].keys()):
        was, becomes = names["old"].get(name), names["new"].get(name)
        if was != becomes:
            found.append(
                ("parameter change", f"{name}: {_number(was)} to {_number(becomes)}", None)
            )
    for field in ("version", "git_commit"):
        if before.get(field) != after.get(field):
            # twelve digits of a commit name it, and forty do not fit a column
            was, becomes = str(before.get(field))[:12], str(after.get(field))[:12]
            words = f"{field.replace('_', ' ')} {was} to {becomes}"
            found.append(("code change", words, None))
            break
    return pl.DataFrame(found, schema=GENERAL, orient="row")


def _first(frame: pl.DataFrame) -> dict[str, object]:
    return frame.row(0, named=True) if frame.height else {}


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:g}"


def _measures(old: pl.DataFrame, new: pl.DataFrame) -> list[tuple[str, str, str | None]]:
    found: list[tuple[str, str, str | None]] = []
    key = ["definition", "denominator"]
    both = old.join(new, on=key, how="inner", suffix="_new").sort(key)
    for row in both.iter_rows(named=True):
        for part in ("numerator_sql", "denominator_sql"):
            if row[part] != row[f"{part}_new"]:
                side = part.removesuffix("_sql")
                words = f"the {side} of {row['definition']} over {row['denominator']} changed"
                found.append(("measure change", words, str(row["definition"])))
    return found


def explain(
    figures: pl.DataFrame,
    *,
    files: pl.DataFrame,
    general: pl.DataFrame,
    old: Build,
    new: Build,
) -> pl.DataFrame:
    """Add ``causes``, a list of sentences, to changed figures.

    Args:
        figures: changed figures with ``numerator_moved``, ``denominator_moved`` and
            ``benchmark_moved``.
        files: changed files.
        general: from :func:`general_causes`.
        old: the earlier build.
        new: the later build.
    """
    moved = pl.concat([_of_files(files, old, new), _of_corrections(old, new)])
    by_trust: dict[tuple[str, str], list[tuple[str | None, str]]] = {}
    for code, year, name, sentence in moved.iter_rows():
        by_trust.setdefault((code, name), []).append((year, sentence))
    definitions = {d.id: d for d in load_measures().definitions}
    causes = []
    for row in figures.iter_rows(named=True):
        known = definitions.get(row["definition"])
        needs = {TABLE_OF_SOURCE.get(s) for s in known.needs} if known else {PAYMENT, ACCOUNT}
        tables = _tables_for(row, needs)
        sentences = [
            sentence
            for name in sorted(tables)
            for year, sentence in by_trust.get((row["organisation_code"], name), [])
            if year is None or year == row["financial_year"]
        ]
        sentences += _general_for(row, general, PAYMENT in tables)
        causes.append(sorted(dict.fromkeys(sentences)) or [UNEXPLAINED])
    column = pl.Series("causes", causes, dtype=pl.List(pl.String))
    return figures.with_columns(column)


def _tables_for(row: dict[str, object], needs: Iterable[str | None]) -> set[str]:
    """The facts that can have moved this figure."""
    tables: set[str] = set()
    whole = row["change"] != "changed"
    only_interval = not (
        row["numerator_moved"] or row["denominator_moved"] or row["benchmark_moved"]
    )
    if whole or row["numerator_moved"] or only_interval:
        tables |= {name for name in needs if name}
    if whole or row["denominator_moved"] or only_interval:
        tables.add(ACCOUNT)
    return tables


def _general_for(row: dict[str, object], general: pl.DataFrame, uses_payments: bool) -> list[str]:
    found = []
    for kind, what, definition in general.iter_rows():
        if kind == "rule change" and not uses_payments:
            continue
        if definition is not None and definition != row["definition"]:
            continue
        if (
            kind == "parameter change"
            and what.startswith("benchmark")
            and not row["benchmark_moved"]
        ):
            continue
        found.append(f"{kind}: {what}")
    return found


SENTENCES = pl.Schema(
    {
        "organisation_code": pl.String,
        "financial_year": pl.String,
        "facts_table": pl.String,
        "sentence": pl.String,
    }
)


def _of_files(files: pl.DataFrame, old: Build, new: Build) -> pl.DataFrame:
    """A sentence for every trust, year and table that a changed file has lines of."""
    parts = pl.concat([old.parts, new.parts]).unique(
        ["facts_table", "source_file", "organisation_code", "financial_year"]
    )
    said = files.select(
        pl.col("path").alias("source_file"),
        pl.format("{}: {}", pl.col("change").replace(WORDS), pl.col("path")).alias("sentence"),
    )
    return (
        parts.join(said, on="source_file", how="inner")
        .filter(pl.col("organisation_code").is_not_null())
        .select(SENTENCES.names())
        .sort(SENTENCES.names())
    )


def _of_corrections(old: Build, new: Build) -> pl.DataFrame:
    """Corrections that were added, taken away or touch another number of rows."""
    both = old.corrections.join(
        new.corrections, on="correction_id", how="full", coalesce=True, suffix="_new"
    ).filter(pl.col("rows_affected").ne_missing(pl.col("rows_affected_new")))
    said = both.select(
        pl.coalesce("source_file_new", "source_file").alias("source_file"),
        pl.format("correction: {}", "correction_id").alias("sentence"),
    )
    parts = pl.concat([old.parts, new.parts]).unique(
        ["facts_table", "source_file", "organisation_code", "financial_year"]
    )
    return (
        parts.join(said, on="source_file", how="inner")
        .filter(pl.col("organisation_code").is_not_null())
        .select(SENTENCES.names())
        .sort(SENTENCES.names())
    )
