"""Release calendars: which months are due, here, late, missing."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from pipeline.catalogue import (
    Publisher,
    ReleaseCalendar,
    coverage_calendar,
    expected_months,
    load_catalogue,
    release_state,
    source_calendar,
)
from pipeline.catalogue.calendar import due_date

MONTHLY = ReleaseCalendar(cadence="monthly", usual_lag_days=45, first_month=dt.date(2020, 4, 1))


def month(text: str) -> dt.date:
    return dt.date.fromisoformat(f"{text}-01")


def states(here: list[str], today: str, code: str = "R1H") -> dict[str, str]:
    present = pl.DataFrame(
        {"organisation_code": [code] * len(here), "month": here},
        schema={"organisation_code": pl.String, "month": pl.String},
    )
    frame = coverage_calendar(load_catalogue(), present, today=dt.date.fromisoformat(today))
    mine = frame.filter(pl.col("organisation_code") == code)
    return {f"{when:%Y-%m}": state for when, state in mine.select("month", "state").iter_rows()}


def test_a_month_is_due_the_usual_lag_after_its_end():
    assert due_date(MONTHLY, month("2020-04")) == dt.date(2020, 5, 1) + dt.timedelta(days=45)


@pytest.mark.parametrize(
    ("of", "end"), [("2020-04", "2020-07"), ("2020-06", "2020-07"), ("2021-03", "2021-04")]
)
def test_a_quarter_is_counted_within_the_financial_year(of, end):
    quarterly = ReleaseCalendar(cadence="quarterly", usual_lag_days=0)
    assert due_date(quarterly, month(of)) == month(end)


def test_a_year_ends_in_march():
    yearly = ReleaseCalendar(cadence="yearly", usual_lag_days=0)
    assert due_date(yearly, month("2020-04")) == month("2021-04")
    assert due_date(yearly, month("2021-03")) == month("2021-04")


def test_nothing_is_due_of_what_promises_no_rhythm():
    assert due_date(ReleaseCalendar(cadence="once"), month("2020-04")) is None


def test_expected_months_stop_at_what_is_due():
    trust = Publisher(organisation_code="ABC", name="Made-up Trust")
    due = expected_months(trust, dt.date(2020, 7, 20), MONTHLY)
    assert due == [month("2020-04"), month("2020-05")]


def test_a_publishers_own_calendar_goes_before_the_sources():
    own = ReleaseCalendar(cadence="monthly", usual_lag_days=0, first_month=month("2020-06"))
    trust = Publisher(organisation_code="ABC", name="Made-up Trust", calendar=own)
    assert expected_months(trust, dt.date(2020, 7, 20), MONTHLY) == [month("2020-06")]


def test_a_gap_before_a_later_month_is_missing_not_late():
    found = states(["2020-04", "2020-06"], "2020-08-20")
    assert found["2020-04"] == "here"
    assert found["2020-05"] == "missing"
    assert found["2020-06"] == "here"
    assert found["2020-07"] == "not yet due"


def test_a_month_just_overdue_is_late_and_becomes_missing_after_a_quarter():
    assert states(["2020-04"], "2020-07-20")["2020-05"] == "late"
    assert states(["2020-04"], "2020-12-20")["2020-05"] == "missing"


def test_a_trust_of_which_nothing_is_here_is_still_shown():
    assert states([], "2020-06-01") == {"2020-04": "not yet due", "2020-05": "not yet due"} | {
        "2020-06": "not yet due"
    }


def test_an_organisation_outside_the_catalogue_is_judged_like_the_others():
    found = states(["2019-12", "2020-02"], "2020-03-28", code="ZZ9")
    assert found == {
        "2019-12": "here",
        "2020-01": "missing",
        "2020-02": "here",
        "2020-03": "not yet due",
    }


def test_months_given_as_dates_within_the_month_count_too():
    present = pl.DataFrame({"organisation_code": ["R1H"], "month": [dt.date(2020, 4, 30)]})
    frame = coverage_calendar(
        load_catalogue(),
        present,
        today=dt.date(2020, 8, 1),
        first=dt.date(2020, 4, 1),
        last=dt.date(2020, 4, 1),
    )
    row = frame.filter(pl.col("organisation_code") == "R1H")
    assert row.rows() == [("R1H", dt.date(2020, 4, 1), "here")]
    assert frame["month"].unique().to_list() == [dt.date(2020, 4, 1)]


def test_a_year_can_be_shown_whole_even_from_later():
    present = pl.DataFrame(schema={"organisation_code": pl.String, "month": pl.Date})
    frame = coverage_calendar(
        load_catalogue(),
        present,
        today=dt.date(2026, 11, 22),
        first=month("2020-04"),
        last=month("2021-03"),
    )
    assert frame.filter(pl.col("organisation_code") == "RYJ").height == 12
    assert set(frame["state"]) == {"missing"}


@pytest.mark.parametrize(
    ("latest", "today", "state"),
    [
        (None, "2020-07-20", "missing"),
        ("2020-05", "2020-07-20", "here"),
        ("2020-04", "2020-07-20", "late"),
        ("2020-04", "2020-12-20", "missing"),
    ],
)
def test_a_source_is_up_to_date_when_its_next_release_is_not_due(latest, today, state):
    last = month(latest) if latest else None
    assert release_state(MONTHLY, last, dt.date.fromisoformat(today)) == state


def test_a_series_that_ended_is_never_late():
    ended = ReleaseCalendar(cadence="monthly", usual_lag_days=10, last_month=month("2020-05"))
    assert release_state(ended, month("2020-05"), dt.date(2026, 1, 1)) == "here"


def test_the_status_of_all_sources_has_one_row_each():
    catalogue = load_catalogue()
    frame = source_calendar(catalogue, {"dspt": month("2023-11")}, today=dt.date(2026, 11, 22))
    assert frame.height == len(catalogue.ids)
    by_id = dict(frame.select("source_id", "state").iter_rows())
    assert by_id["dspt"] == "here"
    assert by_id["workforce"] == "missing"


def test_the_dagster_freshness_window_follows_the_cadence():
    days = {one.id: one.calendar.days_between_releases for one in load_catalogue().sources}
    assert days["spend_over_25k"] == 31
    assert days["provider_accounts"] == 366
    assert days["dspt"] is None


def test_a_rhythm_without_a_usual_lag_is_refused():
    with pytest.raises(ValueError, match="usual_lag_days"):
        ReleaseCalendar(cadence="monthly")
