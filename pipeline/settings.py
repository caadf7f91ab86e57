"""Settings of a run: where files are, what is allowed, what the benchmark is.

Belongs here: values a person may set by environment (``FIVEPERCENT_*``) or in ``fivepercent.toml``.
Does not belong here: facts about publishers (``catalogue``) or about measures (``measures``).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

PROJECT_ROOT = Path(__file__).resolve().parents[1]
DEMONSTRATION_MARKER = "DEMONSTRATION"
PREFIX = "FIVEPERCENT_"


def holds_secret(address: str) -> bool:
    """Whether an address has a part for a user name and password, or parameters."""
    scheme, found, rest = address.partition("://")
    return bool(found and scheme) and ("@" in rest.partition("/")[0] or "?" in rest)


def misspelt(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that look like a misspelt setting, each with the variable that was meant.

    A misspelt variable does nothing, so a benchmark told by one would be that of the default.
    """
    known = {name.upper() for name in Settings.model_fields}
    told = {name: name.upper().removeprefix(PREFIX) for name in environment}
    unknown = {n: s for n, s in told.items() if s != n.upper() and s not in known}
    if not unknown:
        return {}
    from difflib import get_close_matches  # seldom needed

    near = {name: get_close_matches(said, known, 1, 0.75) for name, said in unknown.items()}
    return {name: PREFIX + found[0] for name, found in sorted(near.items()) if found}


