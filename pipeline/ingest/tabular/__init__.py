"""The one reader of tabular files: csv, tsv, txt, xlsx, xls, xlsb, ods, gzip of one, zip of some.

``grids`` turns bytes into grids of strings with physical row numbers; ``header`` finds the header
row and what each column means; ``dates`` and ``amounts`` type the columns. Nothing here knows what
a source is about except the vocabulary of column roles in ``roles.yaml``.
"""

from pipeline.ingest.tabular.grids import UNREADABLE, Grid, read_grids, read_many
from pipeline.ingest.tabular.limits import Limits, UnreadableFileError, check_size

__all__ = [
    "UNREADABLE",
    "Grid",
    "Limits",
    "UnreadableFileError",
    "check_size",
    "read_grids",
    "read_many",
]
