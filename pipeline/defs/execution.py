"""Where Dagster's steps run: in the run's own process, or on a Dask cluster.

Settings choose; on a cluster the launchpad shows the choice as ``execution`` and one run may be sent
elsewhere. Payments are spread over the cluster in either case (``FIVEPERCENT_CLUSTER``).
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from pipeline.settings import Settings


def cluster_config(cluster: str) -> dict[str, Any]:
    """The setting as dagster-dask writes it: a local cluster, or the address of a scheduler."""
    kind, _, number = cluster.partition(":")
    if kind == "local":
        return {"local": {"n_workers": int(number), "dashboard_address": None}}
    return {"existing": {"address": cluster}}


def executor_of(settings: Settings) -> dg.ExecutorDefinition:
    """The executor of all jobs.

    Thirty small steps take seconds in one process and half a minute in one process each, so a
    process of its own for each step is not offered.

    Raises:
        ImportError: when steps are to run on a cluster and the extra is not installed.
    """
    if not (settings.cluster and settings.cluster_steps):
        return dg.in_process_executor
    try:
        from dagster_dask import dask_executor
    except ImportError as error:
        raise ImportError(
            "FIVEPERCENT_CLUSTER_STEPS needs the extra: pip install 'fivepercent[cluster]'"
        ) from error

    def given(config: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"cluster": config["cluster"]}

    schema = {
        "cluster": dg.Field(
            dict,
            is_required=False,
            default_value=cluster_config(settings.cluster),
            description="Where this run's steps go: {existing: {address: tcp://...}} or {local: {n_workers: 2}}.",
        )
    }
    return dask_executor.configured(given, name="dask", config_schema=schema)
