"""Jobs: everything, the charts alone, the downloads alone."""

import dagster as dg

from pipeline.defs.keys import ALL_YEARS
from pipeline.defs.resources import Product

refresh_job = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.all(),
    description=(
        "Everything: file the inbox, read, check, compute, check, publish. Choose one financial year "
        "and it is one run in which only that year's payments are written anew; choose All and Dagster "
        "makes it a backfill of three runs. One run for all years: the tick of the sensor or of the schedule."
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


@dg.schedule(
    job=refresh_job,
    cron_schedule="0 5 3 * *",
    execution_timezone="Europe/London",
    description="On the third of each month at five in the morning: refresh everything.",
)
def monthly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """One run over all financial years."""
    return dg.RunRequest(run_key=None, tags=ALL_YEARS)
