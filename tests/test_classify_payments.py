"""What the classifier says about single payment lines: rulings, false friends, names, nature."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipeline.classify import ClassifierInputError, classify

COLUMNS = ("expense_type", "expense_area", "supplier", "description")


def say(expense_type=None, expense_area=None, supplier=None, description=None) -> dict:
    line = dict(zip(COLUMNS, (expense_type, expense_area, supplier, description), strict=True))
    return classify(pl.DataFrame([line], schema=dict.fromkeys(COLUMNS, pl.String))).row(
        0, named=True
    )


@pytest.mark.parametrize(
    ("expense_type", "supplier"),
    [
        ("JAC SINGLE STOCK SYSTEM", "ROCHE PRODUCTS LTD"),
        ("Drugs - MHRA License", "Bayer plc"),
        ("Premises licence", "Local council"),
        ("TV licence", "TV Licensing"),
        ("Protective Clothing", "Beijing Easymonitor Technology Development"),
        ("Heating systems", "Vital Energi Solutions Ltd"),
        ("Nurse call systems", "Static Systems Group plc"),
        ("Security systems / CCTV", "Guard Ltd"),
        ("Digital hearing aids", "Oticon Ltd"),
        ("Digital X-ray equipment", "Xograph Healthcare Limited"),
        ("Patient telephones", "Hospedia"),
        ("Patient information leaflets", "Print shop"),
        ("Mobile MRI unit", "Alliance Medical Ltd"),
        ("Stocks Raw Materials", "AAH Pharmaceuticals Ltd"),
        ("Telephone interpreting", "Language Line Ltd"),
        ("Consultant", "Kings College London"),
        ("Computer desks", "Office Furniture Ltd"),
    ],
)
def test_false_friends_are_not_digital(expense_type, supplier):
    assert say(expense_type, supplier=supplier)["digital"] == "no"


@pytest.mark.parametrize(
    ("expense_type", "category"),
    [
        ("Computer Hardware Purch", "devices"),
        ("I.C.T Hardware", "devices"),
        ("POA IT Additions", "devices"),
        ("AUC IT", "devices"),
        ("Information Technology - Additions", "devices"),
        ("Computer Software/License", "software_unspecified"),
        ("Software Licences", "software_unspecified"),
        ("Intangible additions", "software_unspecified"),
        ("Hardware - Maintenance", "it_services"),
        ("Computer Maintenance", "it_services"),
        ("Data Lines", "network_telecoms"),
        ("Computer Network Costs", "network_telecoms"),
        ("Telephone rental", "network_telecoms"),
        ("Mobile phones", "network_telecoms"),
        ("Cyber security", "cyber"),
        ("Info Tech Security Costs", "cyber"),
        ("P.A.C.S", "clinical_systems"),
        ("Pas Licence And Support", "epr"),
        ("Data Warehouse", "data_analytics"),
        ("IT Systems", "it_services"),
        ("(83610) IT Costs", "it_services"),
    ],
)
def test_the_ledger_names_of_information_technology_are_digital(expense_type, category):
    line = say(expense_type)
    assert (line["digital"], line["category"]) == ("yes", category)


@pytest.mark.parametrize("expense_type", ["Med & Surg Equip General", "Protective Clothing", "ICT"])
def test_a_pure_reseller_is_digital_whatever_the_type_says(expense_type):
    assert say(expense_type, supplier="Softcat plc")["digital"] == "yes"


def test_a_supplier_of_records_systems_is_epr_whatever_the_type_says():
    line = say("Capital Non Pay Costs", "Balance Sheet", "CERNER LTD")
    assert (line["digital"], line["category"], line["nature"]) == ("yes", "epr", "capital")


@pytest.mark.parametrize(
    ("expense_type", "expense_area", "supplier", "digital"),
    [
        (
            "Establishment Expenses",
            "Corporate Human Resources",
            "Capita Business Service",
            "possible",
        ),
        ("Contr Other External", "ICT Operations", "Capita Business Service", "yes"),
        ("Computer Maintenance", None, "Capita Business Service", "yes"),
        ("Telephones: rental", None, "BT plc", "yes"),
        ("Miscellaneous", None, "British Telecommunications plc", "possible"),
        ("Services received", None, "NHS Shared Business Services Ltd", "possible"),
        ("Med & Surg Equip Repair", "Radiology", "GE Medical Systems Ltd", "no"),
        ("Equipment", "Capital", "Siemens Healthcare", "no"),
        ("Computer Software/License", "Imaging", "Philips Healthcare", "yes"),
        ("Items pending investigation", "Trust Balance Sheet", "Philips Healthcare", "possible"),
    ],
)
def test_a_mixed_supplier_needs_a_digital_type_or_cost_centre(
    expense_type, expense_area, supplier, digital
):
    assert say(expense_type, expense_area, supplier)["digital"] == digital


def test_medical_equipment_is_digital_only_when_the_line_itself_says_so():
    assert say("Imaging equipment", "Radiology", "Siemens Healthcare")["digital"] == "no"
    described = say("Imaging equipment", "Radiology", "Siemens Healthcare", "PACS licence")
    assert (described["digital"], described["category"]) == ("yes", "clinical_systems")


def test_pay_through_a_rostering_supplier_is_not_digital_but_its_software_is():
    assert say("Agency nursing", "Ward 3", "Allocate Software Ltd")["digital"] == "no"
    assert say("Net Pay-247Time", None, "Allocate Software Ltd")["is_balance_sheet"]
    software = say("Computer Software/License", "Rostering", "Allocate Software Ltd")
    assert (software["digital"], software["category"]) == ("yes", "corporate_systems")


@pytest.mark.parametrize(
    ("expense_type", "supplier"),
    [
        ("Contr Photocopier Rental", "Canon (UK) Ltd"),
        ("Health Record Storage", "Iron Mountain (UK) plc"),
        ("Transcription Services", "Dscribe Ltd"),
        ("Computer Maintenance", "Apogee Corporation Ltd"),
    ],
)
def test_printing_and_paper_records_reach_the_upper_bound_only(expense_type, supplier):
    line = say(expense_type, supplier=supplier)
    assert (line["digital"], line["category"]) == ("possible", "print_records")


def test_a_hotel_booked_as_it_services_is_a_hotel():
    assert say("IT services", None, "Hilton London Metropole")["digital"] == "no"
    assert say("Covid", None, "ATOS RE PREMIERINN 982613320007153")["digital"] == "no"


def test_staff_paid_from_an_it_cost_centre_are_digital_people():
    for expense_type in ("Senior Manager Band 8C", "Agency", "Consultancy Fees"):
        line = say(expense_type, "Information Technology", "Deloitte LLP")
        assert (line["digital"], line["category"]) == ("yes", "digital_people")


@pytest.mark.parametrize(
    ("expense_type", "supplier", "balance_sheet"),
    [
        ("Income tax - Current", "Inland Revenue CIS", True),
        ("National Insurance - Curr", "Inland Revenue CIS", True),
        ("Pensions", "NHS Pensions Agency", True),
        ("Public Div Cap New", "PDC DIVIDEND MARCH", True),
        ("Long Trm Loans - Non-Curr", "Department of Health", True),
        ("Interest payable - Currnt", "Funder LLP", True),
        ("Input VAT", "HMRC", True),
        ("Salary Sacrifice White Goods", "Akira Financial Limited", True),
        ("Childcare vouchers", "Edenred", True),
        ("Other creditors", "HM Revenue & Customs", True),
        ("AUC Additions", "CDW Ltd", False),
        ("Stocks Raw Materials", "AAH", False),
        ("NonNHS Trade Pybls Curr", "Supply Chain Coordination Ltd", False),
        ("CNST contributions", "NHS Resolution", False),
        ("Pension Administration Service", "Adviser Ltd", False),
    ],
)
def test_only_financing_tax_pension_and_payroll_rows_are_balance_sheet(
    expense_type, supplier, balance_sheet
):
    assert say(expense_type, "Balance Sheet", supplier)["is_balance_sheet"] is balance_sheet


@pytest.mark.parametrize(
    ("expense_type", "expense_area", "nature"),
    [
        ("AUC Additions", "Balance Sheet", "capital"),
        ("I.C.T Hardware", "Capital", "capital"),
        ("Computer Maintenance", "ICT", "revenue"),
        ("NonNHS Trade Pybls Curr", "Balance Sheet", "unknown"),
        ("Capital charges", "Finance", "revenue"),
        (None, None, "revenue"),
    ],
)
def test_nature_is_capital_when_any_label_says_so(expense_type, expense_area, nature):
    assert say(expense_type, expense_area)["nature"] == nature


def test_a_wrapped_cell_is_read_from_its_last_line():
    assert say("Software/License\nIncome tax - Current")["is_balance_sheet"]
    assert say("Software/License\nLaboratory Reagents", "Lab", "Acme")["digital"] == "no"
    assert say("Srv\nComputer Hardware", None, "LIMITED\nDELL CORPORATION LTD")["digital"] == "yes"


def test_rows_keep_order_and_number_and_other_columns():
    lines = pl.DataFrame(
        {
            "expense_type": ["Drugs", None, "Drugs", "IT Costs"],
            "expense_area": [None, None, None, None],
            "supplier": ["AAH", None, "AAH", "Softcat"],
            "description": [None, None, None, None],
            "amount": [1, 2, 3, 4],
        }
    )
    out = classify(lines)
    assert out["amount"].to_list() == [1, 2, 3, 4]
    assert out["digital"].to_list() == ["no", "no", "no", "yes"]
    assert out["rule_id"].null_count() == 0
    assert out["rule_id"][1] == "default"
    assert out["category"].to_list()[:3] == [None, None, None]
    assert out["confidence"].is_between(0, 1).all()
    assert out["supplier_canonical"].to_list() == ["AAH", None, "AAH", "Softcat"]


def test_classifying_distinct_rows_or_all_rows_gives_the_same():
    lines = pl.DataFrame(
        {
            "expense_type": ["Drugs", "IT Costs"] * 3,
            "expense_area": ["ICT"] * 6,
            "supplier": ["Softcat plc", "Unknown Ltd"] * 3,
            "description": [None] * 6,
        },
        schema_overrides={"description": pl.String},
    )
    once = classify(lines.unique(maintain_order=True))
    joined = lines.join(once, on=COLUMNS, how="left", nulls_equal=True, maintain_order="left")
    assert_frame_equal(joined, classify(lines))


def test_no_rows_and_missing_columns():
    empty = pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.String))
    assert classify(empty).height == 0
    with pytest.raises(ClassifierInputError, match="missing: description"):
        classify(empty.drop("description"))


@pytest.mark.parametrize(
    ("kind", "supplier", "digital"),
    [
        ("Maintenance Contract", "Getinge UK", "no"),
        ("Maintenance Contract", "Softcat Plc", "yes"),
        ("Theatre Management System", "Nobody Ltd", "yes"),
        ("Theatre Ventilation System", "Nobody Ltd", "no"),
        ("Electronic Staff Record", "Nobody Ltd", "yes"),
        ("Nursing Staff", "Nobody Ltd", "no"),
        ("Oracle Licences", "Nobody Ltd", "yes"),
        ("TV Licences", "Nobody Ltd", "no"),
        ("SIP Trunks", "Nobody Ltd", "yes"),
    ],
)
def test_types_that_name_a_system_or_a_product_are_digital_and_a_bare_contract_is_not(
    kind: str, supplier: str, digital: str
) -> None:
    assert say(kind, "Theatres", supplier)["digital"] == digital


@pytest.mark.parametrize(
    ("expense_type", "expense_area", "digital"),
    [
        ("Additions - Information Techno", "Balance Sheet", "yes"),  # cut off after thirty letters
        ("COMPTR & PRINTERS MAINTENANCE", None, "yes"),
        ("Printers Maintenance", None, "possible"),
        ("Licences & Subscriptions", None, "possible"),  # of journals as well
        ("Project Management", "GDE Fast Follower Programme", "yes"),
        ("Additions - Plant & Machinery", "Balance Sheet", "no"),
    ],
)
def test_labels_of_trusts_that_the_rules_were_not_made_from(expense_type, expense_area, digital):
    assert say(expense_type, expense_area, "SOMEBODY LTD")["digital"] == digital
