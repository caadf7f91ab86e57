"""Damaged and hostile files are set aside with a sentence that says what they are."""

from __future__ import annotations

import gzip
import io
import random
import zipfile
from pathlib import Path

import polars as pl
import pytest
from reader_layouts import make_plan, write, write_workbook
from spend_files import read_one, table

from pipeline.ingest.files import RawFile
from pipeline.ingest.reading import open_file
from pipeline.ingest.tabular import Limits, UnreadableFileError, read_grids

HEADER = ["Date", "Expense type", "Expense area", "Supplier", "Transaction number", "Amount"]
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"\n\r\n  \n", "empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "PNG picture"),
        (b"\xff\xd8\xff\xe0" + bytes(range(256)), "JPEG picture"),
        (b"%PDF-1.7\n%abc", "PDF"),
        (b"<!DOCTYPE html><html><body>403 Forbidden</body></html>", "web page"),
        (b"\xef\xbb\xbf\n <html><head></head></html>", "web page"),
        (b'{"error": "not found"}', "JSON"),
        (b"PK\x03\x04" + b"\x00" * 50, "damaged"),
        (b"\x1f\x8b\x08" + b"\x00" * 50, "gzip"),
        (random.Random(1).randbytes(4000), "binary"),
        (OLE + b"\x00" * 600, "cannot be opened"),
        (OLE + b"\x00" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\x00" * 600, "password"),
        (zipped({"readme.md": b"nothing"}), "no csv or spreadsheet"),
        (zipped({"a.zip.csv": zipped({"b.csv": b"a,b"})}), "zip inside a zip"),
        (b"Date,Supplier,Amount", "no rows below it"),
        ((",".join(HEADER) + "\n").encode(), "no rows below it"),
        (b"just a sentence\nand another\n", "no column holds the amount"),
        (b"a," * 20_000 + b"b\n", "fields"),
    ],
)
def test_what_is_no_table_is_named(content: bytes, said: str) -> None:
    batch, report = read_one("spend.csv", content)
    assert report.status == "set aside"
    assert said in str(report.reason)
    assert batch.lines.is_empty()


def test_a_zip_that_unpacks_without_end_is_refused_before_it_is_unpacked() -> None:
    bomb = zipped({"spend.csv": b"0" * (80 << 20)})
    with pytest.raises(UnreadableFileError, match="times its size"):
        read_grids(bomb)
    with pytest.raises(UnreadableFileError, match="more than the limit"):
        read_grids(bomb, limits=Limits(max_expanded_bytes=1 << 20))
    with pytest.raises(UnreadableFileError, match="more than the limit"):
        read_grids(b"a,b\n" * 1000, limits=Limits(max_bytes=100))


def test_a_file_that_breaks_the_typing_of_rows_takes_no_other_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from pipeline.ingest.spend import rows as spend_rows
    from pipeline.ingest.spend.reader import SpendInput, read_spend

    real = spend_rows.parse_dates

    def breaks(frame, column, group, hints):
        if frame["supplier"].is_in(["Larkspur 7 Ltd"]).any():
            raise OverflowError("a date no calendar knows")
        return real(frame, column, group, hints)

    monkeypatch.setattr(spend_rows, "parse_dates", breaks)
    files = {"good.csv": table(4, n=5), "bad.csv": table(5, n=12), "fine.csv": table(6, n=4)}
    batch = read_spend([SpendInput(name, lambda t=t: t.encode()) for name, t in files.items()])
    assert {n: r.status for n, r in batch.reports.items()} == {
        "good.csv": "read",
        "bad.csv": "set aside",
        "fine.csv": "read",
    }
    assert batch.lines.height == 9
    assert batch.rejected.height == 13
    for report in batch.reports.values():
        assert report.rows_read == report.rows_kept + report.rows_rejected + report.rows_ignored


def test_years_no_calendar_knows_reject_their_rows() -> None:
    text = table(4, n=8).replace("13/04/2020", "01/02/0000").replace("14/04/2020", "03/04/0000")
    batch, report = read_one("2020-21.csv", text)
    assert report.rows_rejected == batch.rejected.height == 2
    assert batch.lines.height == 6


def test_names_in_a_zip_lead_nowhere() -> None:
    _, report = read_one("x.zip", zipped({"../../etc/spend.csv": table(4).encode()}))
    assert report.rows_kept == 12
    assert report.sheets[0].sheet == "spend.csv"


@pytest.mark.parametrize("seed", range(0, 60, 3))
def test_a_file_cut_off_or_scribbled_over_never_stops_the_run(seed: int) -> None:
    written, lot = write(make_plan(seed)), random.Random(seed)
    for _ in range(4):
        data = bytearray(written.data[: lot.randrange(1, len(written.data))])
        for _ in range(lot.randrange(0, 30)):
            data[lot.randrange(len(data))] = lot.randrange(256)
        batch, report = read_one("cut." + written.path.rsplit(".", 1)[1], bytes(data))
        assert report.status in ("read", "partly read", "set aside")
        assert report.rows_read == report.rows_kept + report.rows_rejected + report.rows_ignored
        assert batch.lines.height == report.rows_kept
        assert batch.rejected.height == report.rows_rejected
        if report.status == "set aside":
            assert report.reason


