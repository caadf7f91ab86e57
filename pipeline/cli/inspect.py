"""``fivepercent inspect FILE``: how the reader understands a file, row by row if need be."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import typer

from pipeline.cli.common import (
    JSON_OPTION,
    OUT_OPTION,
    console,
    fail,
    print_json,
    print_table,
    say,
    settings_from,
)
from pipeline.plain_text import plural


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("inspect")
    def inspect_command(
        file: Path = typer.Argument(
            ..., help="A csv, Excel or OpenDocument file, or a zip of those."
        ),
        out: Path | None = OUT_OPTION,
        as_json: bool = JSON_OPTION,
    ) -> None:
        """Show how a file is understood: layout, first rows, rejected rows, months, warnings.

        Example: `fivepercent inspect "data/raw/spend_over_25k/RJ1/April.csv"`
        """
        from pipeline.refresh.inspection import inspect_file

        if not file.is_file():
            if file.is_dir():
                fail(f"{file} is a folder; name one file in it", code=2)
            fail(f"there is no file {file}", code=2)
        told = inspect_file(file, settings_from(None, out))
        if as_json:
            print_json(told)
        else:
            _show(told)
        if told["status"] == "set aside":
            raise typer.Exit(1)


def _alike(sheets: list[dict[str, Any]]) -> list[tuple[list[str], list[str]]]:
    """What is said of each sheet, said once of those that are read alike."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for sheet in sheets:
        said = list(sheet["notes"])
        if sheet.get("date_order"):
            said.insert(
                0,
                f"dates {sheet['date_order']} ({sheet['date_reason']}); "
                f"confidence {sheet['confidence']:.0%}",
            )
        said += [f"not data: {n} x {reason}" for reason, n in sheet["ignored"].items()]
        names = groups.setdefault(tuple(said), [])
        if sheet["sheet"] and repr(sheet["sheet"]) not in names:
            names.append(repr(sheet["sheet"]))
    return [(names, list(said)) for said, names in groups.items() if said]


def _show(told: dict[str, Any]) -> None:
    from rich.table import Table

    say(f"{told['path']}: {told['kind_sentence']}")
    if told.get("organisation"):
        say(f"Organisation: {told['organisation']}")
    say(f"Layout: {told['layout']}")
    say(
        f"Rows with content {told['rows_read']:,} = kept {told['rows_kept']:,} + set aside {told['rows_rejected']:,} "
        f"+ not data {told['rows_ignored']:,}"
    )
    if told.get("pounds_read") is not None:
        read, kept, aside, ignored = (
            f"{Decimal(told[name]):,.2f}"
            for name in ("pounds_read", "pounds_kept", "pounds_rejected", "pounds_ignored")
        )
        say(
            f"Pounds in its amount cells {read} = kept {kept} + set aside {aside} + not data {ignored}"
        )
    for names, said in _alike(told["sheets"]):
        where = f"{'Sheets' if len(names) > 1 else 'Sheet'} {', '.join(names)}: " if names else ""
        for sentence in said:
            say(f"{where}{sentence}")
    if told.get("first_rows"):
        say("First rows as understood:")
        first = [
            {k: f"{v:,.2f}" if k == "amount_gbp" else v for k, v in row.items()}
            for row in told["first_rows"]
        ]
        print_table(list(first[0]), [list(row.values()) for row in first])
    if told.get("months"):
        table = Table("Month", "Lines", "Pounds", "Digital", "Share of payments", title="By month")
        for m in told["months"]:
            share = f"{m['digital_gbp'] / m['amount_gbp']:.1%}" if m["amount_gbp"] else "-"
            table.add_row(
                str(m["month"])[:7],
                f"{m['lines']:,}",
                f"{m['amount_gbp']:,.0f}",
                f"{m['digital_gbp']:,.0f}",
                share,
            )
        if len(told["months"]) > 1:
            pounds, digital = (
                sum(m[k] for m in told["months"]) for k in ("amount_gbp", "digital_gbp")
            )
            table.add_section()
            table.add_row(
                "all",
                f"{sum(m['lines'] for m in told['months']):,}",
                f"{pounds:,.0f}",
                f"{digital:,.0f}",
                f"{digital / pounds:.1%}" if pounds else "-",
            )
        console.print(table)
    for reason, rows in told.get("rejected", {}).items():
        say(f"Set aside ({plural(rows['rows'], 'row')}): {reason}")
        for sample in rows["sample"]:
            say(f"  row {sample['row']}: {sample['raw']}")
    for warning in told["warnings"]:
        say(f"Warning: {warning}")
    if told["status"] == "set aside":
        say(f"Set aside: {told['reason']}")
