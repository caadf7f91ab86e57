"""Files with lines of several organisations: each row is booked to the one its entity column names.

Groups of trusts publish one file for all of them. A row is booked by its entity only where that
column names few organisations, the register knows them without doubt, and the file's own publisher
(folder or name) is among them; a column that names many is one of counterparties.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import polars as pl

from pipeline.ingest.payments.identity import Identity, Names, code_of_entity
from pipeline.ingest.runs import runs_of
from pipeline.plain_text import plural

MOST_ORGANISATIONS = 6


@dataclass
class RowPublishers:
    """The organisations that the rows of one file name.

    Attributes:
        codes: entity as published -> code, for entities the register knows.
        rows: code -> number of rows.
        unknown: rows whose entity is blank or not in the register.
        used: whether rows are booked by their entity.
    """

    codes: dict[str, str]
    rows: dict[str, int]
    unknown: int
    used: bool = False

    def settle(self, who: Identity) -> Identity:
        """Whose file it is, given that its rows name several organisations.

        Args:
            who: the decision for the file as a whole.
        """
        told = " and ".join(f"{code} ({plural(n, 'row')})" for code, n in self.rows.items())
        if who.code is not None and who.code not in self.rows:
            warning = (
                f"The rows name {told} as their publisher, {who.reason}; all rows were booked to "
                f"{who.code}."
            )
            return replace(who, warning=warning)
        if who.code is None and self.unknown:
            return who  # rows without a publisher would be booked to nobody
        self.used = True
        main = who.code or next(iter(self.rows))
        rest = f"; {self.unknown:,} rows that name none go to {main}" if self.unknown else ""
        return Identity(
            main,
            who.reason if who.code else f"its rows name {told}",
            f"The file holds payments of several organisations: {told}. Each row was booked to the "
            f"organisation it names{rest}.",
        )


def entities_of(lines: pl.DataFrame) -> pl.DataFrame:
    """What the rows of each file name as their organisation, the most frequent first.

    Args:
        lines: ``source_file`` and ``entity``.

    Returns:
        ``source_file``, ``entity`` and ``n`` rows; entities that are as frequent stand in their order.
    """
    return (
        runs_of(lines, ["source_file", "entity"])
        .group_by("source_file", "entity")
        .agg(pl.col("n").sum())
        .sort("source_file", "n", "entity", descending=[False, True, False])
    )


def by_row(entities: pl.DataFrame, register: Names | None) -> dict[str, RowPublishers]:
    """Files whose rows name several known organisations.

    Args:
        entities: from :func:`entities_of`.
        register: known organisations.

    Returns:
        path -> what its rows name, for files with two to six known organisations.
    """
    if register is None or entities.is_empty():
        return {}
    several = entities.group_by("source_file").len().filter(pl.col("len") > 1)["source_file"]
    found: dict[str, RowPublishers] = {}
    known: dict[str, str | None] = {}
    for (path,), part in (
        entities.filter(pl.col("source_file").is_in(several.implode()))
        .partition_by("source_file", as_dict=True)
        .items()
    ):
        codes: dict[str, str] = {}
        rows: dict[str, int] = {}
        unknown = 0
        for entity, n in part.select("entity", "n").iter_rows():
            if entity is not None and entity not in known:
                known[entity] = code_of_entity(entity, register)
            code = known[entity] if entity is not None else None
            if code is None or entity is None:
                unknown += n
                continue
            codes[entity] = code
            rows[code] = rows.get(code, 0) + n
        if 2 <= len(rows) <= MOST_ORGANISATIONS:
            found[str(path)] = RowPublishers(codes, rows, unknown)
    return found


def book_rows(lines: pl.DataFrame, named: Mapping[str, RowPublishers]) -> pl.DataFrame:
    """Give rows of files that hold several organisations the code of their entity.

    Args:
        lines: ``source_file``, ``entity``, ``organisation_code`` (of the file).
        named: the result of :func:`by_row` after :meth:`RowPublishers.settle`.
    """
    rows = [
        (path, entity, code)
        for path, found in named.items()
        if found.used
        for entity, code in found.codes.items()
    ]
    if not rows:
        return lines
    own = pl.DataFrame(
        rows,
        schema={"source_file": pl.String, "entity": pl.String, "_own": pl.String},
        orient="row",
    )
    return (
        lines.join(own, on=["source_file", "entity"], how="left", maintain_order="left")
        .with_columns(organisation_code=pl.coalesce("_own", "organisation_code"))
        .drop("_own")
    )
