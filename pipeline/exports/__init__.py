"""What a build is handed out as: Parquet and CSV a table, an Excel workbook a theme, a data package.

Belongs here: writing the tables of a published database in other formats, with the dictionary, the
warnings and the licences beside them. Does not belong here: figures, pages, or what a table means.
"""

from pipeline.exports.files import THEMES, Exported, export_build
from pipeline.exports.package import describe_build, write_package
from pipeline.exports.whole import LostRowsError

__all__ = ["THEMES", "Exported", "LostRowsError", "describe_build", "export_build", "write_package"]
