"""Signs of amounts that stand in a column of their own: DR and CR, plus and minus.

In a ledger of expenses a credit takes money back; in a ledger of creditors it is the invoice. Which
of the two a table is, its rows tell: far more payments than credits are published.
"""

from __future__ import annotations

import re

import polars as pl

from pipeline.ingest.tabular import Grid
from pipeline.ingest.tabular.amounts import pounds_of
from pipeline.ingest.tabular.header import Layout, LayoutError
from pipeline.ingest.tabular.vocabulary import normalise, role_of

_MINUS, _PLUS = ("-", "MINUS", "NEGATIVE", "-£", "£-", "- £", "(£"), ("+", "PLUS", "POSITIVE", "£")
_CREDIT, _DEBIT = ("CR", "C", "CREDIT"), ("DR", "D", "DEBIT")
#: What a ledger calls a document that takes money back, where its amounts have no signs.
_NOTES = (
    "CREDIT NOTE",
    "CREDIT MEMO",
    "CREDITNOTE",
    "CREDIT",
    "CRN",
    "CN",
    "CR NOTE",
    "CREDIT NOTES",
    "CREDIT MEMORANDUM",
    "CREDIT INVOICE",
    "CREDIT ADJUSTMENT",
    "CRED NOTE",
    "C/N",
    "CRNOTE",
    "CRE",
    "CRED",
    "CRD",
    "CM",
    "CNOTE",
    "C/NOTE",
    "SCR",
    "PC",
    "PCN",
    "PCR",
    "PCRN",
    "SCN",
    "KG",
    "PURCHASE CREDIT",
    "PURCHASE CREDIT NOTE",
    "SUPPLIER CREDIT",
    "SUPPLIER CREDIT NOTE",
    "AP CREDIT",
    "AP CREDIT MEMO",
)
_NOTE_HEADER = re.compile(r"(?:^| )(?:type|credit|credits|doc|document)(?: |$)")
_NOTE_SHEET = re.compile(
    r"^\s*(?:supplier\s+)?credit(?:s|\s*notes?|\s*memos?)?\b(?!\s*(?:card|union))", re.IGNORECASE
)
_NOTE_FILE = re.compile(r"(?<![a-z])credit(?:s|[\s_-]*(?:notes?|memos?))(?![a-z])", re.IGNORECASE)
_MORE_THAN_NOTES = re.compile(
    r"invoice|payment|\b(?:and|incl\w*|excl\w*|less|net of|with|without|no)\b|&",
    re.IGNORECASE,
)
_INCOME_SHEET = re.compile(
    r"^\s*(?:income|receipts|sales(?: invoices)?|debtors)\b(?!\s*(?:tax|and|&))", re.IGNORECASE
)
_SIGNED = r"^£?\s*[-(]|[-)]$|(?i:cr)$"
MOSTLY, KINDS = 0.6, 8


def _marks(column: str) -> pl.Expr:
    return pl.col(column).str.strip_chars().str.to_uppercase()


def called_credits(path: str, sheet: str | None) -> str:
    """How a sheet is said to hold credit notes and nothing else; empty where it is not.

    Args:
        path: of its file.
        sheet: its name.
    """
    if _NOTE_SHEET.search(sheet or ""):
        return f"the sheet {sheet!r} is named after credits"
    name = path.rpartition("/")[2]
    if _NOTE_FILE.search(name) and not _MORE_THAN_NOTES.search(name):
        return f"the file {name!r} is named after credit notes"
    return ""


def settle_signs(
    grid: Grid, layout: Layout, first_row: int, path: str = "", *, alone: bool = False
) -> None:
    """Keep the column of signs of a layout only where it holds signs.

    Args:
        grid: the sheet.
        path: of its file, whose name may say that it holds credit notes.
        alone: whether no other sheet of the file holds payments.
        layout: changed: ``sign`` leaves the columns where it says nothing; a note tells of it.
        first_row: position of the first row below the header.

    Raises:
        LayoutError: when a sheet or file without signs is named after credits, when a sheet is named
            after money received, or when as many rows are debits as credits, so that neither can be the
            payments.
    """
    if _INCOME_SHEET.search(grid.sheet or ""):
        if not (alone and _says_paid(layout)):
            raise LayoutError(
                f"the sheet {grid.sheet!r} is named after money received, not paid; name it otherwise if it "
                "holds payments"
            )
        layout.warnings.append(
            f"The sheet is called {grid.sheet!r}, but its columns are those of payments to suppliers and no "
            "other sheet holds any; it was read as payments."
        )
    column = layout.columns.get("sign")
    if column is None:
        _find_credits(grid, layout, first_row)
        if not _find_minus_before(grid, layout, first_row):
            _find_credit_notes(grid, layout, first_row, called_credits(path, grid.sheet))
        return
    counts = dict(
        grid.frame.slice(first_row)
        .filter(pl.col(column).str.strip_chars() != "")
        .group_by(_marks(column).alias("mark"))
        .len()
        .iter_rows()
    )
    known = {m: n for m, n in counts.items() if m in (*_MINUS, *_PLUS, *_CREDIT, *_DEBIT)}
    total = sum(counts.values())
    if "amount" not in layout.columns or not total or sum(known.values()) < 0.9 * total:
        layout.columns.pop("sign")
        return
    credits = sum(known.get(m, 0) for m in _CREDIT)
    debits = sum(known.get(m, 0) for m in _DEBIT)
    name = layout.headers.get(column, column)
    if credits and credits > (1 - MOSTLY) * (credits + debits):
        raise LayoutError(
            f"the column headed {name!r} says of {debits} amounts that they are debits and of {credits} "
            "that they are credits, so nothing tells which of them are payments; publish payments "
            "as positive amounts and credits as negative ones"
        )
    layout.notes.append(f"Amounts marked as credits under {name!r} were read as negative.")


