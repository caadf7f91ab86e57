"""How far each NHS trust in England is from spending 5% of its expenditure on digital.

The package is laid out by the way of the data: ``catalogue`` says what is published where,
``ingest`` turns files into typed facts, ``classify`` labels payments, ``quality`` decides whether
they may be used, ``marts`` answers questions in SQL, ``store`` publishes, ``charts`` and ``site``
show. ``refresh`` runs all of it; ``defs`` lets Dagster run it. ``docs/architecture.md`` is the map.
"""

__version__ = "0.1.0"
