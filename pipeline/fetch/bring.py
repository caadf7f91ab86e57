"""The life of one file: asked for, checked, kept as a version, compared, noted.

Belongs here: what happens to a single target, and turning every kind of trouble into an outcome.
Does not belong here: which targets there are (``plan``) and running many (``run``).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.catalogue.models import Source
from pipeline.catalogue.versions import versions_of
from pipeline.fetch import mirror as mirrors
from pipeline.fetch.answers import Deadline, FetchFailedError, OutOfTimeError, Validators
from pipeline.fetch.comparison import FileProfile, compare, profile
from pipeline.fetch.keeping import keep, sha256_of
from pipeline.fetch.ledger import Ledger, LedgerEntry
from pipeline.fetch.plan import Target, fixed_target
from pipeline.fetch.policy import HostPolicy, RefusedError
from pipeline.fetch.progress import Progress
from pipeline.fetch.report import FileOutcome, State
from pipeline.fetch.sniff import WrongContentError, check_head, check_whole
from pipeline.fetch.transfer import Limits, Transfer


@dataclass
class Run:
    """What every step of one fetch shares."""

    raw_dir: Path
    scratch: Path
    ledger: Ledger
    progress: Progress
    dry_run: bool
    client: Any
    limits: Limits
    deadline: Deadline
    policy_for: Callable[[Source], HostPolicy]
    mirror: str | Path | None
    unreachable: dict[str, str]

    def transfer(self, source: Source) -> Transfer:
        """The means of downloading for this source, with its own hosts."""
        policy = self.policy_for(source)
        return Transfer(self.client, policy, self.limits, self.deadline, self.unreachable)


def now() -> dt.datetime:
    """This moment, in UTC."""
    return dt.datetime.now(dt.UTC)


def bring_or_fall_back(run: Run, target: Target) -> FileOutcome:
    """Bring one file; if that fails and nothing of it is here, its spare copy."""
    base = run.raw_dir / target.source.id / target.path
    spare = target.fallback
    if spare is not None and target.address == spare.address and versions_of(base):
        # The page did not offer it this time; what is here may well be newer than the spare copy.
        return FileOutcome(
            target.source.id,
            target.path,
            target.address,
            "unchanged",
            "here already; the copy the catalogue keeps for a first time is not needed",
        )
    outcome = bring(run, target)
    if outcome.state != "failed" or spare is None or target.address == spare.address:
        return outcome
    if versions_of(base):
        return outcome
    second = bring(run, fixed_target(target.source, spare))
    return replace(second, warnings=(*second.warnings, f"taken from a copy: {outcome.sentence}"))


def bring(run: Run, target: Target) -> FileOutcome:
    """Bring one file; every kind of trouble becomes an outcome."""
    began = time.monotonic()
    run.progress.begin(target.name)
    try:
        outcome = _bring_checked(run, target)
    except OutOfTimeError as error:
        outcome = _outcome(target, "out of time", str(error))
    except (FetchFailedError, RefusedError, WrongContentError) as error:
        outcome = _outcome(target, "failed", str(error))
    except OSError as error:
        outcome = _outcome(target, "failed", f"could not be stored: {error}")
    outcome = replace(outcome, seconds=round(time.monotonic() - began, 3))
    run.progress.finish(target.name, outcome)
    return outcome


def _outcome(target: Target, state: State, sentence: str, **more: Any) -> FileOutcome:
    path = target.mirrored_as or target.path
    return FileOutcome(target.source.id, path, target.address, state, sentence, **more)


def _bring_checked(run: Run, target: Target) -> FileOutcome:
    source = target.source
    base = run.raw_dir / source.id / target.path
    versions = versions_of(base)
    latest = versions[-1] if versions else None
    latest_sha = sha256_of(latest) if latest else None
    if target.sha256 is not None and latest_sha == target.sha256:
        return _outcome(
            target,
            "unchanged",
            "here with the pinned checksum",
            sha256=latest_sha,
            bytes=target.bytes,
        )
    if run.dry_run and _mirrored_content_is_here(target, versions):
        return _outcome(target, "unchanged", "the same content is here")
    if run.dry_run:
        what = "a first version" if latest is None else "again, to see whether it changed"
        return _outcome(target, "would fetch", f"would fetch {what}", bytes=target.bytes)
    known = run.ledger.latest("file", source.id, target.path)
    validators = None
    if known and known.address == target.address and known.sha256 == latest_sha:
        validators = Validators(known.etag, known.last_modified)
    key = f"{target.name} {target.address}".encode()
    part = run.scratch / f"{hashlib.sha256(key).hexdigest()[:24]}.part"
    most = target.bytes or source.max_bytes

    def advance(done: int, total: int | None) -> None:
        run.progress.advance(target.name, done, total)

    if target.mirrored_as is not None and not mirrors.is_server(run.mirror or ""):
        run.deadline.check()
        got = mirrors.copy(target, part, most, advance)
    else:
        got = run.transfer(source).download(
            target.address,
            part,
            max_bytes=most,
            known=validators,
            check=lambda head: check_head(base.name, head),
            advance=advance,
        )
    if not got.changed:
        _note(run, target, latest, latest_sha, got.validators)
        return _outcome(
            target, "unchanged", "the publisher says it has not changed", sha256=latest_sha
        )
    try:
        check_whole(base.name, part, source.min_bytes, source.max_bytes)
        sha256 = sha256_of(part)
        if target.sha256 is not None and sha256 != target.sha256:
            raise WrongContentError(
                f"{base.name}: its SHA-256 is {sha256[:12]}..., the catalogue pins "
                f"{target.sha256[:12]}...; it was not stored"
            )
        return _store(run, target, part, sha256, versions, latest_sha, got.validators)
    finally:
        part.unlink(missing_ok=True)


def _store(
    run: Run,
    target: Target,
    part: Path,
    sha256: str,
    versions: list[Path],
    latest_sha: str | None,
    validators: Validators,
) -> FileOutcome:
    """Keep a checked download unless the same content is here."""
    base = run.raw_dir / target.source.id / target.path
    latest = versions[-1] if versions else None
    size = part.stat().st_size
    same = latest_sha == sha256
    if target.mirrored_as is not None and not same:
        # A mirror carries old versions too; having them already is no news.
        same = any(one.stat().st_size == size and sha256_of(one) == sha256 for one in versions)
    if same:
        _note(run, target, latest, latest_sha, validators)
        return _outcome(target, "unchanged", "the same content is here", sha256=sha256, bytes=size)
    warnings = compare(profile(latest), _profile_as(part, base)) if latest else ()
    place = base
    if target.mirrored_as is not None:
        place = run.raw_dir / target.source.id / target.mirrored_as
    stored = keep(part, place, now())
    _note(run, target, stored, sha256, validators)
    where = stored.relative_to(run.raw_dir).as_posix()
    state: State = "fetched" if latest is None else "new version"
    sentence = "stored" if latest is None else f"differs from before; stored as {stored.name}"
    return _outcome(
        target,
        state,
        sentence,
        stored_as=where,
        bytes=size,
        sha256=sha256,
        warnings=warnings,
    )


def _profile_as(part: Path, base: Path) -> FileProfile:
    """The profile of a part file, counted as the kind of file it will be."""
    named = part.with_suffix(base.suffix)
    part.rename(named)
    try:
        return profile(named)
    finally:
        named.rename(part)


def _note(
    run: Run, target: Target, stored: Path | None, sha256: str | None, validators: Validators
) -> None:
    run.ledger.add(
        LedgerEntry(
            at=now().isoformat(timespec="seconds"),
            event="file",
            source_id=target.source.id,
            path=target.path,
            address=target.address,
            stored_as=stored.relative_to(run.raw_dir).as_posix() if stored else None,
            sha256=sha256,
            bytes=stored.stat().st_size if stored else None,
            etag=validators.etag,
            last_modified=validators.last_modified,
        )
    )


def _mirrored_content_is_here(target: Target, versions: list[Path]) -> bool:
    """Whether a file of a folder mirror is here already; False for a server (it is not asked)."""
    if target.mirrored_as is None or mirrors.is_server(target.address):
        return False
    theirs = Path(target.address)
    alike = [one for one in versions if one.stat().st_size == theirs.stat().st_size]
    return any(sha256_of(one) == sha256_of(theirs) for one in alike)
