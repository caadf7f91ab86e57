"""Where a Dagster run reads and writes; everything else comes from the product's settings."""

from pathlib import Path

import dagster as dg
from pydantic import Field

from pipeline.refresh.context import Run
from pipeline.settings import Settings


class Product(dg.ConfigurableResource):
    """The product's folders. Empty means: as the settings say (``FIVEPERCENT_RAW`` and so on)."""

    raw: str = Field(default="", description="Tree of published files, laid out <source id>/...")
    out: str = Field(default="", description="Where the publication goes.")

    def settings(self) -> Settings:
        """Settings with these folders put in; the demonstration when there are no raw files."""
        given = {k: Path(v) for k, v in {"raw": self.raw, "out": self.out}.items() if v}
        settings = Settings(**given)  # type: ignore[arg-type]
        from pipeline.refresh.demonstration import or_demonstration

        return or_demonstration(settings)

    def run(self) -> Run:
        """A run over these folders."""
        return Run(self.settings())
