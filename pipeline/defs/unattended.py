"""The refresh that nobody watches, as a job on a schedule; and alerts for every other job that fails.

The job calls the function that ``fivepercent unattended`` calls, and tells Dagster afterwards what
was made and checked, so that the catalogue of assets is as new as the publication.
"""

from typing import TYPE_CHECKING

import dagster as dg

from pipeline.charts import CHARTS
from pipeline.defs.checks import CHECKED_FACTS, result_of
from pipeline.defs.history import prune_history
from pipeline.defs.jobs import fetch_sources, refresh_charts_job, refresh_job
from pipeline.defs.keys import FINANCIAL_YEARS, key_of, raw_key, year_of
from pipeline.defs.links import site_link
from pipeline.defs.published import PUBLICATION, chart_key
from pipeline.defs.resources import Product
from pipeline.marts import MART_ORDER
from pipeline.refresh import sources
from pipeline.schema import all_tables
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.refresh.context import Run
    from pipeline.unattended import Outcome

#: Tag of a failed run about which somebody has been told.
TOLD = "fivepercent/alert"
NOT_ASSETS = ("meta.build", "meta.check_result", "facts.payment")
_SETTINGS = Settings()


class _Log:
    """Progress as lines of Dagster's log."""

    def __init__(self, context: dg.OpExecutionContext) -> None:
        self.context, self.name = context, ""

    def start(self, name: str, total: int | None = None) -> None:
        """A stage begins."""
        self.name = name

    def advance(self, n: int = 1) -> None:
        """Nothing: a line for each file would be too many."""

    def done(self, said: str = "") -> None:
        """The stage is finished."""
        self.context.log.info(f"{self.name}: {said}" if said else self.name)

    def say(self, text: str) -> None:
        """A sentence for whoever reads the log."""
        self.context.log.info(text)


@dg.op(description="Fetch with patience, refresh, publish, write the digest, alert where needed.")
def refresh_by_itself(context: dg.OpExecutionContext, product: Product) -> None:
    """One unattended refresh; fails when nothing could be published."""
    from pipeline.unattended import unattended

    settings = product.given()  # never the demonstration in place of files that are missing
    outcome = unattended(settings, progress=_Log(context))
    _tell_dagster(context, product, outcome)
    context.log.info(outcome.digest.headline)
    for told in (*outcome.brought.sentences, *outcome.undelivered):
        context.log.warning(told)
    if outcome.exit_code:
        context.instance.add_run_tags(context.run_id, {TOLD: "sent"})
        raise dg.Failure(
            description=f"{outcome.digest.headline} {outcome.digest.failure or ''}"[:4000],
            metadata=_digest_metadata(outcome),
            allow_retries=False,
        )


def _digest_metadata(outcome: "Outcome") -> dict[str, dg.MetadataValue]:
    told: dict[str, dg.MetadataValue] = {"headline": dg.MetadataValue.text(outcome.digest.headline)}
    if outcome.folder:
        told["digest"] = dg.MetadataValue.md((outcome.folder / "digest.md").read_text("utf-8"))
        told["digest_file"] = dg.MetadataValue.path(str(outcome.folder / "digest.html"))
    return told


def _tell_dagster(context: dg.OpExecutionContext, product: Product, outcome: "Outcome") -> None:
    """What was looked at, made and checked, as events of this run."""
    run = product.run() if outcome.summary else None
    # A source that could not be fetched is not told, so that its freshness policy runs out.
    for source_id in sorted(outcome.brought.looked_at & set(sources.HANDLED)):
        context.log_event(dg.AssetMaterialization(raw_key(source_id)))
    if outcome.summary is None or run is None:
        return
    if outcome.summary.published:
        _tell_tables(context, run, outcome.summary.tables)
        _tell_checks(context, run)
    context.log_event(
        dg.AssetMaterialization(
            PUBLICATION,
            metadata=_digest_metadata(outcome)
            | {
                "site": site_link(run.settings, "index.html"),
                "build": outcome.digest.build or "-",
                "checks": outcome.summary.checks,
                "demonstration": run.is_demo,
            },
        )
    )


def _tell_tables(context: dg.OpExecutionContext, run: "Run", rows: dict[str, int]) -> None:
    from pipeline.refresh import payments

    for name in all_tables():
        if name not in NOT_ASSETS:
            metadata = {"dagster/row_count": rows.get(name, 0)}
            context.log_event(dg.AssetMaterialization(key_of(name), metadata=metadata))
    for partition in FINANCIAL_YEARS.get_partition_keys():
        own = payments.rows_of(run, year_of(partition))
        metadata = {
            "dagster/row_count": rows.get("facts.payment", 0),
            "dagster/partition_row_count": own,
        }
        context.log_event(
            dg.AssetMaterialization(key_of("facts.payment"), metadata=metadata, partition=partition)
        )
    for chart_id in CHARTS:
        context.log_event(dg.AssetMaterialization(chart_key(chart_id)))


def _tell_checks(context: dg.OpExecutionContext, run: "Run") -> None:
    from pipeline.quality import CheckResult

    results = [CheckResult(**r) for r in run.store.read("meta.check_result").iter_rows(named=True)]
    for name in (*CHECKED_FACTS, *MART_ORDER):
        own = [one for one in results if one.suite == name]
        told = result_of(own, run.settings)
        context.instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=key_of(name),
                check_name="expectations",
                passed=told.passed,
                metadata=told.metadata,
                severity=told.severity,
                description=told.description,
            )
        )


@dg.job(
    description="What the schedule starts: fetch, refresh, publish, digest, alert. A source that cannot "
    "be fetched is an alert and stops nothing; a failed check leaves the previous publication."
)
def unattended_refresh() -> None:
    """Everything, without anybody watching."""
    refresh_by_itself()


@dg.schedule(
    job=unattended_refresh,
    cron_schedule=_SETTINGS.schedule_cron,
    execution_timezone="Europe/London",
    default_status=(
        dg.DefaultScheduleStatus.RUNNING
        if _SETTINGS.schedule_running
        else dg.DefaultScheduleStatus.STOPPED
    ),
    description="On the third of each month at five in the morning, unless FIVEPERCENT_SCHEDULE_CRON "
    "says otherwise: fetch, refresh, publish, digest. On by itself under `fivepercent serve`.",
)
def monthly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """One unattended refresh."""
    return dg.RunRequest(run_key=None)


@dg.run_failure_sensor(
    name="tell_failures",
    monitored_jobs=[
        refresh_job,
        refresh_charts_job,
        fetch_sources,
        unattended_refresh,
        prune_history,
    ],
    default_status=(
        dg.DefaultSensorStatus.RUNNING
        if _SETTINGS.schedule_running
        else dg.DefaultSensorStatus.STOPPED
    ),
    description="Raises an alert (log, webhook, mail: as the settings say) when a run fails or dies.",
)
def tell_failures(context: dg.RunFailureSensorContext, product: Product) -> None:
    """Alert about a failed run, unless the run has done so itself."""
    from pipeline.store.publish import current_build
    from pipeline.unattended.alerts import Alert, raise_alert

    run = context.dagster_run
    if run.tags.get(TOLD):
        return
    settings = product.given()
    alert = Alert(
        "failed",
        f"Dagster's job {run.job_name} failed; the previous publication stays.",
        (f"Run {run.run_id}: {context.failure_event.message or 'no message'}",),
        current_build(settings.out),
    )
    for told in raise_alert(alert, settings):
        context.log.error(told)
