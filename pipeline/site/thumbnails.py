"""A chart as a small picture in memory, for pages that cannot draw: Dagster's, a mail.

Belongs here: drawing with Kaleido and a Chromium, where both are. Does not belong here: pictures on
disk (``pictures``) or the site, which draws in the reader's own browser.

The browser is started once for all charts of a process, which costs more than the charts.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
from functools import cache

from pipeline.charts import Chart

SCALE = 0.7


class CannotDrawError(RuntimeError):
    """No picture can be made here; the message says what is missing."""


@cache
def _browser() -> str | None:
    """Start Kaleido's browser; what is missing as a sentence, or None when it runs."""
    try:
        import kaleido
        from choreographer.browsers.chromium import Chromium
    except ImportError:
        return "Kaleido is not installed (it comes with the development dependencies)"
    for noisy in ("kaleido", "choreographer"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    if Chromium.find_browser(skip_local=False) is None:
        return "no Chromium or Chrome was found on this machine"
    kaleido.start_sync_server(n=1, silence_warnings=True)
    atexit.register(_stop)
    return None


def _stop() -> None:
    import kaleido

    with contextlib.suppress(Exception):  # the interpreter is ending; nobody could act on it
        kaleido.stop_sync_server(silence_warnings=True)


def thumbnail(chart: Chart, *, width: int = 900) -> bytes:
    """The chart with its words and footnote as a WebP picture.

    Args:
        chart: the chart.
        width: width in pixels before scaling by ``SCALE``; the height is the figure's own.

    Raises:
        CannotDrawError: without Kaleido or a browser, or when the browser gives up.
    """
    if missing := _browser():
        raise CannotDrawError(missing)
    import kaleido

    figure = chart.figure
    height = int(figure.to_plotly_json()["layout"].get("height", 500))
    options = {"format": "webp", "width": width, "height": height, "scale": SCALE}
    try:
        picture = kaleido.calc_fig_sync(figure, opts=options)
    except Exception as error:
        raise CannotDrawError(f"the browser could not draw it ({type(error).__name__})") from error
    return bytes(picture)