class Settings(BaseSettings):
    """Everything a run can be told from outside; the defaults are the documented behaviour."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        toml_file="fivepercent.toml",
        extra="forbid",
        frozen=True,
        # What was typed may be a secret under a wrong name, and errors come to stand in logs.
        hide_input_in_errors=True,
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
    max_ratio: int = Field(
        default=200, gt=1, description="An archive that grows more often than this is set aside."
    )
    max_members: int = Field(
        default=200, gt=0, le=100_000, description="A zip of more files is set aside."
    )
    max_rows: int = Field(default=2_000_000, gt=0, description="A longer table is set aside.")
    max_columns: int = Field(default=400, gt=0, description="A wider table is set aside.")
    max_cells: int = Field(
        default=30_000_000, gt=0, description="A table of more rows times columns is set aside."
    )
    max_cell_characters: int = Field(
        default=100_000, gt=0, description="A file with a longer cell is set aside."
    )
    query_seconds: float = Field(
        default=60, gt=0, le=86_400, description="A question that takes longer is stopped."
    )
    query_memory_mb: int = Field(
        default=2000, ge=400, description="Memory that the process of a question may take."
    )
    query_temp_mb: int = Field(
        default=2000, ge=0, description="Temporary files that a question may write meanwhile."
    )
    query_rows: int = Field(
        default=1_000_000, gt=0, description="Rows that a question is answered with at most."
    )
    threads: int = Field(default=2, gt=0, le=64, description="Files read at the same time.")
    keep_builds: int = Field(default=2, ge=1, le=50, description="Publications kept on disk.")
    keep_digests: int = Field(
        default=12, ge=1, le=500, description="Digests of refreshes kept below out/digests."
    )
    site_url: str = Field(
        default="",
        pattern=r"^(https?://.*)?$",
        description="Address at which the site is served; links of Dagster's pages lead there.",
    )
    page_hosts: str = Field(
        default="",
        description="Names that Dagster's page is reached by behind a proxy, separated by commas; "
        "addresses, localhost and the name of this machine need no listing.",
    )
    cluster: str = Field(
        default="",
        pattern=r"^(local:[1-9]\d{0,2}|(tcp|tls|ws|wss|ucx)://\S+)?$",
        description="Who works on payments: empty for this process, local:2 for two Dask workers on "
        "this machine, or the address of a Dask scheduler such as tcp://10.0.0.5:8786.",
    )
    cluster_steps: bool = Field(
        default=False,
        description="Dagster's steps run on the cluster too. All workers must see raw, out and "
        "Dagster's storage, and have the same settings.",
    )
    tables_url: str = Field(
        default="",
        pattern=r"^([a-z0-9+]+://.*|/.*)?$",
        description="Where what is kept of payments lies, for a cluster: a folder that all workers "
        "mount, or a URL that fsspec knows (s3://bucket/folder). Empty: beside the publication.",
    )
    schedule_cron: str = Field(
        default="0 5 3 * *",
        pattern=r"^\S+( \S+){4}$",
        description="When the scheduled refresh starts, as a cron line in London's time.",
    )
    schedule_running: bool = Field(
        default=False,
        description="Schedules and the alert sensor are on without a click; serve sets it.",
    )
    keep_run_days: int = Field(
        default=400,
        ge=1,
        description="Days that Dagster's finished runs are kept, with the trends made of them.",
    )
    mirror: str = Field(
        default="",
        description="A folder or address with the tree of the publishers, for unattended fetches.",
    )
    fetch_attempts: int = Field(
        default=3, ge=1, le=10, description="Tries of an unattended fetch while anything fails."
    )
    fetch_wait_seconds: float = Field(
        default=60,
        ge=0,
        le=3600,
        description="Wait before the second try; it doubles with every further one.",
    )
    fetch_minutes: float = Field(
        default=60, gt=0, le=720, description="Bound on one try of an unattended fetch."
    )
    alert_webhook: SecretStr | None = Field(
        default=None, description="Address that gets alerts as JSON by POST; a secret."
    )
    alert_email_to: str = Field(
        default="", description="Mail addresses that get alerts, separated by commas."
    )
    alert_email_from: str = Field(
        default="fivepercent@localhost", description="Sender of alerts by mail."
    )
    alert_smtp_host: str = Field(default="localhost", description="Mail server for alerts.")
    alert_smtp_port: int = Field(default=587, ge=1, le=65535, description="Its port.")
    alert_smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="none is for a mail server on this machine only."
    )
    alert_smtp_user: str = Field(default="", description="Name to log in to the mail server with.")
    alert_smtp_password: SecretStr | None = Field(default=None, description="Its password.")

    #: Settings that change how a run goes or who is told, never a figure.
    OPERATIONAL: ClassVar[frozenset[str]] = frozenset(
        {"raw", "out", "labels", "corrections", "offline", "online_seconds", "threads"}
        | {"query_seconds", "query_memory_mb", "query_temp_mb", "query_rows"}
        | {
            "keep_digests",
            "site_url",
            "page_hosts",
            "mirror",
            "fetch_attempts",
            "fetch_wait_seconds",
        }
        | {"fetch_minutes", "alert_webhook", "alert_email_to", "alert_email_from"}
        | {"alert_smtp_host", "alert_smtp_port", "alert_smtp_security", "alert_smtp_user"}
        | {
            "cluster",
            "tables_url",
            "alert_smtp_password",
            "schedule_cron",
            "schedule_running",
            "keep_run_days",
        }
    )

    @field_validator("cluster", "tables_url", "mirror", "site_url")
    @classmethod
    def _without_secrets(cls, value: str) -> str:
        """These addresses are shown in messages and on pages, so they may hold no password."""
        if holds_secret(value):
            raise ValueError(
                "a user name, password or key in an address would be shown; leave it out and give it "
                "as the library of that address reads it, such as AWS_ACCESS_KEY_ID in the environment"
            )
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then files of secrets, then ``fivepercent.toml``.

        ``FIVEPERCENT_SECRETS_DIR`` names a folder with one file a secret, such as
        ``fivepercent_alert_webhook``: what container engines and systemd hand over.
        """
        folder = os.environ.get("FIVEPERCENT_SECRETS_DIR")
        secrets = [SecretsSettingsSource(settings_cls, secrets_dir=folder)] if folder else []
        return (init_settings, env_settings, *secrets, TomlConfigSettingsSource(settings_cls))

    @property
    def work(self) -> Path:
        """The working store beside the publication: cache and tables of the last run."""
        return self.out / ".work"

    @property
    def shared(self) -> str:
        """Folder or URL of what is kept of payments between refreshes."""
        return self.tables_url.rstrip("/") or str(self.work)

    @property
    def stored_raw(self) -> str:
        """Where workers find raw files by content; empty when they see the raw folder itself."""
        remote = "://" in self.tables_url and not self.tables_url.startswith("file://")
        return f"{self.shared}/raw" if remote and self.cluster else ""

    @property
    def tables(self) -> Path:
        """Parquet of every table as last built (not yet published)."""
        return self.work / "tables"

    @property
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
