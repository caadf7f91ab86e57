"""Which organisations have a page, what they are called, and what the search finds.

Belongs here: the list of trusts and boards of a site. Does not belong here: their pages
(``trust_pages``, ``board_pages``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from pipeline.charts.format import readable_name, short_name
from pipeline.charts.model import Tables
from pipeline.charts.selection import frame
from pipeline.site.render import page_name

TABLES_WITH_TRUSTS = (
    "marts.digital_share",
    "marts.coverage",
    "marts.coverage_month",
    "marts.spend_mix",
    "marts.maturity",
    "marts.workforce",
)


@dataclass(frozen=True)
class Organisation:
    """One organisation with a page.

    Attributes:
        code: Organisation code.
        name: Readable full name.
        short: Name without its legal ending.
        page: File stem of its page.
        about: Its row of dims.organisation; empty when the register lacks it.
    """

    code: str
    name: str
    short: str
    page: str
    about: dict[str, Any]


def organisations_with_pages(tables: Tables) -> list[Organisation]:
    """Every trust with any figure, by name; boards have pages of their own, national bodies have none.

    Args:
        tables: marts.* listed in ``TABLES_WITH_TRUSTS`` and dims.organisation.
    """
    names: dict[str, str | None] = {}
    for table in TABLES_WITH_TRUSTS:
        rows = frame(tables, table).filter(pl.col("organisation_code").is_not_null())
        if "organisation_kind" in rows.columns:
            kind = pl.col("organisation_kind").str.to_lowercase()
            rows = rows.filter(~kind.str.contains("board|icb"))
        for code, name in rows.select("organisation_code", "organisation_name").unique().rows():
            names[code] = names.get(code) or name
    register = {r["organisation_code"]: r for r in frame(tables, "dims.organisation").to_dicts()}
    boards = set(frame(tables, "dims.icb")["icb_code"])
    found = []
    for code, name in names.items():
        about = register.get(code, {})
        if about.get("kind") in {"icb", "national"} or code in boards:
            continue
        full = about.get("name") or name
        found.append(
            Organisation(
                code=code,
                name=readable_name(full) if full else code,
                short=short_name(full, code),
                page=page_name(code),
                about=about,
            )
        )
    return sorted(found, key=lambda o: (o.short.lower(), o.code))


def search_entries(tables: Tables, organisations: list[Organisation]) -> list[list[str]]:
    """Rows for the search: code, name, words to match, page, and a note.

    Organisations that closed are found by their code and name and lead to the page of the
    organisation that carries their work today.

    Args:
        tables: dims.organisation.
        organisations: Organisations with a page.
    """
    by_code = {o.code: o for o in organisations}
    entries = [[o.code, o.name, _words(o.code, o.name, o.about), o.page, ""] for o in organisations]
    for row in frame(tables, "dims.organisation").sort("name", "organisation_code").to_dicts():
        code, current = row["organisation_code"], row["current_code"]
        if code in by_code or current == code or current not in by_code:
            continue
        name = readable_name(row["name"])
        note = f"now {by_code[current].short}"
        entries.append([code, name, _words(code, name, row), by_code[current].page, note])
    return entries


def _words(code: str, name: str, about: dict[str, Any]) -> str:
    parts = [code, name, about.get("former_names") or "", about.get("icb_name") or ""]
    return " ".join(parts).lower()
