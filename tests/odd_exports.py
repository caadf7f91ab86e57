"""More whole files for ``odd_files``: totals in disguise, marks instead of signs, names that tell the month.

Importing this module adds its cases to those of ``odd_cases``.
"""

from __future__ import annotations

from datetime import date
from itertools import groupby

from ingest_files import workbook
from odd_cases import CASES, PLAIN, both, case, plain
from odd_files import HEAD, PAID, Odd, money, real_dates, short, template, text, truth

__all__ = ["CASES"]


def after_each(key, below) -> tuple[list[list], list[tuple]]:
    """The template's rows in groups, a row made by ``below(key, payments)`` after each; and the payments."""
    paid = sorted(PAID, key=key)
    rows = [list(HEAD)]
    for value, some in groupby(paid, key=key):
        own = list(some)
        rows += template(paid=own)[1:]
        rows.append(below(value, own))
    return rows, paid


def pounds_of(some) -> str:
    return money(sum(p[5] for p in some))


def lines_of(paid) -> list:
    known = dict(zip(PAID, truth(), strict=True))
    return [known[p] for p in paid]


# ---- totals in disguise ------------------------------------------------------------------------


@case
def a_total_for_each_day_with_its_date():
    rows, paid = after_each(
        lambda p: p[0],
        lambda day, some: [
            "",
            "",
            f"{day:02d}/04/2023",
            "",
            "",
            "Daily total",
            "",
            pounds_of(some),
        ],
    )
    return Odd("spend.csv", text(rows).encode(), lines_of(paid))


@case
def a_dated_total_for_each_supplier():
    rows, paid = after_each(
        lambda p: p[1],
        lambda name, some: [
            *template(paid=some[-1:])[1][:3], "", "", f"{name} Total", "", pounds_of(some),
        ],
    )  # fmt: skip
    return Odd("spend.csv", text(rows).encode(), lines_of(paid))


@case
def a_company_that_is_called_total():
    rows = template()
    rows[1][5] = "Larkspur Total"
    lines = truth()
    return Odd(
        "spend.csv",
        text(rows).encode(),
        [(*lines[0][:2], "Larkspur Total", *lines[0][3:]), *lines[1:]],
    )


@case
def totals_by_type_that_say_only_the_type():
    paid = [(*p[:2], "Computers" if "Comp" in p[2] else p[2], *p[3:]) for p in PAID]
    rows = [list(HEAD)]
    for kind, some in groupby(paid, key=lambda p: p[2]):
        own = list(some)
        rows += template(paid=own)[1:]
        rows.append([*rows[-1][:2], "", kind, "", "", "", pounds_of(own)])
    lines = [(*line[:4], p[2], line[5]) for line, p in zip(truth(), paid, strict=True)]
    return Odd("spend.csv", text(rows).encode(), lines)


@case
def numbers_of_lines_counted_by_a_spreadsheet():
    rows, paid = after_each(
        lambda p: p[1], lambda name, some: [""] * 5 + [f"{name} Count", "", str(len(some))]
    )
    return Odd("spend.csv", text(rows).encode(), lines_of(paid))


@case
def a_header_printed_again_with_colons():
    rows = template()
    rows.insert(6, [f"{name.upper()}:" for name in HEAD])
    return Odd("spend.csv", text(rows).encode(), truth())


# ---- amounts -----------------------------------------------------------------------------------


@case
def pounds_signs_of_an_old_code_page():
    return Odd(
        "spend.csv", text(template(amount=lambda p: f"£{money(p)}")).encode("cp850"), truth()
    )


@case
def pounds_signs_encoded_twice():
    once = text(template(amount=lambda p: f"£{money(p)}")).encode().decode("cp1252")
    return Odd("spend.csv", once.encode(), truth())


@case
def pounds_signs_of_a_web_page():
    return Odd("spend.csv", text(template(amount=lambda p: f"&pound;{money(p)}")).encode(), truth())


@case
def one_letter_for_debit_and_credit():
    rows = template(amount=lambda p: money(abs(p)) + ("C" if p < 0 else "D"))
    return Odd("spend.csv", text(rows).encode(), truth())


@case
def credit_notes_told_by_their_type_alone():
    rows = short(
        (*PLAIN, "Doc Type"),
        lambda d, p: (*both(d, p, amount=lambda a: money(abs(a))), "CRN" if p[5] < 0 else "INV"),
    )
    return Odd("spend.csv", text(rows).encode(), truth(), says="beside a credit note")


@case
def credit_notes_beside_signs_are_left_alone():
    paid = [(*p[:5], -p[5]) if p[4] == "800101" else p for p in PAID]
    rows = [[*PLAIN, "Doc Type"]]
    rows += [[*both(date(2023, 4, p[0]), p), "CRN" if p[4] == "800101" else "INV"] for p in paid]
    lines = truth()
    return Odd(
        "spend.csv", text(rows).encode(), [(*lines[0][:3], -26_500.0, *lines[0][4:]), *lines[1:]]
    )


