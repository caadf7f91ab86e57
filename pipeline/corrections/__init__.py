"""The corrections ledger: reviewed changes to published data, each with its evidence.

Belongs here: the YAML entries, their strict loading, and the pure application to a frame of facts.
Does not belong here: anything a reader can decide from the file itself, and the accounts of files
(``refresh.corrected``).

A correction names the value it expects to find. When the publisher repairs the file, or the file
changes in any other way, the value is no longer there and the refresh fails with the entry's name:
a correction never lives on unseen.
"""

from pipeline.corrections.apply import (
    Corrected,
    PresentFile,
    apply_corrections,
    apply_to_some,
)
from pipeline.corrections.judge import Found, judge
from pipeline.corrections.ledger import CorrectionError, Entry, load_corrections

__all__ = [
    "Corrected",
    "CorrectionError",
    "Entry",
    "Found",
    "PresentFile",
    "apply_corrections",
    "apply_to_some",
    "judge",
    "load_corrections",
]
