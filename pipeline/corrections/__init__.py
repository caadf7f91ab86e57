"""The corrections ledger: reviewed changes to published data, each with its evidence.

Belongs here: the YAML entries and their strict loading. Does not belong here: anything a reader can
decide from the file itself.
"""
