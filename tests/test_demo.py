"""The demonstration is believable, repeatable, and made of no real organisation."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import fastexcel
import polars as pl
import pytest
from python_calamine import CalamineWorkbook

from pipeline.demo import Truth, generate
from pipeline.demo.layout_list import BY_NAME, LAYOUTS
from pipeline.demo.places import trust_code
from pipeline.settings import DEMONSTRATION_MARKER


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    raw = tmp_path_factory.mktemp("demonstration") / "raw"
    return raw, generate(raw)


def _cells(path: Path, encoding: str) -> dict[str, list[list[str]]]:
    """Every cell as text, by sheet ("" for text files), rows counted as in the file."""
    if path.suffix == ".csv":
        text = path.read_bytes().decode(encoding)
        return {"": list(csv.reader(io.StringIO(text, newline="")))}
    book = CalamineWorkbook.from_path(str(path))
    return {
        name: [
            [str(cell) for cell in row]
            for row in book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        ]
        for name in book.sheet_names
    }


def _as_amount(cell: str) -> Decimal | None:
    text = cell.strip().replace(",", "").replace("£", "")
    if re.fullmatch(r"\(.*\)", text):
        text = "-" + text[1:-1]
    return Decimal(text).quantize(Decimal("0.01")) if re.fullmatch(r"-?\d+(\.\d+)?", text) else None


def _lines(raw: Path, truth: Truth) -> Iterator[tuple[dict[str, object], list[str]]]:
    """Every true line with the cells that stand at its place in the file."""
    for (file,), lines in truth.payments.group_by("source_file", maintain_order=True):
        layout = BY_NAME[lines["layout"][0]]
        sheets = _cells(raw / str(file), layout.encoding)
        for line in lines.iter_rows(named=True):
            yield line, sheets[line["source_sheet"]][line["source_row"] - 1]


def test_every_true_line_stands_in_its_file_at_its_row(
    demonstration: tuple[Path, Truth],
) -> None:
    raw, truth = demonstration
    wrong = []
    for line, row in _lines(raw, truth):
        amounts = {_as_amount(cell) for cell in row}
        texts = [line[c] for c in ("supplier", "expense_type", "expense_area", "description")]
        if line["amount_gbp"] not in amounts or any(t and t not in row for t in texts):
            wrong.append((line["source_file"], line["source_row"], row))
    assert not wrong, wrong[:3]


def test_files_hold_nothing_but_true_lines_and_known_other_rows(
    demonstration: tuple[Path, Truth],
) -> None:
    raw, truth = demonstration
    for file in truth.files.iter_rows(named=True):
        sheets = _cells(raw / file["source_file"], BY_NAME[file["layout"]].encoding)
        held = sum(len(rows) for rows in sheets.values())
        assert held == file["rows"] + file["ignored_rows"], file


def test_every_layout_is_used_and_csv_prevails(demonstration: tuple[Path, Truth]) -> None:
    _, truth = demonstration
    assert set(truth.files["layout"]) == {layout.name for layout in LAYOUTS}
    assert len(LAYOUTS) >= 12
    is_csv = truth.files["source_file"].str.ends_with(".csv")
    assert 0.75 < is_csv.mean() < 0.97  # type: ignore[operator]


def test_each_kind_of_file_is_there(demonstration: tuple[Path, Truth]) -> None:
    raw, truth = demonstration
    count = {p.name: sum(f.is_file() for f in p.rglob("*")) for p in raw.iterdir() if p.is_dir()}
    assert count.pop("spend_over_25k") == truth.files.height > 1100
    assert count == {
        "provider_accounts": 12,
        "digital_maturity": 1,
        "workforce": 7,
        "organisations": 7,
        "epr_suppliers": 1,
        "medical_records_cost": 1,
        "fdp": 1,
        "dspt": 1,
        "virtual_wards": 3,
        "gdp_deflator": 1,
    }
    assert (raw / DEMONSTRATION_MARKER).read_text(encoding="utf-8").startswith("DEMONSTRATION")


def test_files_with_room_for_a_note_say_demonstration(demonstration: tuple[Path, Truth]) -> None:
    raw, _ = demonstration
    for path in raw.rglob("*.xlsx"):
        with zipfile.ZipFile(path) as book:
            assert b"DEMONSTRATION" in book.read("docProps/core.xml"), path
    for file in raw.glob("spend_over_25k/*/*.csv"):
        head = file.read_bytes().splitlines()[0]
        assert b"Department" not in head or b"DEMONSTRATION" in file.read_bytes(), file


def test_shares_spread_as_trusts_do(demonstration: tuple[Path, Truth]) -> None:
    _, truth = demonstration
    core = pl.col("operating_expenditure_gbp") - pl.col("impairments_gbp")
    shares = truth.trust_year.select(
        "organisation_code",
        "months_published",
        paid=pl.col("digital_nonpay_gbp") / core,
        published=pl.col("digital_published_gbp") / core,
        capital=pl.col("digital_capital_gbp") / core,
    )
    assert 0.018 < shares["paid"].median() < 0.026  # type: ignore[operator]
    assert shares["paid"].max() > 0.05  # type: ignore[operator]
    assert shares["paid"].min() < 0.01  # type: ignore[operator]
    whole = shares.filter(pl.col("months_published") == 12)
    assert 0.012 < whole["published"].median() < 0.024  # type: ignore[operator]
    assert (whole["published"] > 0.002).all()
    assert 0.004 < shares["capital"].median() < 0.012  # type: ignore[operator]
    # What a trust is in one year it mostly is in the next.
    between = shares.group_by("organisation_code").agg(pl.col("paid").mean())["paid"].std()
    within = shares.group_by("organisation_code").agg(pl.col("paid").std())["paid"].mean()
    assert between > 1.5 * within  # type: ignore[operator]


def test_published_payments_are_16_to_69_percent_of_operating_expenditure(
    demonstration: tuple[Path, Truth],
) -> None:
    _, truth = demonstration
    keys = ["organisation_code", "financial_year"]
    paid = (
        truth.payments.filter(~pl.col("is_superseded"))
        .group_by(keys)
        .agg(paid=pl.col("amount_gbp").cast(pl.Float64).sum())
    )
    whole = truth.trust_year.filter(pl.col("months_published") == 12).join(paid, on=keys)
    ratio = whole["paid"] / whole["operating_expenditure_gbp"]
    assert ratio.is_between(0.16, 0.69).all(), ratio.describe()
    assert ratio.max() - ratio.min() > 0.25  # type: ignore[operator]


def test_payments_go_with_what_the_accounts_leave_to_be_paid(
    demonstration: tuple[Path, Truth],
) -> None:
    _, truth = demonstration
    year = truth.trust_year.filter(pl.col("months_published") == 12)
    payable = year["nonpay_operating_expenditure_gbp"] + year["capital_additions_gbp"]
    captured = year["published_gbp"] / payable
    assert captured.is_between(0.4, 1.05).all(), captured.describe()
    # Scaled up by what is captured, published digital money meets the true amount on average.
    estimate = year["digital_published_gbp"] / captured / year["digital_nonpay_gbp"]
    assert 0.95 < estimate.mean() < 1.05  # type: ignore[operator]
    assert estimate.is_between(0.75, 1.3).all(), estimate.describe()


def test_march_carries_more_than_its_twelfth_of_digital_capital(
    demonstration: tuple[Path, Truth],
) -> None:
    _, truth = demonstration
    capital = truth.payments.filter(
        (pl.col("digital") == "yes") & (pl.col("nature") == "capital") & ~pl.col("is_superseded")
    )
    by_month = capital.group_by(pl.col("month").dt.month()).agg(pl.col("amount_gbp").sum())
    march = by_month.filter(pl.col("month") == 3)["amount_gbp"][0]
    assert float(march) / float(by_month["amount_gbp"].sum()) > 0.2


def test_hard_lines_are_a_minority_of_every_sort(demonstration: tuple[Path, Truth]) -> None:
    _, truth = demonstration
    lines = truth.payments
    hard = lines.filter(pl.col("hard").is_not_null())
    assert hard["hard"].n_unique() >= 8
    assert 0.02 < hard.height / lines.height < 0.12
    assert lines["is_duplicate"].sum() > 50
    assert lines["is_superseded"].sum() > 50
    assert (lines["amount_gbp"] < 0).sum() > 200
    assert (lines["amount_gbp"].abs() < 25_000).sum() > 1000
    assert lines["is_balance_sheet"].sum() > 500
    assert set(lines.filter("is_balance_sheet")["digital"]) == {"no"}
    assert lines["expense_type"].is_null().mean() > 0.02  # type: ignore[operator]
    assert lines["expense_area"].is_null().mean() > 0.02  # type: ignore[operator]
    assert lines["payment_date"].is_null().mean() > 0.01  # type: ignore[operator]
    assert lines["supplier"].str.contains(r"^\d+$").any()


def test_an_exact_duplicate_repeats_every_cell_of_an_earlier_line(
    demonstration: tuple[Path, Truth],
) -> None:
    raw, truth = demonstration
    file = truth.payments.filter("is_duplicate")["source_file"][0]
    seen: list[list[str]] = []
    for line, row in _lines(raw, _only(truth, file)):
        assert (row in seen) == line["is_duplicate"]
        seen.append(row)


def _only(truth: Truth, file: str) -> Truth:
    return Truth(
        truth.trust_year,
        truth.payments.filter(pl.col("source_file") == file),
        truth.rows_and_pounds,
        truth.files,
        truth.organisations,
    )


def test_a_republished_month_lies_beside_its_first_version(
    demonstration: tuple[Path, Truth],
) -> None:
    raw, truth = demonstration
    first = truth.files.filter("is_superseded")
    assert first.height >= 2
    for file in first["source_file"]:
        later = raw / file.replace(".csv", "~20240115T090000Z.csv")
        assert later.exists()
        assert later.read_bytes() != (raw / file).read_bytes()


def test_some_trusts_publish_late_never_or_with_gaps(demonstration: tuple[Path, Truth]) -> None:
    _, truth = demonstration
    months = truth.trust_year.group_by("organisation_code").agg(pl.col("months_published"))
    patterns = months["months_published"].to_list()
    assert any(sum(p) == 0 for p in patterns)
    assert any(p[0] == 0 and sum(p) > 0 for p in patterns)
    assert any(0 < m < 8 for p in patterns for m in p)
    assert sum(all(m == 12 for m in p) for p in patterns) >= 5


def test_rows_and_pounds_add_up(demonstration: tuple[Path, Truth]) -> None:
    _, truth = demonstration
    assert truth.rows_and_pounds["rows"].sum() == truth.payments.height
    assert truth.rows_and_pounds["amount_gbp"].sum() == truth.payments["amount_gbp"].sum()
    used = truth.payments.filter(~pl.col("is_superseded"))
    assert truth.rows_and_pounds["rows_in_use"].sum() == used.height
    assert truth.files["amount_gbp"].sum() == truth.payments["amount_gbp"].sum()


def _fingerprint(raw: Path) -> dict[str, str]:
    """Bytes of text files, cells of workbooks."""
    prints = {}
    for path in sorted(p for p in raw.rglob("*") if p.is_file()):
        content = path.read_bytes()
        if path.suffix == ".xlsx":
            content = repr(_cells(path, "")).encode()
        prints[path.relative_to(raw).as_posix()] = hashlib.sha256(content).hexdigest()
    return prints


def test_the_same_seed_makes_the_same_files_and_another_seed_others(tmp_path: Path) -> None:
    years = ["2021/22"]
    for folder, seed in (("a", 7), ("b", 7), ("c", 8)):
        generate(tmp_path / folder, seed=seed, trusts=16, years=years, density=0.3)
    one, two, other = (_fingerprint(tmp_path / f) for f in "abc")
    assert one == two
    assert len(set(one.values()) & set(other.values())) < 0.1 * len(one)


def test_generating_again_replaces_the_earlier_demonstration(tmp_path: Path) -> None:
    generate(tmp_path, trusts=15, years=["2022/23"], density=0.2)
    generate(tmp_path, trusts=3, years=["2022/23"], density=0.2)
    assert {p.name for p in (tmp_path / "spend_over_25k").iterdir()} <= {"Z0A", "Z0B", "Z0C"}


def test_it_never_writes_among_files_that_may_be_real(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("about this folder", encoding="utf-8")
    generate(tmp_path / "other", trusts=1, years=["2022/23"], density=0.2)
    (tmp_path / "spend_over_25k").mkdir()
    with pytest.raises(FileExistsError, match="name another folder"):
        generate(tmp_path, trusts=1)
    assert not (tmp_path / DEMONSTRATION_MARKER).exists()


@pytest.mark.parametrize("years", [["2020-21"], ["2020/22"], ["2020/21", "2022/23"], []])
def test_impossible_years_are_refused(tmp_path: Path, years: list[str]) -> None:
    with pytest.raises(ValueError, match=r"2020/21|follow each other"):
        generate(tmp_path / "x", trusts=1, years=years)


def test_one_trust_and_one_year_are_enough(tmp_path: Path) -> None:
    truth = generate(tmp_path, trusts=1, boards=1, years=["2023/24"], density=0.2)
    assert truth.organisations.height == 1
    assert truth.payments.height > 10


@pytest.mark.real
def test_no_code_or_name_is_real(demonstration: tuple[Path, Truth], real_raw: Path) -> None:
    _, truth = demonstration
    register = "".join(
        path.read_text(encoding="utf-8", errors="replace").upper()
        for path in (real_raw / "organisations").glob("*.csv")
    )
    codes = set(re.findall(r'[",\n;]([A-Z0-9]{3})[",\n;]', register))
    assert "RJ1" in codes
    assert not {trust_code(i) for i in range(240)} & codes
    assert not set(truth.organisations["icb_code"]) & codes
    for name in truth.organisations["name"]:
        assert name.upper().split(" NHS ")[0] not in register, name


@pytest.mark.real
def test_no_supplier_is_taken_from_a_real_file(real_raw: Path) -> None:
    from pipeline.demo.suppliers import SUPPLIERS

    real = "".join(
        path.read_bytes().decode("cp1252", errors="replace").upper()
        for path in (real_raw / "spend_over_25k").glob("*/*.csv")
    )
    assert "CERNER" in real
    stems = {name.split()[0].upper() for names in SUPPLIERS.values() for name in names}
    assert not [stem for stem in stems - {"DEMONSTRATION"} if stem in real]


def test_workbooks_open_with_the_fast_reader_too(demonstration: tuple[Path, Truth]) -> None:
    raw, truth = demonstration
    lines = truth.payments.filter(pl.col("layout") == "final_review")
    file = lines["source_file"][0]
    sheet = fastexcel.read_excel(raw / file).load_sheet("Final Review ")
    amounts = sheet.to_polars()["Amount"]
    true = lines.filter(pl.col("source_file") == file)["amount_gbp"].cast(pl.Float64)
    assert amounts.head(true.len()).to_list() == pytest.approx(true.to_list())
