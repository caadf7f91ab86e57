"""All marts, against the time DuckDB needs to read every column of the facts they read."""

from __future__ import annotations

import re

import duckdb

from benchmarks.measuring import Bench, Figure, in_turns
from pipeline.marts import MART_ORDER, build_marts, measure_views
from pipeline.marts.run import SQL_FOLDER
from pipeline.settings import Settings
from pipeline.store import TableStore

#: One turn takes half a second, so it takes more than three of them to tell a ratio.
TURNS = 9


def facts_read() -> list[str]:
    """The facts tables that the SQL of marts and measures names."""
    texts = [path.read_text(encoding="utf-8") for path in SQL_FOLDER.glob("*.sql")]
    texts += [sql for _, sql, _ in measure_views()]
    return sorted({name for text in texts for name in re.findall(r"facts\.\w+", text)})


def scan(store: TableStore, tables: list[str]) -> int:
    """Read every value of some tables once; returns the rows."""
    rows = 0
    with duckdb.connect() as connection:
        for name in tables:
            listed = ", ".join(f"'{path}'" for path in store.files(name))
            source = f"read_parquet([{listed}])"
            columns = [r[0] for r in connection.execute(f"describe from {source}").fetchall()]
            most = ", ".join(f'max("{c}")' for c in columns)
            found = connection.execute(f"select count(*), {most} from {source}").fetchall()
            rows += int(found[0][0])
    return rows


def figures(bench: Bench) -> list[Figure]:
    """The ratio on the largest build of this run, and at scale 10."""
    found = []
    for scale in sorted({10, bench.largest}):
        out, _ = bench.build(scale)
        store = TableStore(Settings(out=out, offline=True).tables)
        tables = facts_read()
        turns = in_turns(
            {"scan": lambda s=store, t=tables: scan(s, t), "marts": lambda s=store: build_marts(s)},
            max(bench.rounds, TURNS),
        )
        told = f"{len(MART_ORDER)} marts over {turns.took['scan'][0].gave:,} rows of {len(tables)} tables: "
        found.append(
            Figure(
                f"All marts / a scan of the facts they read, scale {scale}",
                turns.ratio("marts", "scan"), "x", 3.0, told + turns.told("marts", "scan"),
            )
        )  # fmt: skip
    return found
