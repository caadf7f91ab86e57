"""One asset a table of the contract, made by a factory from the schema and the stages."""

from collections.abc import Callable, Iterator, Sequence

import dagster as dg

from pipeline.defs.describe import definition_metadata, description_of, run_metadata
from pipeline.defs.keys import FINANCIAL_YEARS, OWNERS, key_of, year_of
from pipeline.defs.lineage import reads_of
from pipeline.defs.resources import Product
from pipeline.marts import MART_ORDER
from pipeline.refresh import meta, payments, sources
from pipeline.refresh.context import Run
from pipeline.refresh.filing import INBOX
from pipeline.refresh.inbox import sort_inbox
from pipeline.schema import table
from pipeline.store.lock import refresh_lock

ORGANISATION_TABLES = ("dims.organisation", "dims.icb", "dims.icb_membership", "dims.succession")
REFERENCE_TABLES = ("dims.measure", "dims.category")
META_TABLES = (
    "meta.source_file",
    "meta.rejected_row",
    "meta.revision",
    "meta.source",
    "meta.column",
    "meta.correction",
    "meta.classifier_quality",
    "dims.parameter",
)


def raw_key(source_id: str) -> dg.AssetKey:
    """The asset key of a folder of raw files."""
    return dg.AssetKey(["raw", source_id])


def spec_of(name: str, group: str, deps: Sequence[dg.AssetKey], *, kinds: set[str]) -> dg.AssetSpec:
    """The asset spec of a table."""
    described = table(name)
    return dg.AssetSpec(
        key=key_of(name),
        deps=list(deps),
        description=description_of(described),
        group_name=group,
        owners=OWNERS,
        kinds=kinds,
        tags={"schema": described.database_schema},
        metadata=definition_metadata(described),
    )


def _many(
    op_name: str,
    names: Sequence[str],
    group: str,
    deps: Sequence[dg.AssetKey],
    build: Callable[[Run], object],
    *,
    kinds: set[str],
) -> dg.AssetsDefinition:
    """One step that makes several tables."""

    @dg.multi_asset(name=op_name, specs=[spec_of(n, group, deps, kinds=kinds) for n in names])
    def made(product: Product) -> Iterator[dg.MaterializeResult]:
        run = product.run()
        build(run)
        for name in names:
            yield dg.MaterializeResult(key_of(name), metadata=run_metadata(run.store, table(name)))

    return made


@dg.asset(
    key=raw_key(INBOX),
    group_name="raw",
    owners=OWNERS,
    kinds={"file"},
    description=(
        "**What lay in the inbox, and where is it now?**\n\nFiles below `data/raw/inbox` are recognised by "
        "their content and filed under their source; what is not sure stays, with the reason."
    ),
)
def inbox(context: dg.AssetExecutionContext, product: Product) -> dg.MaterializeResult:
    """File what lies in the inbox before anything lists the raw files."""
    run = product.run()
    with refresh_lock(run.settings.work, on_wait=context.log.info):
        outcomes = sort_inbox(run)
    for outcome in outcomes:
        context.log.info(outcome.sentence)
    columns = ("path", "kind", "organisation", "filed_as", "reason")
    records = [dg.TableRecord({c: getattr(o, c) or "" for c in columns}) for o in outcomes[:200]]
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(outcomes),
            "stay": sum(o.stays for o in outcomes),
            "files": dg.MetadataValue.table(
                records, dg.TableSchema([dg.TableColumn(c) for c in columns])
            ),
        }
    )


def _raw(source_id: str) -> dg.AssetsDefinition:
    @dg.asset(
        key=raw_key(source_id),
        deps=[raw_key(INBOX)],
        group_name="raw",
        owners=OWNERS,
        kinds={"file"},
        description=f"**Which files of `{source_id}` are here?**\n\nThe files below `data/raw/{source_id}`, untouched.",
    )
    def listed(product: Product) -> dg.MaterializeResult:
        files = product.run().files_of(source_id)
        records = [
            dg.TableRecord(
                {
                    "path": f.path,
                    "bytes": f.bytes,
                    "sha256": f.sha256[:16],
                    "superseded": bool(f.superseded_by),
                }
            )
            for f in files[:200]
        ]
        columns = [
            dg.TableColumn("path"),
            dg.TableColumn("bytes", "int"),
            dg.TableColumn("sha256"),
            dg.TableColumn("superseded", "bool"),
        ]
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": len(files),
                "bytes": sum(f.bytes for f in files),
                "files": dg.MetadataValue.table(records, dg.TableSchema(columns)),
            }
        )

    return listed


