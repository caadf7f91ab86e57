"""What the marts of the run before can be made of again: sums of payments, answers to claims, whole marts.

Sums are kept by file of payments, under the hash of that file. When a file changed, only the
organisations whose rows changed are added up again; their old sums give way to the new ones. A mart, or
the answer to a claim, is kept under the hashes of all tables behind it, through whatever measures and
marts they come.

Belongs here: keeping these things, and telling what still holds. Does not belong here: what the sums are
(``measures/shared``), or making marts (``run``).

What cannot be read, is not what was kept, or was made by other code, SQL or libraries is made again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipeline.marts.judging import Answer
from pipeline.schema import table
from pipeline.store import TableStore
from pipeline.store.content import OWNER, Contents
from pipeline.store.seal import Hashes, file_hash
from pipeline.store.sealed import read_sealed, write_sealed
from pipeline.store.tables import unfinished_name

PAYMENTS = "facts.payment"
#: Sums of lines of payments, of which each row is of one organisation and one file.
SUMS = ("measures.payment_by_answer", "measures.payment_by_supplier")
#: Of a file where more than this part of the rows changed, all are added up again.
MOST_OF_A_FILE = 0.25


class Kept:
    """Keeps what marts were made of.

    Args:
        folder: where.
        contents: what each organisation's rows of files are; None has a changed file added up whole.
        told: hash of the code that runs.
        hashes: what others of the run have hashed.
        afresh: believe nothing that was kept before.

    Attributes:
        added: what was added up: sum, name of the file, organisations (None for all).
    """

    def __init__(
        self,
        folder: Path,
        contents: Contents | None,
        told: str,
        *,
        hashes: Hashes | None = None,
        afresh: bool = False,
    ) -> None:
        self._folder, self._contents, self._afresh = folder, contents, afresh
        self._by = f"{told} {duckdb.__version__} {pl.__version__}"
        self._hashes = hashes or Hashes()
        known = {} if afresh else read_sealed(folder / "kept.json")
        self._known = known if known.get("by") == self._by else {}
        self._now: dict[str, Any] = {"by": self._by, "marts": {}, "answers": {}}
        self.added: list[tuple[str, str, int | None]] = []

    def key(self, store: TableStore, behind: Mapping[str, str]) -> str:
        """What a mart, or the answer to a claim, depends on, as one hash.

        Args:
            store: the working store.
            behind: SQL of it and of the measures and marts behind it, by name; tables have none.
        """
        told = [
            f"{name} {path.name} {self._hashes.of(path)}"
            for name, sql in behind.items()
            if not sql
            for path in store.files(name)
        ]
        told += [f"{name} {sql}" for name, sql in behind.items()]
        return hashlib.sha256("\n".join(told).encode()).hexdigest()

    def holds(self, store: TableStore, mart: str, key: str | None) -> bool:
        """Whether a mart is here as it was made, of tables with this key."""
        noted = self._known.get("marts", {}).get(mart)
        files = store.files(mart)
        return bool(files) and noted == [key, *(self._hashes.of(path) for path in files)]

    def answer(self, claim: str, key: str) -> Answer | None:
        """The answer to a claim, asked of tables with this key; None where it was not kept."""
        noted = self._known.get("answers", {}).get(claim)
        if noted is None or noted["key"] != key:
            return None
        told = noted["answer"]
        day = told["as_at"]
        return Answer(**(told | {"as_at": None if day is None else date.fromisoformat(day)}))

    def note_answer(self, claim: str, key: str, answer: Answer | None) -> None:
        """Note the answer to a claim; one that is not there is looked for again."""
        if answer is not None:
            day = None if answer.as_at is None else answer.as_at.isoformat()
            self._now["answers"][claim] = {"key": key, "answer": asdict(answer) | {"as_at": day}}

    def write(self, store: TableStore, marts: Mapping[str, str]) -> None:
        """Keep what was noted in place of what was kept before.

        Args:
            store: where the marts are.
            marts: what each was made of, as a key.
        """
        for name, key in marts.items():
            self._now["marts"][name] = [key, *(self._hashes.of(path) for path in store.files(name))]
        write_sealed(self._folder / "kept.json", self._now)

    def sums(
        self, name: str, sql: str, store: TableStore, cursor: duckdb.DuckDBPyConnection
    ) -> str:
        """A query that reads one of ``SUMS``; what of it is not kept is added up, and kept, first.

        Args:
            name: of the sum.
            sql: its SQL.
            store: the working store.
            cursor: where to add up.
        """
        folder, paths = self._folder / name.split(".")[1], store.files(PAYMENTS)
        folder.mkdir(parents=True, exist_ok=True)
        kept = [self._sum(name, sql, path, folder / path.name, cursor) for path in paths]
        here = {path.stem for path in paths}
        for old in (*folder.glob("*.parquet"), *folder.glob("*.json")):
            if old.stem not in here:
                old.unlink(missing_ok=True)
        return f"select * from read_parquet([{_listed(kept)}])" if kept else sql

    def _sum(
        self, name: str, sql: str, path: Path, entry: Path, cursor: duckdb.DuckDBPyConnection
    ) -> Path:
        """The sum of one file of payments, as a file."""
        of, by = self._hashes.of(path), hashlib.sha256(f"{self._by}\n{sql}".encode()).hexdigest()
        known = self._summed(entry, by)
        if known == of:
            return entry
        changed = self._changed(known, of, path) if known else None
        if changed is None or changed:
            self._add_up(sql, path, entry, changed, cursor)
            self.added.append((name, path.name, None if changed is None else len(changed)))
        write_sealed(_note(entry), {"of": of, "by": by, "sha256": file_hash(entry)})
        return entry

    def _add_up(
        self,
        sql: str,
        path: Path,
        entry: Path,
        changed: set[str] | None,
        cursor: duckdb.DuckDBPyConnection,
    ) -> None:
        """Write the sum of a file of payments: of some organisations anew, of the others as it was."""
        query = _over(sql, path)
        if changed is not None:
            listed = _listed(sorted(changed))
            query = (
                f"select * from read_parquet({_listed([entry])}) where {OWNER} not in ({listed})\n"
                f"union all by name ({_over(sql, path, f'{OWNER} in ({listed})')})"
            )
        unfinished = unfinished_name(entry)
        try:
            cursor.execute(
                f"copy (select * from ({query}) order by all) to {_listed([unfinished])} (format parquet)"
            )
            os.replace(unfinished, entry)
        finally:
            unfinished.unlink(missing_ok=True)

    def _summed(self, entry: Path, by: str) -> str | None:
        """Hash of the file whose sum lies here, undamaged and made in the same way."""
        note = {} if self._afresh else read_sealed(_note(entry))
        if note.get("by") != by or not entry.exists():
            return None
        return note["of"] if file_hash(entry) == note["sha256"] else None

    def _changed(self, old: str, new: str, path: Path) -> set[str] | None:
        """Organisations whose rows differ; None where that is not known, or they are much of the file."""
        was = self._contents.known(old) if self._contents else None
        if self._contents is None or was is None:
            return None
        now = self._contents.of(table(PAYMENTS), path, new)
        changed = {owner or "" for (owner, _), _ in was.items() ^ now.items()}  # all have one
        rows = sum(n for (owner, _), (n, _) in now.items() if owner in changed)
        return None if rows > MOST_OF_A_FILE * sum(n for n, _ in now.values()) else changed


def _note(entry: Path) -> Path:
    return entry.with_suffix(".json")


def _over(sql: str, path: Path, condition: str = "true") -> str:
    """The SQL of a sum, over some rows of one file of payments."""
    rows = f"(select * from read_parquet({_listed([path])}) where {condition}) as payment"
    lines = [line for line in sql.splitlines() if not line.startswith("--")]
    text = "\n".join(lines)
    if text.count(PAYMENTS) != 1:
        raise ValueError(f"a sum that is kept reads {PAYMENTS} once; found: {text}")
    return text.replace(PAYMENTS, rows)


def _listed(values: Collection[object]) -> str:
    """Texts as SQL writes them, with commas between."""
    return ", ".join("'" + str(value).replace("'", "''") + "'" for value in values)
