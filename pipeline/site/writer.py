"""One writer of the site: files below a folder, pages from templates, pages taken over, all counted.

Belongs here: how a page or file reaches the disk. Does not belong here: which pages there are
(``build``) or what they say (``pages``, ``trust_pages``, ``board_pages``).
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from markupsafe import Markup

from pipeline.charts import format as fmt
from pipeline.charts.model import Chart
from pipeline.site.earlier import BUILT, Earlier, fingerprint
from pipeline.site.render import chart_context, csv_text, environment


@dataclass
class SiteReport:
    """What was written.

    Attributes:
        out_dir: Folder of the site.
        pages: HTML pages.
        kept: Of these, pages taken over from the site before because their data did not change.
        files: All files.
        bytes: Size of all files.
        charts: Charts of the registry that were drawn.
        empty_charts: Charts that had nothing to show, with the reason.
        trusts: Pages of trusts.
        boards: Pages of boards.
        is_demo: Whether the site is about fictional organisations.
    """

    out_dir: Path
    pages: int = 0
    kept: int = 0
    files: int = 0
    bytes: int = 0
    charts: list[str] = field(default_factory=list)
    empty_charts: dict[str, str] = field(default_factory=dict)
    trusts: int = 0
    boards: int = 0
    is_demo: bool = False


class Writer:
    """Writes files below one folder and counts them."""

    def __init__(
        self, out_dir: Path, report: SiteReport, shared: dict[str, Any], earlier: Earlier
    ) -> None:
        self.out_dir = out_dir
        self.report = report
        self.shared = shared
        self.earlier = earlier

    def text(self, name: str, content: str) -> None:
        """Write ``content`` to ``name`` (a path from the root of the site), UTF-8, LF."""
        self._count(name, content.encode("utf-8"))

    def copy(self, name: str, source: Path) -> None:
        """Copy a file of the package to ``name``."""
        target = self.out_dir / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        self.report.files += 1
        self.report.bytes += target.stat().st_size

    def page(self, name: str, template: str, context: dict[str, Any]) -> None:
        """Render ``template`` to ``name``; links are relative to the page's own folder."""
        root = "../" * name.count("/")
        rendered = (
            environment()
            .get_template(template)
            .render(**self.shared, **context, root=root, this_page=name.removesuffix(".html"))
        )
        # The page of one organisation was looked up before anything was drawn; the others here.
        if name not in self.earlier.now and self.keep(name, fingerprint(rendered)):
            return
        self.text(name, rendered)
        self.report.pages += 1

    def keep(
        self, name: str, key: str, beside: str = "", parts: Mapping[str, str] | None = None
    ) -> bool:
        """Take the page over from the site before, if its fingerprint is the same.

        Args:
            name: Path of the page from the root of the site.
            key: Its fingerprint.
            beside: Folder of the files that belong to it.
            parts: Fingerprints of its parts by name, for :meth:`part`.
        """
        taken = self.earlier.take(name, key, self.out_dir, beside, parts)
        if taken is None:
            return False
        self.report.pages += 1
        self.report.kept += 1
        self.report.files += len(taken)
        self.report.bytes += sum(taken)
        return True

    def part(self, page: str, name: str, beside: str) -> Markup | None:
        """Take a part of a page that was not kept over from the site before, if it is the same.

        Args:
            page: Path of the page from the root of the site.
            name: Of the part.
            beside: Folder of the files that belong to it.
        """
        kept = self.earlier.part(page, name, self.out_dir, beside)
        if kept is None:
            return None
        found, taken = kept
        self.report.files += len(taken)
        self.report.bytes += sum(taken)
        # The rest of the page is made now, so the part may not tell of another day.
        day = fmt.day(self.shared["build"].get("built_at"))
        return Markup(BUILT.sub(rf"\1 {day}", found))  # noqa: S704 - our own page, as it was published

    def chart(self, chart: Chart, folder: str = "data", heading: str = "h3") -> dict[str, Any]:
        """Write the CSV file of a chart and return its context for a template."""
        name = f"{folder}/{chart.id}.csv"
        context = chart_context(chart, name, heading=heading)
        if chart.table.height:
            self.text(f"{folder}/{context['id']}.csv", csv_text(chart.table))
            context["csv"] = f"{folder}/{context['id']}.csv"
        return context

    def _count(self, name: str, content: bytes) -> None:
        target = self.out_dir / name
        if not target.parent.is_dir():
            target.parent.mkdir(parents=True)
        target.write_bytes(content)
        self.report.files += 1
        self.report.bytes += len(content)
