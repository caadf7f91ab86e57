"""Payments in two files are found whether their numbers were told or their lines are read again."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spend_files import put, table

from pipeline.ingest.payments.shared import (
    NEEDED,
    may_share,
    numbers_of,
    numbers_together,
    shared_payments,
)
from pipeline.refresh import assembled, portions
from pipeline.refresh.context import Run
from pipeline.refresh.payments import build_payments
from pipeline.schema import table as schema_of
from pipeline.settings import Settings

KINDS = {name: schema_of("facts.payment").polars[name] for name in NEEDED}

FILES = ("1.csv", "2.csv")

payment = st.fixed_dictionaries(
    {
        "organisation_code": st.sampled_from("AB"),
        "month": st.sampled_from([date(2020, 4, 1), None]),
        "payment_date": st.none(),
        "supplier": st.sampled_from(["x", None]),
        "amount_gbp": st.integers(1, 3).map(Decimal),
        "transaction_reference": st.none(),
        "source_file": st.sampled_from(FILES),
        "source_sheet": st.just(""),
        "is_superseded": st.booleans(),
        "is_duplicate": st.booleans(),
    }
)


@given(st.lists(payment, max_size=12))
def test_lines_whose_numbers_differ_share_nothing(rows: list[dict[str, Any]]) -> None:
    numbered = [row | {"source_row": i} for i, row in enumerate(rows)]
    lines = pl.DataFrame(numbered, schema=KINDS, orient="row")
    by_file = numbers_of(lines.sort("source_file", maintain_order=True))
    numbers = numbers_together(by_file.values())
    alike = {code: may_share([numbers[code]]) for code in numbers} | dict.fromkeys(
        {*"AB"} - numbers.keys(), False
    )
    counted = [
        tuple(row[name] for name in NEEDED if name != "source_row")
        for row in numbered
        if not row["is_superseded"] and not row["is_duplicate"]
    ]
    at = NEEDED.index("source_file")
    for code in "AB":
        files = [{row for row in counted if row[0] == code and row[at] == f} for f in FILES]
        own = [row[:at] + row[at + 1 :] for rows in files for row in rows]
        assert alike[code] == (len(set(own)) < len(own))
    copies, told = shared_payments(lines)
    assert {*copies["organisation_code"], *(code for code, _, _ in told)} <= {
        code for code in "AB" if alike[code]
    }


def found(out: Path, raw: Path, *, force: bool = False) -> dict[str, str]:
    run = Run(Settings(raw=raw, out=out, threads=1), force=force)
    build_payments(run, None)
    work = run.settings.work
    files = [
        *work.glob("tables/facts/payment/*"),
        *work.glob("parts/*"),
        work / "payments/shared.json",
    ]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Two publishers; one has a file for the year, in another financial year's name, that repeats April."""
    for folder in ("RZX", "RZY"):
        for month in (4, 5):
            put(tmp_path / "raw", f"Spend 2020-21 {month:02d}.csv", table(month), folder)
    put(tmp_path / "raw", "All 2019-20.csv", table(4) + table(3, add=7).split("\n", 1)[1], "RZY")
    return tmp_path / "raw"


def test_only_organisations_with_payments_alike_are_read_again(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    look = assembled.shared_among
    monkeypatch.setattr(
        assembled,
        "shared_among",
        lambda job, codes, parts: looked.extend(codes) or look(job, codes, parts),
    )
    told = found(tmp_path / "told", raw)
    assert looked == ["RZY"]
    keep = portions._keep
    monkeypatch.setattr(portions, "_keep", lambda *given: keep(*given) and {})
    assert found(tmp_path / "untold", raw) == told
    assert looked == ["RZY", "RZX", "RZY"]


def test_what_was_told_in_an_earlier_run_is_read(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy that comes later, beside files that are known already, is found all the same."""
    put(raw, "April again.csv", table(4) + "30/04/2020,Drugs,Ward,New Ltd,9,30000\n", "RZX")
    at_once = found(tmp_path / "at once", raw)
    (raw / "spend_over_25k/RZX/April again.csv").rename(tmp_path / "later.csv")
    found(tmp_path / "later", raw)
    (tmp_path / "later.csv").rename(raw / "spend_over_25k/RZX/April again.csv")
    assert found(tmp_path / "later", raw) == at_once
