"""Results of checks of what is as it was, taken over from the run before.

A table is checked again when it, or what its checks read, changed. Of these checks, those that held
before and can be asked of the rows of some organisations apart from all others (``alone``) are asked of
the organisations whose rows changed; all others are asked of all rows. Both are asked of the database first, and
of Great Expectations where a check would say something else than before (``quality.again``).

Belongs here: what the results on a table depend on, whose rows changed, and keeping both. Does not belong
here: which checks there are and how they are run (``quality``), how contents are compared
(``store.content``).

A failed check is kept too: the same rows break it again. What cannot be read, or is not what was kept,
is checked anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.refresh.code import code_hash
from pipeline.refresh.context import Run
from pipeline.schema import all_tables, table
from pipeline.store.content import Content, differing, is_told
from pipeline.store.sealed import read_sealed, write_sealed

if TYPE_CHECKING:
    from pipeline.quality import CheckResult, Gate, Since
    from pipeline.quality.checks import Check

#: More rows than these are not copied into memory to be looked at apart; and a larger part of a table
#: than this is not worth it.
MOST_ROWS, MOST_OF_A_TABLE = 250_000, 0.25
#: Table -> name of a file -> hash of its bytes.
Files = dict[str, dict[str, str]]


@dataclass
class _Kept:
    """What a run keeps of a gate for the next.

    Attributes:
        told: what all results depend on beside rows.
        day: when they were made.
        files: the tables that they are about, or that checks read.
        results: table -> ``key``, what its results depended on, and ``results``.
    """

    told: str = ""
    day: str = ""
    files: Files = field(default_factory=dict)
    results: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> _Kept:
        """What lies there; nothing where it is not what was kept."""
        try:
            return cls(**read_sealed(path))
        except TypeError:  # of another version
            return cls()

    def write(self, path: Path) -> None:
        """Keep it, sealed."""
        write_sealed(path, asdict(self))


def checked(run: Run, gate: Gate) -> list[CheckResult]:
    """Results of a gate; only tables that changed, or whose checks read one that did, are checked.

    The run's counter ``tables_checked`` says how many that were. A forced run checks all rows of all.

    Args:
        run: the run; what it keeps lies in its working store.
        gate: ``facts`` or ``marts``.
    """
    from pipeline.quality import ask_library, run_gate, table_checked

    path = _path(run, gate)
    known = _Kept() if run.force else _Kept.read(path)
    now = _Kept(_told(run), str(datetime.now(UTC).date()), _files(run, gate))
    keys = _keys(run, gate, now)
    same = {name for name, key in keys.items() if known.results.get(name, {}).get("key") == key}
    changed = [name for name in keys if name not in same]
    results = _results(known.results[name]["results"] for name in keys if name in same)
    if changed:
        results += run_gate(
            run.store,
            gate,
            tables=changed,
            is_demo=run.is_demo,
            since=_since(run, known, now, changed),
            library=run.checker.ask_library if run.checker else ask_library,
        )
    run.counters["tables_checked"] = run.counters.get("tables_checked", 0) + len(changed)
    now.results = {name: {"key": key, "results": []} for name, key in keys.items()}
    for result in results:
        now.results[table_checked(result)]["results"].append(asdict(result))
    now.write(path)
    return results


def has_answers(run: Run) -> bool:
    """Whether it is known what the checks on facts said before, so that the library may not be needed."""
    return not run.force and _Kept.read(_path(run, "facts")).told == _told(run)


def _path(run: Run, gate: Gate) -> Path:
    return run.settings.work / f"checked-{gate}.json"


def _told(run: Run) -> str:
    """What all results depend on beside rows."""
    return f"{version('great-expectations')} {version('duckdb')} {run.is_demo} {code_hash()}"


def note_contents(run: Run) -> None:
    """Note whose rows are what in the tables of which checks can be asked apart, for the next run."""
    told = set()
    for name in sorted(_told_apart()):
        for path in run.store.files(name):
            sha256 = run.hashes.of(path)
            run.contents.of(table(name), path, sha256)
            told.add(sha256)
    run.contents.prune(told)


def _told_apart() -> set[str]:
    """The tables that checks which can be asked apart read, and that name organisations."""
    from pipeline.quality import suite_for

    checks = [c for spec in all_tables().values() for c in suite_for(spec) if c.alone]
    return {name for c in checks for name in (c.suite, *c.needs) if is_told(table(name))}


def _files(run: Run, gate: Gate) -> Files:
    """The tables of a gate, and those that their checks read."""
    from pipeline.quality import suite_for, tables_of

    own = [name for name in tables_of(gate) if run.store.exists(name)]
    read = {other for name in own for check in suite_for(table(name)) for other in check.needs}
    return {
        name: {path.name: run.hashes.of(path) for path in run.store.files(name)}
        for name in sorted({*own, *read})
    }


def _keys(run: Run, gate: Gate, now: _Kept) -> dict[str, str]:
    """What the results on each table of a gate depend on: rows, rows of other tables, code, library."""
    from pipeline.quality import suite_for, tables_of

    found = {}
    for name in tables_of(gate):
        if not run.store.exists(name):
            continue
        checks = suite_for(table(name))
        needs = {other for check in checks for other in check.needs}
        told = [now.told, name, json.dumps(now.files[name])]
        told += [now.day for check in checks if "current_date" in check.rows]
        told += [f"{other}: {json.dumps(now.files[other])}" for other in sorted(needs)]
        found[name] = hashlib.sha256("\n".join(told).encode()).hexdigest()
    return found


def _since(run: Run, known: _Kept, now: _Kept, changed: Sequence[str]) -> Since | None:
    """What checks on tables that changed said before; None where that is not known."""
    from pipeline.quality import Since, suite_for

    if known.told != now.told:
        return None
    said = {name: _said(known, name) for name in changed}
    alone = [
        c
        for name in changed
        for c in suite_for(table(name))
        if c.alone and said[name].get(c.check_name)
    ]
    codes, apart = _apart(run, known, now, alone)
    return Since(said, codes, _names(apart))


def _said(known: _Kept, name: str) -> dict[str, bool]:
    """Whether the checks of a table held; without those that stopped the publication."""
    rows = known.results.get(name, {}).get("results", ())
    return {
        row["check_name"]: row["passed"]
        for row in rows
        if row["suite"] == name and (row["passed"] or row["severity"] == "warning")
    }


def _names(checks: Iterable[Check]) -> dict[str, frozenset[str]]:
    """Names of checks by table."""
    found: dict[str, set[str]] = {}
    for check in checks:
        found.setdefault(check.suite, set()).add(check.check_name)
    return {name: frozenset(own) for name, own in found.items()}


def _apart(
    run: Run, known: _Kept, now: _Kept, alone: Sequence[Check]
) -> tuple[tuple[str, ...], list[Check]]:
    """Whose rows changed since checks held, and the checks that need be asked of these alone."""
    other = {name for name, files in now.files.items() if known.files.get(name) != files}
    checks = [c for c in alone if known.day == now.day or "current_date" not in c.rows]
    owners: dict[str, set[str] | None] = {}
    for name in {name for c in checks for name in (c.suite, *c.needs)} & other:
        owners[name] = _differing(run, name, known.files.get(name, {}), now.files[name])
    whole = {name for name, found in owners.items() if found is None}
    checks = [check for check in checks if whole.isdisjoint((check.suite, *check.needs))]
    codes = {code for found in owners.values() for code in found or ()}
    return (tuple(sorted(codes)), checks) if checks and codes else ((), [])


def _differing(
    run: Run, name: str, old: Mapping[str, str], new: Mapping[str, str]
) -> set[str] | None:
    """Organisations whose rows of a table differ; None where that cannot be told, or they are many."""
    spec = table(name)
    if not is_told(spec) or not old:
        return None
    paths = {path.name: path for path in run.store.files(name)}
    replaced = {file: sha256 for file, sha256 in old.items() if new.get(file) != sha256}
    before = {file: run.contents.known(sha256) for file, sha256 in replaced.items()}
    was: dict[str, Content] = {file: c for file, c in before.items() if c is not None}
    if len(was) < len(before):
        return None
    now = {file: run.contents.of(spec, paths[file], sha256) for file, sha256 in new.items()}
    rest = {file for file in new if old.get(file) == new[file]}
    found = differing(
        was, {f: c for f, c in now.items() if f not in rest}, [now[f] for f in sorted(rest)]
    )
    codes = {code for code in found if code is not None}
    if len(codes) < len(found):
        return None
    sizes = {True: 0, False: 0}
    for content in now.values():
        for (code, _), (rows, _) in content.items():
            sizes[code in codes] += rows
    own, all_rows = sizes[True], sizes[True] + sizes[False]
    return None if own > MOST_ROWS or own > MOST_OF_A_TABLE * all_rows else codes


def _results(kept: Iterable[list[dict[str, Any]]]) -> list[CheckResult]:
    from pipeline.quality import CheckResult

    return [CheckResult(**row) for rows in kept for row in rows]
