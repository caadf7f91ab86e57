"""How well the classifier does on labelled lines: the rows of `meta.classifier_quality`.

Belongs here: joining labels to payments, leave-one-trust-out, and the table of measures. Does not
belong here: the arithmetic of a single measure and its interval (`metrics.py`).

Command: `python -m pipeline.classify.evaluate --payments payments.parquet --labels labels.csv`
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import polars as pl

from pipeline.classify.engine import INPUT_COLUMNS, classify
from pipeline.classify.metrics import Measure, measure
from pipeline.classify.own_rules import default_rules
from pipeline.classify.rulebook import RuleBook

LABEL_COLUMNS = (
    "organisation_code",
    "file",
    "sheet",
    "row_in_file",
    "digital",
    "category",
    "nature",
)
QUALITY_SCHEMA = {
    "metric": pl.String,
    "slice_kind": pl.String,
    "slice_value": pl.String,
    "n": pl.Int64,
    "pounds": pl.Float64,
    "estimate": pl.Float64,
    "lower": pl.Float64,
    "upper": pl.Float64,
    "weighting": pl.String,
    "validation": pl.String,
    "rules_version": pl.String,
}
_SLICE_COLUMNS: dict[str, dict[str, str]] = {
    # By which column a metric is sliced: what the classifier said for precision, what the readers
    # said for recall.
    "precision": {"category": "category", "nature": "nature"},
    "recall": {"category": "label_category", "nature": "label_nature"},
    "category_accuracy": {"category": "label_category", "nature": "label_nature"},
    "nature_accuracy": {"category": "label_category", "nature": "label_nature"},
    "reached_recall": {"category": "label_category", "nature": "label_nature"},
}


class LabelJoinError(ValueError):
    """Labelled lines that are not among the payments; the message names the first of them."""


def join_labels(payments: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Labelled payment lines.

    Args:
        payments: columns of facts.payment: organisation_code, supplier, expense_type, expense_area,
            description, amount_gbp, source_file, source_sheet, source_row. `source_file` may be a
            path; only its last part is compared.
        labels: organisation_code, file, sheet, row_in_file, digital, category, nature.

    Returns:
        One row per label: the payment columns plus label_digital, label_category, label_nature.

    Raises:
        LabelJoinError: a labelled line is not among the payments.
    """

    def key(frame: pl.DataFrame, file: str, sheet: str, row: str) -> pl.DataFrame:
        return frame.with_columns(
            pl.col(file).str.extract(r"([^/\\]+)$", 1).alias("key_file"),
            pl.col(sheet).cast(pl.String).fill_null("").str.strip_chars().alias("key_sheet"),
            pl.col(row).cast(pl.Int64).alias("key_row"),
        )

    wanted = key(labels.select(LABEL_COLUMNS), "file", "sheet", "row_in_file").rename(
        {name: f"label_{name}" for name in ("digital", "category", "nature")}
    )
    lines = key(
        payments.select(
            "organisation_code",
            *INPUT_COLUMNS,
            pl.col("amount_gbp").cast(pl.Float64),
            "source_file",
            "source_sheet",
            "source_row",
        ),
        "source_file",
        "source_sheet",
        "source_row",
    )
    keys = ["organisation_code", "key_file", "key_sheet", "key_row"]
    joined = wanted.join(lines.unique(keys, keep="first"), on=keys, how="left")
    lost = joined.filter(pl.col("amount_gbp").is_null())
    if lost.height:
        first = lost.row(0, named=True)
        raise LabelJoinError(
            f"{lost.height} of {wanted.height} labelled lines are not among the payments; the "
            f"first is {first['organisation_code']} {first['file']!r} row {first['row_in_file']}. "
            "The row counts header and blank rows, and a quoted line break stays inside its row."
        )
    return joined.select(pl.exclude("^key_.*$", "file", "sheet", "row_in_file"))


def judge(lines: pl.DataFrame, *, validation: str, rules: RuleBook | None = None) -> pl.DataFrame:
    """Classify labelled lines, each trust with or without the rules only its own files suggested.

    Args:
        lines: from `join_labels`.
        validation: "resubstitution" (all rules) or "leave-one-trust-out".
        rules: another rule book than the package's own.

    Returns:
        The lines with the classifier's columns.
    """
    book = rules or default_rules()
    if validation == "resubstitution":
        return classify(lines, rules=book)
    return pl.concat(
        classify(part, rules=book.without(str(code)))
        for (code,), part in lines.group_by("organisation_code", maintain_order=True)
    )


def _measures(judged: pl.DataFrame) -> dict[str, tuple[pl.Expr, pl.Expr]]:
    """Metric -> (lines that count, lines that are right)."""
    said, label = pl.col("digital"), pl.col("label_digital")
    settled = label.is_in(["yes", "no"])
    digital_both = (said != "no") & (label != "no") & pl.col("label_category").is_not_null()
    return {
        "precision": (settled & (said == "yes"), label == "yes"),
        "recall": (label == "yes", said == "yes"),
        "reached_recall": (label != "no", said != "no"),
        "category_accuracy": (digital_both, pl.col("category") == pl.col("label_category")),
        "nature_accuracy": (
            pl.col("label_nature").is_not_null(),
            pl.col("nature") == pl.col("label_nature"),
        ),
    }