@case
def an_order_is_not_what_was_paid():
    rows = short(
        (*PLAIN[:5], "PO Value", "Paid Value"),
        lambda d, p: (*both(d, p)[:5], money(4 * p[5]), money(p[5])),
    )
    return Odd("spend.csv", text(rows).encode(), truth())


@case
def a_line_is_taken_before_what_its_invoice_was_paid():
    rows = short(
        (*PLAIN[:5], "INVOICE_AMOUNT", "AMOUNT_PAID", "DIST_AMOUNT"),
        lambda d, p: (*both(d, p)[:5], money(3 * p[5]), money(2 * p[5]), money(p[5])),
    )
    return Odd("spend.csv", text(rows).encode(), truth())


@case
def formulas_without_results():
    rows = real_dates()
    lines = truth()
    for row in rows[1:4]:
        row[-1] = None
    return Odd("April 2023.xlsx", workbook({"Sheet1": rows}), lines[3:], "save the workbook", 3)


# ---- suppliers ---------------------------------------------------------------------------------


@case
def sap_keeps_the_name_far_from_the_number():
    rows = short(
        ("CoCd", "Vendor", "Pstng Date", "Clrng doc.", "Name 1", "G/L Acct Long Text", "Cost Ctr Text", "LC Amnt"),
        lambda d, p: ("1000", f"10{p[0]:04d}", f"{d:%d/%m/%Y}", p[4], p[1], p[2], p[3], money(p[5])),
    )  # fmt: skip
    return Odd("spend.csv", text(rows).encode(), truth())


# ---- dates and months --------------------------------------------------------------------------


@case
def serial_numbers_that_a_program_made_decimals():
    rows = template(day=lambda d: f"{(d - date(1899, 12, 30)).days}.0")
    return Odd("spend.csv", text(rows).encode(), truth())


@case
def times_of_a_database_with_their_zone():
    rows = template(day=lambda d: f"{d} 00:00:00.000 UTC")
    return Odd("spend.csv", text(rows).encode(), truth())


@case
def dates_as_a_program_prints_them():
    rows = template(day=lambda d: f"{d:%a %b %d} 00:00:00 BST {d.year}")
    return Odd("spend.csv", text(rows).encode(), truth())


@case
def a_column_of_dates_without_dates():
    return Odd("spend.csv", text(plain(lambda d: "week 3")).encode(), None, "'Date' holds no date")


def undated(name: str, lines=None, **more) -> Odd:
    rows = [PLAIN[1:], *(row[1:] for row in plain()[1:])]
    return Odd(name, text(rows).encode(), lines, **more)


@case
def a_period_and_a_financial_year_in_the_name():
    return undated("P01 FY2324.csv", truth(day=None))


@case
def a_month_in_the_name_of_the_folder():
    return undated("2023-24/01 April/spend.csv", truth(day=None))


@case
def the_day_of_publication_is_not_the_month():
    return undated("spend published 2023-05-15.csv", says="put both into the file's name")


@case
def a_year_in_the_name_and_one_day_of_each_month():
    """The fifth of each month, or each day of one May?"""
    rows = [list(PLAIN)]
    for month, p in enumerate(PAID, 4):
        rows.append(list(both(date(2023, min(month, 12), 5), p)))
    return Odd(
        "spend 2023-24.csv",
        text(rows[:1] + [r for r in rows[1:] if not r[0].startswith("05/05")]).encode(),
        None,
        "can be read day first or month first",
    )


# ---- workbooks ---------------------------------------------------------------------------------


@case
def a_hidden_extract_of_which_the_larger_lines_are_published():
    rows = real_dates()
    small = [[*row[:-1], row[-1] / 100] for row in rows[1:] if row[-1] < 1_000_000]
    sheets = {"Published": rows, "AP extract": [*rows, *small]}
    return Odd(
        "April 2023.xlsx",
        workbook(sheets, hidden=("AP extract",)),
        truth(),
        "'AP extract' is hidden",
    )


# ---- more of what looks like a payment ---------------------------------------------------------


def dressed(at: int, *row: str) -> bytes:
    """The template with a row of a date, a name and the sum of all payments."""
    rows = template()
    rows.insert(at, ["", "", "30/04/2023", "", "", *row, "", pounds_of(PAID)])
    return text(rows).encode()


@case
def a_dated_sum_of_everything_above_the_payments():
    return Odd("spend.csv", dressed(1, "Total spend over £25k"), truth())


@case
def a_dated_sum_of_everything_that_is_not_called_a_total():
    return Odd("spend.csv", dressed(len(PAID) + 1, "Value of payments"), truth())


