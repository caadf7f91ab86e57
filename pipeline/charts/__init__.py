"""Charts: pure functions from published tables to Plotly figures with their words.

Belongs here: the registry of charts. One module holds one subject (``share``, ``mix``, ...);
``selection`` chooses rows, ``format`` writes numbers, ``theme`` gives the look and ``model`` says
what a chart carries. Does not belong here: HTML (``pipeline.site``) or new measures
(``pipeline.marts``).

Example:
    >>> from pipeline.charts import CHARTS
    >>> CHARTS["share-lollipop"].needs
    ('marts.digital_share', 'marts.coverage', 'dims.measure')
"""

from __future__ import annotations

from pipeline.charts.model import Chart, ChartSpec, Tables
from pipeline.charts.registry import CHARTS

__all__ = ["CHARTS", "Chart", "ChartSpec", "Tables"]
