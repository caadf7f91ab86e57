"""The two gates: before the marts are made, and before they are published.

Belongs here: which tables and checks belong to which gate, and running them. Does not belong here:
what is expected (``suites``, ``rules``, ``golden``) or how it is run (``engine``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from pipeline.quality.again import Since, read_by, say_again
from pipeline.quality.engine import opened, run_suites
from pipeline.quality.golden import run_golden, table_of
from pipeline.quality.results import CheckResult
from pipeline.quality.suites import suite_for
from pipeline.schema import all_tables
from pipeline.store import TableStore

Gate = Literal["facts", "marts"]


#: Asks the library: checks by name, of tables by full name, of the working store.
Library = Callable[[TableStore, Mapping[str, Sequence[str]]], list[CheckResult]]


def tables_of(gate: Gate) -> list[str]:
    """The tables a gate looks at: facts, lists and the account of files; or the marts."""
    if gate == "marts":
        return [name for name in all_tables() if name.startswith("marts.")]
    files = ["meta.source_file", "meta.rejected_row"]
    return [n for n in all_tables() if n.startswith(("dims.", "facts."))] + files


def ask_library(store: TableStore, names: Mapping[str, Sequence[str]]) -> list[CheckResult]:
    """What Great Expectations says of some checks.

    Args:
        store: the working store.
        names: of checks by full name of their table; the tables, and those that the checks read, must be
            in the store.

    Returns:
        One result a check.
    """
    suites = {
        name: [c for c in suite_for(all_tables()[name]) if c.check_name in wanted]
        for name, wanted in names.items()
    }
    with opened(store, {*suites, *read_by(suites)}) as connection:
        return run_suites(connection, suites)


def run_gate(
    store: TableStore,
    gate: Gate,
    *,
    tables: Sequence[str] | None = None,
    is_demo: bool = False,
    since: Since | None = None,
    library: Library = ask_library,
) -> list[CheckResult]:
    """Run the checks of one gate on what is in the working store.

    Where it is known what checks said before, the database is asked whether they say the same, and the
    library is asked about the others; results are those that the library would give, either way.

    Args:
        store: the working store.
        gate: ``facts`` (dims, facts, meta.source_file, meta.rejected_row, published figures) or
            ``marts``.
        tables: only these tables (full names); all of the gate's tables by default.
        is_demo: the data is the demonstration, so published figures are not expected to match.
        since: what checks said before and what changed since, where that is known.
        library: how Great Expectations is asked.

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
    found = say_again(store, suites, since) if since else {}
    left = {
        name: [c.check_name for c in checks if (name, c.check_name) not in found]
        for name, checks in suites.items()
    }
    left = {name: checks for name, checks in left.items() if checks}
    if left:
        found |= {(r.suite, r.check_name): r for r in library(store, left)}
    results = [found[name, c.check_name] for name, checks in suites.items() for c in checks]
    if suites and gate == "facts" and not is_demo:
        with opened(store, suites) as connection:
            results += run_golden(connection, set(suites))
    return results


def table_checked(result: CheckResult) -> str:
    """The table a result is about: its suite, or the table behind a published figure."""
    return table_of(result.check_name) if result.suite == "golden" else result.suite
