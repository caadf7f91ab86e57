"""Jobs of assets: everything, the charts alone; and the downloads alone."""

import dagster as dg

from pipeline.defs.resources import Product

refresh_job = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.all(),
    description=(
        "Everything: file the inbox, read, check, compute, check, publish. Choose one financial year "
        "and it is one run in which only that year's payments are written anew; choose All and Dagster "
        "makes it a backfill of three runs. One run for all years: the tick of the sensor on raw files."
    ),
)
refresh_charts_job = dg.define_asset_job(
    "refresh_charts",
    selection=dg.AssetSelection.groups("charts", "published"),
    description="Charts and publication from the tables as they are. No financial year to choose.",
)


@dg.op(
    description="Bring what the catalogue lists into the raw folder; nothing there is overwritten."
)
def fetch_everything(context: dg.OpExecutionContext, product: Product) -> None:
    """Fetch every source of the catalogue."""
    from pipeline.catalogue import load_catalogue
    from pipeline.fetch import fetch

    settings = product.given()
    report = fetch(load_catalogue(), settings.raw, offline=settings.offline)
    for sentence in report.sentences():
        context.log.info(sentence)
    if not report.ok:
        raise dg.Failure(description="; ".join(report.sentences())[:2000])


@dg.job(description="Download what publishers have released since the last time.")
def fetch_sources() -> None:
    """Fetch every source of the catalogue."""
    fetch_everything()