def test_zero_bytes_and_mixed_line_ends_lose_no_row() -> None:
    lines = table(4, n=30).splitlines()
    ends = ["\n", "\r\n", "\r"]
    text = "".join(line + ends[i % 3] for i, line in enumerate(lines)).replace("Drugs", "Dr\x00ugs")
    batch, _ = read_one("x.csv", text)
    assert batch.lines.height == 30
    assert batch.lines["expense_type"].unique().to_list() == ["Drugs"]
    assert batch.lines["source_row"].to_list() == list(range(2, 32))


@pytest.mark.parametrize("mark", ['5" dressing', 'Pipe 12"', '"The Bakery', '"Old" Bakery Ltd'])
@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_stray_quotation_mark_swallows_no_row(mark: str, times: int) -> None:
    lines = table(4, n=30).splitlines()
    for i in range(times):
        lines[5 + 7 * i] = lines[5 + 7 * i].replace("Larkspur", mark)
    batch, _ = read_one("x.csv", "\n".join(lines) + "\n")
    assert batch.lines.height == 30
    assert batch.lines["source_row"].to_list() == list(range(2, 32))
    assert batch.lines["amount_gbp"].sum() == pytest.approx(sum(26_000.5 + i for i in range(30)))


@pytest.mark.parametrize(
    ("cell", "supplier"),
    [
        ('"ACME "THE" LTD"', 'ACME "THE" LTD'),
        ('"ACME "THE LTD"', 'ACME "THE LTD'),
        ('"ACME "THE" LTD, LONDON"', 'ACME "THE" LTD, LONDON'),
        ('"19" RACKS, LTD"', '19" RACKS, LTD'),
        ('"ACME ("THE, BEST") LTD"', 'ACME ("THE, BEST") LTD'),
        ('"ACME "THE""', 'ACME "THE"'),
    ],
)
@pytest.mark.parametrize("times", [1, 2])
def test_quotation_marks_inside_a_quoted_cell_need_not_be_doubled(
    cell: str, supplier: str, times: int
) -> None:
    """Two such rows had been taken for one of two lines, whose first payment was lost without a word."""
    odd = "".join(f'{12 + i}/04/2020,{cell},"30,000.4{i}"\n' for i in range(times))
    plain = "".join(f"{13 + i}/04/2020,Larkspur {i} Ltd,{26_000 + i}.50\n" for i in range(12))
    batch, report = read_one("April 2020.csv", f"Date,Supplier,Amount\n{plain}{odd}{plain}")
    found = batch.lines.filter(pl.col("supplier") == supplier)
    assert found["amount_gbp"].to_list() == [30_000.4 + i / 100 for i in range(times)]
    assert batch.lines.height == 24 + times
    assert report.status == "read"


@pytest.mark.parametrize(
    ("cut", "told"), [(0, False), (1, False), (4, False), (12, True), (30, True)]
)
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_file_that_breaks_off_in_its_last_row_is_told(cut: int, told: bool, quote: str) -> None:
    lines = table(4, n=14).strip().split("\n")
    text = "\n".join(",".join(f"{quote}{c}{quote}" for c in line.split(",")) for line in lines)
    data = text + "\n" if not cut else text[: len(text) - cut + 1]
    batch, report = read_one("April 2020.csv", data)
    if told:  # a part of an amount is no amount
        assert batch.lines.height == 13
    assert ("it may not have been downloaded whole" in str(report.to_row()["warnings"])) is told


def test_a_row_with_a_cell_too_many_is_not_put_together() -> None:
    """What stands between two quoted cells is no part of either."""
    odd = '12/04/2020,"ACME "THE" LTD","30,000.45",note, "more"\n'
    plain = "".join(f"{13 + i}/04/2020,Larkspur {i} Ltd,{26_000 + i}.50\n" for i in range(12))
    batch, _ = read_one("April 2020.csv", f"Date,Supplier,Amount\n{plain}{odd}{plain}")
    assert batch.lines.height == 24
    assert batch.rejected["source_row"].to_list() == [14]


def test_a_line_break_inside_quotes_stays_inside_its_row() -> None:
    text = table(4, n=3).replace("Larkspur 1 Ltd", '"Larkspur\n1 Ltd"')
    batch, _ = read_one("x.csv", "\n\n" + text)
    assert batch.lines["supplier"].to_list() == [
        "Larkspur 0 Ltd",
        "Larkspur 1 Ltd",
        "Larkspur 2 Ltd",
    ]
    assert batch.lines["source_row"].to_list() == [4, 5, 6]


