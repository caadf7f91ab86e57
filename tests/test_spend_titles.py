"""What stands above a table, and codes beside it, say whose payments they are and of which month."""

from __future__ import annotations

from datetime import date

import pytest

from pipeline.ingest.payments.identity import code_of_entity
from pipeline.ingest.spend.reader import SpendInput, read_spend
from pipeline.ingest.tabular.vocabulary import normalise, role_of

ROWS = "".join(
    f"{supplier},Computer Software,I.T. Department,{25_000 + 37 * n}.50\n"
    for n, supplier in enumerate(["Larch Systems Ltd", "Birch Cloud Plc", "Rowan Data Ltd"] * 5)
)
HEADER = "Supplier,Expense type,Expense area,Amount\n"


def read(text: str, name: str = "spend.csv"):
    path = f"spend_over_25k/unknown/{name}"
    batch = read_spend([SpendInput(path, text.encode)])
    return batch.lines, batch.reports[path]


def test_the_month_of_a_table_without_dates_is_the_one_its_title_names():
    lines, report = read(
        f"Pellow NHS Foundation Trust\nPayments over £25k - September 2025\n\n{HEADER}{ROWS}"
    )
    assert lines["month"].unique().to_list() == [date(2025, 9, 1)]
    assert lines["entity"].unique().to_list() == ["Pellow NHS Foundation Trust"]
    assert "The month was taken from the title above the table." in report.sheets[0].notes


@pytest.mark.parametrize(
    "title",
    [
        "Payments over £25k",
        "Report printed on 3 September 2025",
        "Payments of August and September 2025",
        "Payments of September",
    ],
)
def test_a_title_that_names_no_month_of_payment_is_not_asked(title):
    lines, report = read(f"{title}\n{HEADER}{ROWS}")
    assert lines.is_empty()
    assert "no date" in (report.reason or "")


def test_the_name_of_the_file_is_believed_before_the_title():
    lines, _ = read(f"Payments over £25k - September 2025\n{HEADER}{ROWS}", "spend May 2024.csv")
    assert lines["month"].unique().to_list() == [date(2024, 5, 1)]


def test_dates_are_believed_before_the_title():
    body = ROWS.replace("I.T. Department", "23/05/2024")
    lines, _ = read(
        f"Payments over £25k - September 2025\n{HEADER.replace('Expense area', 'Date')}{body}"
    )
    assert lines["month"].unique().to_list() == [date(2024, 5, 1)]


def test_a_column_of_organisations_is_believed_before_the_title():
    body = "".join(f"Ashmere NHS Trust,{row}\n" for row in ROWS.splitlines())
    lines, _ = read(f"Shared by Pellow NHS Trust\nEntity,{HEADER}{body}", "May 2024.csv")
    assert lines["entity"].unique().to_list() == ["Ashmere NHS Trust"]


def test_a_column_of_codes_says_whose_payments_they_are():
    body = "".join(
        f"RZ1,2024-05-{n + 1:02d}T00:00:00Z,{row}\n" for n, row in enumerate(ROWS.splitlines())
    )
    lines, report = read(
        f"organisationCode,paymentDateTime,supplierName,expenseType,expenseArea,netAmountGBP\n{body}"
    )
    assert lines["entity"].unique().to_list() == ["RZ1"]
    assert lines["amount_gbp"].sum() == sum(25_000.5 + 37 * n for n in range(15))
    assert report.sheets[0].columns["organisation_code"] == "organisationCode"


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("grossAmountGBP", "gross amount gbp"),
        ("VATAmount", "vat amount"),
        ("ExpenseType", "expense type"),
        ("AMOUNT", "amount"),
        ("Supplier McName", "supplier mcname"),
        ("NetAmount ", "net amount"),
    ],
)
def test_headers_as_programs_write_them_are_cut_into_words(header, words):
    assert normalise(header) == words


def test_net_and_gross_are_told_apart_however_they_are_written():
    assert role_of("netAmountGBP") == role_of("Net Amount GBP")
    assert role_of("vatAmount") == role_of("VAT amount")


class Known:
    """A register of one organisation."""

    def code_known(self, code: str) -> bool:
        return code.upper() == "RZ1"

    def match(self, name: str) -> str | None:
        return "RZ1" if name.casefold() == "pellow nhs trust" else None

    def by_initials(self, letters: str) -> list[str]:
        return []

    def guesses(self, name: str, n: int = 3) -> list[tuple[str, str, float]]:
        return []


@pytest.mark.parametrize(
    ("title", "code"),
    [
        ("Payments over £25k - Pellow NHS Trust - May 2025", "RZ1"),
        ("Pellow NHS Trust", "RZ1"),
        ("NHS payments over £25k, May 2025", None),
    ],
)
def test_the_organisation_is_found_among_the_words_of_a_title(title, code):
    assert code_of_entity(title, Known()) == code
