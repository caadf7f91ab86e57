"""The two gates: before the marts are made, and before they are published.

Belongs here: which tables and checks belong to which gate, and running them. Does not belong here:
what is expected (``suites``, ``rules``, ``golden``) or how it is run (``engine``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from pipeline.quality.checks import Check
from pipeline.quality.engine import opened, run_suites
from pipeline.quality.golden import run_golden, table_of
from pipeline.quality.results import CheckResult
from pipeline.quality.suites import suite_for
from pipeline.schema import all_tables
from pipeline.store import TableStore

Gate = Literal["facts", "marts"]


@dataclass(frozen=True)
class Since:
    """What changed since some checks held.

    Attributes:
        organisations: whose rows changed, in any table that these checks read.
        held: names of checks by table: those that held before, so that only the rows of these
            organisations can break them now.
        together: names of checks by table: those that held before, so that they are likely to hold
            now and are asked as one first.
    """

    organisations: tuple[str, ...] = ()
    held: Mapping[str, frozenset[str]] = field(default_factory=dict)
    together: Mapping[str, frozenset[str]] = field(default_factory=dict)


def tables_of(gate: Gate) -> list[str]:
    """The tables a gate looks at: facts, lists and the account of files; or the marts."""
    if gate == "marts":
        return [name for name in all_tables() if name.startswith("marts.")]
    files = ["meta.source_file", "meta.rejected_row"]
    return [n for n in all_tables() if n.startswith(("dims.", "facts."))] + files


def run_gate(
    store: TableStore,
    gate: Gate,
    *,
    tables: Sequence[str] | None = None,
    is_demo: bool = False,
    since: Since | None = None,
) -> list[CheckResult]:
    """Run the checks of one gate on what is in the working store.

    A check that held before, where all rows but those of some organisations are as they were, is asked of
    these rows first. What does not hold there is asked of all rows, as every other check is, so the
    results are those of all rows either way. Checks that held before are asked together where that
    costs less; where they do not all hold, each is asked by itself.

    Args:
        store: the working store.
        gate: ``facts`` (dims, facts, meta.source_file, meta.rejected_row, published figures) or
            ``marts``.
        tables: only these tables (full names); all of the gate's tables by default.
        is_demo: the data is the demonstration, so published figures are not expected to match.
        since: what changed since some of the checks held, where that is known.

    Returns:
        One result a check. Tables that are not in the store, and checks that need a table that is
        not there, are left out: nothing is claimed about them.

    Raises:
        ValueError: ``tables`` names a table the gate does not look at.
    """
    known = tables_of(gate)
    wanted = known if tables is None else list(tables)
    if strangers := sorted(set(wanted) - set(known)):
        raise ValueError(f"gate {gate!r} does not check {', '.join(strangers)}")
    present = {name for name in all_tables() if store.exists(name)}
    suites = {
        name: [c for c in suite_for(all_tables()[name]) if present.issuperset(c.needs)]
        for name in known
        if name in wanted and name in present
    }
    if not suites:
        return []
    held = _still_hold(store, suites, since) if since else {}
    left = {
        name: [c for c in checks if (name, c.check_name) not in held]
        for name, checks in suites.items()
    }
    left = {name: checks for name, checks in left.items() if checks}
    with opened(store, {*suites, *_read_by(left)}) as connection:
        together = since.together if since else {}
        found = {(r.suite, r.check_name): r for r in run_suites(connection, left, together)} | held
        results = [found[name, c.check_name] for name, checks in suites.items() for c in checks]
        if gate == "facts" and not is_demo:
            results += run_golden(connection, set(suites))
    return results


def _read_by(suites: Mapping[str, Sequence[Check]]) -> set[str]:
    """The tables that some checks read."""
    return {name for table, checks in suites.items() for c in checks for name in (table, *c.needs)}


def _still_hold(
    store: TableStore, suites: Mapping[str, Sequence[Check]], since: Since
) -> dict[tuple[str, str], CheckResult]:
    """Checks that held before and hold among the rows that changed; table and name -> result."""
    asked = {
        name: [c for c in checks if c.alone and c.check_name in since.held.get(name, ())]
        for name, checks in suites.items()
    }
    asked = {name: checks for name, checks in asked.items() if checks}
    if not asked:
        return {}
    with opened(store, _read_by(asked), since.organisations) as connection:
        found = [r for r in run_suites(connection, asked, since.held) if r.passed]
    counted = {name for name, checks in asked.items() if any(c.expectation for c in checks)}
    rows = {name: store.rows(name) for name in counted}
    kinds = {(c.suite, c.check_name): c.expectation for checks in asked.values() for c in checks}
    return {
        (r.suite, r.check_name): replace(r, observed=f"{rows[r.suite]:,} rows")
        if kinds[r.suite, r.check_name]
        else r
        for r in found
    }


def table_checked(result: CheckResult) -> str:
    """The table a result is about: its suite, or the table behind a published figure."""
    return table_of(result.check_name) if result.suite == "golden" else result.suite
