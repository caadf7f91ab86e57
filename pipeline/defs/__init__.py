"""Dagster: assets, checks, jobs, schedules, sensors. Thin; the logic lives in the other packages.

Belongs here: what Dagster must know (keys, groups, partitions, metadata, order). Does not belong
here: reading, computing, checking or publishing; every asset calls a stage of ``refresh``.
"""
