"""Charts and the publication: the end of the graph."""

import base64
from typing import Any

import dagster as dg

from pipeline.charts import CHARTS, Chart, ChartSpec
from pipeline.defs.automation import FOLLOW
from pipeline.defs.describe import rows_table
from pipeline.defs.freshness import PUBLICATION as PUBLICATION_FRESHNESS
from pipeline.defs.keys import OWNERS, key_of
from pipeline.defs.links import site_link
from pipeline.defs.resources import Product
from pipeline.defs.tables import META_TABLES
from pipeline.marts import MART_ORDER
from pipeline.schema import all_tables

PUBLICATION = dg.AssetKey(["published", "publication"])
TABLE_ROWS = 25


def chart_key(chart_id: str) -> dg.AssetKey:
    """The asset key of a chart."""
    return dg.AssetKey(["charts", chart_id.replace("-", "_")])


def _picture(chart: Chart, product: Product) -> dg.MetadataValue | None:
    """The chart as it looks on the site; a sentence when it cannot be drawn here."""
    from pipeline.site.thumbnails import CannotDrawError, thumbnail

    if not product.pictures:
        return None
    try:
        drawn = base64.b64encode(thumbnail(chart, width=product.picture_width)).decode()
    except CannotDrawError as error:
        return dg.MetadataValue.text(f"No picture: {error}. The table holds the same figures.")
    words = chart.title.replace("[", "(").replace("]", ")").replace("\n", " ")
    return dg.MetadataValue.md(f"![{words}](data:image/webp;base64,{drawn})")


def _chart(spec: ChartSpec) -> dg.AssetsDefinition:
    tables = [t for t in (*spec.needs, *spec.optional) if t in all_tables()]

    @dg.asset(
        key=chart_key(spec.id),
        deps=[key_of(t) for t in tables if t != "meta.build"],
        group_name="charts",
        owners=OWNERS,
        kinds={"plotly"},
        tags={"schema": "charts", "page": spec.page},
        description=f"{spec.question}\n\nA chart on the page `{spec.page}.html` of the site.",
        automation_condition=FOLLOW,
    )
    def drawn(product: Product) -> dg.MaterializeResult:
        run = product.run()
        chart = spec({name: run.store.read(name) for name in tables})
        told: dict[str, Any] = {
            "finding": chart.title,
            "how sure": f"n = {chart.n}. {chart.coverage}",
            "careful": chart.caveat or "-",
            "n": chart.n,
            "table": rows_table(
                chart.table.head(TABLE_ROWS).iter_rows(named=True), chart.table.columns
            ),
            "page": site_link(run.settings, f"{spec.page}.html", f"figure-{spec.id}"),
        }
        if picture := _picture(chart, product):
            told = {"picture": picture} | told
        return dg.MaterializeResult(metadata=told)

    return drawn


def chart_assets() -> list[dg.AssetsDefinition]:
    """One asset a chart: its picture, its finding, its table, how sure it is."""
    return [_chart(spec) for spec in CHARTS.values()]


@dg.asset(
    key=PUBLICATION,
    deps=[key_of(n) for n in (*MART_ORDER, *META_TABLES)] + [chart_key(c) for c in CHARTS],
    group_name="published",
    owners=OWNERS,
    kinds={"duckdb", "html", "parquet"},
    tags={"schema": "published"},
    freshness_policy=PUBLICATION_FRESHNESS,
    automation_condition=FOLLOW,
    description=(
        "Where are the results?\n\nThe database `fivepercent.duckdb`, the Parquet files and the site, checked "
        "once more and switched in together. A failed blocking check leaves the previous publication as it was."
    ),
)
def publication(context: dg.AssetExecutionContext, product: Product) -> dg.MaterializeResult:
    """Check everything once more, then publish."""
    from pipeline.refresh.run import RefreshFailedError, check_gate, publish
    from pipeline.store.lock import refresh_lock

    run = product.run()
    missing = [n for n in (*MART_ORDER, *META_TABLES) if not run.store.exists(n)]
    if missing:
        raise dg.Failure(
            description=f"Nothing was published: {len(missing)} tables have not been made here yet "
            f"({', '.join(missing[:3])}{', ...' if missing[3:] else ''}). Start the job refresh.",
            allow_retries=False,
        )
    with refresh_lock(run.settings.work, on_wait=context.log.info):
        try:
            checks = check_gate(run, "facts") + check_gate(run, "marts")
        except RefreshFailedError as error:
            raise dg.Failure(description=str(error), allow_retries=False) from error
        build_id = publish(run)
    out = run.settings.out
    return dg.MaterializeResult(
        metadata={
            "site": site_link(run.settings, "index.html"),
            "data quality": site_link(run.settings, "quality.html"),
            "database": dg.MetadataValue.path(str(out / "fivepercent.duckdb")),
            "parquet": dg.MetadataValue.path(str(out / "parquet")),
            "build": build_id,
            "checks": checks,
            "database_bytes": (out / "fivepercent.duckdb").stat().st_size,
            "demonstration": run.is_demo,
        }
    )
