"""One asset a table of the contract, made by a factory from the schema and the stages."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import dagster as dg

from pipeline.defs.automation import FOLLOW
from pipeline.defs.describe import (
    column_lineage,
    definition_metadata,
    description_of,
    run_metadata,
)
from pipeline.defs.keys import EVERY_YEAR, FINANCIAL_YEARS, OWNERS, key_of, raw_key, year_of
from pipeline.defs.lineage import reads_of
from pipeline.defs.links import code_references, sql_file, sql_metadata
from pipeline.defs.resources import Product
from pipeline.marts import MART_ORDER
from pipeline.marts.columns import known_column_sources
from pipeline.refresh import meta, payments, sources
from pipeline.refresh.context import Run
from pipeline.schema import table

ORGANISATION_TABLES = ("dims.organisation", "dims.icb", "dims.icb_membership", "dims.succession")
REFERENCE_TABLES = ("dims.measure", "dims.category")
META_TABLES = (
    "meta.source_file",
    "meta.rejected_row",
    "meta.revision",
    "meta.source",
    "meta.column",
    "meta.table",
    "meta.usage_warning",
    "meta.example",
    "meta.correction",
    "meta.classifier_quality",
    "dims.parameter",
)


def spec_of(
    name: str,
    group: str,
    deps: Sequence[dg.AssetKey],
    *,
    kinds: set[str],
    follows: bool = False,
    metadata: Mapping[str, object] | None = None,
) -> dg.AssetSpec:
    """The asset spec of a table."""
    described = table(name)
    return dg.AssetSpec(
        key=key_of(name),
        deps=list(deps),
        description=description_of(described),
        group_name=group,
        owners=OWNERS,
        kinds=kinds,
        tags={"schema": described.database_schema} | {f"source/{s}": "" for s in described.sources},
        metadata=definition_metadata(described) | dict(metadata or {}),
        automation_condition=FOLLOW if follows else None,
    )


def _many(
    op_name: str,
    names: Sequence[str],
    group: str,
    deps: Sequence[dg.AssetKey],
    build: Callable[[Run], object],
    *,
    kinds: set[str],
    follows: bool = False,
) -> dg.AssetsDefinition:
    """One step that makes several tables."""
    specs = [spec_of(n, group, deps, kinds=kinds, follows=follows) for n in names]

    @dg.multi_asset(name=op_name, specs=specs)
    def made(product: Product) -> Iterator[dg.MaterializeResult]:
        run = product.run()
        build(run)
        for name in names:
            told = run_metadata(run, name, preview_rows=product.preview_rows)
            yield dg.MaterializeResult(key_of(name), metadata=told)

    return made


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
        told = run_metadata(run, source.table, preview_rows=product.preview_rows)
        yield dg.MaterializeResult(key_of(source.table), metadata=told)

    return read


def _organisations(run: Run) -> None:
    """The register; sectors come from accounts and workforce, where these are here already."""
    sources.build_organisations(run)
    sources.finish_organisations(run)


def fact_assets() -> list[dg.AssetsDefinition]:
    """Facts and dims: organisations, reference lists, every source, payments by financial year."""
    assets = [
        _many(
            "organisations",
            ORGANISATION_TABLES,
            "facts",
            [raw_key("organisations")],
            _organisations,
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
        known = set(FINANCIAL_YEARS.get_partition_keys())
        everything = context.run.tags.get(EVERY_YEAR) == "yes" or set(wanted) == known
        years = None if everything else [year_of(k) for k in wanted]
        payments.build_payments(run, sources.register_of(run), years=years)
        for key in wanted:
            rows = payments.rows_of(run, year_of(key))
            context.add_asset_metadata({"dagster/partition_row_count": rows}, partition_key=key)
        told = run_metadata(run, "facts.payment", preview_rows=product.preview_rows)
        told["files_opened"] = run.counters.get("spend_files_opened", 0)
        if also := run.counters.get("years_also_written", 0):
            told["years_also_written"] = also
            context.log.info(
                f"{also} more financial years did not fit the files as they are now; written too."
            )
        yield dg.MaterializeResult(key_of("facts.payment"), metadata=told)

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
        _many(
            "accounts_of_files",
            META_TABLES,
            "facts",
            deps,
            build,
            kinds={"python", "parquet"},
            follows=True,
        )
    ]


def _mart(name: str) -> dg.AssetsDefinition:
    reads = reads_of(name)
    # Organisations get their sector with the account of files, after the accounts were read.
    after = [*reads, "meta.source_file"] if "dims.organisation" in reads else reads
    path = sql_file(name)
    spec = spec_of(
        name,
        "marts",
        [key_of(n) for n in after],
        kinds={"duckdb", "sql", "parquet"},
        follows=True,
        metadata=code_references(path, "the SQL of this mart") if path else None,
    )

    @dg.multi_asset(name=name.replace(".", "__"), specs=[spec])
    def built(product: Product) -> Iterator[dg.MaterializeResult]:
        from pipeline.marts import build_marts
        from pipeline.refresh.marts import kept_of_marts

        run = product.run()
        build_marts(run.store, only=[name], kept=kept_of_marts(run))
        told = run_metadata(run, name, preview_rows=product.preview_rows)
        told |= sql_metadata(name)
        told |= column_lineage(known_column_sources(name))
        yield dg.MaterializeResult(key_of(name), metadata=told)

    return built


def mart_assets() -> list[dg.AssetsDefinition]:
    """One asset a mart; what it reads is taken from its SQL."""
    return [_mart(name) for name in MART_ORDER]
