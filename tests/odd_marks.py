"""More whole files for ``odd_files``: lines of a summary, marks against a payment, net beside gross.

Importing this module adds its cases to those of ``odd_cases`` and ``odd_exports``.
"""

from __future__ import annotations

from itertools import pairwise

from ingest_files import workbook
from odd_cases import CASES, case
from odd_exports import after_each, lines_of, pounds_of
from odd_files import HEAD, PAID, Odd, line, money, real_dates, template, text, truth

__all__ = ["CASES"]
TOTAL = sum(p[5] for p in PAID)


def below(*lines: tuple[str, int | str]) -> bytes:
    """The template with lines of a name and an amount below it."""
    some = [["", "", "", "", "", name, "", told] for name, told in lines]
    return text([*template(), *some]).encode()


# ---- lines of a summary ------------------------------------------------------------------------


@case
def credit_notes_taken_off_a_total():
    lines = (
        ("Total", money(TOTAL)),
        ("Less credit notes", "-50,000.00"),
        ("Net total", money(TOTAL - 5_000_000)),
    )
    return Odd("spend.csv", below(*lines), truth(), "looks like a line of a summary", 1)


@case
def payments_too_small_to_be_listed():
    lines = (
        ("Total", money(TOTAL)),
        ("Payments under £25,000", "150,000.00"),
        ("Total payments", money(TOTAL + 15_000_000)),
    )
    return Odd("spend.csv", below(*lines), truth(), "looks like a line of a summary", 1)


@case
def numbers_about_the_payments():
    lines = (
        ("Number of payments", str(len(PAID))),
        ("Average payment", "170,785.50"),
        ("Maximum", "987,654.32"),
        ("Minimum", "-27,500.25"),
        ("VAT", "409,885.20"),
    )
    return Odd("spend.csv", below(*lines), truth())


@case
def sums_that_say_only_the_supplier():
    rows, paid = after_each(
        lambda p: p[1], lambda name, some: ["", "", "", "", "", name, "", pounds_of(some)]
    )
    return Odd("spend.csv", text(rows).encode(), lines_of(paid))


# ---- marks against a payment -------------------------------------------------------------------


def marked(header: str, mark: str, other: str) -> bytes:
    """The template with a further column, in which the second payment bears the mark."""
    rows = template()
    rows[0].append(header)
    for at, row in enumerate(rows[1:]):
        row.append(mark if at == 1 else other)
    return text(rows).encode()


def without_second(header: str, mark: str, other: str = "") -> Odd:
    lines = truth()
    return Odd(
        "spend.csv", marked(header, mark, other), [lines[0], *lines[2:]], f"{header} {mark}", 1
    )


@case
def a_mark_for_what_was_voided():
    return without_second("Void", "Y", "N")


@case
def a_mark_for_what_was_reversed():
    return without_second("Reversed (Y/N)", "Yes", "No")


@case
def a_mark_for_what_waits():
    return without_second("On Hold", "X")


@case
def the_day_of_a_cancellation():
    return without_second("Cancelled Date", "14/04/2023")


@case
def what_was_not_paid():
    return without_second("Paid", "No", "Yes")


@case
def what_was_not_to_be_published():
    told = "Marked under 'Publish? Y/N' as not to be published, and counted because it was: 1 row (£48,120)."
    return Odd("spend.csv", marked("Publish? Y/N", "N", "Y"), truth(), told)


@case
def what_was_to_be_left_out():
    told = "Marked under 'Exclude' as not to be published, and counted because it was: 1 row (£48,120)."
    return Odd("spend.csv", marked("Exclude", "Y", ""), truth(), told)


# ---- amounts -----------------------------------------------------------------------------------


