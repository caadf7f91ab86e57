"""``fivepercent export``: the published build as Parquet, CSV and Excel workbooks."""

from __future__ import annotations

from pathlib import Path

import typer

from pipeline.cli.common import (
    JSON_OPTION,
    OUT_OPTION,
    database_of_this_version,
    fail,
    print_json,
    say,
    settings_from,
    shown,
)
from pipeline.plain_text import plural


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("export")
    def export_command(
        excel: bool = typer.Option(False, "--excel", help="One workbook a theme."),
        csv: bool = typer.Option(False, "--csv", help="One CSV file a table."),
        parquet: bool = typer.Option(False, "--parquet", help="One Parquet file a table."),
        to: Path | None = typer.Option(
            None, "--to", help="Folder to write (default: exports beside the database)."
        ),
        out: Path | None = OUT_OPTION,
        as_json: bool = JSON_OPTION,
    ) -> None:
        """Write the published build in other formats; all of them when none is named.

        Formats that an earlier export left in the folder are made again too. Workbooks have the
        dictionary and the caveats beside the tables; numbers are numbers and no cell is a formula. In
        CSV files text that a spreadsheet would take for a formula begins with an apostrophe. A
        `datapackage.json` describes the files, with licences and checksums.

        Example: `fivepercent export --excel --to exports`
        """
        from pipeline.exports import LostRowsError, export_build

        settings = settings_from(None, out)
        database = (settings.out / "fivepercent.duckdb").resolve()
        if not database.exists():
            fail(f"there is no database in {shown(settings.out)}; run `fivepercent refresh` first")
        named = [n for n, on in (("parquet", parquet), ("csv", csv), ("excel", excel)) if on]
        target = (to or settings.out / "exports").expanduser().absolute()
        try:
            with database_of_this_version(database):
                done = export_build(database, target, formats=named or ("parquet", "csv", "excel"))
        except (OSError, LostRowsError) as error:
            fail(f"the export could not be written: {error}")
        if as_json:
            print_json(
                {"folder": str(done.folder), "files": done.files, "shortened": done.shortened}
            )
            return
        for sentence in done.shortened:
            say(sentence)
        say(f"{plural(len(done.files), 'file')} in {shown(target)}")
