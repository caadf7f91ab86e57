"""What was found out about texts, so that each is looked at once however often it comes again.

The same suppliers and ledger words stand in the files of every month, year and publisher. A refresh
works on them batch by batch, and asks about a text only when it meets it for the first time.

Belongs here: remembering answers. Does not belong here: finding them (`evidence.py`,
`suppliers.py`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

import numpy as np
import polars as pl

MOST = 500_000
"""Texts remembered; with more, those of the present batch are kept and the others forgotten."""


class Memory:
    """Answers about the texts of one column.

    Args:
        ask: texts in (distinct, null allowed); a frame with one row of answers for each, in their
            order, out. The answers about a text must not depend on the other texts.
        most: how many texts to remember.
    """

    def __init__(self, ask: Callable[[pl.Series], pl.DataFrame], most: int = MOST) -> None:
        self._ask = ask
        self._most = most
        self._known: pl.DataFrame | None = None
        self._recent: deque[tuple[pl.Series, pl.DataFrame]] = deque(maxlen=2)
        self._lock = Lock()

    def about(self, values: pl.Series) -> pl.DataFrame:
        """The answers about some texts.

        Args:
            values: distinct texts, null allowed.

        Returns:
            Frame: value, and the columns of answers; one row a text, in the order of the texts.
        """
        asked = pl.DataFrame({"value": values})
        with self._lock:
            for asked_before, found in self._recent:  # one batch asks about the same ones twice
                if asked_before is values:
                    return found
            new = asked
            if self._known is not None:
                new = asked.join(self._known, on="value", how="anti", nulls_equal=True)
            if new.height or self._known is None:
                answers = self._ask(new["value"]).with_columns(new["value"])
                if self._known is not None:
                    answers = pl.concat([self._known, answers.select(self._known.columns)])
                self._known = answers
            found = asked.join(
                self._known, on="value", how="left", nulls_equal=True, maintain_order="left"
            )
            if self._known.height > self._most:
                self._known = found
            self._recent.append((values, found))
        return found


@dataclass(frozen=True)
class Texts:
    """A column taken apart.

    Attributes:
        distinct: its texts, each once; null where the column holds one.
        places: for each row, where its text stands among the distinct ones (UInt32).
    """

    distinct: pl.Series
    places: pl.Series


def texts_of(column: pl.Series) -> Texts:
    """Take a column of texts apart; each cell is looked at once.

    Args:
        column: texts, null allowed.
    """
    # Categories of their own are numbered from 0, in the order in which they are met.
    numbered = column.cast(pl.String).cast(pl.Categorical(pl.Categories.random()))
    places, each = numbered.to_physical().cast(pl.UInt32), numbered.drop_nulls().unique()
    distinct = each.cast(pl.String).gather(each.to_physical().arg_sort())
    if places.null_count():
        places = places.fill_null(distinct.len())
        distinct = distinct.extend(pl.Series([None], dtype=pl.String))
    return Texts(distinct.rename(column.name), places)


def texts_in_runs(column: pl.Series) -> Texts:
    """The same for a column whose equal texts mostly follow one another, such as paths of files.

    Args:
        column: texts, null allowed.
    """
    runs = column.rle().struct.unnest()
    own = texts_of(runs["value"])
    places = np.repeat(own.places.to_numpy(), runs["len"].to_numpy())
    return Texts(own.distinct.rename(column.name), pl.Series(column.name, places))


def in_rows(column: pl.Series, distinct: pl.Series) -> pl.Series:
    """For each row, where its text stands among the distinct ones.

    Args:
        column: texts, null allowed.
        distinct: each of them once.

    Returns:
        UInt32 series as long as the column.
    """
    places = distinct.to_frame("value").with_row_index("place")
    rows = column.to_frame("value").join(
        places, on="value", how="left", nulls_equal=True, maintain_order="left"
    )
    return rows["place"]
