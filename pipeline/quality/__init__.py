"""Is what was read and computed fit to be published?

Belongs here: expectations on every table (generated from the schema, and written by people who
know the data), the account of every row of every file, and the comparison with published figures.
Does not belong here: repairing data (``ingest``, ``corrections``) or deciding what happens after a
gate has failed (``refresh``).
"""

from pipeline.quality.again import Since
from pipeline.quality.gate import Gate, Library, ask_library, run_gate, table_checked, tables_of
from pipeline.quality.results import CheckResult, Severity, gate_failures, results_frame
from pipeline.quality.suites import suite_for

__all__ = [
    "CheckResult",
    "Gate",
    "Library",
    "Severity",
    "Since",
    "ask_library",
    "gate_failures",
    "results_frame",
    "run_gate",
    "suite_for",
    "table_checked",
    "tables_of",
]
