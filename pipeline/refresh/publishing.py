"""Stage five: history, database, Parquet and site of one build, made in a folder aside and switched in.

What does not wait for each other is done at the same time: rows are written to the database while pages
are drawn and checks are made, each in a process of its own. Only what tells of the checks (two tables,
three pages) waits for them, and nothing is switched in before every gate has answered.

Belongs here: the order of that work. Does not belong here: how a database or a page is made (``store``,
``site``), or the gates (``gates``).
"""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pipeline.compare import Build, read_build
from pipeline.exports import describe_build
from pipeline.exports.package import PACKAGE, hashes_in
from pipeline.marts import measure_views
from pipeline.marts.described import own_macros, own_views
from pipeline.refresh import meta
from pipeline.refresh.checked import note_contents
from pipeline.refresh.context import Held, Run
from pipeline.refresh.drawing import Pages, draw
from pipeline.refresh.history import CHANGE, CHECKS, HISTORY, Before, build_before, build_history
from pipeline.schema import all_tables
from pipeline.store.publish import (
    DATABASE,
    Staging,
    copy_parquet,
    stage,
    switch,
    write_database,
)
from pipeline.store.seal import file_hash, finish, force_all_to_disk, force_to_disk, taken_over

#: Tables that are written when the gates have answered.
LATE = (CHECKS, HISTORY, CHANGE)


def publish(
    run: Run, gates: Callable[[Run], None] | None = None, before: Before | None = None
) -> str:
    """Make the build that the working store holds and switch it in.

    Args:
        run: the run; marts are made.
        gates: what must have answered first, given a run whose stages are shown later; it runs beside
            the drawing. None where all gates have answered.
        before: the build that this one follows, where it was looked at already.

    Returns:
        The identifier of the build.

    Raises:
        Exception: what the gates raise, or what making the build ran into; nothing was switched in.
    """
    build_id = meta.build_build(run)
    before = before or build_before(run)
    # What was changed after its publication must not be taken over as if it were ours.
    earlier = before.folder if before.is_current else None
    staging = stage(run.settings.out, build_id)
    aside = copy.copy(run)
    aside.progress = held = Held()
    try:
        with ThreadPoolExecutor(2) as pool:
            settled = pool.submit(_settled, aside, before, gates)
            written = pool.submit(
                _write_tables, run, staging, earlier, settled.result, before.database
            )
            try:
                _write_site(run, staging, earlier, settled.result)
            except Exception:
                settled.result()  # what is wrong with the rows says more than what drawing ran into
                raise
            # Rows are still being written, and nobody writes to the site any more.
            taken = taken_over(staging.folder, earlier) if earlier else {}
            site = finish(staging.folder, staging.charts, taken)
            held.tell(run.progress)
            with run.stage("Publication") as said:
                known = written.result()
                said.append("database and Parquet")
        keep = run.settings.keep_builds
        return switch(staging, keep=keep, known=known | site).name
    except Exception:
        shutil.rmtree(staging.folder, ignore_errors=True)
        raise


def _settled(run: Run, before: Before, gates: Callable[[Run], None] | None) -> None:
    """The gates, then the history, which tells of them; both builds are read while checks are made."""
    with ThreadPoolExecutor(1) as pool:
        new = pool.submit(_read_both, run, before)
        if gates:
            gates(run)
        with run.stage("History") as said:
            rows = build_history(run, before, new.result())
            said.append(f"{rows[CHANGE]:,} differences from the build before")


def _read_both(run: Run, before: Before) -> Build:
    before.read()
    return read_build(run.store.root)


def _write_tables(
    run: Run,
    staging: Staging,
    earlier: Path | None,
    settled: Callable[[], None],
    copied: Path | None,
) -> dict[str, str]:
    """Database, Parquet and their description; returns their hashes, and they are on the disk."""
    copy_parquet(run.store, staging.parquet, all_tables().keys() - set(LATE))
    known = finish(staging.folder, staging.parquet)

    def finished(database: Path) -> None:
        known[DATABASE] = file_hash(database)
        force_to_disk(database)

    write_database(
        run.store,
        staging.database,
        [*measure_views(), *own_views()],
        own_macros(),
        earlier=earlier,
        written_by=meta.code_hash(),
        late=LATE,
        settled=settled,
        contents=run.contents,
        beside=finished,
        copied=copied,
    )
    note_contents(run)
    copy_parquet(run.store, staging.parquet, LATE)
    described = hashes_in(describe_build(staging.database, known))
    force_all_to_disk(staging.folder / name for name in described.keys() - known.keys())
    return described


def _write_site(
    run: Run, staging: Staging, earlier: Path | None, settled: Callable[[], None]
) -> None:
    """The site, which names what will lie beside it when the build is whole."""
    with run.stage("Site") as said:
        names = [n for n in all_tables() if not n.startswith("facts.") and n not in LATE]
        level = f"{100 * run.settings.benchmark:g}%"
        asked = Pages(
            run.store.root,
            tuple(names),
            LATE,
            staging.charts,
            f"How far is each NHS trust from spending {level} on digital?",
            earlier / "charts" if earlier else None,
            (DATABASE, "parquet", PACKAGE),
        )
        drawn = run.drawer.draw(asked, settled) if run.drawer else draw(asked, settled)
        kept = f", {drawn.kept:,} of them unchanged and taken over" if drawn.kept else ""
        said.append(f"{drawn.pages:,} pages{kept}")