def _slices(judged: pl.DataFrame, metric: str) -> list[tuple[str, str, pl.DataFrame]]:
    found = [("all", "all", judged)]
    columns = {"confidence": "confidence_band", "trust": "organisation_code"}
    for kind, column in {**columns, **_SLICE_COLUMNS[metric]}.items():
        found += [
            (kind, str(value), part)
            for (value,), part in judged.sort(column).group_by(column, maintain_order=True)
            if value is not None
        ]
    return found


def evaluate(
    payments: pl.DataFrame,
    labels: pl.DataFrame,
    *,
    seed: int,
    rules: RuleBook | None = None,
    replicates: int = 2000,
) -> pl.DataFrame:
    """Quality of the classifier on labelled lines.

    Metrics: `precision` (of lines the classifier calls yes and the readers settled, the share the
    readers call yes), `recall` (of lines the readers call yes, the share the classifier calls yes;
    "possible" is a miss), `reached_recall` (of lines the readers call yes or possible, the share
    called yes or possible), `category_accuracy` (of lines digital to both) and `nature_accuracy`.
    Pounds are absolute amounts, so credits count. Lines the readers call possible are left out of
    precision and recall.

    Args:
        payments: columns of facts.payment (see `join_labels`).
        labels: organisation_code, file, sheet, row_in_file, digital, category, nature.
        seed: for the bootstrap; the same seed gives the same intervals.
        rules: another rule book than the package's own.
        replicates: bootstrap replicates.

    Returns:
        Frame with the columns of `QUALITY_SCHEMA`: metric, slice_kind ("all", "confidence",
        "category", "nature", "trust"), slice_value, n (lines that count), pounds, estimate, lower,
        upper (95%), weighting ("lines" | "pounds"), validation ("resubstitution" |
        "leave-one-trust-out"), rules_version.

    Raises:
        LabelJoinError: a labelled line is not among the payments.
    """
    book = rules or default_rules()
    lines = join_labels(payments, labels)
    generator = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    for validation in ("resubstitution", "leave-one-trust-out"):
        judged = judge(lines, validation=validation, rules=book).with_columns(
            confidence_band=pl.when(pl.col("confidence") >= 0.9)
            .then(pl.lit("high (0.9 and over)"))
            .when(pl.col("confidence") >= 0.7)
            .then(pl.lit("medium (0.7 to 0.9)"))
            .otherwise(pl.lit("low (under 0.7)"))
        )
        for metric, (counts, right) in _measures(judged).items():
            for kind, value, part in _slices(judged, metric):
                counted = part.filter(counts).select(
                    right=right.fill_null(value=False), pounds=pl.col("amount_gbp").abs()
                )
                for weighting in ("lines", "pounds"):
                    result: Measure | None = measure(
                        counted["right"].to_numpy(),
                        counted["pounds"].to_numpy(),
                        weighting=weighting,
                        generator=generator,
                        replicates=replicates,
                    )
                    if result is None:
                        continue
                    rows.append(
                        {
                            "metric": metric,
                            "slice_kind": kind,
                            "slice_value": value,
                            "n": result.n,
                            "pounds": result.pounds,
                            "estimate": result.estimate,
                            "lower": result.lower,
                            "upper": result.upper,
                            "weighting": weighting,
                            "validation": validation,
                            "rules_version": book.version,
                        }
                    )
    return pl.DataFrame(rows, schema=QUALITY_SCHEMA)


def main(arguments: list[str] | None = None) -> int:
    """Print the quality table of a payments file and a labels file.

    Args:
        arguments: command line; `--payments` Parquet with the columns of facts.payment, `--labels`
            csv, `--seed`, `--slices` (also print the slices), `--json`.

    Returns:
        0, or 1 when labels and payments do not fit together.
    """
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.classify.evaluate", description=__doc__
    )
    parser.add_argument("--payments", type=Path, required=True)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=20260401)
    parser.add_argument("--slices", action="store_true", help="print every slice, not only 'all'")
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    options = parser.parse_args(arguments)
    labels = pl.read_csv(options.labels, infer_schema=False)
    try:
        table = evaluate(pl.read_parquet(options.payments), labels, seed=options.seed)
    except LabelJoinError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if not options.slices:
        table = table.filter(pl.col("slice_kind") == "all")
    if options.json:
        sys.stdout.write(table.write_json() + "\n")
        return 0
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=200, tbl_hide_dataframe_shape=True):
        sys.stdout.write(f"{table.drop('rules_version')}\nrules {table['rules_version'][0]}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
