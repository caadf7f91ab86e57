"""The list of spend layouts: every quirk of the real files that the demonstration repeats.

Belongs here: one entry a layout. Does not belong here: how a layout is written (``layouts``).
Each entry names the habit it stands for, so that a reader that fails on it can be told what it is.
"""

from __future__ import annotations

from pipeline.demo import cells
from pipeline.demo.layout_writers import csv_writer, xlsx_writer
from pipeline.demo.layouts import Columns, Layout

_FAMILY = ("Department Family|Department family", "family")
_PREAMBLE = (
    ("{note}",),
    ("{entity}",),
    ("Payments over £25,000 – {month}",),
    (),
)

LAYOUTS: tuple[Layout, ...] = (
    # The government template, amounts with a blank behind.
    Layout(
        "template",
        ".csv",
        csv_writer(
            Columns((
                _FAMILY, ("Entity", "entity"), ("Date", "date"), ("Expense Type", "type"),
                ("Expense Area", "area"), ("Supplier", "supplier"),
                ("Transaction Number", "reference"), ("Amount|amount", "amount"),
            )),
            amount=cells.commas_blank,
        ),
        weight=3,
    ),
    # Renamed headers; plain amounts in most months, thousands separators in some.
    Layout(
        "date_paid",
        ".csv",
        csv_writer(
            Columns((
                _FAMILY, ("Entity", "entity"), ("Date Paid", "date"),
                ("Expense Type|Expense Type ", "type"), ("Expenses Area", "area"),
                ("Supplier Name", "supplier"),
                ("Transaction Reference|Their Reference", "reference"),
                ("Amount|amount", "amount"),
            )),
            amount=(cells.plain, cells.commas),
        ),
        file_name="spend over 25k {month} {year}",
        weight=3,
    ),
    # Area before type, a second reference, a labelled total row and a misspelt month.
    Layout(
        "area_first_with_sum",
        ".csv",
        csv_writer(
            Columns((
                ("Department", "family"), ("Entity", "entity"), ("Date", "date"),
                ("Expenses Area", "area"), ("Expenses Type", "type"), ("Supplier", "supplier"),
                ("Transaction Reference", "reference"), ("Their Reference", "their_reference"),
                ("Amount", "amount"),
            )),
            total="Sum:",
        ),
        file_name="{abbr} {nn} - {month} {fy}",
        weight=2,
    ),
    # Made from a PDF: American month-ends, wrapped types, rows of bare commas, no entity at times.
    Layout(
        "month_end_pdf",
        ".csv",
        csv_writer(
            Columns((
                ("Department Family", "family"), ("?Entity", "entity"), ("Date", "date"),
                ("Expense Type", "type"), ("Expense Area", "area"), ("Supplier", "supplier"),
                ("Transaction Number|Transaction number", "reference"),
                ("Amount|AP Amount|amount", "amount"),
            ), optional_rate=0.85),
            day=cells.mdy,
            bare_rows=3,
        ),
        file_name="{abbr} {fy} {nn} - {month}.pdf",
        day="month_end",
        wrapped="Computer Software/License",
        weight=2,
    ),
    # A misspelt header, year and period, d-Mon-yy, keys for names, at times a description.
    Layout(
        "financial_period",
        ".csv",
        csv_writer(
            Columns((
                _FAMILY, ("Entuty|Entity", "entity"), ("Financial Year", "financial_year"),
                ("Financial Period", "period"), ("Date", "date"), ("Expense Type", "type"),
                ("Expense Area", "area"), ("Supplier|Supplier Name", "supplier"),
                ("Transaction Number", "reference"), ("Amount", "amount"),
                ("?Description", "description"),
            )),
            day=cells.d_mon_yy,
        ),
        style="keyed",
        weight=2,
    ),
    # A byte order mark, codes before every label, company numbers, many small cost lines.
    Layout(
        "coded_bom",
        ".csv",
        csv_writer(
            Columns((
                ("Department family", "family"), ("Entity", "entity"), ("Date of payment", "date"),
                ("Expense type", "type"), ("Expense area", "area"), ("Supplier", "supplier"),
                ("Transaction number", "coded_reference"), ("amount|Amount in Sterling", "amount"),
            )),
            amount=cells.plain,
            encoding="utf-8-sig",
        ),
        style="coded",
        encoding="utf-8-sig",
    ),
    # Windows code page with pound signs in header and cells; ledger-level column names.
    Layout(
        "level_names_cp1252",
        ".csv",
        csv_writer(
            Columns((
                ("Entity", "entity"), ("Date Paid", "date"),
                ("9AN - Level 9 Account Name", "type"),
                ("Cost Centre Name|15AN - Level 15 Cost Centre", "area"),
                ("Supplier Name", "supplier"), ("Transaction Reference", "reference"),
                (" Amount in Sterling £ ", "amount"),
            )),
            amount=(cells.pounds, cells.commas),
            encoding="cp1252",
        ),
        encoding="cp1252",
        weight=2,
    ),
    # Rows above the header, a supplier column without a header, credits in parentheses.
    Layout(
        "preamble_blank_supplier",
        ".csv",
        csv_writer(
            Columns((
                _FAMILY, ("Entity", "entity"), ("Payment Date", "date"), ("Expense Type", "type"),
                ("Expense Area", "area"), ("", "supplier"), ("Payment Number", "reference"),
                ("Invoice Amount", "amount"),
            )),
            amount=cells.parentheses,
            day=cells.d_mon_yyyy,
            encoding="cp1252",
            preamble=_PREAMBLE,
        ),
        encoding="cp1252",
        weight=2,
    ),
    # No expense type at all: the file cannot be classified by what was bought.
    Layout(
        "no_expense_type",
        ".csv",
        csv_writer(
            Columns((
                ("Entity", "entity"), ("Date of payment", "date"), ("Cost Centre Name", "area"),
                ("Supplier Name", "supplier"), ("Payment Number", "reference"),
                ("Amount", "amount"),
            )),
        ),
        weight=2,
    ),
    # No area, but a description; whole pounds; ISO dates; labels cut at 27 characters.
    Layout(
        "no_area_iso",
        ".csv",
        csv_writer(
            Columns((
                ("Entity", "entity"), ("Date", "date"), ("Expense Type", "type"),
                ("Description", "description"), ("Supplier", "supplier"),
                ("Supplier Postcode", "postcode"), ("Contract Number", "contract"),
                ("Transaction Number", "reference"), ("Currency", "currency"),
                ("Analysed Gross", "amount"), ("VAT Registration Number", "vat_number"),
            )),
            amount=cells.whole,
            day=cells.iso,
        ),
        style="cut",
        whole_pounds=True,
    ),
    # The month only.
    Layout(
        "month_only",
        ".csv",
        csv_writer(
            Columns((
                ("Entity", "entity"), ("Period", "date"), ("Expense Type", "type"),
                ("Expense Area", "area"), ("Supplier Name", "supplier"),
                ("Invoice Number", "reference"), ("Amount in Sterling", "amount"),
            )),
            day=cells.mon_yy,
        ),
        day="month",
    ),
    # A workbook in capitals, a sheet name that ends in a blank, an unlabelled total now and then.
    Layout(
        "final_review",
        ".xlsx",
        xlsx_writer(
            Columns((
                ("Department Family", "family"), ("Entity", "entity"),
                ("Payment Number", "reference"), ("?Invoice Number", "their_reference"),
                ("Payment Date", "date"), ("Expense Type", "type"), ("Expense Area", "area"),
                ("Description", "description"), ("Supplier", "supplier"), ("Amount", "amount"),
            )),
            sheet="Final Review ",
            total_rate=0.25,
        ),
        style="upper",
    ),
    # A workbook with notes, preamble, a blank first column, line breaks in headers, bare serials.
    Layout(
        "blank_column_serials",
        ".xlsx",
        xlsx_writer(
            Columns((
                ("Department\nFamily", "family"), ("Entity", "entity"),
                ("Date of\npayment", "date"), ("Expense\nType", "type"),
                ("Expense\nArea", "area"), ("Supplier\nName", "supplier"),
                ("Transaction\nReference", "reference"), ("AP Amount", "amount"),
            )),
            sheet="Over 25k",
            days="serial",
            left=1,
            preamble=_PREAMBLE,
            notes=True,
            empty_sheet="Sheet2",
        ),
        file_name="Over-25k-{month}-{year}",
    ),
    # A quarter in a workbook, one sheet a month, dates and amounts partly text.
    Layout(
        "quarter_sheets",
        ".xlsx",
        xlsx_writer(
            Columns((
                ("Entity", "entity"), ("Payment Date", "date"), ("Expense Type", "type"),
                ("Expense Area", "area"), ("Supplier", "supplier"),
                ("Transaction Number", "reference"), ("Analysed Gross", "amount"),
            )),
            sheet="{month}",
            days="mixed",
            text_amounts=0.15,
        ),
        period="quarter",
        file_name="{abbr} {fy} Q{quarter}",
    ),
    # One workbook merged for a whole year.
    Layout(
        "whole_year",
        ".xlsx",
        xlsx_writer(
            Columns((
                ("Department Family", "family"), ("Entity", "entity"), ("Date", "date"),
                ("Expense Type", "type"), ("Expense Area", "area"), ("Supplier", "supplier"),
                ("Transaction Number", "reference"), ("amount", "amount"),
            )),
        ),
        period="year",
        file_name="{abbr}_Merged {fy}",
    ),
)  # fmt: skip
"""Every layout, in a fixed order; the first trusts of a demonstration use each of them once."""

BY_NAME: dict[str, Layout] = {layout.name: layout for layout in LAYOUTS}
