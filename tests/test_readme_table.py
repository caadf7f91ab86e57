"""The README's table is written from a publication, in the words of its rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.refresh import Summary
from pipeline.settings import Settings
from pipeline.site.readme import main
from pipeline.store import TableStore


def test_the_table_says_what_the_publication_says(
    demo_build: tuple[Settings, Summary], tmp_path: Path
) -> None:
    out, page = demo_build[0].out, tmp_path / "README.md"
    page.write_text(
        "Before\n<!-- table: d1-london -->\nold\n<!-- end of table -->\nAfter\n", "utf-8"
    )
    shares = (
        TableStore(out / "parquet")
        .read("marts.digital_share")
        .filter(definition="D1", denominator="operating_expenditure_less_impairments")
    )
    year = shares["financial_year"].max()
    main(["--out", str(out), "--year", str(year), str(page)])
    text = page.read_text("utf-8")
    assert text.startswith("Before\n")
    assert text.endswith("After\n")
    assert "old" not in text
    rows = shares.filter(financial_year=year).to_dicts()
    assert len(rows) > 2
    for row in rows:
        (line,) = [line for line in text.splitlines() if f"({row['organisation_code']})" in line]
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert float(cells[1].rstrip("%")) == pytest.approx(100 * row["share"], abs=0.051)
        assert float(cells[3].strip("£m").replace(",", "")) == pytest.approx(
            float(row["gap_gbp"]) / 1e6, abs=0.51
        )
