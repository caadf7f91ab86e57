"""Where a Dagster run reads and writes, and what an analyst may change in the launchpad.

Everything here has a default: an empty launchpad runs as the settings of the product say
(``FIVEPERCENT_RAW`` and so on).
"""

from pathlib import Path

import dagster as dg
from pydantic import Field

from pipeline.refresh.context import Run
from pipeline.settings import Settings


class Product(dg.ConfigurableResource):
    """The product's folders and the few numbers of a run."""

    raw: str = Field(
        default="",
        description="Tree of published files, laid out <source id>/... Empty: as the settings say.",
    )
    out: str = Field(
        default="", description="Where the publication goes. Empty: as the settings say."
    )
    benchmark: float | None = Field(
        default=None,
        ge=0.001,
        le=0.5,
        description="Share that every trust is compared with, 0.001 to 0.5 (0.05 is 5%). "
        "Null: as the settings say. Another value is for a whole refresh, into a folder of its own.",
    )
    threads: int | None = Field(
        default=None, ge=1, le=64, description="Files read at once, 1 to 64. Null: as the settings."
    )
    preview_rows: int = Field(
        default=10, ge=0, le=100, description="Rows of a table shown in the page, 0 to 100."
    )
    pictures: bool = Field(
        default=True,
        description="Draw each chart as a picture for the page (needs a Chromium; half a second each).",
    )
    picture_width: int = Field(
        default=900, ge=400, le=1600, description="Width of these pictures, 400 to 1600 pixels."
    )

    def given(self) -> Settings:
        """Settings with what was said here put in; the raw folder may be empty."""
        told = {k: Path(v) for k, v in {"raw": self.raw, "out": self.out}.items() if v}
        numbers = {"benchmark": self.benchmark, "threads": self.threads}
        return Settings(**told, **{k: v for k, v in numbers.items() if v is not None})  # type: ignore[arg-type]

    def settings(self) -> Settings:
        """As :meth:`given`, on the demonstration when nobody has put raw files there yet."""
        from pipeline.refresh.demonstration import or_demonstration

        return or_demonstration(self.given(), named=bool(self.raw))

    def run(self) -> Run:
        """A run over these folders."""
        return Run(self.settings())
