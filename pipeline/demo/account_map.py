"""Lines of the trust accounts consolidation that the demonstration fills, and their names.

Belongs here: sheets, tables, columns and rows of the publisher's format (codes as the publisher
uses them). Does not belong here: values (``accounts``).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """One table of a schedule.

    Attributes:
        sheet: worksheet name, such as ``TAC08 Op Exp``.
        table_id: number of the table within the sheet.
        title: heading of the table.
        prefix: beginning of the main code, such as ``A08``.
        columns: ``(suffix, label)``: ``A08`` + ``CY`` + ``01``.
        rows: ``(sub code, expected sign, label)``; ``{end}`` stands for the closing date.
        unit: heading of the unit row.
        has_prior: whether the prior year is given too, beside the current year.
        prior_id: number of the table of the prior year where it stands by itself, else 0.
        since: first year of account that has the table.
    """

    sheet: str
    table_id: int
    title: str
    prefix: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, str, str], ...]
    unit: str = "£000"
    has_prior: bool = True
    prior_id: int = 0
    since: int = 0


_STAFF_COLUMNS = (("01", "Total"), ("01P", "Permanent"), ("01O", "Other"))
_INTANGIBLE = (
    ("01", "Total"), ("02", "Software licences"), ("03", "Licences & trademarks"),
    ("05", "IT (internally generated and 3rd party)"), ("06", "Development expenditure"),
    ("08", "Websites"), ("09", "Intangible assets under construction"),
)  # fmt: skip
_PPE = (
    ("01", "Total"), ("02", "Land"), ("03", "Buildings excluding dwellings"),
    ("05", "Assets under construction and payments on account"), ("06", "Plant & machinery"),
    ("07", "Transport equipment"), ("08", "Information technology"), ("09", "Furniture & fittings"),
)  # fmt: skip
_LIVES = (("15", "Min life"), ("16", "Max life"))

TABLES: tuple[Table, ...] = (
    Table("TAC02 SoCI", 1, "STATEMENT OF COMPREHENSIVE INCOME", "A02", (("01", "SoCI"),), (
        ("SCI0100A", "+", "Operating income from patient care activities"),
        ("SCI0110A", "+", "Other operating income"),
        ("SCI0125A", "-", "Operating expenses"),
        ("SCI0140A", "+/-", "OPERATING SURPLUS / (DEFICIT)"),
    )),
    Table("TAC07 Op Inc 2", 1, "Note 2.1 Other Operating Income", "A07", (("01", "Total"),), (
        ("INC1365", "+", "Total operating income"),
    )),
    Table("TAC08 Op Exp", 1, "Note 3 Operating expenditure", "A08", (("01", "Total"),), (
        ("EXP0100", "+", "Purchase of healthcare from NHS and DHSC group bodies"),
        ("EXP0110", "+", "Purchase of healthcare from non-NHS and non-DHSC group bodies"),
        ("EXP0130", "+", "Staff and executive directors costs"),
        ("EXP0140", "+", "Non-executive directors"),
        ("EXP0150", "+", "Supplies and services – clinical (excluding drugs costs)"),
        ("EXP0160", "+", "Supplies and services - general"),
        ("EXP0170", "+", "Drugs costs"),
        ("EXP0190", "+", "Consultancy"),
        ("EXP0200", "+", "Establishment"),
        ("EXP0210", "+", "Premises - business rates collected by local authorities"),
        ("EXP0220", "+", "Premises - other"),
        ("EXP0230A", "+", "Transport (business travel only)"),
        ("EXP0230B", "+", "Transport - other (including patient travel)"),
        ("EXP0240", "+", "Depreciation"),
        ("EXP0250", "+", "Amortisation"),
        ("EXP0260", "+/-", "Impairments net of (reversals)"),
        ("EXP0280A", "+", "Audit services - statutory audit"),
        ("EXP0290A", "+", "Clinical negligence - amounts payable to NHS Resolution (premium)"),
        ("EXP0330A", "+", "Education and training - non-staff"),
        ("EXP0330B", "+", "Education and training - notional (apprenticeship fund)"),
        ("EXP0370", "+", "Charges to operating expenditure for on-SoFP PFI scheme"),
        ("EXP0380O", "+", "Other services (e.g. external payroll)"),
        ("EXP0380Z", "+", "Other"),
        ("EXP0390", "+", "Total operating expenditure"),
    )),
    Table("TAC09 Staff", 2, "Note 5.2 Employee Expenses", "A09", _STAFF_COLUMNS, (
        ("STA0230", "+", "Salaries and wages"),
        ("STA0300", "+", "Temporary staff - external bank"),
        ("STA0310", "+", "Temporary staff - agency/contract staff"),
        ("STA0330", "+", "TOTAL GROSS STAFF COSTS"),
        ("STA0360", "+", "TOTAL STAFF COSTS"),
        ("STA0365", "+", "Costs capitalised as part of assets"),
        ("STA0366", "+", "Total employee benefits excl. capitalised costs"),
    )),
    Table("TAC09 Staff", 3, "Note 5.3 Average number of employees", "A09", _STAFF_COLUMNS, (
        ("STA0370", "+", "Medical and dental"),
        ("STA0380", "+", "Ambulance staff"),
        ("STA0390", "+", "Administration and estates"),
        ("STA0400", "+", "Healthcare assistants and other support staff"),
        ("STA0410", "+", "Nursing, midwifery and health visiting staff"),
        ("STA0430", "+", "Scientific, therapeutic and technical staff"),
        ("STA0480", "+", "Other"),
        ("STA0490", "+", "Total average numbers"),
    ), unit="No."),
    Table("TAC13 Intangibles", 1, "Note 12.1 Intangible assets", "A13", _INTANGIBLE, (
        ("INT0060", "+", "Additions - purchased / internally generated"),
        ("INT0080", "+", "Additions - donations of physical assets (non-cash)"),
        ("INT0090", "+", "Additions - assets purchased from cash donations/grants"),
        ("INT0190", "+", "Valuation/gross cost at 31 March {end}"),
        ("INT0250", "+", "Provided during the year"),
        ("INT0350", "+", "Accumulated amortisation at 31 March {end}"),
        ("INT0360", "+", "Net book value at 31 March {end}"),
    ), prior_id=3),
    Table("TAC13 Intangibles", 6, "Note 12.3 Range of lives of intangible assets", "A13", _LIVES, (
        ("INT0390", "+", "Information technology"),
        ("INT0430", "+", "Software licences"),
    ), unit="Years", has_prior=False),
    Table("TAC14 PPE", 1, "Note 13.1 Property, plant and equipment", "A14", _PPE, (
        ("PPE0060", "+", "Additions - purchased (including capital lifecycle additions)"),
        ("PPE0070", "+", "Additions - IFRIC 12 scheme assets (excluding lifecycle)"),
        ("PPE0080", "+", "Additions - donations of physical assets (non-cash)"),
        ("PPE0090", "+", "Additions - assets purchased from cash donations/grants"),
        ("PPE0190", "+", "Valuation/gross cost at 31 March {end}"),
        ("PPE0250", "+", "Provided during the year"),
        ("PPE0350", "+", "Accumulated depreciation at 31 March {end}"),
    ), prior_id=3),
    Table("TAC14 PPE", 10, "Note 13.6 Range of lives of assets", "A14", _LIVES, (
        ("PPE0520", "+", "Plant & machinery"),
        ("PPE0540", "+", "Information technology"),
    ), unit="Years", has_prior=False),
    Table("TAC14A RoU Assets", 1, "Note 14.1 Right of use assets", "A14A", (
        ("01", "Total"), ("02", "Property \n(land and buildings)"),
        ("05", "Information technology"), ("07", "Intangible assets"),
    ), (
        ("ROU0070", "+", "Additions - lease liability"),
        ("ROU0190", "+", "Valuation/gross cost at 31 March {end}"),
        ("ROU0250", "+", "Provided during the year - right of use asset"),
        ("ROU0350", "+", "Accumulated depreciation at 31 March {end}"),
    ), has_prior=False, since=2022),
)  # fmt: skip

INTANGIBLE_DIGITAL = ("02", "05", "06", "08")
"""Columns of the intangibles schedule that count as digital capital."""
PPE_DIGITAL = ("08",)
"""Columns of the property, plant and equipment schedule that count as digital capital."""
