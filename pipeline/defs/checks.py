"""Every Great Expectations suite as an asset check, with its sentences, counts and samples."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from pipeline.defs.describe import rows_table
from pipeline.defs.freshness import releases_are_here
from pipeline.defs.keys import key_of
from pipeline.defs.links import site_link
from pipeline.defs.resources import Product
from pipeline.marts import MART_ORDER
from pipeline.refresh import sources
from pipeline.schema import table

if TYPE_CHECKING:
    from pipeline.quality import CheckResult, Gate
    from pipeline.settings import Settings

CHECKED_FACTS = (
    "dims.organisation",
    *(s.table for s in sources.SOURCES),
    "facts.payment",
    "meta.source_file",
)
COLUMNS = ("held", "if it fails", "expected", "found", "failing rows", "check")


def _row(result: "CheckResult") -> dict[str, Any]:
    return {
        "held": "yes" if result.passed else "NO",
        "if it fails": "stops publication" if result.severity == "blocking" else "warns",
        "expected": result.sentence,
        "found": result.observed or "",
        "failing rows": result.failing_rows,
        "check": result.check_name,
    }


def _expectations_md(results: Sequence["CheckResult"]) -> dg.MetadataValue:
    """All expectations as a list of whole sentences; a table would cut them."""
    lines = [
        f"- {'holds' if r.passed else '**FAILS**'} "
        f"({'stops publication' if r.severity == 'blocking' else 'warns'}): {_plain(r.sentence)}"
        + (f" Found: {_plain(r.observed)}." if r.observed and not r.passed else "")
        for r in sorted(results, key=lambda r: (r.passed, r.check_name))
    ]
    return dg.MetadataValue.md("\n".join(lines) or "Nothing to check yet.")


def _plain(text: str) -> str:
    """Text of the data inside Markdown: no markup of its own."""
    return text.replace("<", "&lt;").replace("[", "\\[").replace("`", "'").replace("\n", " ")


def _samples(results: Sequence["CheckResult"]) -> dict[str, dg.MetadataValue]:
    """Failing rows, one table a failed check."""
    told = {}
    for result in results:
        rows = json.loads(result.sample) if result.sample else []
        if rows:
            told[f"rows: {result.check_name}"] = rows_table(rows, rows[0])
    return told


def result_of(results: Sequence["CheckResult"], settings: "Settings") -> dg.AssetCheckResult:
    """What Dagster is told about the suite of one table."""
    from pipeline.quality import gate_failures
    from pipeline.site.quality import check_anchor

    failed = [r for r in results if not r.passed]
    blocking = gate_failures(results)
    first = failed[0] if failed else None
    anchor = check_anchor(first.suite, first.check_name) if first else "checks"
    metadata: dict[str, Any] = {
        "expectations": len(results),
        "failing": len(failed),
        "failing_rows": sum(r.failing_rows or 0 for r in failed),
    }
    if failed:
        metadata["failed"] = rows_table(map(_row, failed), COLUMNS)
        metadata |= _samples(failed)
    metadata["all expectations"] = _expectations_md(results)
    metadata["data quality page (of the last publication)"] = site_link(
        settings, "quality.html", anchor
    )
    return dg.AssetCheckResult(
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR if blocking else dg.AssetCheckSeverity.WARN,
        description=" ".join(f"{r.sentence} Found: {r.observed}." for r in failed)[:2000]
        or f"All {len(results)} expectations hold.",
        metadata=metadata,
    )


def _check(name: str, gate: "Gate") -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=key_of(name),
        name="expectations",
        blocking=True,
        description=f"Is `{name}` ({table(name).title}) fit to be used? Every expectation of its suite "
        "in words, with failing rows. A failed blocking one stops what depends on it, and the publication.",
    )
    def expectations(product: Product) -> dg.AssetCheckResult:
        from pipeline.quality import run_gate

        run = product.run()
        results = run_gate(run.store, gate, tables=[name], is_demo=run.is_demo)
        return result_of(results, run.settings)

    return expectations


def asset_checks() -> list[dg.AssetChecksDefinition]:
    """One check a table, and the release calendar."""
    facts = [_check(n, "facts") for n in CHECKED_FACTS]
    return [*facts, *(_check(n, "marts") for n in MART_ORDER), releases_are_here]
