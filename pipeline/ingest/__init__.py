"""From bytes to typed facts.

Belongs here: finding raw files, recognising them and reading them, with every row accounted for. `tabular` is
the one reader of spreadsheets and text tables, `sources` has one module a source that turns its files into a
facts table, `spend` understands spend files, and `payments` books their lines to publishers and keeps them.
Does not belong here: classification, sums, anything that knows Dagster.
"""
