"""What the stages of one run share: settings, raw files, the working store, progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import polars as pl

from pipeline.ingest.files import RawFile, links_not_followed, list_raw_files
from pipeline.ingest.report import REJECTED_SCHEMA, FileReport
from pipeline.ingest.tabular import Limits
from pipeline.settings import Settings
from pipeline.store import TableStore
from pipeline.store.content import Contents
from pipeline.store.seal import Hashes
from pipeline.store.tables import write_parquet

if TYPE_CHECKING:
    from pipeline.ingest.hashing import Hashed
    from pipeline.refresh.checking import Checker
    from pipeline.refresh.drawing import Drawer

MEGABYTE = 1 << 20


class Progress(Protocol):
    """Something that shows how far a run is."""

    def start(self, name: str, total: int | None = None) -> None:
        """A stage begins."""
        ...

    def advance(self, n: int = 1) -> None:
        """``n`` more units of the stage are done."""
        ...

    def done(self, said: str = "") -> None:
        """The stage is finished; ``said`` is its result in a few words."""
        ...

    def say(self, text: str) -> None:
        """A sentence for the person who waits."""
        ...


class Silent:
    """Shows nothing."""

    def start(self, name: str, total: int | None = None) -> None:
        """Nothing."""

    def advance(self, n: int = 1) -> None:
        """Nothing."""

    def done(self, said: str = "") -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """Nothing."""


class Held:
    """Keeps what it is told, for a thread beside the one that shows how far a run is."""

    def __init__(self) -> None:
        self._told: list[tuple[str, tuple[Any, ...]]] = []

    def start(self, name: str, total: int | None = None) -> None:
        """Keep it."""
        self._told.append(("start", (name, total)))

    def advance(self, n: int = 1) -> None:
        """Keep it."""
        self._told.append(("advance", (n,)))

    def done(self, said: str = "") -> None:
        """Keep it."""
        self._told.append(("done", (said,)))

    def say(self, text: str) -> None:
        """Keep it."""
        self._told.append(("say", (text,)))

    def tell(self, progress: Progress) -> None:
        """Tell all of it, once."""
        told, self._told = self._told, []
        for what, words in told:
            getattr(progress, what)(*words)


def limits_of(settings: Settings) -> Limits:
    """What an untrusted file may cost, as the settings say."""
    return Limits(
        max_bytes=settings.max_file_mb * MEGABYTE,
        max_expanded_bytes=settings.max_expanded_mb * MEGABYTE,
        max_ratio=settings.max_ratio,
        max_members=settings.max_members,
        max_rows=settings.max_rows,
        max_columns=settings.max_columns,
        max_cells=settings.max_cells,
        max_cell_characters=settings.max_cell_characters,
    )


@dataclass
class Run:
    """One run over one raw tree.

    Attributes:
        settings: where and how.
        progress: who is told.
        force: do what is kept from earlier runs again; read files are not read again.
        counters: work done, for tests that guard against doing it twice (files opened, rows
            classified).
        checker: makes the checks in a process of its own, where there is one.
        drawer: draws the site in a process of its own, where there is one.
        hashed: gives what was hashed of the raw files ahead of the run, by path.
    """

    settings: Settings
    progress: Progress = field(default_factory=Silent)
    force: bool = False
    counters: dict[str, int] = field(default_factory=dict)
    checker: Checker | None = None
    drawer: Drawer | None = None
    hashed: Callable[[], Mapping[str, Hashed]] = dict

    @cached_property
    def store(self) -> TableStore:
        """The working store."""
        return TableStore(self.settings.tables)

    @cached_property
    def hashes(self) -> Hashes:
        """Hashes of files of the store, which several ask for."""
        return Hashes()

    @cached_property
    def contents(self) -> Contents:
        """What each organisation's rows of files of the store are, by number and hash."""
        return Contents(self.settings.work / "content")

    @cached_property
    def files(self) -> list[RawFile]:
        """The raw files, hashed."""
        return list_raw_files(self.settings.raw, self.hashed)

    def forget_files(self) -> None:
        """Take the list of raw files anew when it is asked for next; they were moved."""
        for name in ("files", "links"):
            self.__dict__.pop(name, None)

    @cached_property
    def links(self) -> dict[str, str]:
        """Links below the raw folder that are not followed, and why."""
        return links_not_followed(self.settings.raw)

    @cached_property
    def is_demo(self) -> bool:
        """Whether the raw tree is the demonstration."""
        return self.settings.is_demo

    @cached_property
    def limits(self) -> Limits:
        """What an untrusted file may cost."""
        return limits_of(self.settings)

    def files_of(self, *source_ids: str) -> list[RawFile]:
        """The raw files of some sources."""
        return [f for f in self.files if f.source_id in source_ids]

    @contextmanager
    def stage(self, name: str, total: int | None = None) -> Iterator[list[str]]:
        """Show a stage; append to the yielded list what it found."""
        self.progress.start(name, total)
        said: list[str] = []
        yield said
        self.progress.done(", ".join(said))

    def write_part(self, part: str, reports: list[FileReport], rejected: pl.DataFrame) -> None:
        """Keep a source's reading reports and rejected rows until ``meta`` is put together."""
        self.write_rows(part, [report.to_row() for report in reports], rejected)

    def write_rows(self, part: str, files: list[dict[str, Any]], rejected: pl.DataFrame) -> None:
        """As :meth:`write_part`, for reports that are rows of ``meta.source_file`` already."""
        from pipeline.schema import table

        folder = self.settings.work / "parts"
        schema = table("meta.source_file").polars
        kinds = schema.items()
        as_text = pl.Schema({n: pl.String() if t.is_decimal() else t for n, t in kinds})
        rows = pl.DataFrame(files, schema=as_text, orient="row").cast(schema)  # type: ignore[arg-type]
        write_parquet(rows, folder / f"{part}.files.parquet")
        write_parquet(rejected.cast(REJECTED_SCHEMA), folder / f"{part}.rejected.parquet")

    def read_parts(self, kind: str, schema: pl.Schema) -> pl.DataFrame:
        """All kept parts of a kind (``files`` or ``rejected``) together."""
        paths = sorted((self.settings.work / "parts").glob(f"*.{kind}.parquet"))
        return (
            pl.concat([pl.read_parquet(p) for p in paths]) if paths else pl.DataFrame(schema=schema)
        )
