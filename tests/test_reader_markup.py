"""Workbooks that are really web pages or XML: tables are read, error pages are not."""

from __future__ import annotations

from datetime import date

import pytest
from spend_files import read_one

HEAD = ("Date", "Supplier", "Expense type", "Amount")
ROWS = [
    (f"{13 + i}/04/2020", f"Larkspur & Tarn {i} Ltd", "Drugs", f"{26_000 + i:,}.50")
    for i in range(9)
]


def page(table: str, before: str = "") -> str:
    return f"<html><head><style>td {{color: red}}</style></head><body>{before}{table}</body></html>"


def table(rows: list[tuple[str, ...]] = ROWS) -> str:
    lines = [HEAD, *rows]
    cells = (
        "<tr>" + "".join(f"<td>{c.replace('&', '&amp;')}</td>" for c in row) + "</tr>"
        for row in lines
    )
    return "<table>" + "".join(cells) + "</table>"


@pytest.mark.parametrize(
    "text",
    [
        page(table()),
        table(),
        page(table(), "<table><tr><td>Menu</td><td>Home</td></tr></table>"),
        "<!DOCTYPE html>\n" + page(table().replace("</td>", "").replace("</tr>", "")),
        '<?xml version="1.0"?>\n<html xmlns="http://www.w3.org/1999/xhtml">' + table() + "</html>",
        "\ufeff  <HTML><BODY>" + table().replace("td>", "TD>") + "</BODY></HTML>",
    ],
)
def test_a_table_in_a_web_page_is_read(text: str) -> None:
    batch, report = read_one("April 2020.xls", text)
    assert report.status == "read", report.reason
    assert batch.lines.height == 9
    assert batch.lines["supplier"][0] == "Larkspur & Tarn 0 Ltd"
    assert batch.lines["source_row"].to_list() == list(range(2, 11))
    assert batch.lines["amount_gbp"].sum() == 9 * 26_000.5 + 36


def test_cells_over_several_rows_or_columns_keep_their_places() -> None:
    body = "".join(
        f"<tr><td rowspan=2>{d}</td><td rowspan='2'>{s}</td><td>{t}</td><td>{a}</td></tr>"
        f"<tr><td>Gas</td><td>30000</td></tr>"
        for d, s, t, a in ROWS
    )
    head = "<tr><th colspan=4>Payments over 25,000</th></tr><tr>" + "".join(
        f"<th>{h}</th>" for h in HEAD
    )
    batch, _ = read_one("x.xls", f"<table>{head}</tr>{body}</table>")
    assert batch.lines.height == 18
    assert batch.lines["supplier"].to_list()[:4] == [ROWS[0][1], ROWS[0][1], ROWS[1][1], ROWS[1][1]]
    assert batch.lines["expense_type"].to_list()[:2] == ["Drugs", "Gas"]


@pytest.mark.parametrize(
    "text",
    [
        "<html><body><h1>404 Not Found</h1></body></html>",
        page("<table><tr><td>Log</td><td>in</td></tr></table>"),
        "<!doctype html><script>var x = '<table><tr><td>1</td></tr></table>'</script>",
        "<html>" * 5000,
        "<table>" * 2000 + "<tr><td>1",
    ],
)
def test_a_page_without_a_table_of_data_is_refused(text: str) -> None:
    _, report = read_one("April 2020.csv", text)
    assert report.status == "set aside"
    assert "web page without a table" in str(report.reason)


def sheet_xml(body: str, doctype: str = "") -> str:
    return (
        f'<?xml version="1.0"?>{doctype}<?mso-application progid="Excel.Sheet"?>'
        '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">'
        f'<Worksheet ss:Name="April"><Table>{body}</Table></Worksheet></Workbook>'
    )


def cell(value: str, kind: str = "String", index: int = 0) -> str:
    at = f' ss:Index="{index}"' if index else ""
    return f'<Cell{at}><Data ss:Type="{kind}">{value}</Data></Cell>'


XML_ROWS = '<Row ss:Index="3">' + "".join(cell(h) for h in HEAD) + "</Row>" + "".join(
    "<Row>"
    + cell(f"2020-04-{13 + i}T00:00:00.000", "DateTime")
    + cell(f"Larkspur {i} Ltd")
    + cell(f"{26_000.5 + i}", "Number", 4)
    + "</Row>"
    for i in range(9)
)  # fmt: skip


def test_an_xml_spreadsheet_is_read() -> None:
    batch, report = read_one("April 2020.xls", sheet_xml(XML_ROWS))
    assert report.status == "read", report.reason
    assert batch.lines["payment_date"][0] == date(2020, 4, 13)
    assert batch.lines["source_row"].to_list() == list(range(4, 13))
    assert batch.lines["source_sheet"].unique().to_list() == ["April"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (sheet_xml(XML_ROWS, '<!DOCTYPE x [<!ENTITY a "b">]>'), "document type"),
        (sheet_xml(XML_ROWS)[:-40], "damaged"),
        ('<?xml version="1.0"?><rss><channel/></rss>', "XML or JSON"),
        (sheet_xml('<Row ss:Index="99999999">' + cell("1") + "</Row>"), "more cells"),
    ],
)
def test_other_xml_is_refused(text: str, said: str) -> None:
    _, report = read_one("April 2020.xls", text)
    assert report.status == "set aside"
    assert said in str(report.reason)
