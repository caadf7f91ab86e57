"""The raw files: what publishers have released, what lay in the inbox, what is here."""

from typing import Any

import dagster as dg

from pipeline.catalogue import load_catalogue
from pipeline.defs.describe import rows_table
from pipeline.defs.freshness import policy_of
from pipeline.defs.keys import OWNERS, raw_key
from pipeline.defs.resources import Product
from pipeline.ingest.files import INBOX
from pipeline.refresh import sources
from pipeline.refresh.inbox import sort_inbox
from pipeline.store.lock import refresh_lock

SHOWN_FILES = 200


@dg.asset(
    key=raw_key(INBOX),
    group_name="raw",
    owners=OWNERS,
    kinds={"file"},
    tags={"schema": "raw"},
    description=(
        "What lay in the inbox, and where is it now?\n\nFiles below `data/raw/inbox` are recognised by "
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
    rows = ({c: getattr(o, c) or "" for c in columns} for o in outcomes[:SHOWN_FILES])
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(outcomes),
            "stay": sum(o.stays for o in outcomes),
            "files": rows_table(rows, columns),
        }
    )


def _description(source_id: str) -> str:
    source = load_catalogue().source(source_id)
    return "\n\n".join(
        [
            f"Which files of {source.title} are here?",
            f"The files below `data/raw/{source_id}`, untouched. Published by {source.publisher}, "
            f"{source.calendar.cadence}; {source.licence}.",
            f"How they are found: {source.how_found}",
        ]
    )


def _raw(source_id: str) -> dg.AssetsDefinition:
    source = load_catalogue().source(source_id)
    metadata: dict[str, Any] = {"licence": source.licence, "cadence": source.calendar.cadence}
    if source.landing_page:
        metadata["publisher's page"] = dg.MetadataValue.url(source.landing_page)

    @dg.asset(
        key=raw_key(source_id),
        deps=[raw_key(INBOX)],
        group_name="raw",
        owners=OWNERS,
        kinds={"file"},
        tags={"schema": "raw", "cadence": source.calendar.cadence},
        description=_description(source_id),
        metadata=metadata,
        freshness_policy=policy_of(source_id),
    )
    def listed(product: Product) -> dg.MaterializeResult:
        files = product.run().files_of(source_id)
        rows = (
            {
                "path": f.path,
                "bytes": f.bytes,
                "sha256": f.sha256[:16],
                "superseded": bool(f.superseded_by),
            }
            for f in files[:SHOWN_FILES]
        )
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": len(files),
                "bytes": sum(f.bytes for f in files),
                "files": rows_table(rows, ("path", "bytes", "sha256", "superseded")),
            }
        )

    return listed


def raw_assets() -> list[dg.AssetsDefinition]:
    """The inbox, then one asset a source: the files there are, with their hashes."""
    return [inbox] + [_raw(source_id) for source_id in sorted(sources.HANDLED)]
