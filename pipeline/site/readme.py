"""The README's table of shares, written from a publication so that it is never typed by hand.

Run as ``python -m pipeline.site.readme --out data/marts --year 2020/21 README.md``.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from pipeline.charts.format import percent
from pipeline.site.pictures import published_tables

HEAD = "| trust | share | range | missing to 5% a year | months | badge |\n|---|---:|---:|---:|---:|:-:|\n"


def share_table(shares: pl.DataFrame, year: str) -> str:
    """Markdown table of one year's D1 shares by trust, in order of name (never of rank).

    Args:
        shares: ``marts.digital_share``.
        year: financial year such as ``2020/21``.
    """
    rows = shares.filter(
        (pl.col("definition") == "D1")
        & (pl.col("denominator") == "operating_expenditure_less_impairments")
        & (pl.col("financial_year") == year)
    ).sort("organisation_name")
    lines = [
        f"| {r['organisation_name']} ({r['organisation_code']}) | {percent(r['share'])} "
        f"| {percent(r['share_lower'])} to {percent(r['share_upper'])} | £{float(r['gap_gbp']) / 1e6:,.0f}m "
        f"| {r['months_present']} of 12 | {r['badge']} |"
        for r in rows.iter_rows(named=True)
    ]
    return HEAD + "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Put the table between its marks in a Markdown file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="a publication")
    parser.add_argument("--year", required=True)
    given = parser.parse_args(arguments)
    shares = published_tables(given.out, ["marts.digital_share"])["marts.digital_share"]
    text = given.page.read_text(encoding="utf-8")
    made = f"<!-- table: d1-london -->\n{share_table(shares, given.year)}\n<!-- end of table -->"
    pattern = r"<!-- table: d1-london -->.*?<!-- end of table -->"
    given.page.write_text(re.sub(pattern, lambda _: made, text, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    main()
