"""The code location that Dagster loads: ``dagster dev -m pipeline.definitions``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from pipeline.defs import (
    automation,
    checks,
    history,
    jobs,
    published,
    raw,
    sensors,
    tables,
    unattended,
)
from pipeline.defs.resources import Product


def build_defs(overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """Everything Dagster knows about the product.

    Args:
        overrides: resources by name that replace the default ones, such as
            ``{"product": Product(raw="...", out="...")}``.
    """
    resources: dict[str, Any] = {"product": Product(), **(overrides or {})}
    return dg.Definitions(
        assets=[
            *raw.raw_assets(),
            *tables.fact_assets(),
            *tables.meta_assets(),
            *tables.mart_assets(),
            *published.chart_assets(),
            published.publication,
        ],
        asset_checks=checks.asset_checks(),
        jobs=[
            jobs.refresh_job,
            jobs.refresh_charts_job,
            jobs.fetch_sources,
            unattended.unattended_refresh,
            history.prune_history,
        ],
        schedules=[unattended.monthly, history.daily],
        sensors=[sensors.new_raw_files, automation.keep_up, unattended.tell_failures],
        resources=resources,
        # Thirty small steps take seconds in one process and half a minute in one process each.
        executor=dg.in_process_executor,
    )


defs = build_defs()
