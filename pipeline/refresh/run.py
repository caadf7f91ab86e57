"""One refresh from raw files to publication, with a clear ending.

A gate that fails stops the publication and names its checks; the previous publication stays. What
cannot be read is set aside and named at the end; it never stops the rest.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pipeline.classify.own_rules import prove_rules
from pipeline.classify.rulebook import RuleFileError
from pipeline.corrections import CorrectionError, load_corrections
from pipeline.ingest.reading import LostFactsError
from pipeline.marts import MART_ORDER, build_marts
from pipeline.plain_text import plural
from pipeline.refresh import meta, payments, sources
from pipeline.refresh.ahead import Ahead
from pipeline.refresh.allocator import few_areas
from pipeline.refresh.checked import checked
from pipeline.refresh.context import Progress, Run, Silent
from pipeline.refresh.gates import RefreshFailedError, UnknownTableError, check_gate, helped
from pipeline.refresh.history import Before, build_before
from pipeline.refresh.inbox import inbox_files, sort_inbox
from pipeline.refresh.marts import kept_of_marts
from pipeline.refresh.publishing import publish
from pipeline.refresh.spread import ClusterError
from pipeline.refresh.summary import Summary, tell_checks, tell_corrections, tell_files, tell_gone
from pipeline.settings import Settings
from pipeline.store.location import LocationError
from pipeline.store.lock import refresh_lock
from pipeline.store.publish import current_build
from pipeline.store.scratch import close_idle
from pipeline.store.seal import damage, remove_leftovers
from pipeline.store.tables import is_whole, write_bytes

#: The day this version was written. A clock before it would take published dates for the future.
WRITTEN = date(2026, 11, 27)

#: What DuckDB says when somebody presses Ctrl-C while it is at work.
INTERRUPTED = "Query interrupted"


def _state_file(settings: Settings) -> Path:
    return settings.work / "state.json"


def _unchanged(run: Run) -> str | None:
    """The published build when inputs, settings and code are those it was made of."""
    try:
        state = json.loads(_state_file(run.settings).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    current = current_build(run.settings.out)
    if (
        current
        and state.get("build") == current
        and state.get("fingerprint") == meta.fingerprint(run)
        and not damage(run.settings.out / "builds" / current)
    ):
        return current
    return None


def refresh(
    settings: Settings,
    *,
    force: bool = False,
    only: Sequence[str] | None = None,
    progress: Progress | None = None,
    ahead: Ahead | None = None,
) -> Summary:
    """Read, check, compute, check and publish.

    Args:
        settings: where the raw files are and where the publication goes.
        force: build again although nothing changed.
        only: rebuild only these tables (``marts.digital_share``) from the working store, or
            ``charts`` for the site alone, and publish.
        progress: who is told how far it is.
        ahead: processes that were started already.

    Returns:
        How it ended.

    Raises:
        RefreshFailedError: when there is nothing to read, a blocking check failed, or the clock is
            wrong.
        LockedError: when another refresh holds the lock for too long.
        UnknownTableError: when ``only`` names no table.
    """
    started = time.monotonic()
    today = datetime.now(UTC).date()
    if today < WRITTEN - timedelta(days=1):
        raise RefreshFailedError(
            f"the clock of this machine says {today}, which is before this version was written; dates "
            "in the files would be taken for the future. Set the clock."
        )
    few_areas()
    run = Run(settings, progress or Silent(), force)
    if not settings.raw.is_dir():
        raise RefreshFailedError(
            f"there is no folder {settings.raw}; give --raw a tree laid out <source id>/..."
        )
    try:
        with ahead or Ahead() as ahead:
            if only is None:
                ahead.look(settings, force=force)
            run.hashed = ahead.hashes
            if not inbox_files(settings.raw) and not run.files:
                raise RefreshFailedError(_nothing_to_read(settings))
            with refresh_lock(
                settings.work, on_wait=lambda who: run.progress.say(f"Waiting for {who}.")
            ):
                summary = _locked(run, started, ahead, force=force, only=only)
    except (CorrectionError, RuleFileError, ClusterError, LocationError, LostFactsError) as error:
        there = (settings.out / "current").exists()
        left = "The previous publication stands." if there else "Nothing was published."
        raise RefreshFailedError(f"{str(error).removesuffix('.')}. {left}") from error
    except RuntimeError as error:
        if str(error) == INTERRUPTED:
            raise KeyboardInterrupt from error
        raise
    finally:
        close_idle()
    summary.seconds = time.monotonic() - started
    return summary


def _nothing_to_read(settings: Settings) -> str:
    return f"no files below {settings.raw}; lay them out as <source id>/<file>, or run with --demo"


def _locked(
    run: Run, started: float, ahead: Ahead, *, force: bool, only: Sequence[str] | None
) -> Summary:
    """The refresh itself, with the lock held."""
    remove_leftovers(run.settings.out)
    if only is not None:
        return _build_only(run, only)
    _drop_damaged(run)
    load_corrections(run.settings.corrections)  # a ledger that cannot be read ends the run early
    inbox = empty_inbox(run)
    if inbox:
        ahead.forget_seen()
    if not run.files:
        raise RefreshFailedError("\n".join([_nothing_to_read(run.settings), *inbox]))
    unchanged = None if force else _unchanged(run)
    summary = _unchanged_summary(run, unchanged, started) if unchanged else _build(run, ahead)
    summary.inbox = inbox
    return summary


def _drop_damaged(run: Run) -> None:
    """Remove what is damaged in the working store; a whole refresh makes all of it again.

    A damaged file that is only opened before it is replaced would stop every refresh to come.
    """
    run.store.drop_damaged()
    for path in (run.settings.work / "parts").glob("*.parquet"):
        if not is_whole(path):
            path.unlink()


def empty_inbox(run: Run) -> list[str]:
    """Stage nought: file what lies in the inbox; a sentence a file, those that stay first."""
    if not inbox_files(run.settings.raw):
        sort_inbox(run)  # forgets what stayed the last time
        return []
    with run.stage("Inbox") as said:
        outcomes = sort_inbox(run)
        filed = sum(not o.stays for o in outcomes)
        said.append(f"{filed:,} of {plural(len(outcomes), 'file')} filed")
    return [o.sentence for o in sorted(outcomes, key=lambda o: not o.stays)]


def _unchanged_summary(run: Run, build_id: str, started: float) -> Summary:
    summary = Summary(build_id, False, run.settings.out, run.is_demo)
    tell_files(run, summary)
    tell_corrections(run, summary)
    tell_checks(run, summary)
    summary.seconds = time.monotonic() - started
    return summary


def _build(run: Run, ahead: Ahead) -> Summary:
    tables: dict[str, int] = {}
    prove_rules()  # what a person wrote wrong ends the run before anything is read
    # The build before is read while files are: that work leaves a core alone.
    with helped(run, ahead), ThreadPoolExecutor(1) as pool:
        before = pool.submit(_read_before, run)
        try:
            read_sources(run, tables)
            build_id = _checked_and_published(run, tables, before)
        finally:
            if not before.exception():
                before.result().forget_copy()
    _remember(run, build_id, ahead.seen(run.settings.raw))
    summary = Summary(
        build_id, True, run.settings.out, run.is_demo, tables=tables, counters=run.counters
    )
    tell_files(run, summary)
    tell_corrections(run, summary)
    tell_checks(run, summary)
    tell_gone(run, summary)
    return summary


def _build_only(run: Run, only: Sequence[str]) -> Summary:
    """Rebuild some tables from the working store and publish."""
    by_table = {s.table: s for s in sources.SOURCES}
    known = {*by_table, *MART_ORDER, "facts.payment", "charts"}
    unknown = [name for name in only if name not in known]
    if unknown:
        raise UnknownTableError(
            f"--only knows no {', '.join(unknown)}; it knows {', '.join(sorted(known))}"
        )
    if not run.store.exists("meta.source_file"):
        raise RefreshFailedError("nothing has been built here yet; run a whole refresh first")
    tables: dict[str, int] = {}
    prove_rules()
    register = sources.register_of(run)
    facts = [name for name in only if name in by_table]
    for name in facts:
        with run.stage(name) as said:
            tables |= sources.build_source(run, by_table[name], register)
            said.append(f"{tables[name]:,} rows")
    if "facts.payment" in only:
        with run.stage("facts.payment", len(run.files_of("spend_over_25k"))):
            tables |= payments.build_payments(run, register)
    if facts or "facts.payment" in only:
        tables |= meta.build_all(run)
    check_gate(run, "facts")
    wanted = [name for name in only if name in MART_ORDER]
    tables |= build_marts(run.store, only=wanted, kept=kept_of_marts(run))
    check_gate(run, "marts")
    summary = Summary(publish(run), True, run.settings.out, run.is_demo, counters=run.counters)
    tell_files(run, summary)
    tell_corrections(run, summary)
    tell_checks(run, summary)
    return summary


def read_sources(run: Run, tables: dict[str, int]) -> None:
    """Stage one: dims, facts and the account of every file."""
    with run.stage("Organisations") as said:
        tables |= sources.build_reference_dims(run) | sources.build_organisations(run)
        said.append(f"{tables['dims.organisation']:,} organisations")
    register = sources.register_of(run)
    for source in sources.SOURCES:
        with run.stage(source.source_id.replace("_", " ").capitalize()) as said:
            tables |= sources.build_source(run, source, register)
            said.append(plural(tables[source.table], "row"))
    tables |= sources.finish_organisations(run)
    sources.build_unknown(run)
    spend = run.files_of("spend_over_25k")
    with run.stage("Spend over 25k", len(spend)) as said:
        tables |= payments.build_payments(run, register)
        opened = run.counters.get("spend_files_opened", 0)
        said.append(
            f"{plural(tables['facts.payment'], 'payment')} from {plural(len(spend), 'file')}, "
            f"{opened:,} of them newly read"
        )
    with run.stage("Accounts of files") as said:
        tables |= meta.build_all(run)
        said.append(
            f"{plural(tables['meta.source_file'], 'file')}, "
            f"{plural(tables['meta.rejected_row'], 'row')} set aside"
        )


def compute_marts(run: Run, tables: dict[str, int]) -> None:
    """Stage three: the marts."""
    with run.stage("Marts", len(MART_ORDER)) as said:
        tables |= build_marts(
            run.store, progress=lambda *_: run.progress.advance(), kept=kept_of_marts(run)
        )
        said.append(f"{len(MART_ORDER)} marts")


def _checked_and_published(run: Run, tables: dict[str, int], before: Future[Before]) -> str:
    """Stages two to five; at the same time where the checks have a process of their own."""
    if run.checker is None:
        check_gate(run, "facts")
        compute_marts(run, tables)
        check_gate(run, "marts")
        return publish(run, before=before.result())
    if run.drawer:
        run.drawer.get_ready()
    with ThreadPoolExecutor(1) as pool:
        results = pool.submit(checked, run, "facts")
        try:
            compute_marts(run, tables)
        except Exception:
            # What is wrong with the facts says more than what the marts ran into because of it.
            check_gate(run, "facts", results.result)
            raise

        def gates(aside: Run) -> None:
            check_gate(aside, "facts", results.result)
            check_gate(aside, "marts")

        return publish(run, gates, before.result())


def _read_before(run: Run) -> Before:
    """The build that the new one follows, read, with a copy of its database."""
    before = build_before(run)
    before.read()
    before.copy_database()
    return before


def _remember(run: Run, build_id: str, seen: str) -> None:
    """Note what the publication was made of, so that the next refresh knows when nothing changed.

    Only a whole refresh may say so: a partial one publishes tables of different ages.
    """
    state = {
        "build": build_id,
        "fingerprint": meta.fingerprint(run),
        "seen": seen,
    }
    write_bytes(_state_file(run.settings), json.dumps(state).encode())
