"""What the lines above a table say: whose payments they are, and of which month.

A title is weaker evidence than a column or a name, and may be about something else ("printed on ..."),
so it is asked only where no column and no name says.
"""

from __future__ import annotations

import re

from pipeline.ingest.tabular import Grid
from pipeline.ingest.tabular.header import Layout
from pipeline.ingest.tabular.periods import PeriodHint, hint_from_name

LONGEST_TITLE = 160
MOST_TITLES = 20
_PUBLISHER = re.compile(r"\b(?:nhs|trust|icb|integrated care board)\b", re.IGNORECASE)
_ABOUT_THE_FILE = re.compile(
    r"\b(?:run|printed|produced|created|generated|extracted|exported|updated|published|report date|as at)\b",
    re.IGNORECASE,
)


def titles_above(grid: Grid, layout: Layout) -> list[str]:
    """The cells with words above the header, from the top."""
    header = min(layout.header_rows, default=1)
    if header == 1:
        return []
    rows = grid.frame.head(min(header - 1, MOST_TITLES)).rows()
    cells = [
        " ".join((cell or "").split()) for number, *row in rows if number < header for cell in row
    ]
    return [cell for cell in cells if cell and len(cell) <= LONGEST_TITLE]


def month_of_titles(titles: list[str], hint: PeriodHint) -> PeriodHint | None:
    """The one month that titles name; None where they name none or several, or its year is not known.

    Args:
        titles: the lines above the table.
        hint: what the name says, for a title without a year.
    """
    told = period_of_titles(titles).within(hint.span)
    return told if told.first_day is not None else None


def period_of_titles(titles: list[str]) -> PeriodHint:
    """The months, quarter or financial year that titles name together; empty where they name none."""
    return hint_from_name(" ".join(t for t in titles if not _ABOUT_THE_FILE.search(t)))


def publisher_of_titles(titles: list[str]) -> str | None:
    """The first title that may name an organisation."""
    return next((title for title in titles if _PUBLISHER.search(title)), None)
