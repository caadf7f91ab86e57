"""Every Great Expectations suite as an asset check, with its sentence, count and samples."""

import dagster as dg

from pipeline.defs.keys import key_of
from pipeline.defs.resources import Product
from pipeline.marts import MART_ORDER
from pipeline.refresh import sources
from pipeline.schema import table

CHECKED_FACTS = (
    "dims.organisation",
    *(s.table for s in sources.SOURCES),
    "facts.payment",
    "meta.source_file",
)


def _check(name: str, gate: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=key_of(name),
        name="expectations",
        blocking=True,
        description=f"The Great Expectations suite of `{name}`: {table(name).title}. "
        "A failed blocking expectation stops what depends on it, and the publication.",
    )
    def expectations(product: Product) -> dg.AssetCheckResult:
        from pipeline.quality import gate_failures, run_gate

        run = product.run()
        results = run_gate(run.store, gate, tables=[name], is_demo=run.is_demo)  # type: ignore[arg-type]
        failed = [r for r in results if not r.passed]
        blocking = gate_failures(results)
        records = [
            dg.TableRecord(
                {
                    "check": r.check_name,
                    "severity": r.severity,
                    "sentence": r.sentence,
                    "found": str(r.observed or "")[:300],
                    "failing_rows": r.failing_rows or 0,
                    "sample": str(r.sample or "")[:500],
                }
            )
            for r in failed
        ]
        columns = ("check", "severity", "sentence", "found", "failing_rows", "sample")
        metadata: dict[str, dg.MetadataValue] = {
            "expectations": dg.MetadataValue.int(len(results)),
            "failing": dg.MetadataValue.int(len(failed)),
            "data_docs": dg.MetadataValue.path(str(run.settings.out / "charts" / "quality.html")),
        }
        if failed:
            metadata["failed"] = dg.MetadataValue.table(
                records, dg.TableSchema([dg.TableColumn(c) for c in columns])
            )
        return dg.AssetCheckResult(
            passed=not failed,
            severity=dg.AssetCheckSeverity.ERROR if blocking else dg.AssetCheckSeverity.WARN,
            description="; ".join(r.sentence for r in failed)[:1000]
            or f"All {len(results)} expectations hold.",
            metadata=metadata,
        )

    return expectations


def asset_checks() -> list[dg.AssetChecksDefinition]:
    """One check a table."""
    return [_check(n, "facts") for n in CHECKED_FACTS] + [_check(n, "marts") for n in MART_ORDER]
