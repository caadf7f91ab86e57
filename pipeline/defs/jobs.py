"""Jobs and the monthly schedule."""

import dagster as dg

from pipeline.defs.keys import FINANCIAL_YEARS
from pipeline.defs.resources import Product

#: The whole range of payment partitions, for a run that materialises everything at once.
ALL_YEARS = {
    "dagster/asset_partition_range_start": FINANCIAL_YEARS.get_partition_keys()[0],
    "dagster/asset_partition_range_end": FINANCIAL_YEARS.get_partition_keys()[-1],
}

refresh_job = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.all(),
    description="Everything: read, check, compute, check, publish. Choose all financial years.",
    tags=ALL_YEARS,
)
refresh_charts_job = dg.define_asset_job(
    "refresh_charts",
    selection=dg.AssetSelection.groups("charts", "published"),
    description="Charts and publication from the tables as they are.",
)


@dg.op(
    description="Bring what the catalogue lists into the raw folder; nothing there is overwritten."
)
def fetch_everything(context: dg.OpExecutionContext, product: Product) -> None:
    """Fetch every source of the catalogue."""
    from pipeline.catalogue import load_catalogue
    from pipeline.fetch import fetch
    from pipeline.settings import Settings

    settings = Settings()
    report = fetch(load_catalogue(), settings.raw, offline=settings.offline)
    for sentence in report.sentences():
        context.log.info(sentence)
    if not report.ok:
        raise dg.Failure(description="; ".join(report.sentences())[:2000])


@dg.job(description="Download what publishers have released since the last time.")
def fetch_sources() -> None:
    """Fetch every source of the catalogue."""
    fetch_everything()


@dg.schedule(
    job=refresh_job,
    cron_schedule="0 5 3 * *",
    execution_timezone="Europe/London",
    description="On the third of each month at five in the morning: refresh everything.",
)
def monthly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """One run over all financial years."""
    return dg.RunRequest(run_key=None, tags=ALL_YEARS)
