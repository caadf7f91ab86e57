"""The ``meta`` tables: files, rejected rows, sources, dictionary, quality, the build itself."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import polars as pl

import pipeline
from pipeline.ingest.files import INBOX
from pipeline.refresh.code import code_hash
from pipeline.refresh.context import Run
from pipeline.refresh.corrected import ledger_hash, read_applied
from pipeline.refresh.dictionary import build_dictionary
from pipeline.refresh.revisions import build_revisions
from pipeline.refresh.sources import changes_due
from pipeline.schema import table
from pipeline.settings import PROJECT_ROOT

CONTRACT_VERSION = 1
LICENCE = "Contains public sector information licensed under the Open Government Licence v3.0."
DEMONSTRATION_NOTICE = (
    "DEMONSTRATION: every organisation and every figure in this file is fictional. "
    "Nothing in it is real."
)
LIBRARIES = ("polars", "duckdb", "pyarrow", "great-expectations", "plotly", "fastexcel")


def build_accounts_of_files(run: Run) -> dict[str, int]:
    """``meta.source_file`` and ``meta.rejected_row`` from what each source kept."""
    files = run.read_parts("files", table("meta.source_file").polars)
    rejected = run.read_parts("rejected", table("meta.rejected_row").polars)
    return {
        "meta.source_file": run.store.write("meta.source_file", files).height,
        "meta.rejected_row": run.store.write("meta.rejected_row", rejected).height,
    }


def build_sources(run: Run) -> dict[str, int]:
    """``meta.source``: the catalogue with what is here."""
    from pipeline.catalogue import load_catalogue

    files = run.store.read("meta.source_file")
    counts = dict(files.group_by("source_id").len().iter_rows())
    latest = _latest_periods(run)
    rows = []
    for source in load_catalogue().sources:
        rows.append(
            {
                "source_id": source.id,
                "title": source.title,
                "publisher": "Demonstration (fictional)" if run.is_demo else source.publisher,
                "licence": source.licence,
                "landing_page": source.landing_page,
                "cadence": source.calendar.cadence,
                "files": counts.get(source.id, 0),
                "latest_period": latest.get(source.id),
            }
        )
    return {
        "meta.source": run.store.write(
            "meta.source", pl.DataFrame(rows, infer_schema_length=None)
        ).height
    }


def _latest_periods(run: Run) -> dict[str, str]:
    def newest(name: str, column: str) -> str | None:
        value = run.store.scan(name).select(pl.col(column).max()).collect().item()
        return None if value is None else str(value)[:10]

    pairs = {
        "spend_over_25k": ("facts.payment", "month"),
        "provider_accounts": ("facts.account_line", "financial_year"),
        "workforce": ("facts.workforce", "month"),
        "digital_maturity": ("facts.maturity", "year"),
        "epr_suppliers": ("facts.epr", "as_at"),
        "medical_records_cost": ("facts.records_cost", "financial_year"),
        "virtual_wards": ("facts.virtual_ward", "month"),
        "dspt": ("facts.security", "toolkit_year"),
    }
    return {k: v for k, (name, column) in pairs.items() if (v := newest(name, column))}


def build_classifier_quality(run: Run) -> dict[str, int]:
    """``meta.classifier_quality``, measured when labelled payments lie beside the raw tree."""
    name = "meta.classifier_quality"
    labels = run.settings.labelled_payments
    frame = pl.DataFrame(schema=table(name).polars)
    if labels is not None and not run.is_demo:
        frame = _measure(run, labels, frame)
    rows = run.store.write(name, frame).height
    _use_measured_quality(run)
    return {name: rows}


def _measure(run: Run, labels: Path, nothing: pl.DataFrame) -> pl.DataFrame:
    """Quality on the labels whose files are here; labels that do not fit are reported, not fatal."""
    from pipeline.classify.evaluate import LabelJoinError, evaluate

    payments = run.store.read("facts.payment").with_columns(pl.col("amount_gbp").cast(pl.Float64))
    here = payments.select(
        "organisation_code", file=pl.col("source_file").str.split("/").list.last()
    ).unique()
    try:
        wanted = pl.read_csv(labels, infer_schema_length=None)
        known = wanted.join(here, on=["organisation_code", "file"], how="semi")
        return evaluate(payments, known, seed=5) if known.height else nothing
    except (LabelJoinError, pl.exceptions.PolarsError) as error:
        run.progress.say(f"The labelled payments {labels.name} could not be used: {error}")
        return nothing


def _use_measured_quality(run: Run) -> None:
    """Let measured precision and recall replace the defaults in ``dims.parameter``."""
    quality = run.store.read("meta.classifier_quality").filter(
        (pl.col("slice_kind") == "all")
        & (pl.col("weighting") == "pounds")
        & (pl.col("validation") == "leave-one-trust-out")
    )
    measured = dict(quality.select("metric", "lower").drop_nulls().iter_rows())
    from pipeline.measures import parameter_frame

    extra = {
        f"classifier_{metric}_low": min(max(measured[metric], 0.5), 1.0)
        for metric in ("precision", "recall")
        if metric in measured
    }
    run.store.write(
        "dims.parameter", parameter_frame(benchmark=run.settings.benchmark, extra=extra)
    )


def build_all(run: Run) -> dict[str, int]:
    """Every ``meta`` table that does not need the gates: files, sources, dictionary, quality."""
    return {
        **build_accounts_of_files(run),
        **build_revisions(run),
        **build_sources(run),
        **build_dictionary(run),
        **build_corrections(run),
        **build_classifier_quality(run),
    }


def build_corrections(run: Run) -> dict[str, int]:
    """``meta.correction``: every entry of the ledger and the rows it changed in this build."""
    return {"meta.correction": run.store.write("meta.correction", read_applied(run)).height}


def inputs_hash(run: Run) -> str:
    """Hash over path and content hash of every raw file."""
    digest = hashlib.sha256()
    for file in run.files:
        digest.update(f"{file.path}\n{file.sha256}\n".encode())
    return digest.hexdigest()


def fingerprint(run: Run) -> str:
    """What the result depends on: inputs, inbox, settings, code, labels, corrections, mergers that came due.

    Equal means nothing to do.
    """
    labels = run.settings.labelled_payments
    parts = (
        inputs_hash(run),
        _settings(run),
        code_hash(),
        hashlib.sha256(labels.read_bytes()).hexdigest() if labels else "",
        str(run.is_demo),
        ledger_hash(run.settings),
        _waiting(run),
        json.dumps(run.links),
        str(changes_due(run)),
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _waiting(run: Run) -> str:
    """What stays in the inbox: it is no input, but ``meta.source_file`` names it."""
    path = run.settings.work / "parts" / f"{INBOX}.files.parquet"
    if not path.exists():
        return ""
    return json.dumps(pl.read_parquet(path, columns=["path", "sha256", "reason"]).rows())


def _settings(run: Run) -> str:
    told = run.settings.model_dump(mode="json", exclude=set(run.settings.OPERATIONAL))
    return json.dumps(told, sort_keys=True)


def _commit() -> str | None:
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(PROJECT_ROOT), "rev-parse", "HEAD"],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None


def build_build(run: Run) -> str:
    """``meta.build``: one row about this build; returns its identifier."""
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    build_id = f"{now:%Y%m%dT%H%M%SZ}-{fingerprint(run)[:8]}"
    from pipeline.classify import RULES_VERSION

    notice = DEMONSTRATION_NOTICE if run.is_demo else LICENCE
    row = {
        "build_id": build_id,
        "built_at": now,
        "version": pipeline.__version__,
        "git_commit": _commit(),
        "contract_version": CONTRACT_VERSION,
        "is_demo": run.is_demo,
        "benchmark": run.settings.benchmark,
        "inputs_sha256": inputs_hash(run),
        "rules_version": RULES_VERSION,
        "settings": _settings(run),
        "libraries": json.dumps(
            {"python": platform.python_version()} | {n: version(n) for n in LIBRARIES}
        ),
        "notice": notice,
    }
    run.store.write("meta.build", pl.DataFrame([row], schema=table("meta.build").polars))
    return build_id
