"""Freshness from the release calendar of the catalogue.

Two different questions. The *policy* of a folder of raw files asks whether somebody looked in time:
once in every interval at which the publisher releases. The *check* of a table asks whether what the
publisher should have released by now is here.
"""

import datetime as dt

import dagster as dg

from pipeline.catalogue import load_catalogue
from pipeline.catalogue.calendar import LATE_DAYS, release_state
from pipeline.catalogue.models import ReleaseCalendar
from pipeline.catalogue.periods import last_month_of
from pipeline.defs.describe import rows_table
from pipeline.defs.keys import key_of
from pipeline.defs.links import site_link
from pipeline.defs.resources import Product

CHECK = "release_calendar"

#: The publication is made on the third of each month and may take the morning.
PUBLICATION = dg.FreshnessPolicy.cron(
    deadline_cron="0 12 3 * *", lower_bound_delta=dt.timedelta(days=3), timezone="Europe/London"
)


def calendar_of(source_id: str) -> ReleaseCalendar:
    """The release calendar of a source."""
    return load_catalogue().source(source_id).calendar


def policy_of(source_id: str) -> dg.FreshnessPolicy | None:
    """Warns when nobody looked for a release interval, fails a quarter later; None without a rhythm."""
    days = calendar_of(source_id).days_between_releases
    if days is None:
        return None
    return dg.FreshnessPolicy.time_window(
        warn_window=dt.timedelta(days=days), fail_window=dt.timedelta(days=days + LATE_DAYS)
    )


@dg.asset_check(
    asset=key_of("meta.source"),
    name=CHECK,
    description="The newest release that each publisher's calendar promises is here. "
    "A late one is a warning: the figures are right, but not the latest there could be.",
)
def releases_are_here(product: Product) -> dg.AssetCheckResult:
    """Compare the latest period of every source with its calendar."""
    run = product.run()
    if run.is_demo:
        return dg.AssetCheckResult(
            passed=True, description="The demonstration has no calendar: nobody publishes it."
        )
    today = dt.datetime.now(dt.UTC).date()
    latest = dict(run.store.read("meta.source").select("source_id", "latest_period").iter_rows())
    rows = []
    for source in load_catalogue().sources:
        period = latest.get(source.id)
        if period is None:
            continue  # what is not used here is not late
        state = release_state(source.calendar, last_month_of(period), today)
        rows.append(
            {
                "source": source.id,
                "latest period": period,
                "released": source.calendar.cadence,
                "state": state,
            }
        )
    overdue = [row for row in rows if row["state"] != "here"]
    return dg.AssetCheckResult(
        passed=not overdue,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(f"{r['source']}: {r['state']}" for r in overdue)
        or f"All {len(rows)} sources are as new as their calendars promise.",
        metadata={
            "overdue": len(overdue),
            "sources": rows_table(rows, ("source", "latest period", "released", "state")),
            "coverage": site_link(run.settings, "coverage.html"),
        },
    )
