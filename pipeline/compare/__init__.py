"""What is different between two builds, and why.

Belongs here: reading what a comparison needs of a build (a database, a folder of Parquet files, or
what an earlier comparison kept), frames of the differences with their causes, and how that reads
(``report``). Does not belong here: who is told (``unattended``, the command line), or anything that
changes a build.
"""

from pipeline.compare.build import Build, NotABuildError, read_build
from pipeline.compare.difference import Comparison, compare

__all__ = ["Build", "Comparison", "NotABuildError", "compare", "read_build"]
