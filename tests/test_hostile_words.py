"""Markup, SQL and formulas in every text that a file can bring, through the whole pipeline."""

from __future__ import annotations

import csv
import html
from pathlib import Path

import duckdb
import pytest

from pipeline.demo import generate
from pipeline.refresh import refresh
from pipeline.settings import Settings

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)>"
SQL = "'; drop table facts.payment; --"
NAME = f"Northmere {MARKUP}{SQL} NHS Trust"
FORMULAS = ('=HYPERLINK("http://evil.example","x")', "@SUM(1)", "+1+cmd|' /C calc'!A0", "-2+3")


def _replace_everywhere(folder: Path, old: str, new: str) -> None:
    for path in folder.glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as handle:
            rows = [
                [new if cell.casefold() == old.casefold() else cell for cell in row]
                for row in csv.reader(handle)
            ]
        with path.open("w", newline="", encoding="utf-8") as handle:
            csv.writer(handle).writerows(rows)


@pytest.fixture(scope="module")
def hostile_build(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A publication of which one trust's name, suppliers, types, areas, file and folder mean harm."""
    folder = tmp_path_factory.mktemp("words")
    raw = folder / "raw"
    generate(raw, trusts=3, boards=1, years=("2021/22",))
    with (raw / "organisations" / "directory_trusts_2026-08.csv").open(encoding="utf-8") as handle:
        trust = next(csv.DictReader(handle))
    _replace_everywhere(raw / "organisations", trust["name"], NAME)
    spend = raw / "spend_over_25k" / trust["ods_code"]
    texts = (f"{MARKUP} Ltd", f"{SQL} Ltd", *FORMULAS, f"Software {MARKUP}", "Plain Ltd")
    lines = [("Date", "Supplier", "Expense Type", "Expense Area", "Description", "Amount")]
    lines += [
        (f"{10 + i:02}/11/2021", text, f"Software {MARKUP}", text, text, f"{1_000_000 + i}.00")
        for i, text in enumerate(texts)
    ]
    with (spend / f"{MARKUP.replace('/', '')}{SQL} November 2021.csv").open(
        "w", newline="", encoding="utf-8"
    ) as handle:
        csv.writer(handle).writerows(lines)
    (raw / "spend_over_25k" / f"{MARKUP.replace('/', '')}").mkdir()
    (raw / "spend_over_25k" / f"{MARKUP.replace('/', '')}" / "x.csv").write_text(
        f"{MARKUP},b\n1,2\n"
    )
    settings = Settings(raw=raw, out=folder / "out")
    refresh(settings)
    return settings


def test_no_page_holds_the_markup_as_markup(hostile_build: Settings) -> None:
    pages = sorted((hostile_build.out / "charts").rglob("*.html"))
    assert len(pages) > 10
    shown = 0
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for evil in ("<script>alert", "<img src=x", "<img src=&quot;x"):
            assert evil not in text, page.name
        shown += html.escape("<script>alert(1)") in text or "\\u003cscript>alert" in text
    assert shown > 3


def test_sql_in_names_is_a_name(hostile_build: Settings) -> None:
    with duckdb.connect(
        str(hostile_build.out / "fivepercent.duckdb"), read_only=True
    ) as connection:
        names = connection.sql("select name from dims.organisation").fetchall()
        suppliers = connection.sql("select distinct supplier from facts.payment").fetchall()
        count = connection.sql("select count(*) from facts.payment").fetchall()[0][0]
    assert any(SQL in name and "<script>" in name for (name,) in names), names
    assert (f"{SQL} Ltd",) in suppliers
    assert (FORMULAS[0],) in suppliers
    assert count > 1000


def test_no_csv_beside_the_pages_holds_a_formula(hostile_build: Settings) -> None:
    looked = 0
    for path in (hostile_build.out / "charts").rglob("*.csv"):
        with path.open(newline="", encoding="utf-8-sig") as handle:
            for row in csv.reader(handle):
                for cell in row:
                    looked += 1
                    assert not cell.startswith(FORMULAS), f"{path.name}: {cell}"
    assert looked > 1000


def test_no_exported_csv_or_workbook_holds_a_formula(
    hostile_build: Settings, tmp_path: Path
) -> None:
    import openpyxl

    from pipeline.exports import export_build

    export_build(hostile_build.out / "fivepercent.duckdb", tmp_path / "out")
    found = 0
    for path in (tmp_path / "out").rglob("*.csv"):
        with path.open(newline="", encoding="utf-8-sig") as handle:
            for row in csv.reader(handle):
                assert not any(cell.startswith(FORMULAS) for cell in row), path.name
                found += any("HYPERLINK" in cell for cell in row)
    assert found
    for path in (tmp_path / "out").rglob("*.xlsx"):
        book = openpyxl.load_workbook(path)
        for sheet in book:
            for row in sheet.iter_rows():
                assert all(cell.data_type != "f" for cell in row), path.name
