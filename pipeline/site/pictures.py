"""Charts of a publication as PNG pictures, for the README and the gallery.

Belongs here: turning figures into files with Kaleido (a development dependency that needs a
Chromium). Does not belong here: the site, which draws in the reader's own browser.

Run as ``python -m pipeline.site.pictures --out data/marts --to docs/pictures share-lollipop``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from pipeline.charts import CHARTS, Chart


def published_tables(out: Path, names: Sequence[str]) -> dict[str, pl.DataFrame]:
    """Tables of the publication below ``out``, from its Parquet files."""
    from pipeline.store import TableStore

    store = TableStore(out / "parquet")
    return {name: store.read(name) for name in names}


def write_picture(chart: Chart, path: Path, *, width: int = 1000, scale: float = 1.0) -> None:
    """Write one chart, with its words and footnote, as PNG.

    Args:
        chart: the chart.
        path: the file to write.
        width: width in pixels before scaling; the height is the figure's own.
        scale: pixels for each of those.

    Raises:
        RuntimeError: when no Chromium is found.
    """
    figure = chart.figure
    path.parent.mkdir(parents=True, exist_ok=True)
    height = int(figure.to_plotly_json()["layout"].get("height", 500))
    figure.write_image(path, format="png", width=width, height=height, scale=scale)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the pictures named on the command line (all charts by default)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("charts", nargs="*", help="chart ids; all by default")
    parser.add_argument("--out", type=Path, required=True, help="a publication")
    parser.add_argument("--to", type=Path, required=True, help="folder for the pictures")
    given = parser.parse_args(arguments)
    for chart_id in given.charts or list(CHARTS):
        spec = CHARTS[chart_id]
        chart = spec(published_tables(given.out, [*spec.needs, *spec.optional]))
        if not chart.is_empty:
            write_picture(chart, given.to / f"{chart_id}.png")


if __name__ == "__main__":
    main()
