"""Old runs of Dagster are removed; its open-source version only prunes ticks by itself.

A run is kept while something in the catalogue rests on it: the newest materialisation of an asset
or of one of its partitions. So nothing looks as if it had never been made.
"""

import datetime as dt

import dagster as dg

from pipeline.defs.resources import Product
from pipeline.settings import Settings


def _still_shown(instance: dg.DagsterInstance) -> set[str]:
    """Runs that made what the catalogue shows as the newest of each asset and partition."""
    kept: set[str] = set()
    for key in instance.all_asset_keys():
        record = next(iter(instance.get_asset_records([key])), None)
        event = record.asset_entry.last_materialization if record else None
        if event:
            kept.add(event.run_id)
        newest = instance.event_log_storage.get_latest_storage_id_by_partition(
            key, dg.DagsterEventType.ASSET_MATERIALIZATION
        )
        if newest:
            asked = dg.AssetRecordsFilter(asset_key=key, storage_ids=list(newest.values()))
            found = instance.fetch_materializations(asked, limit=len(newest))
            kept |= {one.run_id for one in found.records}
    return kept


def prune_runs(instance: dg.DagsterInstance, before: dt.datetime) -> int:
    """Remove finished runs that were made before a moment, with their logs.

    Args:
        instance: Dagster's storage.
        before: runs made later stay.

    Returns:
        How many were removed.
    """
    asked = dg.RunsFilter(
        created_before=before,
        statuses=[
            dg.DagsterRunStatus.SUCCESS,
            dg.DagsterRunStatus.FAILURE,
            dg.DagsterRunStatus.CANCELED,
        ],
    )
    kept = _still_shown(instance)
    old = [run_id for run_id in instance.get_run_ids(asked) if run_id not in kept]
    for run_id in old:
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        instance.delete_run(run_id)
    return len(old)


@dg.op(description="Remove finished runs older than FIVEPERCENT_KEEP_RUN_DAYS.")
def prune(context: dg.OpExecutionContext, product: Product) -> None:
    """Remove what is too old."""
    days = product.given().keep_run_days
    before = dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
    removed = prune_runs(context.instance, before)
    context.log.info(f"{removed} runs from before {before:%d %B %Y} were removed.")


@dg.job(
    description="Remove Dagster's runs that are older than FIVEPERCENT_KEEP_RUN_DAYS (400). What the "
    "catalogue shows as the newest of an asset or partition stays."
)
def prune_history() -> None:
    """Keep Dagster's storage small."""
    prune()


@dg.schedule(
    job=prune_history,
    cron_schedule="30 4 * * *",
    execution_timezone="Europe/London",
    default_status=(
        dg.DefaultScheduleStatus.RUNNING
        if Settings().schedule_running
        else dg.DefaultScheduleStatus.STOPPED
    ),
    description="Every morning: remove runs that are too old. On by itself under `fivepercent serve`.",
)
def daily(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """One tidying."""
    return dg.RunRequest(run_key=None)
