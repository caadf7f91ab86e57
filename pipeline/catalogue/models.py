"""The strict models a source's YAML file is loaded into.

Belongs here: the fields of a catalogue entry and the rules that hold inside one entry.
Does not belong here: reading the YAML files (``load``) or what the calendar implies (``calendar``).

The catalogue is the list of hosts the downloader may speak to, so every address in it is https,
on a host the entry names, and every path stays inside the source's own folder.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import PurePosixPath
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

Cadence = Literal["monthly", "quarterly", "half-yearly", "yearly", "irregular", "once"]
FileFormat = Literal["csv", "xlsx", "xls", "ods", "xlsm", "zip", "pdf", "json", "txt"]

DAYS_BETWEEN_RELEASES: dict[str, int | None] = {
    "monthly": 31,
    "quarterly": 92,
    "half-yearly": 184,
    "yearly": 366,
    "irregular": None,
    "once": None,
}


def _https(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError(f"{address!r} is not an https address; the catalogue holds no other kind")
    if parts.username or parts.password or parts.port not in (None, 443):
        raise ValueError(f"{address!r} carries a user name or a port; give the plain address")
    return address


def _inside_folder(path: str) -> str:
    parts = PurePosixPath(path).parts
    bad = not parts or path.startswith("/") or "\\" in path or ".." in parts
    if bad or any(part.startswith(".") for part in parts):
        raise ValueError(f"{path!r} does not stay inside the source's folder")
    if "~" in path:
        raise ValueError(f"{path!r} contains '~', which marks later versions of a file")
    return path


def _regex(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error
    return pattern


Https = Annotated[str, AfterValidator(_https)]
InnerPath = Annotated[str, AfterValidator(_inside_folder)]
Regex = Annotated[str, AfterValidator(_regex)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
OrganisationCode = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{3,6}$")]
SourceId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]


class Strict(BaseModel):
    """A model that accepts no unknown field and never changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ReleaseCalendar(Strict):
    """How often a publisher releases, and how long after the period's end it usually takes."""

    cadence: Cadence
    usual_lag_days: int | None = Field(default=None, ge=0, le=1500)
    first_month: dt.date | None = Field(
        default=None, description="First month (its first day) the series is expected for."
    )
    last_month: dt.date | None = Field(
        default=None, description="Last month expected, where a series has ended."
    )
    note: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.cadence not in ("irregular", "once") and self.usual_lag_days is None:
            raise ValueError(f"a {self.cadence} calendar needs usual_lag_days")
        for month in (self.first_month, self.last_month):
            if month is not None and month.day != 1:
                raise ValueError(f"{month} is not the first day of a month")
        return self

    @property
    def days_between_releases(self) -> int | None:
        """Days from one release to the next; None where no rhythm is promised."""
        return DAYS_BETWEEN_RELEASES[self.cadence]


class LinkPattern(Strict):
    """Which links of a page lead to files (or to one further page of files).

    Both patterns are searched, not matched whole, and case does not count. Named groups
    ``year`` and ``month`` in either give the period; without them the period is read from the
    link's text and file name.
    """

    address: Regex = Field(description="Searched in the resolved, percent-decoded address.")
    text: Regex | None = Field(default=None, description="Searched in the link's own text.")
    exclude: Regex | None = Field(default=None, description="Searched in address and text.")
    leads_to: Literal["file", "page"] = "file"
    at_most: int = Field(default=400, ge=1, le=2000, description="Links taken, in page order.")
    save_as: str | None = Field(
        default=None, description="File name instead of the address's own; may use {year}, {month}."
    )


class SourceFile(Strict):
    """One file with a fixed address; pinned when a checksum is given."""

    path: InnerPath = Field(description="Where it goes, below data/raw/<source id>/.")
    address: Https
    sha256: Sha256 | None = None
    bytes: int | None = Field(default=None, ge=1)
    organisation_code: OrganisationCode | None = None
    starter: bool = False
    fallback: bool = Field(
        default=False, description="Used only when no link of the page gives this path."
    )
    note: str | None = None

    @property
    def pinned(self) -> bool:
        """Whether only one exact content is accepted."""
        return self.sha256 is not None