def test_a_column_of_nonsense_amounts_is_named() -> None:
    text = "Date,Supplier,Expense type,Amount\n" + "".join(
        f"{13 + i}/04/2020,Larkspur {i} Ltd,Drugs,see note {chr(65 + i)}\n" for i in range(15)
    )
    batch, report = read_one("x.csv", text)
    assert report.status == "set aside"
    assert "'Amount' holds no amount (it holds 'see note A')" in str(report.reason)
    assert batch.rejected.height == 16


def test_some_nonsense_amounts_are_rejected_with_row_and_text() -> None:
    lines = table(4, n=20).splitlines()
    lines[4] = lines[4].replace("26003.50", "tbc")
    batch, report = read_one("x.csv", "\n".join(lines))
    assert batch.lines.height == 19
    assert batch.rejected["source_row"].to_list() == [5]
    assert "the amount tbc is no number" in batch.rejected["reason"][0]
    assert report.status == "partly read"


def test_a_workbook_without_a_header_is_read_by_its_values_and_says_so() -> None:
    rows = [
        [f"{13 + i % 15}/04/2020", "Drugs", f"Larkspur {i} Ltd", 26_000.5 + 977 * i]
        for i in range(30)
    ]
    batch, report = read_one("x.xlsx", write_workbook([("S", rows)]))
    assert batch.lines["source_row"][0] == 1
    assert batch.lines["amount_gbp"].sum() == pytest.approx(sum(r[3] for r in rows))
    assert "No header row was found" in str(report.to_row()["warnings"])
    assert report.sheets[0].confidence < 0.7


def test_a_workbook_of_words_without_a_header_is_set_aside() -> None:
    book = write_workbook([("S", [[f"a{i}", f"b{i}", "x"] for i in range(40)])])
    batch, report = read_one("x.xlsx", book)
    assert report.status == "set aside"
    assert batch.rejected.height == 40


def test_a_hidden_and_an_empty_sheet_do_no_harm() -> None:
    rows = [
        HEADER,
        *[
            [f"{13 + i}/04/2020", "Drugs", "Ward", f"Larkspur {i} Ltd", str(i), 26_000.5 + i]
            for i in range(15)
        ],
    ]
    book = write_workbook(
        [("Empty", []), ("Lists", [["VENDOR"], ["OTHER"]]), ("Data", rows)], hidden=["Lists"]
    )
    batch, report = read_one("x.xlsx", book)
    assert batch.lines.height == 15
    assert report.status == "read"


def test_what_cannot_be_read_of_a_zip_is_named_and_the_rest_read() -> None:
    whole = zipped({"April.csv": table(4).encode(), "May.csv": table(5).encode()})
    damaged = bytearray(whole)
    at = whole.index(b"May.csv") + len("May.csv") + 20
    damaged[at : at + 8] = b"\xff" * 8
    members = {
        "April 2020.csv": table(4).encode(),
        "May 2020.xlsx": b"PK\x03\x04 broken",
        "June 2020.zip": zipped({"June 2020.csv": table(6).encode()}),
        "notes.pdf": b"%PDF",
    }
    batch, report = read_one("2020.zip", zipped(members))
    assert batch.lines["source_sheet"].unique().to_list() == ["April 2020.csv"]
    assert batch.lines.height == 12
    assert report.status == "partly read"
    assert "'May 2020.xlsx' in the zip: the file is damaged" in (report.reason or "")
    assert "'June 2020.zip' in the zip: a zip inside a zip is not read" in (report.reason or "")
    batch, report = read_one("2020.zip", bytes(damaged))
    assert batch.lines.height == 12
    assert "'May.csv' in the zip: " in (report.reason or "")


def test_half_of_an_official_table_is_no_table(tmp_path: Path) -> None:
    data = zipped({"a.csv": b"a,b\n1,2\n", "b.xlsx": b"PK\x03\x04 broken"})
    path = tmp_path / "x.zip"
    path.write_bytes(data)
    file = RawFile("fdp/x.zip", path, "fdp", "", "", len(data))
    assert str(open_file(file, None)).startswith("'b.xlsx' in the zip: ")


def test_a_file_packed_by_gzip_is_read() -> None:
    packed = gzip.compress(table(4).encode())
    batch, report = read_one("April 2020.csv.gz", packed)
    assert (batch.lines.height, report.status) == (12, "read")
    for data, says in (
        (packed[:-9], "breaks off"),
        (packed[:20] + b"\xff" * 40, "gzip archive"),
        (gzip.compress(bytes(30_000_000)), "unpacks to more than"),
        (gzip.compress(packed), "an archive inside an archive"),
    ):
        batch, report = read_one("April 2020.csv.gz", data)
        assert batch.lines.is_empty()
        assert says in (report.reason or "")
