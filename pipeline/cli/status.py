"""``fivepercent status``: what is here, how fresh it is, what the last build said."""

from __future__ import annotations

import gc
import re
from pathlib import Path
from typing import Any

import typer

from pipeline.cli.common import (
    JSON_OPTION,
    OUT_OPTION,
    RAW_OPTION,
    console,
    database_of_this_version,
    fail,
    print_json,
    say,
    settings_from,
)
from pipeline.cli.query import open_published, published_database
from pipeline.plain_text import plural

MARKS = {
    "here": "[green]■[/]",
    "missing": "[yellow]□[/]",
    "late": "[red]![/]",
    "not yet due": "[dim]·[/]",
}


def financial_year(text: str) -> str | None:
    """2020/21 of 2020/21, 2020-21 or 2020/2021; None when it is no financial year since 2005/06."""
    found = re.fullmatch(r"(20\d\d)[/-](?:20)?(\d\d)", text.strip())
    is_year = found and int(found[1]) >= 2005 and (int(found[1]) + 1) % 100 == int(found[2])
    return f"{found[1]}/{found[2]}" if found and is_year else None


def _gather(out: Path) -> dict[str, Any]:
    connection = open_published(out)
    try:

        def rows(sql: str) -> list[dict[str, Any]]:
            relation = connection.sql(sql)
            names = list(relation.columns)
            return [dict(zip(names, r, strict=True)) for r in relation.fetchall()]

        return {
            "build": rows("select * from meta.build")[0],
            "sources": rows(
                "select source_id, title, licence, cadence, files, latest_period from meta.source order by source_id"
            ),
            "files": rows(
                "select status, count(*) as files, sum(rows_kept) as rows_kept, "
                "sum(rows_rejected) as rows_rejected from meta.source_file group by all order by all"
            ),
            "checks": rows(
                "select suite, check_name, severity, sentence, observed from meta.check_result where not passed"
            ),
            "checks_passed": connection.sql(
                "select count(*) filter (where passed), count(*) from meta.check_result"
            ).fetchall()[0],
            "months": rows(
                "select organisation_code, month from marts.coverage_month where is_present"
            ),
        }
    finally:
        connection.close()


def _calendar(told: dict[str, Any], year: str | None) -> list[dict[str, Any]]:
    """State of every publisher and month; fictional publishers have no calendar of their own."""
    import datetime as dt

    from pipeline.catalogue import load_catalogue, month_states

    here: dict[str, set[dt.date]] = {}
    for row in told["months"]:
        here.setdefault(row["organisation_code"], set()).add(row["month"])
    if not here and year is None:
        return []
    if year:
        start = int(year[:4])
    else:
        latest = max(max(months) for months in here.values())
        start = latest.year if latest.month >= 4 else latest.year - 1
    first, last = dt.date(start, 4, 1), dt.date(start + 1, 3, 1)
    states = month_states(load_catalogue(), here, first=first, last=last)
    return [
        {"organisation_code": code, "month": month, "state": state}
        for code, month, state in states
        if code in here or not told["build"]["is_demo"]
    ]


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("status")
    def status_command(
        raw: Path | None = RAW_OPTION,
        out: Path | None = OUT_OPTION,
        year: str | None = typer.Option(
            None,
            "--year",
            help="Financial year of the calendar, such as 2020/21; the latest by default.",
        ),
        as_json: bool = JSON_OPTION,
    ) -> None:
        """Show sources, freshness, the last build, its checks, and months by trust.

        Example: `fivepercent status --year 2020/21`
        """
        gc.disable()  # looking for garbage among what is loaded took a twentieth of this short command
        settings = settings_from(raw, out)
        if (asked := year) is not None and (year := financial_year(asked)) is None:
            fail(
                f"{asked!r} is no financial year since 2005/06; expected a form such as 2020/21",
                code=2,
            )
        with database_of_this_version(published_database(settings.out)):
            told = _gather(settings.out)
            calendar = _calendar(told, year)
            if as_json:
                print_json(
                    {k: v for k, v in told.items() if k != "months"} | {"calendar": calendar}
                )
                return
            _print(told)
        if calendar:
            _print_calendar(calendar)


def _print(told: dict[str, Any]) -> None:
    """The build, its sources, files and checks."""
    from rich.table import Table

    build = told["build"]
    if build["is_demo"]:
        say("DEMONSTRATION: every organisation and figure is fictional.")
    say(
        f"Build {build['build_id']}, published {build['built_at']} UTC, benchmark {build['benchmark']:.1%}"
    )
    table = Table("Source", "Files", "Latest", "Cadence", "Licence")
    for s in told["sources"]:
        table.add_row(
            s["source_id"],
            str(s["files"]),
            s["latest_period"] or "-",
            s["cadence"] or "-",
            s["licence"],
        )
    console.print(table)
    for f in told["files"]:
        say(
            f"{plural(f['files'], 'file')} {f['status']}: {plural(f['rows_kept'] or 0, 'row')} kept, "
            f"{f['rows_rejected'] or 0:,} set aside"
        )
    passed, total = told["checks_passed"]
    say(f"{passed} of {total} checks passed")
    for c in told["checks"]:
        say(f"  {c['severity']}: {c['sentence']} Found: {c['observed']}")


def _print_calendar(calendar: list[dict[str, Any]]) -> None:
    by_code: dict[str, list[str]] = {}
    for row in calendar:
        by_code.setdefault(row["organisation_code"], []).append(MARKS.get(row["state"], "?"))
    first, last = calendar[0]["month"], max(r["month"] for r in calendar)
    console.print(
        f"\nSpend files by month, {first:%B %Y} to {last:%B %Y}: ■ here  □ missing  ! late  · not yet due",
        markup=False,
    )
    # Printed as one text: a call of the library for each trust takes a tenth of a second.
    console.print("\n".join(f"{code:6} {' '.join(marks)}" for code, marks in by_code.items()))