def _says_paid(layout: Layout) -> bool:
    """Whether the headers speak of suppliers and expenses, and none of customers or money received."""
    names = {role: normalise(layout.headers.get(c)) for role, c in layout.columns.items()}
    received = re.compile(r"\b(?:customer|debtor|received?|income|receipts?|sales|payer)\b")
    if any(received.search(normalise(h)) for h in layout.headers.values()):
        return False
    return bool(
        re.search(r"\b(?:supplier|vendor|payee|creditor)\b", names.get("supplier", ""))
        and re.search(r"\b(?:expen\w+|spend|paid|payment)\b", " ".join(names.values()))
    )


def _find_credits(grid: Grid, layout: Layout, first_row: int) -> None:
    """Take a column of credits beside the amounts, where each row has one or the other, for what it is."""
    amount = layout.columns.get("amount")
    free = {c: h for c, h in layout.headers.items() if c not in layout.columns.values()}
    credit = next((c for c, h in free.items() if (r := role_of(h)) and r[0] == "credit"), None)
    if amount is None or credit is None:
        return
    rows = grid.frame.slice(first_row)
    paid, back = (pounds_of(rows[c]).fill_null(0) != 0 for c in (amount, credit))
    if not (back & ~paid).any() or (back & paid).any():
        return
    layout.columns["debit"] = layout.columns.pop("amount")
    layout.columns["credit"] = credit
    layout.notes.append(
        f"The amount is {layout.headers.get(amount) or 'the column of money'!r} less {layout.headers[credit]!r}."
    )


def _find_minus_before(grid: Grid, layout: Layout, first_row: int) -> bool:
    """Take a column of pounds signs without a name left of the amounts for their signs, if some have a minus."""
    amount = layout.columns.get("amount", "c0")
    column = f"c{int(amount[1:]) - 1}"
    name = (layout.headers.get(column) or "").strip()
    if (
        column not in grid.frame.columns
        or column in layout.columns.values()
        or name not in ("", "£")
    ):
        return False
    rows = grid.frame.slice(first_row)
    marks = set(rows.select(_marks(column)).to_series().drop_nulls()) - {""}
    signed = pl.col(amount).str.strip_chars().str.contains(r"^£?\s*[-(]|-$")
    if not marks & set(_MINUS) or marks - {*_MINUS, *_PLUS} or rows.select(signed.any()).item():
        return False
    layout.columns["sign"] = column
    layout.notes.append("Amounts with a minus in the cell before them were read as negative.")
    return True


def _find_credit_notes(grid: Grid, layout: Layout, first_row: int, called: str) -> None:
    """Take a column that calls some rows credit notes for the sign, where no amount has one.

    Where any amount is negative the publisher has written signs, and they are left alone.
    """
    taken = {c for role, c in layout.columns.items() if role not in ("their_reference", "other")}
    if called and "amount" in layout.columns:
        amount = pl.col(layout.columns["amount"]).str.strip_chars()
        if not grid.frame.slice(first_row).select(amount.str.contains(_SIGNED).any()).item():
            raise LayoutError(
                f"{called}, but no amount of it has a sign; write credits as negative amounts, or name it after "
                "payments"
            )
    some = [
        c for c, h in layout.headers.items() if c not in taken and _NOTE_HEADER.search(normalise(h))
    ]
    if not some or "amount" not in layout.columns:
        return
    rows = grid.frame.slice(first_row)
    for column in some:
        counts = dict(rows.group_by(_marks(column).alias("mark")).len().drop_nulls().iter_rows())
        words = (*_NOTES, "C") if {"I", "INV"} & counts.keys() else _NOTES
        notes = sum(n for mark, n in counts.items() if mark in words)
        if not notes or len(counts) > KINDS or notes > (1 - MOSTLY) * sum(counts.values()):
            continue
        amount = pl.col(layout.columns["amount"]).str.strip_chars()
        if rows.select(amount.str.contains(_SIGNED).any()).item():
            return
        layout.columns["sign"] = column
        layout.warnings.append(
            f"{notes:,} amounts stand beside a credit note under {layout.headers[column]!r}, and no amount "
            "of the table has a sign; they were read as negative."
        )
        return


def with_sign(amount: pl.Expr, column: str | None) -> pl.Expr:
    """The amount as text, a minus before it where its mark says credit and it has no sign itself.

    Args:
        amount: text.
        column: the column of marks, if there is one.
    """
    if column is None:
        return amount
    text = amount.str.strip_chars()
    signed = text.str.contains(_SIGNED)
    less = _marks(column).is_in([*_MINUS, *_CREDIT, *_NOTES]).fill_null(False)
    return pl.when(less & ~signed).then("-" + text).otherwise(amount)
