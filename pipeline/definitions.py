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
from pipeline.defs.execution import executor_of
from pipeline.defs.resources import Product
from pipeline.settings import Settings


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
        executor=executor_of(Settings()),
    )


defs = build_defs()
