"""What is published, by whom, where, under which licence, and when: one YAML file a source.

Belongs here: the reviewed description of the sources and what follows from it alone (which
months are due, what the starter set is, how versions of a file are named).
Does not belong here: moving bytes (``pipeline.fetch``) or understanding them (``pipeline.ingest``).
"""

from __future__ import annotations

from pipeline.catalogue.calendar import (
    coverage_calendar,
    expected_months,
    month_states,
    release_state,
    source_calendar,
)
from pipeline.catalogue.load import Catalogue, CatalogueError, load_catalogue
from pipeline.catalogue.models import (
    LinkPattern,
    Publisher,
    ReleaseCalendar,
    Source,
    SourceFile,
    StarterPart,
    WantedFile,
)
from pipeline.catalogue.starter import StarterState, starter_set, starter_state
from pipeline.catalogue.versions import base_path, latest_versions, version_path, versions_of

__all__ = [
    "Catalogue",
    "CatalogueError",
    "LinkPattern",
    "Publisher",
    "ReleaseCalendar",
    "Source",
    "SourceFile",
    "StarterPart",
    "StarterState",
    "WantedFile",
    "base_path",
    "coverage_calendar",
    "expected_months",
    "latest_versions",
    "load_catalogue",
    "month_states",
    "release_state",
    "source_calendar",
    "starter_set",
    "starter_state",
    "version_path",
    "versions_of",
]
