"""Look at one file as the pipeline would, and say everything that was decided about it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.ingest.files import RawFile
from pipeline.ingest.report import FileReport
from pipeline.ingest.tabular import Limits, UnreadableFileError, check_size, read_grids
from pipeline.plain_text import plural
from pipeline.refresh.context import limits_of
from pipeline.settings import Settings

FIRST_ROWS = 5
SAMPLE_REJECTED = 3
REPEATED = 0.3
SOURCE_FOLDERS = ("spend_over_25k", "inbox")  # beside them lies the register


def _raw_file(path: Path, source_id: str) -> RawFile:
    data_hash = hashlib.sha256(path.read_bytes()).hexdigest()
    folder = path.parent.name
    return RawFile(
        f"{source_id}/{folder}/{path.name}", path, source_id, folder, data_hash, path.stat().st_size
    )


def inspect_file(path: Path, settings: Settings) -> dict[str, Any]:
    """Read one file without booking it anywhere.

    Args:
        path: the file; the name of its folder is evidence for whose it is.
        settings: limits, and the publication whose register is used to name organisations.

    Returns:
        Everything decided about the file, ready for JSON.
    """
    from pipeline.ingest.recognise import recognise

    limits = limits_of(settings)
    base: dict[str, Any] = {"path": str(path), "kind": None, "warnings": [], "sheets": []}
    try:
        check_size(path.stat().st_size, limits)
        grids = read_grids(path.read_bytes(), limits=limits)
    except UnreadableFileError as error:
        return base | _nothing(str(error))
    found = recognise(grids)
    kind = getattr(found, "source_id", None)
    reason = getattr(found, "reason", "no source this version knows looks like this")
    if kind is None:
        return base | _nothing(f"its kind was not recognised: {reason}")
    base |= {"kind": kind, "kind_sentence": f"{kind.replace('_', ' ')} ({reason})"}
    if kind == "spend_over_25k":
        return base | _inspect_spend(path, settings, limits)
    return base | _inspect_other(path, kind, limits)


def _nothing(reason: str) -> dict[str, Any]:
    return {
        "kind_sentence": "not understood",
        "status": "set aside",
        "reason": reason,
        "layout": "not understood",
        "rows_read": 0,
        "rows_kept": 0,
        "rows_rejected": 0,
        "rows_ignored": 0,
    }


def _from_report(report: FileReport, rejected: pl.DataFrame) -> dict[str, Any]:
    reasons: dict[str, Any] = {}
    for row in rejected.iter_rows(named=True):
        entry = reasons.setdefault(row["reason"], {"rows": 0, "sample": []})
        entry["rows"] += 1
        if len(entry["sample"]) < SAMPLE_REJECTED:
            entry["sample"].append(
                {"sheet": row["source_sheet"], "row": row["source_row"], "raw": row["raw"]}
            )
    body = report.to_json()
    return {
        "status": report.status,
        "reason": report.reason,
        "layout": report.describe_layout(),
        "rows_read": report.rows_read,
        "rows_kept": report.rows_kept,
        "rows_rejected": report.rows_rejected,
        "rows_ignored": report.rows_ignored,
        **report.account_of_pounds(),
        "sheets": body["sheets"],
        "rejected": reasons,
        "warnings": list(
            dict.fromkeys([*report.warnings, *(w for s in report.sheets for w in s.warnings)])
        ),
    }


def _inspect_other(path: Path, kind: str, limits: Limits) -> dict[str, Any]:
    from pipeline.refresh.sources import SOURCES

    file = _raw_file(path, kind)
    if kind == "organisations":
        from pipeline.ingest.sources.organisations import read_organisations

        found = read_organisations([file], is_demo=False)
        return _from_report(found.reports[0], found.rejected) | {
            "first_rows": found.organisation.head(FIRST_ROWS).to_dicts()
        }
    source = next(s for s in SOURCES if s.source_id == kind)
    result = source.load()([file], None, limits=limits)
    return _from_report(result.reports[0], result.rejected) | {
        "first_rows": result.frame.head(FIRST_ROWS).to_dicts()
    }


def _register(settings: Settings, path: Path) -> Any:
    """The register of the publication, else of the raw tree, else of the tree the file lies in."""
    from pipeline.ingest.names import Register
    from pipeline.store import TableStore

    organisations = TableStore(settings.tables).read("dims.organisation")
    if organisations.is_empty() or organisations["is_demo"].any():  # fictional codes help nobody
        from pipeline.ingest.sources.organisations import read_organisations

        trees = [
            settings.raw,
            *(p.parent for p in path.resolve().parents if p.name in SOURCE_FOLDERS),
        ]
        files: list[RawFile] = []
        for tree in trees:
            folder = tree / "organisations"
            if not files and folder.is_dir():
                names = sorted(p for p in folder.iterdir() if p.is_file() and p.name[0] != ".")
                files = [_raw_file(p, "organisations") for p in names]
        if not files:
            return None
        from pipeline.refresh.context import Run
        from pipeline.refresh.sources import with_national_publishers

        organisations = read_organisations(files, is_demo=settings.is_demo).organisation
        organisations = with_national_publishers(organisations, Run(settings))
    return Register(organisations)


def _inspect_spend(path: Path, settings: Settings, limits: Limits) -> dict[str, Any]:
    from pipeline.classify import classify, detect_misaligned
    from pipeline.ingest.payments.identity import identify
    from pipeline.ingest.payments.lines import classify_lines
    from pipeline.ingest.spend.reader import SpendInput, read_spend
    from pipeline.ingest.tabular.periods import financial_year_expr

    item = SpendInput(
        f"spend_over_25k/{path.parent.name}/{path.name}", path.read_bytes, bytes=path.stat().st_size
    )
    batch = read_spend([item], limits=limits)
    report = batch.reports[item.path]
    told = _from_report(report, batch.rejected)
    if batch.lines.is_empty():
        return told
    entity = batch.lines["entity"].drop_nulls().mode().sort().to_list()
    who = identify(
        path.parent.name, path.name, entity[0] if entity else None, _register(settings, path)
    )
    told["organisation"] = f"{who.code} ({who.reason})" if who.code else f"not known: {who.reason}"
    payments = classify_lines(batch.lines, classify).with_columns(
        financial_year=financial_year_expr("month")
    )
    spend = payments.filter(~pl.col("is_balance_sheet") & ~pl.col("is_duplicate"))
    digital = pl.when(pl.col("digital") == "yes").then("amount_gbp").otherwise(0.0)
    told["months"] = (
        spend.group_by("month")
        .agg(
            lines=pl.len(),
            amount_gbp=pl.col("amount_gbp").sum().round(2),
            digital_gbp=digital.sum().round(2),
        )
        .sort("month")
        .to_dicts()
    )
    shown = [
        "source_row",
        "payment_date",
        "supplier",
        "expense_type",
        "expense_area",
        "amount_gbp",
        "digital",
        "category",
    ]
    told["first_rows"] = payments.select(shown).head(FIRST_ROWS).to_dicts()
    total = spend["amount_gbp"].sum()
    told["digital_share_of_payments"] = (
        round(spend.select(digital.sum()).item() / total, 4) if total else None
    )
    told["warnings"] += _warnings(payments, detect_misaligned(payments))
    return told


def _warnings(payments: pl.DataFrame, misaligned: pl.DataFrame) -> list[str]:
    from pipeline.classify import misalignment_sentences

    said: list[str] = []
    balance = payments.filter("is_balance_sheet")
    if balance.height:
        said.append(
            f"Tax, pension, loans or the like: {plural(balance.height, 'row')} "
            f"({balance['amount_gbp'].sum():,.0f} pounds), which count in no share."
        )
    years = payments.group_by("financial_year").len().sort("len", descending=True)
    if years.height > 1:
        rest = ", ".join(f"{n:,} in {y}" for y, n in years.rows()[1:])
        said.append(f"Most payments are in {years['financial_year'][0]}, others not: {rest}.")
    largest = float(payments.select(pl.col("amount_gbp").abs().max()).item())
    total = float(payments["amount_gbp"].abs().sum())
    if payments.height > 20 and total and largest > 0.5 * total:
        said.append(
            f"One line holds more than half of the pounds ({largest:,.0f}); look whether it is a total."
        )
    invoice = ["supplier", "transaction_reference", "amount_gbp"]
    told_apart = payments.filter(
        pl.col("transaction_reference").is_not_null() & ~pl.col("is_duplicate")
    )
    repeated = told_apart.filter(pl.struct(invoice).is_duplicated())
    if repeated.height > REPEATED * payments.height:
        said.append(
            f"{repeated.height:,} rows repeat the amount of another row of the same transaction; if the "
            "amount is that of the whole invoice, it is counted more than once. Look for a column of line "
            "amounts."
        )
    said += misalignment_sentences(misaligned).values()
    return said