class Publisher(Strict):
    """An organisation that publishes its own files on its own page."""

    organisation_code: OrganisationCode
    name: str
    page: Https | None = Field(default=None, description="None where no address is known.")
    page_evidence: str | None = Field(
        default=None, description="Where the address was learnt, and how old that is."
    )
    hosts: tuple[str, ...] = Field(default=(), description="Hosts its files lie on, if others.")
    calendar: ReleaseCalendar | None = Field(
        default=None, description="None means the source's own calendar."
    )
    links: tuple[LinkPattern, ...] = ()
    note: str | None = None

    @model_validator(mode="after")
    def _page_has_evidence(self) -> Self:
        if self.page is not None and self.page_evidence is None:
            raise ValueError(f"{self.organisation_code}: a page needs page_evidence")
        return self


class WantedFile(Strict):
    """A file the first run needs whose exact name is not known beforehand."""

    what: str = Field(description="In words, for the message that it is missing.")
    match: Regex = Field(description="Searched in paths below the source's folder, case ignored.")

    def is_met_by(self, path: str) -> bool:
        """Whether a file of this path (below the source's folder) is the wanted one."""
        return re.search(self.match, path, re.IGNORECASE) is not None


class StarterPart(Strict):
    """What the first run needs of a source, besides the files marked ``starter``."""

    title: str
    wanted: tuple[WantedFile, ...] = ()


class Source(Strict):
    """One public data set: who publishes it, where, how its files are found and checked."""

    id: SourceId
    title: str
    publisher: str
    licence: str
    licence_url: Https | None = None
    landing_page: Https | None = Field(default=None, description="None where there is no page.")
    how_found: str = Field(description="In words: how the addresses of the files are found.")
    hosts: tuple[str, ...] = Field(description="The only hosts downloads may go to.")
    links: tuple[LinkPattern, ...] = ()
    files: tuple[SourceFile, ...] = ()
    publishers: tuple[Publisher, ...] = ()
    formats: tuple[FileFormat, ...]
    min_bytes: int = Field(default=200, ge=1)
    max_bytes: int = Field(default=100_000_000, ge=1)
    periods: str = Field(description="The periods covered, in words.")
    calendar: ReleaseCalendar
    reader: str = Field(description="The reader in pipeline.ingest that understands the files.")
    starter: StarterPart | None = None
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _hosts_cover_every_address(self) -> Self:
        mine = set(self.hosts)
        named = [("landing_page", self.landing_page)] if self.landing_page else []
        named += [(f"file {file.path}", file.address) for file in self.files]
        for what, address in named:
            host = urlsplit(address).hostname
            if host not in mine:
                raise ValueError(f"{what}: host {host} is not among hosts {sorted(mine)}")
        return self

    @model_validator(mode="after")
    def _paths_and_codes_are_unique(self) -> Self:
        for what, values in (
            ("path", [file.path.casefold() for file in self.files]),
            ("organisation_code", [one.organisation_code for one in self.publishers]),
        ):
            twice = sorted({value for value in values if values.count(value) > 1})
            if twice:
                raise ValueError(f"{what} given more than once: {', '.join(twice)}")
        return self

    @model_validator(mode="after")
    def _files_are_of_a_known_format(self) -> Self:
        for file in self.files:
            suffix = PurePosixPath(file.path).suffix.lstrip(".").lower()
            if suffix not in self.formats:
                raise ValueError(
                    f"file {file.path}: {suffix!r} is not among formats {self.formats}"
                )
        if self.max_bytes <= self.min_bytes:
            raise ValueError("max_bytes must be larger than min_bytes")
        return self

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """Every host a download for this source may touch, pages of publishers included."""
        hosts = set(self.hosts)
        for publisher in self.publishers:
            hosts.update(publisher.hosts)
            if publisher.page:
                hosts.add(urlsplit(publisher.page).hostname or "")
        return frozenset(host.lower() for host in hosts if host)

    def calendar_of(self, publisher: Publisher) -> ReleaseCalendar:
        """The publisher's own calendar, else the source's."""
        return publisher.calendar or self.calendar
