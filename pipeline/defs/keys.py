"""Asset keys, groups, partitions and owners."""

from __future__ import annotations

from datetime import date

import dagster as dg

FIRST_YEAR = 2010
OWNERS = ["team:digital-spend-analysis"]


def key_of(name: str) -> dg.AssetKey:
    """The asset key of a table or published thing such as ``marts.digital_share``."""
    return dg.AssetKey(name.split("."))


def year_of(partition: str) -> str:
    """``2020-21`` -> ``2020/21``: partition keys hold no slash, so that they can be file names."""
    return partition.replace("-", "/")


def _years() -> list[str]:
    today = date.today()
    last = today.year if today.month >= 4 else today.year - 1
    return [f"{y}-{(y + 1) % 100:02d}" for y in range(FIRST_YEAR, last + 1)]


#: Payments are partitioned by financial year, April to March.
FINANCIAL_YEARS = dg.StaticPartitionsDefinition(_years())
