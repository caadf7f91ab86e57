"""Answers in SQL: one file a mart in ``sql/``, run by DuckDB over the Parquet of the working store.

Belongs here: the order of the marts and the views they read. Does not belong here: definitions of
digital spending (``measures``), which the views ``measures.*`` carry.
"""

from pipeline.marts.run import MART_ORDER, build_mart, build_marts, measure_views, open_store

__all__ = ["MART_ORDER", "build_mart", "build_marts", "measure_views", "open_store"]
