"""Charts and the publication: the end of the graph."""

import dagster as dg

from pipeline.charts import CHARTS, ChartSpec
from pipeline.defs.keys import OWNERS, key_of
from pipeline.defs.resources import Product
from pipeline.defs.tables import META_TABLES
from pipeline.marts import MART_ORDER
from pipeline.schema import all_tables

PUBLICATION = dg.AssetKey(["published", "publication"])


def chart_key(chart_id: str) -> dg.AssetKey:
    """The asset key of a chart."""
    return dg.AssetKey(["charts", chart_id.replace("-", "_")])


def _chart(spec: ChartSpec) -> dg.AssetsDefinition:
    tables = [t for t in (*spec.needs, *spec.optional) if t in all_tables()]

    @dg.asset(
        key=chart_key(spec.id),
        deps=[key_of(t) for t in tables if t != "meta.build"],
        group_name="charts",
        owners=OWNERS,
        kinds={"plotly"},
        description=f"**{spec.question}**\n\nOn the page `{spec.page}.html` of the site.",
    )
    def drawn(product: Product) -> dg.MaterializeResult:
        store = product.run().store
        chart = spec({name: store.read(name) for name in tables})
        names = chart.table.columns[:10]
        records = [
            dg.TableRecord({n: None if row[n] is None else str(row[n])[:60] for n in names})
            for row in chart.table.head(20).iter_rows(named=True)
        ]
        return dg.MaterializeResult(
            metadata={
                "finding": chart.title,
                "coverage": chart.coverage,
                "n": chart.n,
                "table": dg.MetadataValue.table(
                    records, dg.TableSchema([dg.TableColumn(n) for n in names])
                ),
            }
        )

    return drawn


def chart_assets() -> list[dg.AssetsDefinition]:
    """One asset a chart: its finding, its table, how sure it is."""
    return [_chart(spec) for spec in CHARTS.values()]


@dg.asset(
    key=PUBLICATION,
    deps=[key_of(n) for n in (*MART_ORDER, *META_TABLES)] + [chart_key(c) for c in CHARTS],
    group_name="published",
    owners=OWNERS,
    kinds={"duckdb", "html"},
    description=(
        "**Where are the results?**\n\nThe database `fivepercent.duckdb`, the Parquet files and the site, checked "
        "once more and switched in together. A failed blocking check leaves the previous publication as it was."
    ),
)
def publication(context: dg.AssetExecutionContext, product: Product) -> dg.MaterializeResult:
    """Check everything once more, then publish."""
    from pipeline.refresh.run import RefreshFailedError, check_gate, publish
    from pipeline.store.lock import refresh_lock

    run = product.run()
    with refresh_lock(run.settings.work, on_wait=context.log.info):
        try:
            checks = check_gate(run, "facts") + check_gate(run, "marts")
        except RefreshFailedError as error:
            raise dg.Failure(description=str(error)) from error
        build_id = publish(run)
    out = run.settings.out
    return dg.MaterializeResult(
        metadata={
            "build": build_id,
            "checks": checks,
            "demonstration": run.is_demo,
            "database": dg.MetadataValue.path(str(out / "fivepercent.duckdb")),
            "site": dg.MetadataValue.path(str(out / "charts" / "index.html")),
        }
    )
