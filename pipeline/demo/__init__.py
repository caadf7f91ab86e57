"""The demonstration: raw files in the publishers' formats, about organisations that do not exist.

Belongs here: everything needed to run the whole product without a single real file, and to compare
what it finds with what is true. Does not belong here: reading or judging files; the pipeline reads
these exactly as it reads real ones. ``generate`` writes the tree, ``Truth`` says what is in it.
"""

from __future__ import annotations

from pipeline.demo.generate import DEFAULT_YEARS, Truth, generate

__all__ = ["DEFAULT_YEARS", "Truth", "generate"]
