"""Asset keys, groups, partitions and owners."""

from __future__ import annotations

from datetime import date

import dagster as dg

FIRST_YEAR = 2010
OWNERS = ["team:digital-spend-analysis"]


def key_of(name: str) -> dg.AssetKey:
    """The asset key of a table or published thing such as ``marts.digital_share``."""
    return dg.AssetKey(name.split("."))


def raw_key(source_id: str) -> dg.AssetKey:
    """The asset key of a folder of raw files."""
    return dg.AssetKey(["raw", source_id])


def year_of(partition: str) -> str:
    """``2020-21`` -> ``2020/21``: partition keys hold no slash, so that they can be file names."""
    return partition.replace("-", "/")


def _years() -> list[str]:
    today = date.today()
    last = today.year if today.month >= 4 else today.year - 1
    return [f"{y}-{(y + 1) % 100:02d}" for y in range(FIRST_YEAR, last + 1)]


#: Payments are partitioned by financial year, April to March.
FINANCIAL_YEARS = dg.StaticPartitionsDefinition(_years())

#: Tag of a run that is about all years, also those that began after the server was started.
EVERY_YEAR = "fivepercent/every_year"

#: Tags that make one run of the whole range of payment partitions.
ALL_YEARS = {
    "dagster/asset_partition_range_start": FINANCIAL_YEARS.get_partition_keys()[0],
    "dagster/asset_partition_range_end": FINANCIAL_YEARS.get_partition_keys()[-1],
    EVERY_YEAR: "yes",
}
