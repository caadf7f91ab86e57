"""``fivepercent inspect``: every file is understood or refused in a sentence, and nothing crashes."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from odd_cases import CASES
from spend_files import HEADER, table
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.refresh.inspection import inspect_file
from pipeline.settings import Settings


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


ODD: dict[str, tuple[bytes, str]] = {
    "empty.csv": (b"", "empty"),
    "blank.csv": (b"\n \r\n\n", "empty"),
    "picture.csv": (b"\x89PNG\r\n\x1a\n" + bytes(200), "PNG picture"),
    "document.xlsx": (b"%PDF-1.7 x", "PDF document"),
    "archive of archive.zip": (
        zipped(**{"a.csv": zipped(**{"b.csv": b"a,b"})}),
        "zip inside a zip",
    ),
    "nothing inside.zip": (zipped(**{"readme.md": b"x"}), "no csv or spreadsheet"),
    "web archive.xls": (b"MIME-Version: 1.0\r\nX: y", "web archive"),
    "error page.csv": (b"<html><body><h1>403</h1></body></html>", "web page without a table"),
    "data.json": (b'{"a": 1}', "XML or JSON"),
    "only a header.csv": (HEADER.encode(), "no rows below it"),
    "two amounts.csv": (
        b"Date,Supplier,Amount,Amount\n13/04/2020,A Ltd,26000,30000\n14/04/2020,B Ltd,26100,31000\n",
        "both headed 'Amount'",
    ),
    "in thousands.csv": (table(4).replace("Amount", "Amount (£000)").encode(), "thousands"),
    "random.csv": (bytes(range(256)) * 20, "binary data"),
    "broken.xlsx": (b"PK\x03\x04 broken", "damaged"),
    "broken.xls": (b"\xd0\xcf\x11\xe0" + bytes(600), "cannot be opened"),
    "letter.txt": (b"Dear all,\nplease find attached\nthe file.\n", "no table of a known kind"),
}


@pytest.mark.parametrize("name", ODD)
def test_what_cannot_be_read_is_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    data, said = ODD[name]
    (tmp_path / name).write_bytes(data)
    told = inspect_file(tmp_path / name, Settings(raw=tmp_path, out=tmp_path / "out"))
    assert told["status"] == "set aside"
    assert said in told["reason"]


def test_a_person_sees_layout_first_rows_months_rejected_rows_and_warnings(tmp_path: Path) -> None:
    folder = tmp_path / "raw" / "spend_over_25k" / "RZZ"
    folder.mkdir(parents=True)
    copied = table(4, n=12).splitlines()[1]
    extra = f"{copied}\n17/05/2020,Income Tax,Balance Sheet,HMRC,9,99000.00\n18/04/2020,Drugs,Ward,Tarn Ltd,8,lots\n"
    (folder / "April 2020.csv").write_text(table(4, n=12) + extra)
    result = CliRunner().invoke(
        app, ["inspect", str(folder / "April 2020.csv"), "--out", str(tmp_path / "out")]
    )
    assert result.exit_code == 0, result.output
    for said in (
        "Organisation: RZZ",
        "date = Date",
        "26,000.50",
        "2020-04",
        "Set aside (1 row)",
        "lots",
        "repeat an earlier row",
        "Tax, pension",
    ):
        assert said in result.output, said


def test_a_machine_gets_the_same_as_json(tmp_path: Path) -> None:
    folder = tmp_path / "RZZ"
    folder.mkdir()
    (folder / "April 2020.csv").write_text(table(4))
    result = CliRunner().invoke(
        app, ["inspect", str(folder / "April 2020.csv"), "--out", str(tmp_path / "o"), "--json"]
    )
    told = json.loads(result.output)
    assert told["rows_read"] == told["rows_kept"] + told["rows_rejected"] + told["rows_ignored"]
    assert told["months"][0]["lines"] == 12
    assert told["sheets"][0]["columns"]["supplier"] == "Supplier"


def test_the_register_beside_a_file_names_its_publisher(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    (raw / "organisations").mkdir(parents=True)
    (raw / "spend_over_25k").mkdir()
    row = '"{}","{}","Y56","QMF","1 ROAD","","TOWN","","","ZZ1 1XX","20000401","",' + ",".join(
        ['""'] * 15
    )
    names = (("RZA", "MEADOWSWEET UNIVERSITY HOSPITALS NHS TRUST"), ("RZB", "LARKSPUR NHS TRUST"))
    (raw / "organisations" / "etr.csv").write_text("\n".join(row.format(*n) for n in names) + "\n")
    path = raw / "spend_over_25k" / "meadowsweet-university-hospitals-april-2020.csv"
    path.write_text(table(4))
    told = inspect_file(path, Settings(raw=tmp_path / "none", out=tmp_path / "out"))
    assert told["organisation"].startswith("RZA")


def test_a_folder_or_a_missing_file_is_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "gone")
    for path in (tmp_path, tmp_path / "link.csv", tmp_path / "none.csv"):
        assert CliRunner().invoke(app, ["inspect", str(path)]).exit_code == 2


@pytest.mark.real
def test_no_real_file_of_any_source_makes_it_stumble(real_raw: Path, tmp_path: Path) -> None:
    settings = Settings(raw=real_raw, out=tmp_path / "out")
    others = [p for p in real_raw.rglob("*") if p.is_file() and "spend_over_25k" not in p.parts]
    spend = [sorted(f.iterdir())[0] for f in sorted((real_raw / "spend_over_25k").iterdir())]
    for path in [*sorted(others), *spend]:
        told = inspect_file(path, settings)
        assert told["kind"] == path.relative_to(real_raw).parts[0], path
        assert told["status"] in ("read", "partly read", "not data"), (path, told["reason"])


def test_sheets_read_alike_are_told_once_and_months_are_summed(tmp_path: Path) -> None:
    odd = CASES["year_in_one_workbook_with_pivot"]()
    path = tmp_path / odd.name
    path.write_bytes(odd.data)
    result = CliRunner().invoke(app, ["inspect", str(path), "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert result.output.count("days above 12 stand first") == 1
    assert "Sheet 'Summary': not data: 15 x sheet without payments" in result.output
    assert "12,741,987" in result.output


def test_a_second_table_and_a_month_without_payments_are_told(tmp_path: Path) -> None:
    for name, said in (
        (
            "second_table_in_another_order",
            "Another table, with columns of its own, begins in row 16",
        ),
        ("nil_return", "the file holds no payments; it says 'No payments over 25 000 pounds"),
    ):
        odd = CASES[name]()
        path = tmp_path / f"{name}.csv"
        path.write_bytes(odd.data)
        result = CliRunner().invoke(app, ["inspect", str(path), "--out", str(tmp_path / "out")])
        assert said in result.output


def test_inspect_knows_the_national_publishers_that_a_refresh_counts(tmp_path: Path) -> None:
    """Without a build they come from the catalogue, as they do when a file is filed."""
    register = tmp_path / "organisations" / "etr.csv"
    register.parent.mkdir()
    row = ["RZ1", "PELLOW NHS TRUST", "Y60", "QZZ", *[""] * 5, "PE1 1AA", "19910401", *[""] * 16]
    register.write_text("\n".join(",".join([f"RZ{i}", *row[1:]]) for i in range(1, 9)) + "\n")
    payments = tmp_path / "download.csv"
    lines = [
        f"DHSC,NHS England,{13 + i}/04/2020,Drugs,IT,Larkspur {i} Ltd,{i},{26_000 + i}.10"
        for i in range(9)
    ]
    payments.write_text("Department family,Entity," + HEADER + "\n".join(lines) + "\n")
    told = inspect_file(payments, Settings(raw=tmp_path, out=tmp_path / "out"))
    assert told["organisation"].startswith("X24")
