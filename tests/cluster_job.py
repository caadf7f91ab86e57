"""A job that Dask workers can import: everything up to the payments. Not a test itself."""

import dagster as dg

from pipeline.definitions import build_defs
from pipeline.defs.keys import key_of
from pipeline.defs.resources import Product
from pipeline.defs.tables import ORGANISATION_TABLES, REFERENCE_TABLES


def payments_job() -> dg.JobDefinition:
    """Raw files, organisations and payments, as the product defines them."""
    whole = build_defs({"product": Product(preview_rows=0)})
    keys = map(key_of, ("facts.payment", *ORGANISATION_TABLES, *REFERENCE_TABLES))
    wanted = dg.AssetSelection.assets(*keys).upstream().without_checks()
    part = dg.Definitions(
        assets=whole.assets,
        jobs=[dg.define_asset_job("up_to_payments", selection=wanted)],
        resources=whole.resources,
        executor=whole.executor,
    )
    return part.resolve_job_def("up_to_payments")