@case
def voided_payments():
    rows = short(
        (*PLAIN, "Payment Status"),
        lambda d, p: (*both(d, p), "VOIDED" if p[4] == "800102" else "RECONCILED"),
    )
    lines = truth()
    return Odd("spend.csv", text(rows).encode(), [lines[0], *lines[2:]], "its status is VOIDED", 1)


@case
def two_sums_in_one_cell():
    rows = template()
    rows[1][-1] = "26,500.00\n30,000.00"
    return Odd("spend.csv", text(rows).encode(), truth()[1:], "is no number", 1)


@case
def a_sheet_of_credit_notes_without_signs():
    rows = real_dates()
    some = [[*row[:-1], abs(row[-1])] for row in rows[1:5]]
    sheets = {"Payments": rows, "Credit notes": [rows[0], *some]}
    return Odd("April 2023.xlsx", workbook(sheets), truth(), "named after credits", 5)


@case
def times_with_dots():
    rows = template(day=lambda d: f"{d:%d-%b-%y} 00.00.00.000000000".upper())
    return Odd("spend.csv", text(rows).encode(), truth())


@case
def dates_with_blanks():
    return Odd("spend.csv", text(template(day=lambda d: f"{d:%d %m %Y}")).encode(), truth())


def in_months(*more: str, header_again: bool = True) -> bytes:
    """Payments without dates, a row with a month before the first and the seventh."""
    rows = [row[1:] for row in plain()[1:]]
    head = list(PLAIN[1:])
    again = [head] if header_again else []
    return text([[more[0]], head, *rows[:6], [more[1]], *again, *rows[6:]]).encode()


@case
def months_that_head_their_payments():
    lines = [(None, date(2023, 4 + (i >= 6), 1), *line[2:]) for i, line in enumerate(truth())]
    return Odd("spend.csv", in_months("April 2023", "May 2023"), lines)


@case
def months_that_head_their_payments_under_one_header():
    lines = [(None, date(2023, 4 + (i >= 6), 1), *line[2:]) for i, line in enumerate(truth())]
    return Odd("2023-24.csv", in_months("April", "May", header_again=False), lines)


@case
def a_month_whose_year_nothing_tells():
    lines = [(None, *line[1:]) for line in truth()[:6]]
    return Odd("April 2023.csv", in_months("", "May"), lines, "gives one month and year", 6)


# ---- versions and money received in one workbook -----------------------------------------------


def amended() -> list[list]:
    """The payments with another amount for the first."""
    rows = real_dates()
    rows[1][-1] = 27_000.0
    return rows


@case
def a_sheet_amended_beside_the_original():
    sheets = {"Original": real_dates(), "Amended": amended()}
    first = (*truth()[0][:3], 27_000.0, *truth()[0][4:])
    return Odd(
        "April 2023.xlsx", workbook(sheets), [first, *truth()[1:]], "an earlier version of sheet"
    )


@case
def two_sheets_nearly_alike_of_which_neither_is_called_later():
    sheets = {"Sheet1": real_dates(), "Sheet2": amended()}
    first = (*truth()[0][:3], 27_000.0, *truth()[0][4:])
    lines = [*truth(), first, *truth()[1:]]
    return Odd("April 2023.xlsx", workbook(sheets), lines, "11 payments of sheet 'Sheet2' stand in")


@case
def a_sheet_of_money_received():
    received = [[*row[:5], f"{row[5]} {i}", *row[6:]] for i, row in enumerate(real_dates()[1:])]
    sheets = {"Payments": real_dates(), "Income": [real_dates()[0], *received]}
    return Odd("April 2023.xlsx", workbook(sheets), truth(), "money received", 13)


@case
def two_columns_of_money_that_only_hold_a_known_word():
    rows = short(
        (*PLAIN[:5], "Previous Value", "Current Value"),
        lambda d, p: (*both(d, p)[:5], money(2 * p[5]), money(p[5])),
    )
    return Odd("spend.csv", text(rows).encode(), None, says="nothing says which of them was paid")


@case
def invoices_net_before_gross():
    rows = short(
        (*PLAIN[:5], "Inv Gross", "Inv VAT", "Inv Net"),
        lambda d, p: (*both(d, p)[:5], money(2 * p[5]), money(p[5]), money(p[5])),
    )
    return Odd("spend.csv", text(rows).encode(), truth())


def gross_then_net(gross: str, net: str) -> Odd:
    rows = short(
        (*PLAIN[:5], gross, net), lambda d, p: (*both(d, p)[:5], money(2 * p[5]), money(p[5]))
    )
    return Odd("spend.csv", text(rows).encode(), truth())


@case
def gross_by_a_known_name_and_net_in_other_words():
    return gross_then_net("Amount (incl. VAT)", "Amount (excl. recoverable VAT)")


@case
def gross_and_net_in_words_of_their_own():
    return gross_then_net("Invoice Amount Inc VAT", "Invoice Amount Net of VAT")
