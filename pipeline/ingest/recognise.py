"""Which kind of file this is, decided from its content alone.

Used for files that arrive without a place (the inbox, ``inspect FILE``). A kind is named only when
its own reader's test for a table succeeds; when two kinds fit the more particular one is taken, and
spend files, whose layouts differ the most, come last.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.ingest.sources import (
    account_meanings,
    accounts,
    deflator,
    epr,
    maturity,
    organisation_files,
    platform,
    records_cost,
    security,
    virtual_wards,
    workforce,
)
from pipeline.ingest.spend.tables import tables_of
from pipeline.ingest.tables import squash, top_text
from pipeline.ingest.tabular import Grid
from pipeline.ingest.tabular.header import NIL_RETURN
from pipeline.ingest.tabular.roles import MONTHS_AS_COLUMNS
from pipeline.ingest.tabular.vocabulary import role_of

SPEND_ROLES = ("supplier", "amount")


@dataclass(frozen=True)
class Recognised:
    """What a file is.

    Attributes:
        source_id: the source it belongs to; None when no kind fits.
        confidence: 0 to 1.
        reason: what in the content decided, as a sentence.
    """

    source_id: str | None
    confidence: float
    reason: str


def _accounts(grid: Grid) -> str | None:
    if accounts.find_lines(grid):
        return "it has the columns organisation name, MainCode, SubCode and a value"
    if account_meanings.is_illustrative([grid]) and re.search(r"\bTAC\d\d", top_text(grid, 5)):
        return "it is an illustrative workbook of the accounts (MainCode and Subcode tables)"
    return None


def _maturity(grid: Grid) -> str | None:
    found = maturity.find_scores(grid)
    if found is None:
        return None
    pillars = [p for p, _ in found.scores.values()]
    named = sum(p != maturity.OVERALL for p in pillars)
    about = re.search(r"digital maturity|\bDMA\b", top_text(grid, 15), re.IGNORECASE)
    if named >= 3 or about:
        return "it has a provider or board column beside maturity pillars or yearly averages"
    return None


def _old_maturity(grid: Grid) -> str | None:
    text = top_text(grid, 15).lower()
    if "digital maturity" in text and ("readiness" in text or "capabilities" in text):
        return "it is a digital maturity self-assessment of 2015 to 2017"
    return None


def _workforce(grid: Grid) -> str | None:
    found = workforce.layout_of(grid)
    return f"its header is the {found[0]} layout of the workforce statistics" if found else None


def _organisations(grid: Grid) -> str | None:
    kind = organisation_files.kind_of(grid)
    return f"it is a {kind} of the organisation data service" if kind else None


def _virtual_wards(grid: Grid) -> str | None:
    if virtual_wards.find_table(grid) and re.search(r"(?i)virtual ward", top_text(grid, 30)):
        return "it has board codes beside virtual ward capacity and occupancy"
    return None


def _epr(grid: Grid) -> str | None:
    found = epr.find_table(grid) if grid.visible else None
    return "it lists trusts with their supplier of the electronic patient record" if found else None


def _records(grid: Grid) -> str | None:
    found = records_cost.find_columns(grid)
    return "it has trust codes and yearly costs of medical records" if found else None


def _deflator(grid: Grid) -> str | None:
    return "it has years and a deflator index" if deflator.find_table(grid) else None


def _platform(grid: Grid) -> str | None:
    found = platform.find_table(grid)
    fdp = found and any(
        "fdp" in squash(h) or "data platform" in squash(h) for h in found.headers.values()
    )
    return "it lists organisations live on the data platform" if fdp else None


def _security(grid: Grid) -> str | None:
    found = security.find_table(grid)
    return "it lists organisations with a status of the security toolkit" if found else None


TESTS: tuple[tuple[str, Callable[[Grid], str | None]], ...] = (
    ("provider_accounts", _accounts),
    ("digital_maturity", _maturity),
    ("digital_maturity", _old_maturity),
    ("virtual_wards", _virtual_wards),
    ("epr_suppliers", _epr),
    ("medical_records_cost", _records),
    ("dspt", _security),
    ("fdp", _platform),
    ("gdp_deflator", _deflator),
    ("workforce", _workforce),
    ("organisations", _organisations),
)


def _spend(grids: Sequence[Grid]) -> Recognised | None:
    best: Recognised | None = None
    refused: str | None = None
    for grid in grids:
        if grid.height == 0:
            continue
        layout = tables_of(grid)[0][1]
        if layout is None or isinstance(layout, str):
            if layout and refused is None and layout.startswith((NIL_RETURN, MONTHS_AS_COLUMNS)):
                refused = layout
            elif refused is None and _names_payments(grid):
                refused = f"it is headed like payments, but {layout}"
            continue
        money = "amount" if "amount" in layout.columns else "debit"
        if not {"supplier", money} <= layout.columns.keys() or len(layout.columns) < 3:
            continue
        heads = ", ".join(
            f"{role} = {layout.headers.get(layout.columns[role]) or 'a column without a header'}"
            for role in ("date", "supplier", "amount", "debit", "credit")
            if role in layout.columns
        )
        confidence = round(min(0.95, layout.confidence), 2)
        if best is None or confidence > best.confidence:
            best = Recognised("spend_over_25k", confidence, f"it reads as payments: {heads}")
    if best is None and refused:
        return Recognised(None, 0.0, refused)
    return best


def _names_payments(grid: Grid) -> bool:
    """Whether one of the first rows heads columns of a supplier or an amount, and others."""
    for cells in grid.frame.head(30).drop("row").rows():
        roles = {found[0] for c in cells if (found := role_of(c))}
        if len(roles) >= 3 and roles & set(SPEND_ROLES):
            return True
    return False


def recognise(grids: Sequence[Grid]) -> Recognised:
    """Name the kind of a file.

    Args:
        grids: its sheets, from ``pipeline.ingest.tabular.read_grids``.

    Returns:
        The source with a confidence and a reason; ``source_id`` None when no kind fits.
    """
    for source_id, test in TESTS:
        for grid in grids:
            if grid.height == 0 or grid.frame.width < 3:
                continue
            if reason := test(grid):
                where = f" (sheet {grid.sheet!r})" if grid.sheet else ""
                return Recognised(source_id, 0.98, reason + where)
    spend = _spend(grids)
    if spend is not None:
        return spend
    if not any(grid.height for grid in grids):
        return Recognised(None, 0.0, "there is nothing in it: no sheet and no row has content")
    return Recognised(
        None,
        0.0,
        "no table of a known kind was found: expected payments (supplier, amount, date) or one of "
        "the official files; see the list of sources",
    )
