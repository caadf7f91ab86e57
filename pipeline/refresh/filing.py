"""Where one file of the inbox belongs, and the move there.

Belongs here: opening a file, naming its kind and publisher by the readers' own tests, the move
without replacing anything, and the sentence about it. Does not belong here: the order in which files
are taken and how the run is told (``inbox``), how a kind is recognised (``ingest.recognise``), whose
payments they are (``ingest.identity``), how versions are named (``catalogue.versions``).
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pipeline.catalogue.versions import base_path, split_version
from pipeline.fetch.keeping import keep, sha256_of
from pipeline.ingest.files import INBOX, list_raw_files, path_text
from pipeline.ingest.names import Register
from pipeline.ingest.payments.identity import identify
from pipeline.ingest.recognise import Recognised, recognise
from pipeline.ingest.spend.reader import SpendBatch, SpendInput, read_spend
from pipeline.ingest.tabular import UnreadableFileError, read_grids
from pipeline.refresh.context import MEGABYTE, Run
from pipeline.refresh.sources import HANDLED, with_national_publishers

SURE = 0.6
"""Below this confidence a layout that looks like payments is not believed."""
HOW_TO_SAY_WHOSE = (
    "put it into a folder of the inbox named by the organisation's code: inbox/<code>/"
)


@dataclass(frozen=True)
class InboxOutcome:
    """What became of one file of the inbox.

    Attributes:
        path: where it lay, below the raw folder (``inbox/...``).
        kind: source it belongs to; None when no kind fits.
        organisation: code of the publisher, for spend files.
        filed_as: where it lies now, below the raw folder; None when it stays in the inbox.
        reason: why, as a sentence without its full stop.
        sha256: hash of the content, for files that stay; empty when it was not read.
        bytes: size.
        stays: whether it is still in the inbox.
    """

    path: str
    kind: str | None
    organisation: str | None
    filed_as: str | None
    reason: str
    sha256: str = ""
    bytes: int = 0
    stays: bool = False

    @property
    def sentence(self) -> str:
        """What happened, for the person who dropped the file."""
        if self.stays:
            return f"{self.path} stays in the inbox: {self.reason}."
        if self.reason.startswith("already here"):
            return f"{self.path} was {self.reason}; the copy was removed from the inbox."
        return f"{self.path} was filed as {self.filed_as}: {self.reason}."


class StaysError(ValueError):
    """The file cannot be filed; the message says why and what to do."""


@dataclass
class Opened:
    """A file of the inbox, looked at once."""

    path: Path
    relative: str
    hints: tuple[str, ...]
    bytes: int = 0
    sha256: str = ""
    found: Recognised | None = None
    problem: str | None = None


@dataclass
class Sorter:
    """Files inbox files one after the other.

    Attributes:
        run: the run.
        growing: files that somebody is still writing.
        texts: how relative paths are told where two would read alike.
    """

    run: Run
    growing: set[Path] = field(default_factory=set)
    texts: Mapping[Path, str] = field(default_factory=dict)

    @property
    def raw(self) -> Path:
        """The raw tree."""
        return self.run.settings.raw

    @cached_property
    def register(self) -> Register | None:
        """Organisations of the raw tree as it is when the first spend file is looked at."""
        from pipeline.ingest.sources.organisations import read_organisations

        files = [f for f in list_raw_files(self.raw) if f.source_id == "organisations"]
        found = read_organisations(files, is_demo=self.run.is_demo, limits=self.run.limits)
        organisations = with_national_publishers(found.organisation, self.run)
        return Register(organisations) if organisations.height else None

    def open(self, path: Path) -> Opened:
        """Read a file within the limits and name its kind."""
        parts = path.relative_to(self.raw / INBOX).parts
        relative = path.relative_to(self.raw)
        opened = Opened(path, self.texts.get(relative) or path_text(relative), parts[:-1])
        limits = self.run.limits
        try:
            opened.bytes = path.lstat().st_size
            if path.is_symlink():
                raise StaysError(
                    "it is a link, and links are not followed; put the file itself here"
                )
            if path.is_dir():
                raise StaysError("it is a folder that may not be looked into")
            if not path.is_file():  # reading a pipe or a device would never end
                raise StaysError("it is no ordinary file; put the file itself here")
            if path in self.growing:
                raise StaysError("it is still being written; the next refresh takes it")
            if opened.bytes > limits.max_bytes:
                raise StaysError(
                    f"it has {opened.bytes / MEGABYTE:,.0f} MB, more than the "
                    f"{limits.max_bytes // MEGABYTE:,} MB allowed (FIVEPERCENT_MAX_FILE_MB)"
                )
            data = path.read_bytes()
            opened.sha256 = hashlib.sha256(data).hexdigest()
            opened.found = recognise(read_grids(data, limits=limits))
        except (StaysError, UnreadableFileError) as error:
            opened.problem = str(error)
        except OSError as error:
            opened.problem = f"it cannot be opened ({error.strerror})"
        except Exception as error:  # one hostile file must not stop the others
            opened.problem = f"it cannot be read ({type(error).__name__}: {str(error)[:120]})"
        return opened

    def file(self, opened: Opened) -> InboxOutcome:
        """Move a file to its place, or say why it stays."""
        kind = opened.found.source_id if opened.found else None
        organisation: str | None = None
        try:
            if opened.problem or opened.found is None:
                raise StaysError(opened.problem or "nothing in it was recognised")
            kind = self._kind(opened, opened.found)
            folder, reason = self.raw / kind, opened.found.reason
            batch: SpendBatch | None = None
            if kind == "spend_over_25k":
                batch = self._read(opened, opened.path)
                organisation, whose = self._whose(opened, batch)
                folder, reason = folder / organisation, f"{reason}; {whose}"
            if here := _same_content(folder, opened, any_name=batch is not None):
                return self._already_here(opened, kind, organisation, here)
            if batch is not None:
                self._must_be_a_version(base_path(folder / opened.path.name), batch)
            filed = self._move(opened.path, folder)
        except StaysError as error:
            return InboxOutcome(
                opened.relative, kind, organisation, None, str(error).rstrip("."),
                opened.sha256, opened.bytes, stays=True,
            )  # fmt: skip
        if split_version(filed)[1] and not split_version(opened.path)[1]:
            reason += "; a later version of the file of that name, which is kept beside it"
        if batch is not None and batch.lines.is_empty():
            why = batch.reports[opened.relative].reason
            reason += f"; not one of its rows can be read as it is: {why}"
        place = path_text(filed.relative_to(self.raw))
        return InboxOutcome(
            opened.relative, kind, organisation, place, reason, opened.sha256, opened.bytes
        )

    def _kind(self, opened: Opened, found: Recognised) -> str:
        if found.source_id is None:
            raise StaysError(f"its kind was not recognised: {found.reason}")
        said = [hint for hint in opened.hints if hint in HANDLED]
        if said and said[-1] != found.source_id:
            raise StaysError(
                f"its folder says {said[-1]}, but {found.reason}, which is {found.source_id}; move it out "
                f"of the folder {said[-1]} if the content is right"
            )
        if found.confidence < SURE:
            raise StaysError(
                f"its kind is not sure: {found.reason}, with a confidence of {found.confidence:.0%}; if it is "
                f"right, put the file below {found.source_id}/ by hand"
            )
        return found.source_id

    def _read(self, opened: Opened, path: Path) -> SpendBatch:
        item = SpendInput(opened.relative, path.read_bytes, bytes=opened.bytes)
        return read_spend([item], limits=self.run.limits)

    def _whose(self, opened: Opened, batch: SpendBatch) -> tuple[str, str]:
        """Code of the publisher and the evidence, when no two pieces of evidence disagree."""
        named = batch.lines.drop_nulls("entity").group_by("entity").len()
        named = named.sort("len", "entity", descending=[True, False])
        hints = [hint for hint in opened.hints if hint not in HANDLED]
        hint, name = (hints[-1] if hints else ""), opened.path.name
        entity = named["entity"][0] if named.height else None
        register = self.register
        who = identify(hint, name, entity, register)
        if who.code is None:
            reason = who.reason.replace("such as spend_over_25k/RJ1/", "such as inbox/RJ1/")
            raise StaysError(f"these are payments, but whose is not sure: {reason}")
        if register is not None and not hint:
            others = {register.match(e) for e in named["entity"].head(50)} - {None, who.code}
            if others:
                listed = ", ".join(
                    f"{code} {register.name_of(code)}"
                    for code in sorted({*others, who.code} - {None})
                )
                raise StaysError(
                    f"these are payments, but the file names several publishers: {listed}; "
                    f"{HOW_TO_SAY_WHOSE}"
                )
        return who.code, who.reason

    def _must_be_a_version(self, target: Path, batch: SpendBatch) -> None:
        """A file of a name that is taken replaces the other in all figures: their months must meet."""
        if not target.exists():
            return
        path = path_text(target.relative_to(self.raw))
        item = SpendInput(path, target.read_bytes, bytes=target.stat().st_size)
        before = set(read_spend([item], limits=self.run.limits).lines["month"].unique().to_list())
        now = set(batch.lines["month"].unique().to_list())
        if before and now and not before & now:
            raise StaysError(
                f"{path} is here with other months ({_months(before)}) than this file ({_months(now)}), so it "
                "is no later version of it; give this file another name, with its month in it"
            )

    def _move(self, path: Path, folder: Path) -> Path:
        root = self.raw.resolve()
        if not folder.resolve().is_relative_to(root):
            raise StaysError(f"the folder {folder.name} leads out of the raw folder through a link")
        try:
            return keep(path, folder / path.name, dt.datetime.now(dt.UTC))
        except OSError as error:
            raise StaysError(
                f"it cannot be moved to {folder.relative_to(self.raw).as_posix()}/ ({error.strerror})"
            ) from error

    def _already_here(
        self, opened: Opened, kind: str, organisation: str | None, here: Path
    ) -> InboxOutcome:
        """Remove the copy, after looking at both contents once more."""
        if sha256_of(opened.path) != sha256_of(here):
            raise StaysError("it changed while it was looked at; the next refresh takes it")
        place = path_text(here.relative_to(self.raw))
        try:
            opened.path.unlink()
        except OSError as error:
            raise StaysError(f"{place} has the same content; this copy can be deleted") from error
        return InboxOutcome(
            opened.relative, kind, organisation, place, f"already here as {place}",
            opened.sha256, opened.bytes,
        )  # fmt: skip


def _months(months: set[dt.date]) -> str:
    ordered = sorted(months)
    first, last = f"{ordered[0]:%B %Y}", f"{ordered[-1]:%B %Y}"
    return first if first == last else f"{first} to {last}"


def _same_content(folder: Path, opened: Opened, *, any_name: bool) -> Path | None:
    """A file directly in the folder with the same content.

    Payments under two names would count twice, so any name will do for them. Elsewhere the name says
    something of its own (the year of accounts, the age of a register), so only its versions count.
    """
    if not folder.is_dir():
        return None
    own = base_path(opened.path).name
    same = [
        path
        for path in sorted(folder.iterdir())
        if path.is_file()
        and not path.is_symlink()
        and (any_name or base_path(path).name == own)
        and path.stat().st_size == opened.bytes
        and sha256_of(path) == opened.sha256
    ]
    same.sort(key=lambda path: base_path(path).name != own)
    return same[0] if same else None