def taxed(*heads: str) -> Odd:
    """Net, tax and gross under the given names; the first is the net one."""
    rows = template()
    rows[0][7:] = heads
    for row, p in zip(rows[1:], PAID, strict=True):
        row[7:] = [money(p[5]), money(p[5] // 5), money(p[5] + p[5] // 5)]
    return Odd("spend.csv", text(rows).encode(), truth(), "net comes before gross")


@case
def goods_tax_and_total():
    return taxed("Goods", "VAT", "Total")


@case
def lines_net_and_gross():
    return taxed("Line Net", "Line VAT", "Line Gross")


@case
def sums_of_a_pivot_net_and_gross():
    return taxed("Sum of Net", "Sum of VAT", "Sum of Gross")


@case
def goods_and_the_value_of_the_invoice():
    return taxed("Goods Value", "VAT Value", "Invoice Value")


def credits_by(header: str, credit: str, invoice: str) -> Odd:
    """No amount has a sign; a column says which are credit notes."""
    rows = template(amount=lambda p: money(abs(p)))
    rows[0].append(header)
    for row, p in zip(rows[1:], PAID, strict=True):
        row.append(credit if p[5] < 0 else invoice)
    return Odd("spend.csv", text(rows).encode(), truth(), "were read as negative")


@case
def credits_of_a_type_of_invoice():
    return credits_by("Invoice Type", "CREDIT", "STANDARD")


@case
def credits_by_the_letters_of_a_ledger():
    return credits_by("Type", "PC", "PI")


@case
def credits_by_the_letters_of_another_ledger():
    return credits_by("Document Type", "KG", "KR")


# ---- files of credit notes ---------------------------------------------------------------------


@case
def a_file_of_credit_notes():
    rows = template(amount=lambda p: money(-abs(p)))
    lines = [(*told[:3], -abs(told[3]), *told[4:]) for told in truth()]
    return Odd("April 2023 credit notes.csv", text(rows).encode(), lines)


@case
def a_file_of_credit_notes_without_signs():
    rows = template(amount=lambda p: money(abs(p)))
    return Odd(
        "Credit notes April 2023.csv", text(rows).encode(), None, "no amount of it has a sign"
    )


@case
def payments_less_credit_notes():
    rows = template(amount=lambda p: money(-p))
    return Odd("Payments less credit notes.csv", text(rows).encode(), truth(), "turned")


# ---- what stands around dates and amounts ------------------------------------------------------


def dated(write) -> Odd:
    return Odd("spend.csv", text(template(day=write)).encode(), truth())


@case
def dates_of_weeks():
    return dated(lambda d: f"w/e {d:%d/%m/%Y}")


@case
def dates_that_say_how_it_was_paid():
    return dated(lambda d: f"{d:%d/%m/%Y} - CHAPS payment")


@case
def dates_parted_by_long_dashes():
    return dated(lambda d: f"{d:%d–%b–%y}")


@case
def dates_with_stops_and_brackets():
    return dated(lambda d: f"({d:%d/%m/%Y})" if d.day < 10 else f"{d:%d//%m//%Y}.")


@case
def dates_of_a_database_with_the_name_of_the_month():
    return dated(lambda d: f"{d:%Y-%b-%d}" if d.day < 20 else f"{d:%b-%d-%Y}")


def amounted(write) -> Odd:
    return Odd("spend.csv", text(template(amount=write)).encode(), truth())


@case
def letters_for_a_credit_before_it():
    return amounted(lambda p: money(p) if p >= 0 else f"CR {money(-p)}")


@case
def other_brackets_around_credits():
    return amounted(lambda p: money(p) if p >= 0 else f"[{money(-p)}]")


@case
def marks_of_footnotes_after_amounts():
    return amounted(
        lambda p: money(p) + ("*" if p > 20_000_000 else " (1)" if p > 8_000_000 else "")
    )


@case
def amounts_that_say_what_is_in_them():
    return amounted(lambda p: f"£{money(p)} inc. VAT")


@case
def formulas_of_one_number():
    return amounted(lambda p: f"={p / 100:.2f}")


@case
def quoted_twice():
    return amounted(lambda p: f'"{money(p)}"')


@case
def half_a_bracket_of_another_kind_is_no_amount():
    rows = template(amount=lambda p: money(p) if p >= 0 else f"[{money(-p)}")
    lines = truth()
    return Odd("spend.csv", text(rows).encode(), [*lines[:6], *lines[7:]], "is no number", 1)


# ---- months of a financial year ----------------------------------------------------------------


def of_month(shown: str, header: str = "Period", **more) -> Odd:
    rows = template(day=lambda d: shown)
    rows[0][2] = header
    return Odd("spend.csv", text(rows).encode(), truth(day=None, **more), "Months were taken from")


@case
def second_month_of_two_years():
    return of_month("M02 23/24", month=5)


@case
def second_month_of_two_years_under_date():
    return of_month("M02 2023-24", "Date", month=5)


@case
def tenth_period_of_a_financial_year():
    return of_month("FY24 P10", month=1, year=2024)


@case
def years_before_their_month():
    return of_month("2023/24 Month 12", "Month", month=3, year=2024)


@case
def a_named_month_of_two_years():
    return of_month("Feb 2023/24", month=2, year=2024)


@case
def days_that_look_like_months_of_two_years():
    return Odd(
        "spend.csv",
        text(template(day=lambda d: f"{d:%d/%m/%y}", month=12, year=2013)).encode(),
        truth(month=12, year=2013),
    )


# ---- letters under another code page -----------------------------------------------------------


def named(name: str, write) -> Odd:
    """The template with another name for the first supplier, its text made bytes by ``write``."""
    rows = template()
    rows[1][5] = name
    lines = truth()
    return Odd("spend.csv", write(text(rows)), [(*lines[0][:2], name, *lines[0][3:]), *lines[1:]])


@case
def letters_of_an_old_mac():
    return named("Médical Garth’s Ltd", lambda t: t.encode("mac_roman"))


@case
def letters_of_dos():
    return named("Médical Ltd", lambda t: t.encode("cp850"))


@case
def capitals_and_dashes_of_windows():
    return named("MÉDICAL–Sûreté d’Été Ltd", lambda t: t.encode("cp1252"))


@case
def letters_encoded_twice():
    return named("Médical O’Brien – Ltd", lambda t: t.encode().decode("cp1252").encode())


@case
def letters_encoded_once_that_stand_together():
    return named("Pâtéà “Été” Ltd", lambda t: t.encode())


# ---- sheets, and what stands beside a table ----------------------------------------------------


def by_month() -> dict[str, list[list]]:
    return {"April": real_dates(4), "May": real_dates(5), "June": real_dates(6)}


@case
def an_extract_of_some_suppliers_beside_the_months():
    sheets = by_month()
    some = [row for rows in sheets.values() for row in rows[1:] if "Tarn" in row[5]]
    sheets["IT"] = [sheets["April"][0], *some]
    lines = [line(p, month=month) for month in (4, 5, 6) for p in PAID]
    says = "Sheet 'IT' repeats payments of the other sheets"
    return Odd("Spend 2023-24.xlsx", workbook(sheets), lines, says)


@case
def payments_on_a_sheet_called_income():
    says = "its columns are those of payments to suppliers"
    return Odd("April 2023.xlsx", workbook({"Income": real_dates()}), truth(), says)


@case
def income_on_a_sheet_called_income():
    rows = real_dates()
    rows[0][5] = "Customer"
    return Odd("April 2023.xlsx", workbook({"Income": rows}), None, "money received")


@case
def a_note_beside_the_table():
    rows = [
        [*row, "", "Amounts include VAT" if at == 2 else ""] for at, row in enumerate(template())
    ]
    return Odd("spend.csv", text(rows).encode(), truth())


@case
def spend_to_date_beside_spend_in_the_month():
    rows = template()
    rows[0][7:] = ["Contract Value", "Spend to date", "Spend in month"]
    for row, p in zip(rows[1:], PAID, strict=True):
        row[7:] = [money(30 * p[5]), money(3 * p[5]), money(p[5])]
    return Odd("spend.csv", text(rows).encode(), truth())


# ---- periods in the names of files -------------------------------------------------------------


def undated(name: str, month: int = 5) -> Odd:
    rows = [[*row[:2], *row[3:]] for row in template()]
    return Odd(name, text(rows).encode(), truth(day=None, month=month))


@case
def a_month_of_two_years_in_the_name():
    return undated("Spend over 25k M02 23-24.csv")


@case
def a_month_spelt_as_such_in_the_name():
    return undated("Spend Month 2 2023-24.csv")


@case
def a_period_of_the_year_that_ends_in_the_name():
    return undated("Spend FY24 P02.csv")


@case
def a_month_run_together_with_the_name():
    return undated("Over25kMay23.csv")


@case
def a_file_of_credits_over_the_threshold():
    rows = template(amount=lambda p: money(-abs(p)))
    lines = [(*told[:3], -abs(told[3]), *told[4:]) for told in truth()]
    return Odd("Spend over 25k April 2023 credits.csv", text(rows).encode(), lines)


# ---- amounts in several cells, or printed several times ----------------------------------------


def in_pounds_and_pence(names: tuple[str, str], pounds: str = "{:,}", pence: str = "{:02d}") -> Odd:
    """The template with its amount in two columns; one amount is a credit."""
    rows = template()
    rows[0][-1:] = names
    for row, paid in zip(rows[1:], PAID, strict=True):
        whole, rest = divmod(abs(paid[5]), 100)
        sign = "-" if paid[5] < 0 else ""
        row[-1:] = [sign + pounds.format(whole), pence.format(rest)]
    return Odd("spend.csv", text(rows).encode(), truth(), "Pence stand in a column of their own")


@case
def pounds_and_pence():
    return in_pounds_and_pence(("Pounds", "Pence"))


@case
def pounds_and_pence_under_their_signs():
    return in_pounds_and_pence(("£", "p"), pence="{}")


@case
def pence_in_a_column_without_a_name():
    return in_pounds_and_pence(("Amount", ""), pounds="£{}")


@case
def numbers_of_lines_beside_whole_pounds_are_no_pence():
    rows = template(amount=lambda pence: f"{pence // 100:,}")
    rows[0].append("")
    for at, row in enumerate(rows[1:], 11):
        row.append(str(at))
    lines = [line((*p[:5], p[5] // 100 * 100)) for p in PAID]
    return Odd("spend.csv", text(rows).encode(), lines)


def paid_in_lines(name: str, whole: str) -> bytes:
    """The template with every payment over £50,000 on two lines, its whole amount on each."""
    rows = template(head=(*HEAD[:-1], name, whole))
    found = rows[:1]
    for row, paid in zip(rows[1:], PAID, strict=True):
        own = [paid[5]] if paid[5] < 5_000_000 else [paid[5] // 3, paid[5] - paid[5] // 3]
        found += [[*row[:-1], money(pence), money(paid[5])] for pence in own]
    return text(found).encode()


def lines_of_payments() -> list:
    """The truth about :func:`paid_in_lines`."""
    found = []
    for p in PAID:
        own = [p[5]] if p[5] < 5_000_000 else [p[5] // 3, p[5] - p[5] // 3]
        found += [line((*p[:5], pence)) for pence in own]
    return found


@case
def a_payment_printed_on_each_of_its_lines():
    data = paid_in_lines("Invoice Line Amount", "Payment Amount")
    return Odd("spend.csv", data, lines_of_payments(), "printed on each")


@case
def a_total_printed_on_each_of_its_lines():
    data = paid_in_lines("Analysis Value", "Amount Paid")
    return Odd("spend.csv", data, lines_of_payments(), "printed on each")


# ---- marks that say the same as above ----------------------------------------------------------


def with_dittos(mark: str) -> Odd:
    """The template sorted by supplier, with a mark where date, area or supplier is that above."""
    paid = sorted(PAID, key=lambda p: (p[1], p[0]))
    rows = template(paid=paid)
    found = rows[:2]
    for above, row in pairwise(rows[1:]):
        found.append([mark if i in (2, 4, 5) and row[i] == above[i] else row[i] for i in range(8)])
    return Odd("spend.csv", text(found).encode(), [line(p) for p in paid], "say ditto")


@case
def ditto_as_a_mark():
    return with_dittos('"')


@case
def ditto_between_dashes():
    return with_dittos('-"-')


@case
def ditto_as_a_word():
    return with_dittos("Ditto")


@case
def ditto_cut_short():
    return with_dittos("do.")


@case
def ditto_in_words():
    return with_dittos("as above")


@case
def marks_in_most_cells_of_a_column():
    paid = [(*p[:2], *PAID[0][2:4], *p[4:]) for p in PAID]
    rows = template(paid=paid)
    for row in rows[2:]:
        row[3] = row[4] = '"'
    rows[3][5] = '"'  # the supplier above is its own
    return Odd("spend.csv", text(rows).encode(), [line(p) for p in paid], "say ditto")


@case
def a_mark_below_a_total_or_below_nothing_says_nothing():
    rows = template()
    total = ["", "", "", "", "", "Total", "", money(TOTAL)]
    data = text(
        [
            rows[0],
            [*rows[1][:5], '"', *rows[1][6:]],
            *rows[2:],
            total,
            [*rows[1][:5], '"', "9", "30,000.00"],
        ]
    )
    return Odd("spend.csv", data.encode(), truth()[1:], "names no supplier", 2)


# ---- amounts and dates in doubt ----------------------------------------------------------------


@case
def amounts_rounded_by_a_spreadsheet_program():
    rows = template()
    rows[2][-1] = "4.81E+04"
    lines = truth()
    lines[1] = (*lines[1][:3], 48_100.0, *lines[1][4:])
    return Odd(
        "spend.csv", text(rows).encode(), lines, "1 amount such as 4.81E+04 may have been rounded"
    )


@case
def a_year_mistyped_in_a_file_of_one_month():
    rows = template()
    rows[2][2] = "04/04/2022"
    lines = truth()
    lines[1] = line(PAID[1], year=2022)
    said = "1 payment of April 2022 in a file of April 2023: a year may be mistyped"
    return Odd("Spend April 2023.csv", text(rows).encode(), lines, said)


@case
def amounts_in_pence_though_nothing_says_so():
    lines = [(*told[:3], told[3] * 100, *told[4:]) for told in truth()]
    data = text(template(amount=str)).encode()
    return Odd("spend.csv", data, lines, "its amounts may be in pence")


@case
def numbers_of_months_of_which_the_year_does_not_tell_the_first():
    rows = template(day=lambda _: "1")
    rows[0][2] = "Month"
    return Odd("spend 2023-24.csv", text(rows).encode(), None, "Head the column 'Financial period'")


def around_the_new_year(name: str) -> Odd:
    """Days without a year, in December and January."""
    rows = template(day=lambda d: f"{d:%d-%b}".replace("Apr", "Dec" if d.day < 15 else "Jan"))
    lines = [line(p, month=12 if p[0] < 15 else 1, year=2023 if p[0] < 15 else 2024) for p in PAID]
    return Odd(name, text(rows).encode(), lines)


@case
def days_without_a_year_in_a_range_of_months_over_the_new_year():
    return around_the_new_year("Spend over 25k Dec 23 - Jan 24.csv")


@case
def days_without_a_year_in_a_range_of_months_with_whole_years():
    return around_the_new_year("Spend December 2023 to January 2024.csv")


@case
def a_header_without_a_row_below_it():
    return Odd("Spend April 2023.csv", text(template()[:1]).encode(), None, "no rows below it")


@case
def a_title_and_a_header_without_a_row_below_them():
    rows = [["Payments over £25,000, April 2023"], [], *template()[:1]]
    return Odd("Spend April 2023.csv", text(rows).encode(), None, "no rows below it")


# ---- what was tried last: signs in their own cells, units under the header, commas not quoted ----


def beside(head: str, write, **more) -> Odd:
    rows = template(amount=lambda p: f"{abs(p) / 100:,.2f}")
    own = [[*r[:-1], cell, r[-1]] for r, cell in zip(rows, [head, *map(write, PAID)], strict=True)]
    return Odd("April 2023.csv", text(own).encode(), truth(), **more)


@case
def pounds_signs_in_a_column_of_their_own_some_with_a_minus():
    return beside("", lambda p: "-£" if p[5] < 0 else "£", says="in the cell before them")


@case
def credits_called_by_one_letter_beside_invoices():
    return beside("Doc Type", lambda p: "C" if p[5] < 0 else "I", says="beside a credit note")


@case
def credits_called_memos_in_short():
    return beside("Doc Type", lambda p: "CM" if p[5] < 0 else "STD", says="beside a credit note")


@case
def amounts_behind_stars():
    return amounted(lambda p: f"***{money(p)}")


@case
def thousands_in_a_row_under_the_header():
    rows = template(amount=lambda p: f"{p / 100_000:.1f}")
    rows.insert(1, [""] * 7 + ["£'000"])
    return Odd(
        "April 2023.csv", text(rows).encode(), None, "says that the amounts are in thousands"
    )


@case
def thousands_in_a_note_below():
    rows = [*template(amount=lambda p: f"{p / 100_000:.1f}"), [], ["Note: all amounts in £000"]]
    return Odd(
        "April 2023.csv", text(rows).encode(), None, "says that the amounts are in thousands"
    )


@case
def a_note_below_about_thousands_where_the_amounts_are_pounds():
    rows = [*template(), [], ["Payments to suppliers below £25k are published in £000 elsewhere"]]
    return Odd("April 2023.csv", text(rows).encode(), truth(), "they were read as pounds")


@case
def commas_between_thousands_that_nobody_quoted():
    rows = ["Date,Supplier,Expense Type,Amount,,"]
    rows += [f"{p[0]:02d}/04/2023,{p[1]},{p[2]},{money(p[5])},," for p in PAID]
    data = "\r\n".join(rows).encode()
    return Odd("April 2023.csv", data, None, "the commas in its amounts are not in quotation marks")


@case
def a_sheet_of_all_months_in_whole_pounds_beside_the_months():
    months = [real_dates(month) for month in (4, 5)]
    whole = [[*row[:-1], round(row[-1])] for rows in months for row in rows[1:]]
    sheets = {"April 2023": months[0], "May 2023": months[1], "All": [months[0][0], *whole]}
    lines = [line(p, month=month) for month in (4, 5) for p in PAID]
    return Odd("Spend.xlsx", workbook(sheets), lines, "Sheet 'All' repeats payments")


@case
def days_counted_from_1904_in_a_file_of_one_month():
    from datetime import date

    rows = template(day=lambda d: str((d - date(1904, 1, 1)).days))
    early = [(date(2019, 4, p[0] - 1), date(2019, 4, 1)) for p in PAID]
    lines = [(*e, *known[2:]) for e, known in zip(early, truth(), strict=True)]
    return Odd("April 2023.csv", text(rows).encode(), lines, "four years earlier")


def in_months_with(*totals: str) -> Odd:
    """Two months, each with its sum below it, dated on its last day and called so."""
    rows, lines = template()[:1], []
    for month, called in zip((4, 5), totals, strict=True):
        rows += template(month=month)[1:]
        rows.append(["", "", f"28/{month:02d}/2023", "", "", called, "", money(TOTAL)])
        lines += [line(p, month=month) for p in PAID]
    return Odd("Spend 2023-24.csv", text(rows).encode(), lines)


@case
def dated_sums_of_each_month_called_total_for_month():
    return in_months_with("Total for month", "Total for the month")


@case
def dated_sums_of_each_month_called_by_its_name():
    return in_months_with("April 2023 total", "Total May-23")


@case
def credits_in_a_column_of_their_own_beside_amounts():
    def cells(pence):
        return (money(max(pence, 0)), money(max(-pence, 0)))

    rows = [r[:-1] for r in template()]
    tails = [("Amount", "Credit Amount"), *(cells(p[5]) for p in PAID)]
    data = text([[*r, *tail] for r, tail in zip(rows, tails, strict=True)]).encode()
    return Odd("April 2023.csv", data, truth(), "less 'Credit Amount'")


@case
def invoices_and_their_lines_in_one_table():
    rows = [[*template()[0], "Record Type"]]
    for first, second in zip(PAID[::2], PAID[1::2], strict=True):
        head = template(paid=[first], amount=lambda p: money(p))[1]
        rows.append([*head[:-1], money(first[5] + second[5]), "H"])
        rows += [[*r, "D"] for r in template(paid=[first, second])[1:]]
    data = text(rows).encode()
    return Odd("April 2023.csv", data, None, "are the sums of the rows below them")
