"""The corrections ledger: reviewed, strict, applied once, loud when it no longer fits."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest
import yaml

from pipeline.corrections import (
    CorrectionError,
    Entry,
    PresentFile,
    apply_corrections,
    load_corrections,
)
from pipeline.demo import Truth
from pipeline.quality import run_gate
from pipeline.refresh import RefreshFailedError, meta, refresh
from pipeline.refresh.context import Run
from pipeline.refresh.run import read_sources
from pipeline.refresh.sources import SOURCES, build_source
from pipeline.refresh.summary import Summary, tell_corrections
from pipeline.schema import table
from pipeline.settings import Settings

FILE = "spend_over_25k/RZ1/April 2021.csv"
HERE = [PresentFile(FILE, "a" * 64)]


def entry(**more: object) -> Entry:
    body = {
        "id": "rz1-april",
        "source": "spend_over_25k",
        "file": FILE,
        "field": "amount_gbp",
        "was": 26000,
        "becomes": 2600,
        "reason": "A nought too many.",
        "evidence": "Letter of the trust of 1 May 2021.",
        "author": "A. Reviewer",
        "date": "2021-05-02",
    }
    body |= more
    return Entry.model_validate({k: v for k, v in body.items() if v is not ...})


def lines(*rows: dict[str, object]) -> pl.DataFrame:
    base: dict[str, object] = {
        "source_file": FILE,
        "source_sheet": "",
        "payment_date": None,
        "month": "2021-04-01",
        "supplier": "Acme Ltd",
        "expense_type": "Hardware",
        "expense_area": None,
        "description": None,
        "transaction_reference": None,
        "amount_gbp": 26000.0,
        "is_duplicate": False,
        "organisation_code": "RZ1",
        "is_superseded": False,
        "financial_year": "2021/22",
    }
    made = [{**base, "source_row": i, **row} for i, row in enumerate(rows, 2)]
    text = ("expense_area", "description", "transaction_reference", "payment_date")
    return pl.DataFrame(made, schema_overrides=dict.fromkeys(text, pl.String)).with_columns(
        pl.col("month", "payment_date").str.to_date()
    )


def write(folder: Path, *entries: dict[str, object] | Entry, name: str = "own.yaml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    bodies = [
        e.model_dump(mode="json", exclude_unset=True) if isinstance(e, Entry) else e
        for e in entries
    ]
    (folder / name).write_text(yaml.safe_dump({"corrections": bodies}))
    return folder


def test_the_value_of_the_row_meant_changes_and_no_other() -> None:
    before = lines({}, {"amount_gbp": 30000.0}, {"amount_gbp": 26000.01})
    done = apply_corrections(before, [entry()], HERE)
    assert done.lines["amount_gbp"].to_list() == [2600.0, 30000.0, 26000.01]
    assert done.lines.columns == before.columns
    assert done.lines.drop("amount_gbp").equals(before.drop("amount_gbp"))
    assert done.applied.schema == table("meta.correction").polars
    row = done.applied.row(0, named=True)
    assert (row["was"], row["becomes"], row["rows_affected"]) == ("26000", "2600", 1)


def test_a_dropped_row_is_handed_back_with_its_reason() -> None:
    done = apply_corrections(
        lines({}, {"supplier": "B"}), [entry(becomes=..., drop=True, where={"supplier": "B"})], HERE
    )
    assert done.lines["source_row"].to_list() == [2]
    assert done.dropped["source_row"].to_list() == [3]
    assert done.dropped["reason"][0] == "dropped by correction rz1-april: A nought too many."
    assert "26000" in done.dropped["raw"][0]
    assert done.applied["becomes"].to_list() == ["drop"]
    assert done.applied["field"].to_list() == [None]


def test_an_entry_that_no_longer_fits_fails_with_its_name() -> None:
    with pytest.raises(
        CorrectionError, match=r"'rz1-april' no longer fits .*April 2021.csv.*found none"
    ):
        apply_corrections(lines({"amount_gbp": 2600.0}), [entry()], HERE)


def test_the_failure_shows_the_value_that_stands_there_now() -> None:
    with pytest.raises(CorrectionError, match=r"found amount_gbp = 2600\.0 there"):
        apply_corrections(lines({"amount_gbp": 2600.0}), [entry(where={"source_row": 2})], HERE)


def test_more_rows_than_the_entry_says_is_no_fit() -> None:
    with pytest.raises(CorrectionError, match="found 2"):
        apply_corrections(lines({}, {}), [entry()], HERE)
    done = apply_corrections(lines({}, {}), [entry(rows=2)], HERE)
    assert done.lines["amount_gbp"].to_list() == [2600.0, 2600.0]


def test_an_entry_about_a_file_that_is_not_here_changes_nothing() -> None:
    done = apply_corrections(lines({}), [entry(file="spend_over_25k/RZ9/x.csv")], HERE)
    assert done.lines.equals(lines({}))
    assert done.applied["rows_affected"].to_list() == [0]


def test_a_file_that_is_here_but_gave_no_rows_is_no_fit() -> None:
    with pytest.raises(CorrectionError, match="found none"):
        apply_corrections(lines({}).clear(), [entry()], HERE)


def test_an_entry_about_one_content_fails_when_the_content_is_another() -> None:
    with pytest.raises(CorrectionError, match="another content"):
        apply_corrections(lines({}), [entry(sha256="b" * 64)], HERE)
    assert (
        apply_corrections(lines({}), [entry(sha256="a" * 64)], HERE).applied["rows_affected"][0]
        == 1
    )


def test_an_entry_follows_its_file_to_the_latest_version() -> None:
    later = FILE.replace(".csv", "~20220101T000000Z.csv")
    files = [PresentFile(FILE, "a" * 64, later), PresentFile(later, "c" * 64)]
    both = pl.concat([lines({"is_superseded": True}), lines({"source_file": later})])
    done = apply_corrections(both, [entry()], files)
    assert done.lines["amount_gbp"].to_list() == [26000.0, 2600.0]
    repaired = pl.concat(
        [lines({"is_superseded": True}), lines({"source_file": later, "amount_gbp": 2600.0})]
    )
    with pytest.raises(CorrectionError, match="no longer fits"):
        apply_corrections(repaired, [entry()], files)
    with pytest.raises(CorrectionError, match="published again"):
        apply_corrections(both, [entry(sha256="a" * 64)], files)


def test_an_entry_may_name_organisation_and_month_instead_of_a_file() -> None:
    both = lines({}, {"month": "2021-05-01"})
    done = apply_corrections(both, [entry(file=..., organisation="RZ1", period="2021-05")], HERE)
    assert done.lines["amount_gbp"].to_list() == [26000.0, 2600.0]
    absent = apply_corrections(both, [entry(file=..., organisation="RZ1", period="2021-07")], HERE)
    assert absent.applied["rows_affected"].to_list() == [0]


def test_a_corrected_date_moves_the_month_and_the_financial_year() -> None:
    before = lines(
        {"payment_date": "2041-04-30", "month": "2041-04-01", "financial_year": "2041/42"}
    )
    done = apply_corrections(
        before, [entry(field="payment_date", was="2041-04-30", becomes="2021-03-30")], HERE
    )
    row = done.lines.row(0, named=True)
    assert str(row["payment_date"]) == "2021-03-30"
    assert str(row["month"]) == "2021-03-01"
    assert row["financial_year"] == "2020/21"


def test_an_empty_cell_can_be_filled() -> None:
    before = lines({"supplier": "Acme"}, {"expense_type": None})
    done = apply_corrections(
        before, [entry(field="expense_type", was=None, becomes="Hardware")], HERE
    )
    assert done.lines["expense_type"].to_list() == ["Hardware", "Hardware"]


def test_when_the_first_of_two_copies_is_dropped_the_other_counts() -> None:
    both = lines(
        {},
        {"is_duplicate": True},
        {"supplier": "Other"},
        {"supplier": "Other", "is_duplicate": True},
    )
    first = entry(becomes=..., drop=True, where={"source_row": 2})
    assert apply_corrections(both, [first], HERE).lines["is_duplicate"].to_list() == [
        False,
        False,
        True,
    ]
    second = entry(where={"source_row": 3})
    assert apply_corrections(both, [second], HERE).lines["is_duplicate"].to_list() == [
        False,
        False,
        False,
        True,
    ]
    all_of_them = entry(rows=2, where={"supplier": "Acme Ltd"})
    assert apply_corrections(both, [all_of_them], HERE).lines["is_duplicate"].to_list() == [
        False,
        True,
        False,
        True,
    ]


def test_entries_are_applied_in_order_of_their_dates(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        entry(id="later", was=2600, becomes=260, date="2021-06-01").model_dump(
            mode="json", exclude_unset=True
        ),
        entry(id="earlier").model_dump(mode="json", exclude_unset=True),
    )
    found = load_corrections(folder)
    assert [e.id for e in found] == ["earlier", "later"]
    assert apply_corrections(lines({}), found, HERE).lines["amount_gbp"].to_list() == [260.0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"reason": None}, "reason"),
        ({"colour": "red"}, "colour"),
        ({"field": "digital"}, "cannot be corrected"),
        ({"drop": True}, "either becomes"),
        ({"becomes": ...}, "either becomes"),
        ({"becomes": "26,000.00"}, "same as was"),
        ({"becomes": "many"}, "no number"),
        ({"becomes": float("nan")}, "no number"),
        ({"becomes": None}, "must have a value"),
        ({"file": ...}, "which file"),
        ({"organisation": "RZ1"}, "go together"),
        ({"organisation": "RZ1", "period": "2021/22"}, "2020-04"),
        ({"where": {"digital": "yes"}}, "unknown columns"),
        ({"where": {"source_row": "two"}}, "whole number"),
        ({"field": "payment_date", "was": "30/04/2021", "becomes": "2021-04-30"}, "no date"),
        ({"field": "month", "was": "2021-04-02", "becomes": "2021-05-01"}, "first day"),
        ({"sha256": "abc"}, "sha256"),
        ({"rows": 0}, "rows"),
    ],
)
def test_a_faulty_entry_is_refused_with_its_file_and_name(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    body = entry().model_dump(mode="json", exclude_unset=True) | change
    folder = write(tmp_path, {k: v for k, v in body.items() if v is not ...})
    with pytest.raises(CorrectionError) as caught:
        load_corrections(folder)
    assert "own.yaml, entry rz1-april" in str(caught.value)
    assert said in str(caught.value)


def test_the_files_of_the_ledger_are_checked_as_a_whole(tmp_path: Path) -> None:
    with pytest.raises(CorrectionError, match="there is no folder"):
        load_corrections(tmp_path / "nowhere")
    write(tmp_path, entry(), name="a.yaml")
    write(tmp_path, entry(), name="b.yaml")
    with pytest.raises(
        CorrectionError, match=r"b\.yaml: the id 'rz1-april' is also used in a\.yaml"
    ):
        load_corrections(tmp_path)
    (tmp_path / "b.yaml").write_text("corrections: [")
    with pytest.raises(CorrectionError, match=r"b\.yaml is no YAML"):
        load_corrections(tmp_path)


def test_the_shipped_ledger_loads() -> None:
    assert all(e.evidence for e in load_corrections())


def test_a_figure_of_the_accounts_can_be_corrected_but_not_dropped() -> None:
    accounts = pl.DataFrame(
        {
            "organisation_code": ["RZ1", "RZ2"],
            "financial_year": ["2021/22", "2021/22"],
            "main_code": ["A08CY01"] * 2,
            "sub_code": ["EXP0390"] * 2,
            "value": [100.5, 100.5],
            "source_file": ["provider_accounts/TAC 2021-22.xlsx"] * 2,
        }
    )
    told = {
        "source": "provider_accounts",
        "file": ...,
        "organisation": "RZ1",
        "period": "2021/22",
        "field": "value",
    }
    fix = entry(**told, where={"sub_code": "EXP0390"}, was=100.5, becomes=1005)
    files = [PresentFile("provider_accounts/TAC 2021-22.xlsx", "d" * 64)]
    done = apply_corrections(accounts, [fix], files)
    assert done.lines["value"].to_list() == [1005.0, 100.5]
    with pytest.raises(ValueError, match="not dropped"):
        entry(**told, was=100.5, becomes=..., drop=True)


@pytest.fixture
def raw(small_demo: tuple[Path, Truth], tmp_path: Path) -> Path:
    shutil.copytree(small_demo[0], tmp_path / "raw")
    return tmp_path / "raw"


def read(settings: Settings) -> Run:
    run = Run(settings)
    read_sources(run, {})
    return run


def test_the_accounts_of_a_corrected_file_still_add_up(raw: Path, tmp_path: Path) -> None:
    plain = read(Settings(raw=raw, out=tmp_path / "plain"))
    payments = plain.store.read("facts.payment").filter(~pl.col("is_superseded"))
    path = payments["source_file"].sort()[0]
    own = payments.filter(pl.col("source_file") == path)
    first, second = own.row(0, named=True), own.row(1, named=True)

    def told(row: dict, **more: object) -> Entry:
        where = {"source_row": row["source_row"], "source_sheet": row["source_sheet"]}
        return entry(file=path, was=str(row["amount_gbp"]), where=where, **more)

    folder = write(
        tmp_path / "ledger",
        told(first, id="one-is-dropped", becomes=..., drop=True),
        told(second, id="two-is-changed", becomes=1),
    )
    settings = Settings(raw=raw, out=tmp_path / "out", corrections=folder)
    run = read(settings)
    before = plain.store.read("meta.source_file").filter(path=path).row(0, named=True)
    after = run.store.read("meta.source_file").filter(path=path).row(0, named=True)
    assert after["rows_read"] == before["rows_read"]
    assert after["rows_kept"] == before["rows_kept"] - 1
    assert after["rows_rejected"] == before["rows_rejected"] + 1
    dropped_gbp, changed_gbp = first["amount_gbp"], 1 - second["amount_gbp"]
    assert after["pounds_read"] == before["pounds_read"]
    assert after["pounds_corrected"] == changed_gbp != 0 == before["pounds_corrected"]
    assert after["pounds_rejected"] == before["pounds_rejected"] + dropped_gbp
    assert after["pounds_kept"] == before["pounds_kept"] - dropped_gbp + changed_gbp
    assert after["status"] == "partly read"
    assert "two-is-changed" in after["warnings"]
    dropped = run.store.read("meta.rejected_row").filter(
        pl.col("reason").str.starts_with("dropped by correction one-is-dropped")
    )
    assert dropped.select("source_file", "source_row").rows() == [(path, first["source_row"])]
    applied = run.store.read("meta.correction")
    assert dict(applied.select("correction_id", "rows_affected").iter_rows()) == {
        "one-is-dropped": 1,
        "two-is-changed": 1,
    }
    results = run_gate(
        run.store, "facts", tables=["meta.source_file", "facts.payment"], is_demo=True
    )
    assert [r.check_name for r in results if not r.passed and r.severity == "blocking"] == []


def test_a_corrected_figure_of_the_accounts_reaches_the_facts(raw: Path, tmp_path: Path) -> None:
    source = next(s for s in SOURCES if s.source_id == "provider_accounts")
    plain = Run(Settings(raw=raw, out=tmp_path / "plain"))
    build_source(plain, source, None)
    line = plain.store.read("facts.account_line").filter(sub_code="EXP0390").row(0, named=True)
    told = entry(
        source="provider_accounts",
        file=line["source_file"],
        where={k: line[k] for k in ("organisation_name", "main_code", "sub_code")},
        field="value",
        was=line["value"],
        becomes=line["value"] + 1,
    )
    run = Run(Settings(raw=raw, out=tmp_path / "out", corrections=write(tmp_path / "ledger", told)))
    build_source(run, source, None)
    before, after = (r.store.read("facts.account_line")["value"].sum() for r in (plain, run))
    assert after - before == pytest.approx(1)
    meta.build_corrections(run)
    assert run.store.read("meta.correction")["rows_affected"].to_list() == [1]


def test_a_correction_of_a_file_that_is_not_here_is_named_at_the_end(
    raw: Path, tmp_path: Path
) -> None:
    """A misspelt path would correct nothing, and nobody would see it."""
    folder = write(tmp_path / "ledger", entry(file="spend_over_25k/Z0A/Aprl 2021.csv"))
    settings = Settings(raw=raw, out=tmp_path / "out", corrections=folder)
    run = read(settings)
    summary = Summary("b", True, settings.out, run.is_demo)
    tell_corrections(run, summary)
    assert summary.idle_corrections == [
        "rz1-april: spend_over_25k/Z0A/Aprl 2021.csv is not here; compare its name with the folders and files."
    ]


def test_a_correction_that_no_longer_fits_fails_the_refresh(raw: Path, tmp_path: Path) -> None:
    path = sorted((raw / "spend_over_25k").rglob("*.csv"))[0].relative_to(raw).as_posix()
    folder = write(tmp_path / "ledger", entry(file=path, was=0.07, becomes=0.08))
    settings = Settings(raw=raw, out=tmp_path / "out", corrections=folder)
    with pytest.raises(RefreshFailedError, match="'rz1-april' no longer fits") as failed:
        refresh(settings)
    assert "expected 1 row with" in str(failed.value)
    assert str(failed.value).endswith("else bring it up to date. Nothing was published.")
    assert not (settings.out / "fivepercent.duckdb").exists()


def test_a_new_entry_is_reason_to_build_again(raw: Path, tmp_path: Path) -> None:
    settings = Settings(raw=raw, out=tmp_path / "out", corrections=write(tmp_path / "ledger"))
    before = meta.fingerprint(Run(settings))
    assert meta.fingerprint(Run(settings)) == before
    write(tmp_path / "ledger", entry(file="spend_over_25k/RZ9/not here.csv"))
    assert meta.fingerprint(Run(settings)) != before


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"becomes": "26.000,00"}, "no number such as"),
        ({"becomes": "2,6"}, "no number such as"),
        ({"becomes": "(2,600.00)"}, "no number such as"),
        ({"becomes": 1e300}, "no number such as"),
        ({"field": "supplier", "was": "Acme Ltd", "becomes": 123}, "write the text in quotes"),
    ],
)
def test_a_value_that_may_be_another_than_meant_is_refused(
    changes: dict[str, object], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        entry(**changes)
    assert entry(was="£26,000.00", becomes="-2,600.00").becomes == "-2,600.00"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("own.csv", "own.csv is no ledger"),
        ("own.XLSX", "own.XLSX is no ledger"),
        ("year/own.yaml", "own.yaml lies in 'year'"),
    ],
)
def test_a_ledger_that_would_not_be_read_is_refused(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("corrections: []\n")
    with pytest.raises(CorrectionError, match=says):
        load_corrections(tmp_path)


def test_a_ledger_is_read_whatever_the_case_of_its_ending(tmp_path: Path) -> None:
    write(tmp_path, entry(), name="own.YAML")
    (tmp_path / "evidence.pdf").write_bytes(b"%PDF")
    assert [e.id for e in load_corrections(tmp_path)] == ["rz1-april"]


@pytest.mark.parametrize("body", ["corrections:\n", "- id: a\n", "hello\n"])
def test_a_ledger_of_another_form_is_told_what_was_expected(tmp_path: Path, body: str) -> None:
    (tmp_path / "own.yaml").write_text(body)
    with pytest.raises(CorrectionError, match=r"own\.yaml: expected `corrections:` with a list"):
        load_corrections(tmp_path)


def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, entry())
    file = path / "own.yaml" if path.is_dir() else path
    with pytest.raises(CorrectionError, match="is a file; name the folder"):
        load_corrections(file)
