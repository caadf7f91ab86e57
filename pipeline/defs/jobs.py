"""Jobs, the monthly schedule and the sensor on new raw files."""

import hashlib
from collections.abc import Iterator

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


@dg.sensor(
    job=refresh_job,
    minimum_interval_seconds=60,
    description="Starts a refresh when files appear in, change in or vanish from the raw folder.",
)
def new_raw_files(
    context: dg.SensorEvaluationContext, product: Product
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Compare paths, sizes and times of the raw files with those seen last."""
    from pipeline.settings import Settings

    raw = Settings().raw if not product.raw else product.settings().raw
    seen = hashlib.sha256()
    count = 0
    for path in sorted(raw.rglob("*")) if raw.is_dir() else []:
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(raw).parts):
            stat = path.stat()
            seen.update(f"{path.relative_to(raw)}|{stat.st_size}|{stat.st_mtime_ns}\n".encode())
            count += 1
    state = seen.hexdigest()
    if context.cursor == state:
        yield dg.SkipReason(f"Nothing new among {count} files in {raw}.")
        return
    first = context.cursor is None
    context.update_cursor(state)
    if first and count == 0:
        yield dg.SkipReason(f"No files in {raw} yet.")
        return
    yield dg.RunRequest(run_key=state, tags=ALL_YEARS)
