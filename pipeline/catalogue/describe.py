"""The catalogue as a page for people: ``docs/sources.md`` is written from it, so it never drifts.

Belongs here: turning entries into Markdown.
Does not belong here: the rules for entries (``models``).

Run ``python -m pipeline.catalogue.describe`` from the repository to write the page again after a
catalogue file has changed; a test compares the two.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.catalogue.load import Catalogue, load_catalogue
from pipeline.catalogue.models import ReleaseCalendar, Source

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sources.md"

_INTRODUCTION = """\
# Sources

This page is written from `pipeline/catalogue/sources/*.yaml`; change those, then run `python -m
pipeline.catalogue.describe`.

`fivepercent fetch` brings every file listed here into `data/raw/<source id>/`. It speaks only to
the hosts named below, over https, and checks every redirect. A download is kept only when it is
what its name says (an error page is not a csv), of a plausible size, and, where a checksum is
pinned, exactly that content. Nothing is overwritten: a file that changed is stored beside the
first as `<name>~<UTC time>.<ending>`, and the pipeline reads the latest. What changed by more
than a quarter in size or rows, and months or links that disappeared, are reported.

- `fivepercent fetch SOURCE...` fetches some sources; `--dry-run` says what would be done.
- `fivepercent fetch --mirror DIR` or `--mirror https://server/path` takes the same tree from a
  folder or a web server, for networks that do not reach the publishers. A plain folder listing
  is enough.
- `fivepercent status` shows by trust and month what is here, missing, or late by its cadence.

Pinned files are the same bytes for everybody: the London 2020/21 collection, and copies of single
files whose publishers' addresses are unknown or may change.

None of the addresses could be opened where this catalogue was written. They come from the
publishers' own documents, from public programs that use them, and from stored copies of pages; a
page that has moved since shows as a failure that names it, and the other files go on.

## Adding a publisher of spend

Add an entry to `publishers` in `pipeline/catalogue/sources/spend_over_25k.yaml`: the
organisation's code, its name, its page, and under `page_evidence` how you know the page. If the
files lie on another host, name it in `hosts`. If the common link patterns do not fit the page,
give the publisher `links` of its own. `fivepercent fetch spend_over_25k --dry-run` shows what
would be taken.
"""


def _rhythm(calendar: ReleaseCalendar) -> str:
    if calendar.usual_lag_days is None:
        return calendar.cadence
    return f"{calendar.cadence}, usually {calendar.usual_lag_days} days after the period's end"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _source(source: Source) -> list[str]:
    pinned = sum(file.pinned for file in source.files)
    lines = [
        f"## `{source.id}`: {source.title}",
        "",
        f"- Publisher: {source.publisher}",
        f"- Licence: {source.licence}",
        f"- Page: {source.landing_page or 'none'}",
        f"- Periods: {_cell(source.periods)}",
        f"- Rhythm: {_rhythm(source.calendar)}",
        f"- How files are found: {_cell(source.how_found)}",
        f"- Hosts: {', '.join(f'`{host}`' for host in sorted(source.allowed_hosts))}",
    ]
    if source.files:
        total = sum(file.bytes or 0 for file in source.files)
        lines.append(
            f"- Files with a fixed address: {len(source.files)}, of which {pinned} pinned by "
            f"checksum ({total / 1e6:,.2f} MB)"
        )
    if source.starter:
        wanted = "".join(f"; {one.what}" for one in source.starter.wanted)
        lines.append(f"- Part of the starter set of a first run: {source.starter.title}{wanted}")
    lines += [f"- Note: {_cell(note)}" for note in source.notes]
    if source.publishers:
        lines += ["", "| code | organisation | page | how the page is known |", "|---|---|---|---|"]
        lines += [
            f"| {one.organisation_code} | {_cell(one.name)} | {one.page or 'not known'} "
            f"| {_cell(one.page_evidence or '')} |"
            for one in source.publishers
        ]
    return [*lines, ""]


def sources_page(catalogue: Catalogue) -> str:
    """The whole of ``docs/sources.md``."""
    lines = [_INTRODUCTION]
    for source in catalogue.sources:
        lines += _source(source)
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(sources_page(load_catalogue()), encoding="utf-8")