def raw_assets() -> list[dg.AssetsDefinition]:
    """The inbox, then one asset a source: the files there are, with their hashes."""
    return [inbox] + [_raw(source_id) for source_id in sorted(sources.HANDLED)]


def _source(source: sources.Source) -> dg.AssetsDefinition:
    spec = spec_of(
        source.table,
        "facts",
        [raw_key(source.source_id), key_of("dims.organisation")],
        kinds={"python", "polars", "parquet"},
    )

    @dg.multi_asset(name=source.source_id, specs=[spec])
    def read(product: Product) -> Iterator[dg.MaterializeResult]:
        run = product.run()
        sources.build_source(run, source, sources.register_of(run))
        yield dg.MaterializeResult(
            key_of(source.table), metadata=run_metadata(run.store, table(source.table))
        )

    return read


def fact_assets() -> list[dg.AssetsDefinition]:
    """Facts and dims: organisations, reference lists, every source, payments by financial year."""
    assets = [
        _many(
            "organisations",
            ORGANISATION_TABLES,
            "facts",
            [raw_key("organisations")],
            sources.build_organisations,
            kinds={"python", "polars", "parquet"},
        ),
        _many(
            "reference_lists",
            REFERENCE_TABLES,
            "facts",
            [],
            sources.build_reference_dims,
            kinds={"yaml", "parquet"},
        ),
    ]
    assets += [_source(source) for source in sources.SOURCES]
    return [*assets, _payments()]


def _payments() -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="payments",
        specs=[
            spec_of(
                "facts.payment",
                "facts",
                [raw_key("spend_over_25k"), key_of("dims.organisation")],
                kinds={"python", "polars", "parquet"},
            )
        ],
        partitions_def=FINANCIAL_YEARS,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def read(context: dg.AssetExecutionContext, product: Product) -> Iterator[dg.MaterializeResult]:
        run = product.run()
        wanted = list(context.partition_keys)
        everything = set(wanted) == set(FINANCIAL_YEARS.get_partition_keys())
        register = sources.register_of(run)
        if everything:
            payments.build_payments(run, register)
        else:
            payments.build_payments(run, register, years=[year_of(k) for k in wanted])
        metadata = dict(run_metadata(run.store, table("facts.payment")))
        metadata["partitions"] = len(wanted)
        metadata["files_opened"] = run.counters.get("spend_files_opened", 0)
        yield dg.MaterializeResult(key_of("facts.payment"), metadata=metadata)

    return read


def meta_assets() -> list[dg.AssetsDefinition]:
    """The account of files, the dictionary, revisions and measured quality."""

    def build(run: Run) -> None:
        sources.finish_organisations(run)
        sources.build_unknown(run)
        meta.build_all(run)

    deps = [key_of(s.table) for s in sources.SOURCES] + [
        key_of("facts.payment"),
        key_of("dims.organisation"),
    ]
    return [
        _many("accounts_of_files", META_TABLES, "facts", deps, build, kinds={"python", "parquet"})
    ]


def _mart(name: str) -> dg.AssetsDefinition:
    deps = [key_of(n) for n in reads_of(name)]

    @dg.multi_asset(
        name=name.replace(".", "__"),
        specs=[spec_of(name, "marts", deps, kinds={"duckdb", "sql", "parquet"})],
    )
    def built(product: Product) -> Iterator[dg.MaterializeResult]:
        from pipeline.marts import build_marts

        run = product.run()
        build_marts(run.store, only=[name])
        metadata = dict(run_metadata(run.store, table(name)))
        metadata["sql"] = dg.MetadataValue.path(f"pipeline/marts/sql/{name.split('.')[1]}.sql")
        yield dg.MaterializeResult(key_of(name), metadata=metadata)

    return built


def mart_assets() -> list[dg.AssetsDefinition]:
    """One asset a mart; what it reads is taken from its SQL."""
    return [_mart(name) for name in MART_ORDER]
