"""Results of checks of tables that are as they were, taken over from the run before.

Belongs here: what the results on a table depend on, and keeping them. Does not belong here: which
checks there are and how they are run (``quality``).

A failed check is kept too: the same rows break it again. What cannot be read, or is not what was kept,
is checked anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.refresh.code import code_hash
from pipeline.refresh.context import Run
from pipeline.store.seal import file_hash
from pipeline.store.tables import write_bytes

if TYPE_CHECKING:
    from pipeline.quality import CheckResult, Gate


def checked(run: Run, gate: Gate) -> list[CheckResult]:
    """Results of a gate; only tables that changed, or whose checks read one that did, are checked.

    The run's counter ``tables_checked`` says how many that were. A forced run checks all.

    Args:
        run: the run; what it keeps lies in its working store.
        gate: ``facts`` or ``marts``.
    """
    from pipeline.quality import run_gate, table_checked

    path = run.settings.work / f"checked-{gate}.json"
    keys = _keys(run, gate)
    known = {} if run.force else _read(path)
    same = {name for name, key in keys.items() if known.get(name, {}).get("key") == key}
    changed = [name for name in keys if name not in same]
    results = _results(known[name]["results"] for name in keys if name in same)
    if changed:
        make = run.checker.run_gate if run.checker else run_gate
        results += make(run.store, gate, tables=changed, is_demo=run.is_demo)
    run.counters["tables_checked"] = run.counters.get("tables_checked", 0) + len(changed)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in keys}
    for result in results:
        found[table_checked(result)].append(asdict(result))
    told = {name: {"key": keys[name], "results": rows} for name, rows in found.items()}
    body = json.dumps(told, ensure_ascii=False).encode()
    write_bytes(path, hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
    return results


def _keys(run: Run, gate: Gate) -> dict[str, str]:
    """What the results on each table of a gate depend on: rows, rows of other tables, code, library."""
    from pipeline.quality import suite_for, tables_of
    from pipeline.schema import all_tables

    hashes: dict[str, str] = {}

    def content(name: str) -> str:
        if name not in hashes:
            files = [f"{path.name} {file_hash(path)}" for path in run.store.files(name)]
            hashes[name] = "\n".join(files)
        return hashes[name]

    today = str(datetime.now(UTC).date())
    library = f"{version('great-expectations')} {version('duckdb')} {run.is_demo} {code_hash()}"
    found = {}
    for name in tables_of(gate):
        if not run.store.exists(name):
            continue
        checks = suite_for(all_tables()[name])
        needs = {other for check in checks for other in check.needs}
        told = [library, name, content(name)]
        told += [today for check in checks if "current_date" in check.rows]
        told += [f"{other}: {content(other)}" for other in sorted(needs)]
        found[name] = hashlib.sha256("\n".join(told).encode()).hexdigest()
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        seal, _, body = path.read_bytes().partition(b"\n")
    except OSError:
        return {}
    return json.loads(body) if hashlib.sha256(body).hexdigest().encode() == seal else {}


def _results(kept: Iterable[list[dict[str, Any]]]) -> list[CheckResult]:
    from pipeline.quality import CheckResult

    return [CheckResult(**row) for rows in kept for row in rows]
