"""Run a fetch: plan, bring every file, report.

Belongs here: the order of things for many files.
Does not belong here: the plan (``plan``) or the life of one file (``bring``).
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.catalogue.load import Catalogue
from pipeline.catalogue.models import Source
from pipeline.catalogue.starter import starter_set
from pipeline.fetch import mirror as mirrors
from pipeline.fetch.answers import Deadline, FetchFailedError, OutOfTimeError
from pipeline.fetch.bring import Run, bring, bring_or_fall_back, now
from pipeline.fetch.ledger import FOLDER, Ledger
from pipeline.fetch.plan import (
    Page,
    PageResult,
    Target,
    by_hand,
    fixed_targets,
    found_targets,
    look_at,
    pages_of,
)
from pipeline.fetch.policy import HostPolicy, RefusedError
from pipeline.fetch.progress import NoProgress, Progress
from pipeline.fetch.report import FetchReport, FileOutcome, State
from pipeline.fetch.transfer import Limits
from pipeline.settings import holds_secret

if TYPE_CHECKING:
    import httpx

WORKERS = 4
LOCK_SECONDS = 10.0
OFFLINE = "offline (FIVEPERCENT_OFFLINE=1): no network was tried"


class FetchBusyError(RuntimeError):
    """Another fetch is writing to this raw tree."""


def fetch(
    catalogue: Catalogue,
    raw_dir: Path,
    *,
    sources: Iterable[str] | None = None,
    starter_only: bool = False,
    mirror: str | Path | None = None,
    dry_run: bool = False,
    offline: bool = False,
    deadline_seconds: float | None = None,
    progress: Progress | None = None,
    transport: httpx.BaseTransport | None = None,
    policy_for: Callable[[Source], HostPolicy] = HostPolicy.of_source,
    limits: Limits | None = None,
    workers: int = WORKERS,
) -> FetchReport:
    """Bring what the catalogue lists into ``raw_dir``; nothing there is ever changed or removed.

    Args:
        catalogue: what there is.
        raw_dir: the raw tree; made when it does not exist.
        sources: ids to fetch; all when left out.
        starter_only: fetch only what a first run needs.
        mirror: a folder, or an http(s) address, that holds the same tree; used instead of the
            publishers.
        dry_run: look at pages and say what would be done; nothing is written.
        offline: touch no network; only a mirror that is a folder still works.
        deadline_seconds: stop when this much time has passed; what is not done is reported.
        progress: told what is going on.
        transport: for httpx, instead of the network (tests).
        policy_for: which hosts are allowed for a source (tests use local servers).
        limits: bounds on a single download.
        workers: downloads at the same time.

    Returns:
        What became of every file. Trouble with one file never stops the others.

    Raises:
        KeyError: an id is not in the catalogue.
        FetchBusyError: another fetch is writing to this tree.
        RefusedError: the mirror's address cannot be used.
    """
    started = time.monotonic()
    chosen = [catalogue.source(one) for one in sources] if sources else list(catalogue.sources)
    if starter_only:
        ids = {one.id for one in starter_set(catalogue)}
        chosen = [source for source in chosen if source.id in ids]
    from_server = mirror is not None and mirrors.is_server(mirror)
    if offline and (mirror is None or from_server):
        return FetchReport(dry_run=dry_run, notes=(OFFLINE,), tried=False)
    if mirror is not None and (from_server or holds_secret(str(mirror))):
        policy = HostPolicy.of_mirror(str(mirror))
        policy_for = lambda _: policy  # noqa: E731
    elif mirror is not None and not Path(mirror).is_dir():
        raise RefusedError(f"the mirror {mirror} is neither a folder nor an http(s) address")
    with ExitStack() as stack:
        scratch = _scratch(raw_dir, dry_run, stack)
        run = Run(
            raw_dir,
            scratch,
            Ledger(raw_dir),
            progress or NoProgress(),
            dry_run,
            stack.enter_context(_client(transport, direct=mirror is not None)),
            limits or Limits(),
            Deadline(deadline_seconds),
            policy_for,
            mirror,
            {},
        )
        pool = stack.enter_context(ThreadPoolExecutor(max(1, workers), "fetch"))
        try:
            if mirror is None:
                outcomes = _from_publishers(run, chosen, starter_only, pool)
            else:
                outcomes = _from_mirror(run, chosen, starter_only, bool(sources), pool)
        except BaseException:
            run.deadline.stop()
            raise
    return FetchReport(
        tuple(outcomes),
        seconds=time.monotonic() - started,
        dry_run=dry_run,
        mirror=None if mirror is None else str(mirror),
    )


def _client(transport: httpx.BaseTransport | None, direct: bool) -> httpx.Client:
    import httpx

    return httpx.Client(transport=transport, follow_redirects=False, trust_env=not direct)


def _scratch(raw_dir: Path, dry_run: bool, stack: ExitStack) -> Path:
    """A folder for unfinished files: beside the raw files, so that moving them is atomic."""
    if dry_run:
        return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fivepercent-")))
    from filelock import FileLock, Timeout

    folder = raw_dir / FOLDER / "partial"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(raw_dir / FOLDER / "lock", timeout=LOCK_SECONDS)
    try:
        stack.enter_context(lock)
    except Timeout:
        raise FetchBusyError(
            f"another fetch is writing to {raw_dir} (it holds {lock.lock_file}); "
            "wait until it is done"
        ) from None
    return folder


def _from_publishers(
    run: Run, chosen: list[Source], starter_only: bool, pool: ThreadPoolExecutor
) -> list[FileOutcome]:
    pages = [page for source in chosen for page in pages_of(source, starter_only)]
    at = now().isoformat(timespec="seconds")

    def look(page: Page) -> PageResult:
        run.progress.begin(page.address)
        transfer = run.transfer(page.source)
        result = look_at(page, transfer, run.ledger, run.scratch, at, starter_only)
        if result.outcome is not None:
            run.progress.finish(page.address, result.outcome)
        return result

    # Files with an address of their own do not wait for slow pages.
    looking = [pool.submit(look, page) for page in pages]
    targets = [one for source in chosen for one in fixed_targets(source, starter_only)]
    run.progress.expect(len(targets))
    bringing = [pool.submit(bring, run, target) for target in targets]
    results = [future.result() for future in looking]
    found: list[Target] = []
    for source in chosen:
        mine = [one for each in results if each.page.source is source for one in each.targets]
        found += found_targets(source, mine, starter_only)
    run.progress.expect(len(targets) + len(found))
    bringing += [pool.submit(bring_or_fall_back, run, target) for target in found]
    outcomes = [result.outcome for result in results if result.outcome is not None]
    outcomes += [future.result() for future in bringing]
    if not run.dry_run:
        for result in results:
            if result.entry is not None:
                run.ledger.add(result.entry)
    if not starter_only:
        outcomes += [one for source in chosen for one in by_hand(source)]
    return outcomes


def _from_mirror(
    run: Run, chosen: list[Source], starter_only: bool, asked: bool, pool: ThreadPoolExecutor
) -> list[FileOutcome]:
    outcomes: list[FileOutcome] = []
    targets: list[Target] = []
    for source in chosen:
        mirror = (
            mirrors.ServerMirror(str(run.mirror), run.transfer(source), run.scratch)
            if mirrors.is_server(run.mirror or "")
            else mirrors.FolderMirror(Path(run.mirror or ""))
        )
        try:
            mine = mirror.targets(source)
        except (FetchFailedError, RefusedError) as error:
            state: State = "out of time" if isinstance(error, OutOfTimeError) else "failed"
            outcomes.append(FileOutcome(source.id, "", str(run.mirror), state, str(error)))
            continue
        if starter_only:
            wanted = source.starter.wanted if source.starter else ()
            named = {file.path for file in source.files if file.starter}
            mine = [
                one
                for one in mine
                if one.path in named or any(what.is_met_by(one.path) for what in wanted)
            ]
        if not mine:
            sentence = f"the mirror holds nothing for {source.id}"
            state = "failed" if asked else "not on the mirror"
            outcomes.append(FileOutcome(source.id, "", str(run.mirror), state, sentence))
        targets += mine
    run.progress.expect(len(targets))
    # Versions of one file are taken one after the other, so that each is compared with the last.
    groups: dict[tuple[str, str], list[Target]] = {}
    for target in targets:
        groups.setdefault((target.source.id, target.path), []).append(target)
    for group in pool.map(lambda some: [bring(run, one) for one in some], groups.values()):
        outcomes += group
    return outcomes
