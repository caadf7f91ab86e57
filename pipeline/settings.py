"""Settings of a run: where files are, what is allowed, what the benchmark is.

Belongs here: values a person may set by environment (``FIVEPERCENT_*``) or in ``fivepercent.toml``.
Does not belong here: facts about publishers (``catalogue``) or about measures (``measures``).
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from pydantic import Field
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

PROJECT_ROOT = Path(__file__).resolve().parents[1]
DEMONSTRATION_MARKER = "DEMONSTRATION"


class Settings(BaseSettings):
    """Everything a run can be told from outside; the defaults are the documented behaviour."""

    model_config = SettingsConfigDict(
        env_prefix="FIVEPERCENT_",
        toml_file="fivepercent.toml",
        extra="forbid",
        frozen=True,
    )

    raw: Path = Field(
        default=PROJECT_ROOT / "data" / "raw",
        description="The tree of published files, laid out <source id>/...",
    )
    out: Path = Field(
        default=PROJECT_ROOT / "data" / "marts",
        description="Where the publication goes: database, Parquet, site, exports.",
    )
    labels: Path | None = Field(
        default=None,
        description="Labelled payments that measure the classifier; by default "
        "reference/labelled_payments.csv beside the raw folder, where it exists.",
    )
    corrections: Path | None = Field(
        default=None,
        description="A folder with your own corrections (*.yaml), applied after those of the package.",
    )
    benchmark: float = Field(
        default=0.05, gt=0, lt=1, description="The share every trust is compared with."
    )
    offline: bool = Field(default=False, description="Never try the network.")
    online_seconds: float = Field(
        default=60, gt=0, le=3600, description="Bound on the first run's try to fetch."
    )
    max_file_mb: int = Field(
        default=300, gt=0, description="A larger raw file is set aside unread."
    )
    max_expanded_mb: int = Field(
        default=2000, gt=0, description="A zip or workbook that unpacks to more is set aside."
    )
    max_columns: int = Field(default=400, gt=0, description="A wider table is set aside.")
    threads: int = Field(default=2, gt=0, le=64, description="Files read at the same time.")
    keep_builds: int = Field(default=2, ge=1, le=50, description="Publications kept on disk.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, then ``fivepercent.toml``."""
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls))

    @cached_property
    def work(self) -> Path:
        """The working store beside the publication: cache and tables of the last run."""
        return self.out / ".work"

    @cached_property
    def tables(self) -> Path:
        """Parquet of every table as last built (not yet published)."""
        return self.work / "tables"

    @cached_property
    def cache(self) -> Path:
        """One Parquet per raw file and reader version, by content hash."""
        return self.work / "cache"

    @property
    def labelled_payments(self) -> Path | None:
        """The labelled payments to measure the classifier with, when they are there."""
        path = self.labels or self.raw.parent / "reference" / "labelled_payments.csv"
        return path if path.is_file() else None

    @property
    def is_demo(self) -> bool:
        """Whether the raw tree was made by the demonstration's generator."""
        return (self.raw / DEMONSTRATION_MARKER).exists()
