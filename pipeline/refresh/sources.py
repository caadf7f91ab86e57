"""Read every source into the working store: dims, facts and the account of every file.

Each function is one stage that Dagster can run on its own. A source without files writes an empty
table, so that everything after it finds what it expects.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import polars as pl

from pipeline.corrections.ledger import FIELDS
from pipeline.ingest.files import RawFile
from pipeline.ingest.names import Register
from pipeline.ingest.report import REJECTED_SCHEMA, FileReport
from pipeline.ingest.result import SourceResult
from pipeline.measures import category_frame, measure_frame, parameter_frame
from pipeline.refresh.context import Run
from pipeline.refresh.corrected import correct_facts, ledger_hash
from pipeline.refresh.unchanged import FOLDER, Note
from pipeline.schema import table
from pipeline.store.tables import write_bytes

Reader = Callable[..., SourceResult]


@dataclass(frozen=True)
class Source:
    """A source with a reader: its folder, its table and the function that reads it."""

    source_id: str
    table: str
    reader: str  # "module:function" below pipeline.ingest.sources, imported when used

    def load(self) -> Reader:
        """The reader function."""
        from importlib import import_module

        module, function = self.reader.split(":")
        return getattr(import_module(f"pipeline.ingest.sources.{module}"), function)


SOURCES = (
    Source("provider_accounts", "facts.account_line", "accounts:read_accounts"),
    Source("workforce", "facts.workforce", "workforce:read_workforce"),
    Source("digital_maturity", "facts.maturity", "maturity:read_maturity"),
    Source("epr_suppliers", "facts.epr", "epr:read_epr"),
    Source("medical_records_cost", "facts.records_cost", "records_cost:read_records_cost"),
    Source("fdp", "facts.platform", "platform:read_platform"),
    Source("virtual_wards", "facts.virtual_ward", "virtual_wards:read_virtual_wards"),
    Source("dspt", "facts.security", "security:read_security"),
    Source("gdp_deflator", "facts.deflator", "deflator:read_deflator"),
)
#: The register, and what is read with it.
ORGANISATION = "dims.organisation"
_BESIDE = ("dims.icb", "dims.icb_membership", "dims.succession")
#: Days on which the same files will say something else.
DAYS_TO_COME = "days_to_come.json"
HANDLED = {s.source_id for s in SOURCES} | {"organisations", "spend_over_25k"}


def changes_due(run: Run) -> int:
    """How many days have come since the organisations were read on which one was to succeed another."""
    try:
        days = json.loads((run.settings.work / DAYS_TO_COME).read_text(encoding="utf-8"))
        today = datetime.now(UTC).date()
        return sum(date.fromisoformat(day) <= today for day in days)
    except (OSError, ValueError, TypeError):
        return 0


def build_organisations(run: Run) -> dict[str, int]:
    """``dims.organisation``, ``dims.icb``, ``dims.icb_membership``, ``dims.succession``.

    What would come out the same is left as it is. Organisations are as they were read: what
    :func:`finish_organisations` gave them the last time is not here, because it may come from sources
    that are gone.
    """
    from pipeline.ingest.sources.organisations import read_organisations

    store, files = run.store, run.files_of("organisations")
    note = Note(run, "organisations", *_versions(files), str(run.is_demo))
    made = store.root / "dims" / "organisation.parquet"
    as_read = run.settings.work / FOLDER / made.name
    if note.holds() and not changes_due(run):
        write_bytes(made, as_read.read_bytes())
        return {name: store.rows(name) for name in (ORGANISATION, *_BESIDE)}
    found = read_organisations(files, is_demo=run.is_demo)
    organisations = with_national_publishers(found.organisation, run)
    frames = {ORGANISATION: organisations} | {
        name: getattr(found, name.removeprefix("dims.")) for name in _BESIDE
    }
    rows = {name: store.write(name, frame).height for name, frame in frames.items()}
    run.write_part("organisations", found.reports, found.rejected)
    days = json.dumps([day.isoformat() for day in found.days_to_come])
    write_bytes(run.settings.work / DAYS_TO_COME, days.encode())
    write_bytes(as_read, made.read_bytes())
    parts = (run.settings.work / "parts").glob("organisations.*.parquet")
    note.write([as_read, *(path for name in _BESIDE for path in store.files(name)), *parts])
    return rows


def with_national_publishers(organisations: pl.DataFrame, run: Run) -> pl.DataFrame:
    """Add publishers that only the catalogue knows: NHS England, the department, new trusts and boards."""
    if run.is_demo or organisations.is_empty():
        return organisations
    from pipeline.catalogue import load_catalogue

    known = set(organisations["organisation_code"].to_list())
    rows = [
        {
            "organisation_code": p.organisation_code,
            "name": p.name,
            "kind": _kind_of(p.name),
            "is_demo": False,
        }
        for p in load_catalogue().source("spend_over_25k").publishers
        if p.organisation_code not in known
    ]
    if not rows:
        return organisations
    schema = table("dims.organisation").polars
    extra = pl.DataFrame(rows).with_columns(current_code=pl.col("organisation_code"))
    missing = [
        pl.lit(None, dtype=kind).alias(name)
        for name, kind in schema.items()
        if name not in extra.columns
    ]
    extra = extra.with_columns(missing).select(schema.names()).cast(schema)
    return pl.concat([organisations.select(schema.names()).cast(schema), extra])


def _kind_of(name: str) -> str:
    """What a publisher is by its name: a trust, a board, else a national body."""
    if name.endswith(" Trust"):
        return "trust"
    return "icb" if name.endswith(" Integrated Care Board") else "national"


def build_reference_dims(run: Run) -> dict[str, int]:
    """``dims.measure``, ``dims.category`` and ``dims.parameter`` from the measure files."""
    store = run.store
    return {
        "dims.measure": store.write("dims.measure", measure_frame()).height,
        "dims.category": store.write("dims.category", category_frame()).height,
        "dims.parameter": store.write(
            "dims.parameter", parameter_frame(benchmark=run.settings.benchmark)
        ).height,
    }


def register_of(run: Run) -> Register | None:
    """The register of organisations, or None when no register is among the files."""
    organisations = run.store.read("dims.organisation")
    return Register(organisations) if organisations.height else None


def build_source(run: Run, source: Source, register: Register | None) -> dict[str, int]:
    """Read one source into its facts table; what would come out the same is left as it is."""
    files = run.files_of(source.source_id)
    note = Note(run, source.source_id, *_made_of(run, files))
    if note.holds():
        return {source.table: run.store.rows(source.table)}
    result = source.load()(files, register, limits=run.limits)
    frame = result.frame
    if source.source_id in FIELDS:
        frame = correct_facts(run, source.source_id, frame)
    rows = run.store.write(source.table, frame).height
    run.write_part(source.source_id, result.reports, result.rejected)
    parts = (run.settings.work / "parts").glob(f"{source.source_id}.*.parquet")
    note.write([*run.store.files(source.table), *parts])
    return {source.table: rows}


def _versions(files: Sequence[RawFile]) -> list[str]:
    return [f"{f.path} {f.sha256} {f.superseded_by} {f.superseded_reason}" for f in files]


def _made_of(run: Run, files: Sequence[RawFile]) -> list[str]:
    """What decides the facts of some files, beside the code."""
    register = [run.hashes.of(path) for path in run.store.files("dims.organisation")]
    return [
        *_versions(files),
        *register,
        str(run.limits),
        str(run.is_demo),
        ledger_hash(run.settings),
    ]


def finish_organisations(run: Run) -> dict[str, int]:
    """Give organisations the sector of their latest accounts and the workforce's finer kind."""
    organisations = run.store.read("dims.organisation")
    accounts = (
        run.store.scan("facts.account_line")
        .filter(pl.col("organisation_code").is_not_null() & pl.col("sector").is_not_null())
        .group_by("organisation_code")
        .agg(pl.col("sector").sort_by("financial_year").last().alias("_sector"))
        .collect()
    )
    groups = (
        run.store.scan("facts.workforce")
        .filter(pl.col("benchmark_group").is_not_null())
        .group_by("organisation_code")
        .agg(pl.col("benchmark_group").sort_by("month").last().alias("_group"))
        .collect()
    )
    organisations = (
        organisations.join(accounts, on="organisation_code", how="left")
        .join(groups, on="organisation_code", how="left")
        .with_columns(
            sector=pl.coalesce("_sector", "sector"),
            benchmark_group=pl.coalesce("_group", "benchmark_group"),
        )
        .drop("_sector", "_group")
    )
    return {"dims.organisation": run.store.write("dims.organisation", organisations).height}


def build_unknown(run: Run) -> None:
    """Report files in folders that no reader handles, and links that are not followed."""
    unknown: Sequence[RawFile] = [f for f in run.files if f.source_id not in HANDLED]
    reports = [
        FileReport(
            f.path,
            f.sha256,
            f.bytes,
            f.source_id,
            status="set aside",
            reason=f"the folder {f.source_id!r} is no source this version reads; "
            f"the sources are {', '.join(sorted(HANDLED))}",
        )
        for f in unknown
    ]
    reports += [
        FileReport(path, "", 0, path.split("/")[0], status="set aside", reason=reason)
        for path, reason in run.links.items()
    ]
    run.write_part("unknown", reports, pl.DataFrame(schema=REJECTED_SCHEMA))
