"""Where an analyst can read on: the page of the site, the dictionary, the SQL.

The site is files. A browser opens no file from a page it got from a server, so a link needs the
address at which the site is served (``FIVEPERCENT_SITE_URL``; ``fivepercent ui`` and ``serve`` set
it). Without one the path is shown, to be copied.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import dagster as dg

from pipeline.marts.milestones import LEDGER_MARTS
from pipeline.marts.run import SQL_FOLDER, sql_of
from pipeline.settings import Settings


def site_link(settings: Settings, page: str, anchor: str = "") -> dg.MetadataValue:
    """A page of the published site, as a link where the site is served, else as a path."""
    tail = f"#{anchor}" if anchor else ""
    if settings.site_url:
        return dg.MetadataValue.url(f"{settings.site_url.rstrip('/')}/{page}{tail}")
    return dg.MetadataValue.path(f"{settings.out / 'charts' / page}{tail}")


def dictionary_link(settings: Settings, table_name: str) -> dg.MetadataValue:
    """A table's place in the dictionary of the site."""
    return site_link(settings, "dictionary.html", table_name)


def sql_file(mart: str) -> Path | None:
    """The SQL file of a mart; None for a mart of the claims ledger, whose queries make it."""
    return None if mart in LEDGER_MARTS else SQL_FOLDER / f"{mart.split('.')[1]}.sql"


def sql_metadata(mart: str) -> dict[str, dg.MetadataValue]:
    """The SQL of a mart, to be read in the page, and the file to open in an editor."""
    path = sql_file(mart)
    if path is None:
        return {}
    return {
        "sql": dg.MetadataValue.md(f"```sql\n{sql_of(mart)}\n```"),
        "sql_file": dg.MetadataValue.path(str(path)),
    }


def code_references(path: Path, label: str) -> dict[str, dg.CodeReferencesMetadataValue]:
    """The file behind an asset, which Dagster offers to open in an editor."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # a link lost is all that can break
        reference = dg.LocalFileCodeReference(file_path=str(path), line_number=1, label=label)
        value = dg.CodeReferencesMetadataValue(code_references=[reference])
    return {"dagster/code_references": value}
