"""What the release calendars imply: which months are due, here, late, missing.

Belongs here: dates and cadences; frames in, frames out.
Does not belong here: looking at files or printing (``fivepercent status`` does that).

A month is *due* the usual lag after the end of the release period it belongs to (the month
itself, its quarter, its half or its financial year). After that it is *late* for at most
``LATE_DAYS`` days; then, or as soon as a later month of the same publisher is here, it is
*missing*. A month that is not due yet is never counted against anybody.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal

from pipeline.catalogue.load import Catalogue
from pipeline.catalogue.models import Publisher, ReleaseCalendar

if TYPE_CHECKING:  # ``fivepercent status`` is to start without the table library
    import polars as pl

LATE_DAYS = 92
"""A release overdue by more than this is called missing, no longer late (one quarter)."""

SPEND_SOURCE = "spend_over_25k"

State = Literal["here", "missing", "late", "not yet due"]

_PERIOD_MONTHS = {"monthly": 1, "quarterly": 3, "half-yearly": 6, "yearly": 12}


def next_month(month: dt.date, by: int = 1) -> dt.date:
    """The first day of the month ``by`` months after ``month``."""
    index = month.year * 12 + month.month - 1 + by
    return dt.date(index // 12, index % 12 + 1, 1)


def months_between(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    """First days of the months from ``first`` to ``last``, both included."""
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = next_month(month)


def due_date(calendar: ReleaseCalendar, month: dt.date) -> dt.date | None:
    """The day by which ``month`` is usually published; None where no rhythm is promised.

    Periods longer than a month are counted within the financial year, which starts in April.
    """
    length = _PERIOD_MONTHS.get(calendar.cadence)
    if length is None or calendar.usual_lag_days is None:
        return None
    into_year = (month.month - 4) % 12
    period_end = next_month(month.replace(day=1), length - into_year % length)
    return period_end + dt.timedelta(days=calendar.usual_lag_days)


def expected_months(
    publisher: Publisher, today: dt.date, calendar: ReleaseCalendar | None = None
) -> list[dt.date]:
    """The months (first days) this publisher should have published by ``today``.

    Args:
        publisher: whose months; its own calendar is used when it has one.
        today: months due after this day are left out.
        calendar: the source's calendar, used when the publisher has none of its own.
    """
    mine = publisher.calendar or calendar
    if mine is None or mine.first_month is None:
        return []
    last = min(mine.last_month or today, today)
    return [
        month
        for month in months_between(mine.first_month, last)
        if (due := due_date(mine, month)) is not None and due <= today
    ]


def _state(calendar: ReleaseCalendar, month: dt.date, here: set[dt.date], today: dt.date) -> State:
    if month in here:
        return "here"
    due = due_date(calendar, month)
    if due is None or today < due:
        return "not yet due"
    overtaken = any(other > month for other in here)
    if overtaken or today > due + dt.timedelta(days=LATE_DAYS):
        return "missing"
    return "late"


def _as_month(column: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    month = pl.col("month")
    if column.schema["month"] == pl.String:
        month = month.str.slice(0, 7).add("-01").str.to_date("%Y-%m-%d")
    return column.select("organisation_code", month.cast(pl.Date).dt.truncate("1mo"))


def month_states(
    catalogue: Catalogue,
    here: Mapping[str, set[dt.date]],
    *,
    today: dt.date | None = None,
    first: dt.date | None = None,
    last: dt.date | None = None,
) -> list[tuple[str, dt.date, State]]:
    """By trust and month: is the spend file here, missing, late, or not yet due.

    Args:
        catalogue: its publishers of spend are the rows; organisations present in the data but
            not in the catalogue are added, judged by the source's own calendar.
        here: organisation -> first days of the months that are here.
        today: the day to judge by; the current day when left out.
        first: leave out months before this one, e.g. to show one year.
        last: leave out months after this one.

    Returns:
        Organisation, first day of the month and state, ordered by the first two.
    """
    day = today or dt.datetime.now(dt.UTC).date()
    source = catalogue.source(SPEND_SOURCE)
    calendars = {one.organisation_code: source.calendar_of(one) for one in source.publishers}
    for code in here:
        calendars.setdefault(code, source.calendar)
    rows: list[tuple[str, dt.date, State]] = []
    for code, calendar in sorted(calendars.items()):
        mine = here.get(code, set())
        start = min([calendar.first_month or day, *mine])
        end = max([min(calendar.last_month or day, last or day), *mine])
        for month in months_between(start, end):
            if (first is None or month >= first) and (last is None or month <= last):
                rows.append((code, month, _state(calendar, month, mine, day)))
    return rows


def coverage_calendar(
    catalogue: Catalogue,
    present: pl.DataFrame,
    *,
    today: dt.date | None = None,
    first: dt.date | None = None,
    last: dt.date | None = None,
) -> pl.DataFrame:
    """As :func:`month_states`, from a frame to a frame.

    Args:
        catalogue: the sources.
        present: what is here: ``organisation_code`` and ``month`` (a date, or text ``YYYY-MM``).
        today: the day to judge by; the current day when left out.
        first: leave out months before this one, e.g. to show one year.
        last: leave out months after this one.

    Returns:
        Columns ``organisation_code`` (text), ``month`` (date, first day), ``state`` (text: here,
        missing, late, not yet due), one row a publisher and month, ordered by both.
    """
    import polars as pl

    here: dict[str, set[dt.date]] = {}
    for code, month in _as_month(present).drop_nulls().unique().iter_rows():
        here.setdefault(code, set()).add(month)
    return pl.DataFrame(
        month_states(catalogue, here, today=today, first=first, last=last),
        schema={"organisation_code": pl.String, "month": pl.Date, "state": pl.String},
        orient="row",
    )


def release_state(calendar: ReleaseCalendar, latest: dt.date | None, today: dt.date) -> State:
    """Whether a source with its latest period ending in month ``latest`` is up to date.

    ``here`` means the newest release that should be out is here; ``late`` and ``missing`` say how
    long the next one has been due. Without a rhythm (irregular, once) having anything is ``here``.
    """
    length = _PERIOD_MONTHS.get(calendar.cadence)
    if latest is None:
        return "missing"
    if length is None:
        return "here"
    following = next_month(latest.replace(day=1), 1)
    if calendar.last_month is not None and following > calendar.last_month:
        return "here"
    due = due_date(calendar, following)
    if due is None or today < due:
        return "here"
    return "missing" if today > due + dt.timedelta(days=LATE_DAYS) else "late"


def source_calendar(
    catalogue: Catalogue, latest: dict[str, dt.date | None], *, today: dt.date | None = None
) -> pl.DataFrame:
    """By source: cadence, the latest period here, when the next release is due, and the state.

    Args:
        catalogue: the sources.
        latest: by source id the last month covered by what is here; absent or None: nothing here.
        today: the day to judge by; the current day when left out.

    Returns:
        Columns ``source_id``, ``title``, ``cadence``, ``latest`` (date), ``next_due`` (date),
        ``state`` (here, late, missing), one row a source.
    """
    import polars as pl

    day = today or dt.datetime.now(dt.UTC).date()
    rows = []
    for source in catalogue.sources:
        last = latest.get(source.id)
        next_due = None if last is None else due_date(source.calendar, next_month(last))
        state = release_state(source.calendar, last, day)
        rows.append((source.id, source.title, source.calendar.cadence, last, next_due, state))
    return pl.DataFrame(
        rows,
        schema={
            "source_id": pl.String,
            "title": pl.String,
            "cadence": pl.String,
            "latest": pl.Date,
            "next_due": pl.Date,
            "state": pl.String,
        },
        orient="row",
    )
