"""What publishers' calendars promised by now and is not here.

Belongs here: the sentence about each late release. Does not belong here: the calendar's rules
(``catalogue.calendar``).
"""

from __future__ import annotations

import datetime as dt

import polars as pl

from pipeline.catalogue import Catalogue, coverage_calendar
from pipeline.catalogue.calendar import SPEND_SOURCE, release_state
from pipeline.catalogue.periods import last_month_of
from pipeline.compare import Build

#: Months of a publisher further back are history, told on the coverage page, not news.
LOOK_BACK_DAYS = 400


def late_now(build: Build, catalogue: Catalogue, today: dt.date) -> dict[str, str]:
    """Late releases by a name that stays the same from one digest to the next.

    Args:
        build: what is published.
        catalogue: sources with their calendars.
        today: the day to judge by.

    Returns:
        Name -> sentence. Sources that are not used here are not late; the demonstration never is.
    """
    if build.is_demo:
        return {}
    return _sources(build, catalogue, today) | _months(build, catalogue, today)


def _sources(build: Build, catalogue: Catalogue, today: dt.date) -> dict[str, str]:
    found = {}
    latest = dict(build.sources.select("source_id", "latest_period").iter_rows())
    for source in catalogue.sources:
        period = latest.get(source.id)
        # Spend is published trust by trust and told so below.
        if period is None or source.id == SPEND_SOURCE:
            continue
        state = release_state(source.calendar, last_month_of(period), today)
        if state != "here":
            found[f"{source.id} after {period}"] = (
                f"{source.title}: the newest here is {period}; the next release, "
                f"{source.calendar.cadence}, is {state}."
            )
    return found


def _months(build: Build, catalogue: Catalogue, today: dt.date) -> dict[str, str]:
    present = build.months.filter("is_present").select("organisation_code", "month")
    if present.is_empty():
        return {}
    first = (today - dt.timedelta(days=LOOK_BACK_DAYS)).replace(day=1)
    states = coverage_calendar(catalogue, present, today=today, first=first)
    late = states.filter(
        pl.col("state") == "late",
        pl.col("organisation_code").is_in(present["organisation_code"].unique().implode()),
    )
    return {
        f"{code} {month:%Y-%m}": f"{code}: payments of {month:%B %Y} are late."
        for code, month in late.select("organisation_code", "month").iter_rows()
    }
