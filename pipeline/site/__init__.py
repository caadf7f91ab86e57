"""The static site: pages around the charts, readable without a server and without a network.

Belongs here: ``build_site`` and its report. Does not belong here: figures (``pipeline.charts``).
"""

from __future__ import annotations

from pipeline.site.build import build_site
from pipeline.site.writer import SiteReport

__all__ = ["SiteReport", "build_site"]
