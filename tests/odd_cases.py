"""The cases of ``odd_files``: about one file for each habit of a publisher."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from ingest_files import workbook
from odd_files import (
    HEAD,
    PAID,
    Odd,
    line,
    money,
    ods,
    short,
    template,
    text,
    truth,
    zipped,
)

CASES: dict[str, Callable[[], Odd]] = {}


def case(make: Callable[[], Odd]) -> Callable[[], Odd]:
    CASES[make.__name__] = make
    return make


def both(d, p, *, amount=money):
    """Date, supplier, type, area, reference, amount: the plainest table."""
    return (f"{d:%d/%m/%Y}", p[1], p[2], p[3], p[4], amount(p[5]))


PLAIN = ("Date", "Supplier", "Expense Type", "Expense Area", "Transaction Number", "Amount")


def plain(day=None, amount=money, **more):
    day = day or (lambda d: f"{d:%d/%m/%Y}")
    return short(PLAIN, lambda d, p: (day(d), *both(d, p, amount=amount)[1:]), **more)


# ---- dates -------------------------------------------------------------------------------------


@case
def midnight_times():
    return Odd("spend.csv", text(plain(lambda d: f"{d:%d/%m/%Y} 00:00:00")).encode(), truth())


@case
def midnight_without_seconds_american_clock():
    return Odd(
        "spend.csv",
        text(plain(lambda d: f"{d.month}/{d.day}/{d.year} 12:00:00 AM")).encode(),
        truth(),
    )


@case
def iso_with_t():
    return Odd("spend.csv", text(plain(lambda d: f"{d:%Y-%m-%d}T00:00:00")).encode(), truth())


@case
def iso_with_t_and_zone():
    return Odd("spend.csv", text(plain(lambda d: f"{d:%Y-%m-%d}T00:00:00.000Z")).encode(), truth())


@case
def iso_with_offset():
    return Odd("spend.csv", text(plain(lambda d: f"{d:%Y-%m-%d} 00:00:00+00:00")).encode(), truth())


@case
def serial_numbers():
    return Odd(
        "spend.csv", text(plain(lambda d: str((d - date(1899, 12, 30)).days))).encode(), truth()
    )


@case
def short_months():
    return Odd("spend.csv", text(plain(lambda d: f"{d:%b-%y}")).encode(), truth(day=None))


@case
def spelt_months():
    return Odd("spend.csv", text(plain(lambda d: f"{d:%B %Y}")).encode(), truth(day=None))


@case
def compact_dates():
    return Odd("spend.csv", text(plain(lambda d: f"{d:%Y%m%d}")).encode(), truth())


@case
def compact_dates_day_first():
    return Odd("spend.csv", text(plain(lambda d: f"{d:%d%m%Y}")).encode(), truth())


@case
def dots_and_two_digit_years():
    return Odd("spend.csv", text(plain(lambda d: f"{d.day}.{d.month}.{d:%y}")).encode(), truth())


@case
def american_order():
    return Odd("spend.csv", text(plain(lambda d: f"{d.month}/{d.day}/{d.year}")).encode(), truth())


@case
def weekday_and_month_spelt():
    return Odd("spend.csv", text(plain(lambda d: f"{d:%A, %d %B %Y}")).encode(), truth())


@case
def run_together():
    return Odd("spend.csv", text(plain(lambda d: f"{d:%d%b%Y}".upper())).encode(), truth())


@case
def ordinal_days():
    def day(d):
        end = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd"}.get(d.day, "th")
        return f"{d.day}{end} of {d:%B %Y}"

    return Odd("spend.csv", text(plain(day)).encode(), truth())


@case
def backslashes():
    return Odd("spend.csv", text(plain(lambda d: f"{d:%d}\\{d:%m}\\{d:%Y}")).encode(), truth())


@case
def day_and_month_without_year():
    return Odd(
        "Spend over 25k April 2023.csv", text(plain(lambda d: f"{d:%d-%b}")).encode(), truth()
    )


@case
def day_and_month_without_year_anywhere():
    return Odd("spend.csv", text(plain(lambda d: f"{d:%d-%b}")).encode(), None, says="date")


@case
def month_and_day_look_like_years():
    # Apr-03, Apr-18: days of April as a spreadsheet shows them, not Aprils of 2003 and 2018.
    return Odd("Spend April 2023.csv", text(plain(lambda d: f"{d:%b-%d}")).encode(), truth())


@case
def month_and_day_without_a_year_anywhere():
    return Odd("spend.csv", text(plain(lambda d: f"{d:%b-%d}")).encode(), None, says="has no year")


@case
def day_and_month_in_a_file_for_the_year():
    return Odd("Spend 2023-24.csv", text(plain(lambda d: f"{d:%d %b}")).encode(), truth())


@case
def apostrophes_before_dates():
    return Odd("spend.csv", text(plain(lambda d: f"'{d:%d/%m/%Y}")).encode(), truth())


@case
def quarter_names_only():
    return Odd("spend.csv", text(plain(lambda d: "Q1 2023/24")).encode(), None, says="date")


@case
def spaces_around_slashes():
    return Odd("spend.csv", text(plain(lambda d: f"{d:%d} / {d:%m} / {d:%Y}")).encode(), truth())


@case
def early_days_with_month_in_iso_name():
    few = [p for p in PAID if p[0] <= 12]
    rows = [PLAIN, *(both(date(2023, 4, p[0]), p) for p in few)]
    return Odd("2023-04 spend over 25k.csv", text(rows).encode(), [line(p) for p in few])


@case
def early_days_and_nothing_that_tells():
    few = [(d, *p[1:]) for d, p in zip((3, 4, 5, 6, 7, 8), PAID, strict=False)]
    rows = [
        PLAIN,
        *(both(date(2023, m, p[0]), p) for m, p in zip((4, 5, 6, 7, 8, 9), few, strict=True)),
    ]
    return Odd("spend.csv", text(rows).encode(), None, says="day first or month first")


@case
def a_date_mistyped_into_the_far_future():
    rows = plain()
    rows[3][0] = "04/04/2203"
    return Odd(
        "spend.csv", text(rows).encode(), [x for i, x in enumerate(truth()) if i != 2], rejected=1
    )


@case
def the_thirty_first_of_april():
    rows = plain()
    rows[3][0] = "31/04/2023"
    return Odd(
        "spend.csv", text(rows).encode(), [x for i, x in enumerate(truth()) if i != 2], rejected=1
    )


@case
def periods_and_years():
    rows = short(
        ("Financial Year", "Period", *PLAIN[1:]), lambda d, p: ("2023/24", "M01", *both(d, p)[1:])
    )
    return Odd("spend.csv", text(rows).encode(), truth(day=None))


@case
def six_digit_months_only():
    rows = short(("Month", *PLAIN[1:]), lambda d, p: ("202304", *both(d, p)[1:]))
    return Odd("spend.csv", text(rows).encode(), truth(day=None))


# ---- amounts -----------------------------------------------------------------------------------


def amounts(name: str, write, **more):
    def make() -> Odd:
        return Odd("April 2023.csv", text(plain(amount=write)).encode(), truth(), **more)

    CASES[name] = make


def european(p):
    return f"{p / 100:,.2f}".translate(str.maketrans(",.", ".,"))


amounts("pound_and_thousands", lambda p: f"£{p / 100:,.2f}" if p > 0 else f"-£{-p / 100:,.2f}")
amounts("brackets_outside_pound", lambda p: f"£{p / 100:,.2f}" if p > 0 else f"(£{-p / 100:,.2f})")
amounts("brackets_inside_pound", lambda p: f"£{p / 100:,.2f}" if p > 0 else f"£({-p / 100:,.2f})")
amounts("brackets_and_minus", lambda p: money(p) if p > 0 else f"-({-p / 100:,.2f})")
amounts("brackets_with_blanks", lambda p: f" {money(p)} " if p > 0 else f" ( {-p / 100:,.2f} ) ")
amounts("minus_behind", lambda p: f"{abs(p) / 100:.2f}" + "-" * (p < 0))
amounts("minus_apart", lambda p: money(p) if p > 0 else f"- {-p / 100:,.2f}")
amounts("decimal_commas", european)
amounts("blanks_between_thousands", lambda p: money(p).replace(",", " "))
amounts("narrow_blanks", lambda p: money(p).replace(",", "\u202f"))
amounts("cr_behind", lambda p: f"{abs(p) / 100:,.2f}" + ("CR" if p < 0 else ""))
amounts("cr_and_dr_apart", lambda p: f"{abs(p) / 100:,.2f}" + (" CR" if p < 0 else " DR"))
amounts("gbp_before", lambda p: f"GBP {money(p)}")
amounts("gbp_behind", lambda p: f"{money(p)} GBP")
amounts("pound_behind", lambda p: f"{money(p)} £")
amounts("four_decimals", lambda p: f"{p / 100:.4f}")
amounts("floats_of_a_program", lambda p: repr(p / 100 + 1e-12 * (1 if p > 0 else -1)))
amounts("quoted_with_blank", lambda p: f"{money(p)} ")
amounts("commas_in_wrong_places", lambda p: f"{p / 100:.2f}"[:-6] + "," + f"{p / 100:.2f}"[-6:])
amounts("plus_signs", lambda p: f"{p / 100:+.2f}")
amounts("apostrophes_before_amounts", lambda p: f"'{p / 100:.2f}")
amounts("equals_signs", lambda p: f'="{p / 100:.2f}"')


@case
def whole_pounds_and_a_nought():
    rows = [
        *plain(amount=lambda p: f"{round(p / 100):,}"),
        ["14/04/2023", "Nil Ltd", "Rates", "Estates", "800199", "-"],
    ]
    return Odd(
        "April 2023.csv",
        text(rows).encode(),
        [
            *(line(p, pounds=float(round(p[5] / 100))) for p in PAID),
            (date(2023, 4, 14), date(2023, 4, 1), "Nil Ltd", 0.0, "Rates", "Estates"),
        ],
    )


@case
def words_among_amounts():
    rows = plain()
    rows[2][-1], rows[5][-1] = "25k", "TBC"
    return Odd(
        "April 2023.csv",
        text(rows).encode(),
        [x for i, x in enumerate(truth()) if i not in (1, 4)],
        rejected=2,
    )


@case
def net_vat_gross():
    rows = short(
        (*PLAIN[:5], "Net Amount", "VAT Amount", "Gross Amount"),
        lambda d, p: (*both(d, p), money(p[5] // 5), money(p[5] + p[5] // 5)),
    )
    return Odd("April 2023.csv", text(rows).encode(), truth(), says="Gross Amount")


@case
def gross_first_then_net():
    rows = short(
        (*PLAIN[:5], "Gross", "VAT", "Net"),
        lambda d, p: (*both(d, p)[:5], money(p[5] + p[5] // 5), money(p[5] // 5), money(p[5])),
    )
    return Odd("April 2023.csv", text(rows).encode(), truth(), says="Gross")


@case
def line_and_invoice_total():
    rows = short(
        (*PLAIN[:5], "Invoice Total", "Line Amount"),
        lambda d, p: (*both(d, p)[:5], money(p[5] * 3), money(p[5])),
    )
    return Odd("April 2023.csv", text(rows).encode(), truth(), says="Invoice Total")


@case
def amount_and_transaction_total():
    rows = short(
        (*PLAIN[:5], "Amount", "Total Transaction Amount"),
        lambda d, p: (*both(d, p), money(p[5] * 2)),
    )
    return Odd("April 2023.csv", text(rows).encode(), truth(), says="Total Transaction Amount")


@case
def amount_and_year_to_date():
    rows = short((*PLAIN, "Year to Date"), lambda d, p: (*both(d, p), money(abs(p[5]) * 4)))
    return Odd("April 2023.csv", text(rows).encode(), truth())


@case
def vat_blank_header_beside_amount():
    rows = short((*PLAIN, ""), lambda d, p: (*both(d, p), money(p[5] // 5)))
    return Odd("April 2023.csv", text(rows).encode(), truth())


@case
def invoice_net_amount_paid_amount():
    rows = short(
        (
            "Payment Date",
            "Supplier Name",
            "Nominal Description",
            "Cost Centre Description",
            "Invoice Number",
            "Invoice Gross Amount",
            "Invoice Net Amount",
        ),
        lambda d, p: (*both(d, p)[:5], money(p[5] + p[5] // 5), money(p[5])),
    )
    return Odd("April 2023.csv", text(rows).encode(), truth(), says="Invoice Gross Amount")


@case
def pence():
    rows = short((*PLAIN[:5], "Amount (pence)"), lambda d, p: (*both(d, p)[:5], str(p[5])))
    return Odd("April 2023.csv", text(rows).encode(), None, says="pence")


@case
def thousands():
    rows = short(
        (*PLAIN[:5], "Amount £000s"), lambda d, p: (*both(d, p)[:5], f"{p[5] / 100_000:.1f}")
    )
    return Odd("April 2023.csv", text(rows).encode(), None, says="thousands")


@case
def a_credit_note_marked_by_its_type():
    rows = short(
        (*PLAIN, "Invoice Type"), lambda d, p: (*both(d, p), "STANDARD" if p[5] > 0 else "CREDIT")
    )
    return Odd("April 2023.csv", text(rows).encode(), truth())


# ---- bytes -------------------------------------------------------------------------------------


@case
def utf16_with_tabs():
    return Odd("spend.txt", b"\xff\xfe" + text(plain(), "\t").encode("utf-16-le"), truth())


@case
def utf16_big_end_first():
    return Odd("spend.csv", b"\xfe\xff" + text(plain()).encode("utf-16-be"), truth())


@case
def utf16_without_mark():
    return Odd("spend.csv", text(plain()).encode("utf-16-le"), truth())


@case
def mark_and_pounds():
    rows = plain(amount=lambda p: f"£{p / 100:,.2f}")
    return Odd("spend.csv", text(rows).encode("utf-8-sig"), truth())


@case
def windows_letters():
    rows = plain(amount=lambda p: f"£{p / 100:,.2f}")
    rows[1][1] = "Müller’s Medical Ltd"
    return Odd(
        "spend.csv",
        text(rows).encode("cp1252"),
        [line(PAID[0], supplier="Müller’s Medical Ltd"), *truth()[1:]],
    )


@case
def bars():
    return Odd("spend.txt", text(plain(), "|").encode(), truth())


@case
def carets():
    return Odd("spend.txt", text(plain(), "^").encode(), None)


@case
def tildes():
    return Odd("spend.csv", text(plain(amount=lambda p: f"{p / 100:.2f}"), "~").encode(), None)


@case
def semicolons_and_decimal_commas():
    return Odd("spend.csv", text(plain(amount=european), ";").encode(), truth())


@case
def first_line_names_the_delimiter():
    return Odd("spend.csv", ("sep=;\r\n" + text(plain(), ";")).encode(), truth())


@case
def every_line_in_quotes():
    lines = text(plain()).splitlines()
    whole = "\r\n".join('"' + x.replace('"', '""') + '"' for x in lines)
    return Odd("spend.csv", whole.encode(), truth())


@case
def old_mac_line_ends():
    return Odd("spend.csv", text(plain()).replace("\r\n", "\r").encode(), truth())


@case
def joined_files_with_marks():
    one = "\ufeff" + text(plain())
    two = "\ufeff" + text(plain(month=5))
    return Odd("spend.csv", (one + two).encode(), truth() + truth(month=5))


@case
def end_of_file_mark():
    return Odd("spend.csv", text(plain()).encode() + b"\x1a", truth())


@case
def thousands_of_bare_commas():
    return Odd("spend.csv", text(plain()).encode() + b",,,,,\r\n" * 3000, truth())


@case
def many_empty_columns():
    rows = [[*r, *[""] * 40] for r in plain()]
    return Odd("spend.csv", text(rows).encode(), truth())


@case
def line_breaks_in_suppliers():
    rows = plain()
    rows[1][1] = "Larkspur\nMedical Ltd"
    return Odd("spend.csv", text(rows).encode(), truth())


@case
def comma_not_quoted():
    lines = text(plain(amount=lambda p: f"{p / 100:.2f}")).splitlines()
    lines[2] = lines[2].replace("Tarn Software Limited", "Tarn Software, Limited")
    return Odd(
        "spend.csv",
        "\r\n".join(lines).encode(),
        [x for i, x in enumerate(truth()) if i != 1],
        rejected=1,
    )


@case
def fixed_width():
    rows = plain()
    out = "\r\n".join("".join(f"{c:<32}" for c in r) for r in rows)
    return Odd("spend.txt", out.encode(), None, says="")


# ---- headers, titles, notes --------------------------------------------------------------------


@case
def title_block_and_notes():
    above = [
        ["Larkspur and Tarn NHS Trust"],
        ["Expenditure over £25,000 (including VAT)"],
        [],
        ["Period:", "April 2023"],
        ["Report run:", "02/05/2023 10:14"],
        [],
    ]
    below = [
        [],
        ["Notes"],
        ["1. Payments to individuals are not shown."],
        ["2. Amounts include VAT that cannot be reclaimed."],
        ["Prepared by the finance team, 02/05/2023"],
    ]
    return Odd("spend.csv", text([*above, *plain(), *below]).encode(), truth())


@case
def header_over_two_rows():
    rows = plain()
    return Odd(
        "spend.csv",
        text(
            [
                ["", "", "Expense", "Expense", "Transaction", "Amount"],
                ["Date", "Supplier", "Type", "Area", "Number", "£"],
                *rows[1:],
            ]
        ).encode(),
        truth(),
    )


@case
def grouped_header():
    rows = plain()
    return Odd(
        "spend.csv", text([["Payment", "", "Coding", "", "Invoice", ""], *rows]).encode(), truth()
    )


@case
def header_over_three_rows():
    rows = plain()
    return Odd(
        "spend.csv",
        text(
            [
                ["Payment", "Supplier", "Expense", "Expense", "Trans-", "Amount"],
                ["Date", "Name", "Type", "Area", "action", "Paid"],
                ["", "", "", "", "No", "£"],
                *rows[1:],
            ]
        ).encode(),
        truth(),
    )


@case
def header_repeated_on_pages():
    rows = plain()
    pages = [
        *rows[:5],
        ["Page 1 of 3"],
        [],
        rows[0],
        *rows[5:9],
        ["Page 2 of 3"],
        [],
        rows[0],
        *rows[9:],
        ["Page 3 of 3"],
    ]
    return Odd("spend.csv", text(pages).encode(), truth())


@case
def pages_with_titles_repeated():
    rows = plain()
    title = [
        ["Larkspur and Tarn NHS Trust"],
        ["Payments over £25,000", "", "", "", "", "April 2023"],
    ]
    pages = [*title, *rows[:5], *title, rows[0], *rows[5:9], *title, rows[0], *rows[9:]]
    return Odd("spend.csv", text(pages).encode(), truth(), rejected=2)


@case
def running_totals_on_pages():
    rows = plain()
    one = sum(p[5] for p in PAID[:4])
    pages = [
        *rows[:5],
        ["", "", "", "", "Carried forward", money(one)],
        rows[0],
        ["", "", "", "", "Brought forward", money(one)],
        *rows[5:],
        ["", "", "", "", "Total", money(sum(p[5] for p in PAID))],
    ]
    return Odd("spend.csv", text(pages).encode(), truth())


@case
def grand_total_with_label():
    rows = [*plain(), ["", "Grand Total", "", "", "", money(sum(p[5] for p in PAID))]]
    return Odd("spend.csv", text(rows).encode(), truth())


@case
def count_and_total_below():
    rows = [*plain(), ["Number of payments", "12"], ["Total value", money(sum(p[5] for p in PAID))]]
    return Odd("spend.csv", text(rows).encode(), truth(), rejected=2)


@case
def totals_by_supplier_between():
    rows = [PLAIN]
    for p in PAID:
        rows.append(both(date(2023, 4, p[0]), p))
        rows.append(("", f"{p[1]} Total", "", "", "", money(p[5])))
    return Odd("spend.csv", text(rows).encode(), truth())


@case
def misspelt_headers():
    rows = plain()
    rows[0] = ["Dte", "Suplier", "Expence Typ", "Expense Arae", "Transacton Nunber", "Ammount"]
    return Odd("spend.csv", text(rows).encode(), truth())


@case
def shouted_and_starred_headers():
    rows = plain()
    rows[0] = [
        "PAYMENT DATE *",
        "SUPPLIER **",
        "EXPENSE TYPE:",
        "EXPENSE AREA:",
        "TRANS. NO.",
        "AMOUNT (£) ***",
    ]
    return Odd("spend.csv", text(rows).encode(), truth())


@case
def headers_of_a_program():
    rows = plain()
    rows[0] = [f"Column{i + 1}" for i in range(6)]
    return Odd("spend.csv", text(rows).encode(), truth(), says="No header row", rejected=1)


@case
def headers_of_a_database():
    rows = short(
        (
            "PAYMENT_DATE",
            "VENDOR_NAME",
            "ACCOUNT_DESC",
            "COST_CENTRE_DESC",
            "INVOICE_NUM",
            "INVOICE_LINE_AMOUNT",
        ),
        lambda d, p: (f"{d:%d-%b-%Y}".upper(), *both(d, p)[1:]),
    )
    return Odd("export.csv", text(rows).encode(), truth())


@case
def camel_case_headers():
    rows = short(
        (
            "PaymentDate",
            "SupplierName",
            "ExpenseType",
            "ExpenseArea",
            "TransactionNumber",
            "AmountPaid",
        ),
        both,
    )
    return Odd("export.csv", text(rows).encode(), truth())


@case
def supplier_is_its_number():
    rows = short(
        ("Supplier", "Name", "Date", "Expense Type", "Expense Area", "Ref", "Amount"),
        lambda d, p: (str(10_000 + p[0]), p[1], f"{d:%d/%m/%Y}", p[2], p[3], p[4], money(p[5])),
    )
    return Odd("spend.csv", text(rows).encode(), truth())


@case
def codes_then_names_without_header():
    rows = short(
        ("Date", "Supplier", "Account", "", "Cost Centre", "", "Amount"),
        lambda d, p: (
            f"{d:%d/%m/%Y}",
            p[1],
            str(7_000 + p[0]),
            p[2],
            f"C{p[0]:03d}",
            p[3],
            money(p[5]),
        ),
    )
    return Odd("spend.csv", text(rows).encode(), truth())


@case
def index_of_a_program_first():
    rows = [["Unnamed: 0", *PLAIN], *([i, *r] for i, r in enumerate(plain()[1:]))]
    return Odd("spend.csv", text(rows).encode(), truth())


@case
def blank_columns_and_rows_first():
    rows = [[], [], *(["", "", *r] for r in plain())]
    return Odd("spend.csv", text(rows).encode(), truth())


@case
def blank_columns_between():
    rows = [[x for c in r for x in (c, "")] for r in plain()]
    return Odd("spend.csv", text(rows).encode(), truth())


@case
def no_header_at_all():
    return Odd("spend.csv", text(plain()[1:]).encode(), truth(), says="No header row")


@case
def three_dates():
    rows = short(
        ("Invoice Date", "Due Date", "Payment Date", *PLAIN[1:]),
        lambda d, p: ("14/02/2023", "30/06/2023", *both(d, p)),
    )
    return Odd("spend.csv", text(rows).encode(), truth())


@case
def supplier_and_its_site():
    rows = short(
        ("Date", "Supplier Site Name", "Supplier Name", *PLAIN[2:]),
        lambda d, p: (both(d, p)[0], "HEAD OFFICE LTD", *both(d, p)[1:]),
    )
    return Odd("spend.csv", text(rows).encode(), truth())


@case
def welsh_and_english():
    rows = plain()
    rows[0] = [
        "Dyddiad / Date",
        "Cyflenwr / Supplier",
        "Math o wariant / Expense Type",
        "Maes / Expense Area",
        "Rhif / Transaction Number",
        "Swm / Amount",
    ]
    return Odd("spend.csv", text(rows).encode(), truth())


@case
def redacted_suppliers():
    rows = plain()
    for i in (2, 3):
        rows[i][1] = "REDACTED - personal data"
    return Odd(
        "spend.csv",
        text(rows).encode(),
        [
            x if i not in (1, 2) else (*x[:2], "REDACTED - personal data", *x[3:])
            for i, x in enumerate(truth())
        ],
    )


@case
def two_suppliers_left_blank():
    rows = plain()
    rows[2][1] = rows[3][1] = ""
    return Odd(
        "spend.csv",
        text(rows).encode(),
        [x for i, x in enumerate(truth()) if i not in (1, 2)],
        rejected=2,
    )


# ---- several tables ----------------------------------------------------------------------------


@case
def two_tables_side_by_side():
    april, may = plain(), plain(month=5)
    return Odd(
        "spend.csv",
        text([[*a, "", *b] for a, b in zip(april, may, strict=True)]).encode(),
        None,
        says="both headed",
    )


@case
def two_tables_side_by_side_no_gap():
    april, may = plain(), plain(month=5)
    return Odd(
        "spend.csv",
        text([[*a, *b] for a, b in zip(april, may, strict=True)]).encode(),
        None,
        says="",
    )


@case
def second_table_in_another_order():
    turned = [[r[5], r[1], r[0], *r[2:5]] for r in plain(month=5)]
    return Odd(
        "spend.csv", text([*plain(), [], ["Capital"], *turned]).encode(), truth() + truth(month=5)
    )


@case
def second_table_type_and_area_exchanged():
    # The treacherous one: every cell of the second table looks right in the first table's columns.
    turned = [[r[0], r[1], r[3], r[2], *r[4:]] for r in plain(month=5)]
    return Odd(
        "spend.csv", text([*plain(), [], ["Capital"], *turned]).encode(), truth() + truth(month=5)
    )


@case
def second_table_alike():
    return Odd(
        "spend.csv",
        text([["Revenue"], *plain(), [], ["Capital"], *plain(month=5)]).encode(),
        truth() + truth(month=5),
    )


@case
def second_table_one_column_less():
    less = [[*r[:4], r[5]] for r in plain(month=5)]
    return Odd("spend.csv", text([*plain(), [], *less]).encode(), truth() + truth(month=5))


@case
def second_table_two_columns_more():
    more = [[f"Extra {i}", "x", *r] for i, r in enumerate(plain(month=5))]
    return Odd("spend.csv", text([*plain(), [], *more]).encode(), truth() + truth(month=5))


@case
def second_table_one_column_more():
    more = [[r[0], "Ref" if i == 0 else "X9", *r[1:]] for i, r in enumerate(plain(month=5))]
    return Odd("spend.csv", text([*plain(), [], *more]).encode(), truth() + truth(month=5))


# ---- workbooks ---------------------------------------------------------------------------------


@case
def year_in_one_workbook_with_pivot():
    sheets = {
        "Summary": [
            ["Larkspur and Tarn NHS Trust"],
            [],
            ["Row Labels", "Sum of Amount"],
            *([p[1], p[5] / 100] for p in PAID),
            ["Grand Total", sum(p[5] for p in PAID) / 100],
        ]
    }
    want = []
    for i in range(12):
        month, year = (i + 3) % 12 + 1, 2023 + (i >= 9)
        sheets[f"{date(year, month, 1):%b %y}"] = [
            list(r)
            for r in template(
                day=lambda d: f"{d:%d/%m/%Y}",
                amount=lambda p, i=i: p / 100 + i,
                month=month,
                year=year,
            )
        ]
        want += [line(p, month=month, year=year, pounds=p[5] / 100 + i) for p in PAID]
    return Odd("Spend 2023-24.xlsx", workbook(sheets), want)


@case
def oracle_worksheet_and_query():
    rows = short(
        (
            "PAYMENT_DATE",
            "VENDOR_NAME",
            "ACCOUNT_DESC",
            "COST_CENTRE_DESC",
            "INVOICE_NUM",
            "AMOUNT",
        ),
        lambda d, p: (f"{d:%d-%b-%Y}", p[1], p[2], p[3], p[4], p[5] / 100),
    )
    return Odd(
        "export.xlsx",
        workbook(
            {"Export Worksheet": rows, "SQL": [["select * from ap_payments where amount > 25000"]]}
        ),
        truth(),
    )


@case
def hidden_working_sheet():
    work = [[*r] for r in plain(amount=lambda p: p / 50)]
    return Odd(
        "spend.xlsx",
        workbook({"April": plain(amount=lambda p: p / 100), "workings": work}, hidden=["workings"]),
        truth(),
        says="hidden",
    )


@case
def first_sheet_is_a_cover():
    cover = [
        ["Transparency"],
        ["Payments over £25,000"],
        ["Contact", "finance@example.org"],
        ["Published", "01/05/2023"],
    ]
    return Odd(
        "spend.xlsx", workbook({"Cover": cover, "Data": plain(amount=lambda p: p / 100)}), truth()
    )


@case
def dates_as_numbers_in_a_workbook():
    rows = plain(amount=lambda p: p / 100)
    for r in rows[1:]:
        d, m, y = map(int, r[0].split("/"))
        r[0] = (date(y, m, d) - date(1899, 12, 30)).days
    return Odd("spend.xlsx", workbook({"Data": rows}), truth())


@case
def amounts_as_text_and_numbers():
    rows = plain(amount=lambda p: p / 100)
    for r in rows[1::2]:
        r[5] = f"£{r[5]:,.2f}" if r[5] > 0 else f"-£{-r[5]:,.2f}"
    return Odd("spend.xlsx", workbook({"Data": rows}), truth())


@case
def merged_suppliers():
    rows = plain(amount=lambda p: p / 100)
    rows[3][0] = rows[3][1] = ""
    return Odd(
        "spend.xlsx",
        workbook({"Data": rows}),
        [x for i, x in enumerate(truth()) if i != 2],
        rejected=1,
    )


@case
def lookup_sheet_beside():
    look = [["Code", "Description"], *([str(7000 + i), p[2]] for i, p in enumerate(PAID))]
    return Odd(
        "spend.xlsx", workbook({"Data": plain(amount=lambda p: p / 100), "Codes": look}), truth()
    )


@case
def draft_and_final():
    final = plain(amount=lambda p: p / 100)
    return Odd("spend.xlsx", workbook({"Draft": final[:9], "Final": final}), truth())


@case
def open_document():
    return Odd(
        "spend.ods",
        ods({"April": short(PLAIN, lambda d, p: (d, p[1], p[2], p[3], p[4], p[5] / 100))}),
        truth(),
    )


@case
def zip_of_months():
    return Odd(
        "spend.zip",
        zipped(
            {
                f"2023/{name}.csv": text(plain(month=m)).encode()
                for name, m in (("April 2023", 4), ("May 2023", 5))
            }
        ),
        truth() + truth(month=5),
    )


@case
def zip_with_reading_matter():
    return Odd(
        "spend.zip",
        zipped(
            {
                "README.txt": b"Payments over 25,000 pounds. Questions to finance.",
                "April 2023.csv": text(plain()).encode(),
                "licence.pdf": b"%PDF-1.4",
            }
        ),
        truth(),
    )


@case
def zip_with_a_damaged_member():
    return Odd(
        "spend.zip",
        zipped({"April 2023.csv": text(plain()).encode(), "May 2023.xlsx": b"PK\x03\x04 broken"}),
        truth(),
        says="'May 2023.xlsx' in the zip: the file is damaged",
        partly=True,
    )


# ---- ledgers and bodies ------------------------------------------------------------------------


@case
def shared_business_services():
    rows = [
        [*r, "GB123456789", f"INV{i}"]
        for i, r in enumerate(template(day=lambda d: f"{d:%d-%b-%Y}".upper()))
    ]
    rows[0] = [
        "Department family",
        "Entity",
        "Date",
        "Expense Type",
        "Expense Area",
        "Supplier",
        "Transaction Number",
        "AP Amount (£)",
        "VAT registration number",
        "Purchase invoice number",
    ]
    return Odd("CCG over 25k April 2023.csv", text(rows).encode(), truth())


@case
def integra_ledger():
    rows = short(
        (
            "Company",
            "Period",
            "Supplier Code",
            "Supplier Name",
            "Inv Date",
            "Pay Date",
            "Doc Ref",
            "Nominal",
            "Nominal Desc",
            "CC",
            "CC Desc",
            "Net",
            "VAT",
            "Gross",
        ),
        lambda d, p: (
            "01",
            "2324/01",
            f"S{p[0]:05d}",
            p[1],
            "01/03/2023",
            f"{d:%d/%m/%Y}",
            p[4],
            str(5000 + p[0]),
            p[2],
            f"{9000 + p[0]}",
            p[3],
            money(p[5]),
            money(p[5] // 5),
            money(p[5] + p[5] // 5),
        ),
    )
    return Odd("export.csv", text(rows).encode(), truth())


@case
def health_security_agency():
    head = [
        *HEAD,
        "Description",
        "Supplier Postcode",
        "Supplier Type",
        "Contract Number",
        "Project Code",
        "Expenditure Type",
    ]
    rows = [
        head,
        *(
            [*r, "Goods", "ZZ1 1ZZ", "VENDOR", "C1", "P1", "Programme"]
            for r in template(day=lambda d: f"{d:%d/%m/%Y} 00:00:00")[1:]
        ),
    ]
    return Odd("spend.csv", text(rows).encode(), truth())


@case
def ambulance_service():
    rows = short(
        ("Date Paid", "Payee", "Narrative", "£"),
        lambda d, p: (f"{d:%d-%b-%y}", p[1], p[2], money(p[5])),
    )
    return Odd("April 2023.csv", text(rows).encode(), [(*x[:4], None, None) for x in truth()])


@case
def procurement_card():
    rows = short(
        (
            "Transaction Date",
            "Merchant Name",
            "Merchant Category",
            "Cardholder Cost Centre",
            "Transaction Amount (GBP)",
        ),
        lambda d, p: (f"{d:%d/%m/%Y}", p[1], p[2], p[3], money(p[5])),
    )
    return Odd("spend.csv", text(rows).encode(), truth())


@case
def debit_and_credit():
    rows = short(
        (*PLAIN[:5], "Debit", "Credit"),
        lambda d, p: (
            *both(d, p)[:5],
            money(p[5]) if p[5] > 0 else "",
            money(-p[5]) if p[5] < 0 else "",
        ),
    )
    return Odd("spend.csv", text(rows).encode(), truth())


@case
def debit_and_credit_signed_marks():
    rows = short(
        (*PLAIN, "Dr/Cr"),
        lambda d, p: (*both(d, p)[:5], money(abs(p[5])), "DR" if p[5] > 0 else "CR"),
    )
    return Odd("spend.csv", text(rows).encode(), truth())


@case
def sign_in_its_own_column():
    rows = short(
        (*PLAIN, "Sign"), lambda d, p: (*both(d, p)[:5], money(abs(p[5])), "+" if p[5] > 0 else "-")
    )
    return Odd("spend.csv", text(rows).encode(), truth())


# ---- no table ----------------------------------------------------------------------------------


def refused(name: str, file: str, data: bytes, says: str):
    CASES[name] = lambda: Odd(file, data, None, says=says)


refused("empty", "April 2023.csv", b"", "empty")
refused("blank_lines", "April 2023.csv", b"\r\n\r\n \r\n", "empty")
refused("header_alone", "April 2023.csv", text([PLAIN]).encode(), "no rows below")
refused(
    "error_page",
    "April 2023.csv",
    b"<!DOCTYPE html><html><head><title>404</title></head><body><h1>Page not found</h1></body></html>",
    "web page",
)
refused(
    "error_page_in_words",
    "April 2023.csv",
    b"404 Not Found\nThe page you asked for is not here.",
    "",
)
refused("pdf", "April 2023.csv", b"%PDF-1.7\n1 0 obj", "PDF")
refused("pdf_after_blank", "April 2023.csv", b"\r\n%PDF-1.7\n1 0 obj", "PDF")
refused(
    "word",
    "April 2023.csv",
    zipped({"[Content_Types].xml": b"<x/>", "word/document.xml": b"<w/>"}),
    "Word",
)
refused(
    "slides",
    "April 2023.xlsx",
    zipped({"[Content_Types].xml": b"<x/>", "ppt/presentation.xml": b"<w/>"}),
    "PowerPoint",
)
refused(
    "word_97",
    "April 2023.xls",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    + b"\x00" * 600
    + "WordDocument".encode("utf-16-le")
    + b"\x00" * 600,
    "Word",
)
refused(
    "open_text",
    "April 2023.ods",
    zipped({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<x/>"}),
    "text document",
)
refused("json", "April 2023.csv", b'{"payments": []}', "JSON")
refused(
    "nil_return",
    "April 2023.csv",
    b"Larkspur and Tarn NHS Trust\r\nNo payments over 25,000 pounds were made in April 2023\r\n",
    "No payments over",
)
refused(
    "nil_return_with_header",
    "April 2023.csv",
    text([PLAIN, ["No payments over £25,000 this month"]]).encode(),
    "",
)
refused(
    "login_page",
    "April 2023.csv",
    b'<html><body><form action="/login"><input name="user"/></form></body></html>',
    "web page",
)
refused(
    "git_pointer",
    "April 2023.csv",
    b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
    "pointer",
)
refused(
    "mail",
    "April 2023.csv",
    b"From: finance@example.org\nTo: all\nSubject: spend\n\nPlease find attached.",
    "",
)
refused(
    "months_across",
    "2023-24.csv",
    text(
        [
            ["Supplier", "Expense Type", "Apr-23", "May-23", "Jun-23"],
            *([p[1], p[2], money(p[5]), money(p[5]), ""] for p in PAID),
        ]
    ).encode(),
    "months",
)
refused(
    "staff_list",
    "April 2023.csv",
    text(
        [
            ["Name", "Post", "Band", "Start"],
            *([f"Person {i}", "Nurse", "5", "01/04/2020"] for i in range(12)),
        ]
    ).encode(),
    "",
)


# ---- second look -------------------------------------------------------------------------------


@case
def pounds_and_euros():
    rows = short(
        (*PLAIN[:5], "Amount (€)", "Amount (£)"),
        lambda d, p: (*both(d, p)[:5], money(p[5] * 2), money(p[5])),
    )
    return Odd("April 2023.csv", text(rows).encode(), truth())


@case
def net_of_vat_and_with_vat():
    rows = short(
        (*PLAIN[:5], "Amount inc VAT", "Amount exc VAT"),
        lambda d, p: (*both(d, p)[:5], money(p[5] * 2), money(p[5])),
    )
    return Odd("April 2023.csv", text(rows).encode(), truth(), says="Amount inc VAT")


@case
def supplier_twice_number_and_name():
    rows = short(
        ("Date", "Supplier", "Supplier", *PLAIN[2:]),
        lambda d, p: (both(d, p)[0], str(90_000 + p[0]), *both(d, p)[1:]),
    )
    return Odd("April 2023.csv", text(rows).encode(), truth())


@case
def type_twice_code_and_name():
    rows = short(
        ("Date", "Supplier", "Expense Type", *PLAIN[2:]),
        lambda d, p: (*both(d, p)[:2], str(7_000 + p[0]), *both(d, p)[2:]),
    )
    return Odd("April 2023.csv", text(rows).encode(), truth())


@case
def total_inside_the_header():
    rows = plain()
    rows[0][-1] = "Amount (total £2,047,376.77)"
    return Odd("April 2023.csv", text(rows).encode(), truth())


@case
def subtotal_above_the_header():
    rows = [["", "", "", "", "", money(sum(p[5] for p in PAID))], *plain()]
    return Odd("April 2023.csv", text(rows).encode(), truth())


@case
def every_payment_negative():
    return Odd(
        "April 2023.csv", text(plain(amount=lambda p: money(-p))).encode(), truth(), says="negative"
    )


@case
def one_date_for_all_that_reads_both_ways():
    return Odd(
        "spend.csv",
        text(plain(lambda d: "05/04/2023")).encode(),
        None,
        says="day first or month first",
    )


@case
def date_printed_once_for_each_group():
    rows, last = [list(PLAIN)], None
    for m in (4, 5):
        for r in plain(month=m)[1:]:
            rows.append(["" if r[0] == last else r[0], *r[1:]])
            last = r[0]
    rows.append(["", "Grand Total", "", "", "", money(2 * sum(p[5] for p in PAID))])
    return Odd("spend.csv", text(rows).encode(), truth() + truth(month=5))


@case
def month_printed_once_above_its_payments():
    rows = [["Supplier", "Expense Type", "Expense Area", "Amount"]]
    for m, name in ((4, "April 2023"), (5, "May 2023")):
        rows.append([name, "", "", ""])
        rows += [[r[1], r[2], r[3], r[5]] for r in plain(month=m)[1:]]
    lines = [(None, date(2023, month, 1), *line[2:]) for month in (4, 5) for line in truth()]
    return Odd("spend.csv", text(rows).encode(), lines, "Months were taken from rows")


@case
def errors_of_a_spreadsheet():
    rows = plain()
    rows[3][-1], rows[4][-1] = "#REF!", "#N/A"
    return Odd(
        "April 2023.csv",
        text(rows).encode(),
        [x for i, x in enumerate(truth()) if i not in (2, 3)],
        rejected=2,
    )


@case
def run_name_with_its_date():
    return Odd(
        "spend.csv",
        text(plain(lambda d: f"BACS {d:%d/%m/%Y}")).encode(),
        truth(),
    )


@case
def sentence_above_that_names_columns():
    above = [
        [
            "This file lists the date, supplier, expense type, expense area and amount of payments over £25,000"
        ]
    ]
    return Odd("spend.csv", text([*above, *plain()]).encode(), truth())


@case
def lines_that_repeat_the_total_of_their_invoice():
    rows = [PLAIN]
    for p in PAID:
        for area in ("Ward 1", "Ward 2", "Ward 3"):
            rows.append((*both(date(2023, 4, p[0]), p)[:3], area, p[4], money(p[5])))
    want = [line(p, area=a) for p in PAID for a in ("Ward 1", "Ward 2", "Ward 3")]
    return Odd("spend.csv", text(rows).encode(), want)


@case
def months_on_sheets_and_days_without_months():
    return Odd(
        "Spend.xlsx",
        workbook({"Apr 2023": plain(lambda d: d.day, amount=lambda p: p / 100)}),
        truth(day=None),
    )


@case
def serial_dates_with_times():
    return Odd(
        "spend.csv",
        text(plain(lambda d: f"{(d - date(1899, 12, 30)).days}.4375")).encode(),
        truth(),
    )


@case
def filter_arrows_and_units_in_headers():
    rows = plain()
    rows[0] = [
        "Date ▼",
        "Supplier ▼",
        "Expense Type ▼",
        "Expense Area ▼",
        "Transaction Number ▼",
        "Amount £ (inc. VAT) ▼",
    ]
    return Odd("spend.csv", text(rows).encode(), truth())


@case
def supplier_address_beside():
    rows = short(
        (*PLAIN[:2], "Supplier Address", "Supplier Town", *PLAIN[2:]),
        lambda d, p: (
            *both(d, p)[:2],
            "1 High Street Industrial Services Ltd",
            "Tarn",
            *both(d, p)[2:],
        ),
    )
    return Odd("spend.csv", text(rows).encode(), truth())


@case
def paid_and_outstanding():
    rows = short(
        (*PLAIN[:5], "Invoice Amount", "Amount Outstanding", "Amount Paid"),
        lambda d, p: (*both(d, p)[:5], money(p[5] + 100), money(100), money(p[5])),
    )
    return Odd("spend.csv", text(rows).encode(), truth())


@case
def cumulative_amount():
    rows = short(
        (*PLAIN[:5], "Cumulative Amount", "Amount"),
        lambda d, p: (*both(d, p)[:5], money(abs(p[5]) * 3), money(p[5])),
    )
    return Odd("spend.csv", text(rows).encode(), truth())


@case
def budget_and_variance():
    rows = short(
        (*PLAIN[:5], "Budget", "Actual", "Variance"),
        lambda d, p: (*both(d, p)[:5], money(abs(p[5]) * 3), money(p[5]), money(p[5] // 3)),
    )
    return Odd("spend.csv", text(rows).encode(), truth())
