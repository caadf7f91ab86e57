"""From bytes to typed facts.

Belongs here: finding raw files, reading them (``tabular`` is the one reader of spreadsheets and
text tables), and one module a source that turns rows into a facts table. Does not belong here:
classification, sums, anything that knows Dagster.
"""
