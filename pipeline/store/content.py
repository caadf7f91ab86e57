"""What each organisation's rows of a Parquet file are, by number and hash, kept under the file's own hash.

Two files are compared by it without a look at their rows: who changed is told by a few hundred pairs of
numbers. It is always made of the file itself, never of what the file was made of, so a row that was lost
or changed on the way shows. Row groups that stand in another file byte for byte are not read again.

Belongs here: making and keeping that, and who differs. Does not belong here: what follows from it for
checks (``refresh.checked``) or for the database (``publish``).
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path

import duckdb

from pipeline.schema import Table
from pipeline.store.footer import rows_in
from pipeline.store.joined import UnlikeError, groups_in
from pipeline.store.scratch import scratch
from pipeline.store.sealed import read_sealed, write_sealed

#: Of whom it is told: the column that names an organisation, and that of a file where it is in the key.
OWNER, FILE = "organisation_code", "source_file"
#: (organisation, file or nothing) -> rows, and the sum of their hashes.
Content = dict[tuple[str | None, str], tuple[int, int]]
#: The column in which DuckDB counts the rows of a Parquet file.
ROW = "file_row_number"
_FORM = "2"


def is_told(spec: Table) -> bool:
    """Whether the rows of a table name organisations."""
    return any(column.name == OWNER for column in spec.columns)


def by_organisation(content: Content) -> dict[str | None, tuple[int, int]]:
    """The same without files."""
    found: dict[str | None, tuple[int, int]] = {}
    for (owner, _), (rows, hashes) in content.items():
        before = found.get(owner, (0, 0))
        found[owner] = (before[0] + rows, before[1] + hashes)
    return found


def added_up(contents: Iterable[Content]) -> Content:
    """What several relations hold together."""
    found: Content = {}
    for content in contents:
        for place, (rows, hashes) in content.items():
            before = found.get(place, (0, 0))
            found[place] = (before[0] + rows, before[1] + hashes)
    return found


def content_in(
    connection: duckdb.DuckDBPyConnection, spec: Table, source: str, condition: str = "true"
) -> Content:
    """What a relation holds now.

    Args:
        connection: where to ask.
        spec: the table whose rows they are.
        source: a relation, as SQL.
        condition: which of its rows, as SQL.
    """
    return _by_group(connection, spec, source, condition, "0").get(0, {})


def _by_group(
    connection: duckdb.DuckDBPyConnection, spec: Table, source: str, condition: str, group: str
) -> dict[int, Content]:
    """The same, apart for each value of an expression."""
    file = f'"{FILE}"' if FILE in spec.key else "''"
    asked = connection.execute(
        f'select {group}, "{OWNER}", {file}, count(*), sum(hash(rows)::hugeint) '
        f"from {source} as rows where {condition} group by all"
    ).fetchall()
    found: dict[int, Content] = {}
    for number, owner, path, rows, hashes in asked:
        found.setdefault(number, {})[owner, path] = (int(rows), int(hashes))
    return found


class Contents:
    """Keeps what files hold.

    Args:
        folder: where.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._known: dict[str, Content] = {}
        self._groups: dict[str, Content] = {}

    def _path(self, sha256: str) -> Path:
        return self._folder / f"{sha256}.json"

    def known(self, sha256: str) -> Content | None:
        """What a file with these bytes holds, where that is kept and undamaged."""
        if sha256 in self._known:
            return self._known[sha256]
        told = read_sealed(self._path(sha256))
        if (told.get("of"), told.get("by")) != (sha256, _made_by()):
            return None
        groups = [
            (group, {(owner, file): (n, h) for owner, file, n, h in rows})
            for group, rows in told["groups"]
        ]
        return self._note(sha256, groups)

    def of(self, spec: Table, path: Path, sha256: str) -> Content:
        """What a file holds.

        Args:
            spec: its table.
            path: the file.
            sha256: of its bytes.
        """
        with self._lock:  # two that ask for the same need not both work
            content = self.known(sha256)
            if content is None:
                groups = self._read(spec, path, sha256)
                told = [(g, [(*place, *sums) for place, sums in c.items()]) for g, c in groups]
                write_sealed(self._path(sha256), {"of": sha256, "by": _made_by(), "groups": told})
                content = self._note(sha256, groups)
            return content

    def _note(self, sha256: str, groups: Sequence[tuple[str, Content]]) -> Content:
        self._groups |= dict(groups)
        self._known[sha256] = added_up(content for _, content in groups)
        return self._known[sha256]

    def _read(self, spec: Table, path: Path, sha256: str) -> list[tuple[str, Content]]:
        """What the row groups of a file hold, each with its hash; those that are known are not read."""
        try:
            groups = groups_in(path)
        except UnlikeError:
            groups = [(rows_in(path), sha256)]
        ends = list(accumulate(rows for rows, _ in groups))
        unknown = [i for i, (_, group) in enumerate(groups) if group not in self._groups]
        found: dict[int, Content] = {}
        if unknown:
            first, last = unknown[0], unknown[-1]
            number = " ".join(f"when {ROW} < {ends[i]} then {i}" for i in range(first, last))
            quoted = str(path).replace("'", "''")
            with scratch() as connection:
                found = _by_group(
                    connection,
                    spec,
                    f"read_parquet('{quoted}')",
                    f"{ROW} between {ends[first] - groups[first][0]} and {ends[last] - 1}",
                    f"case {number} else {last} end" if number else f"{last}",
                )
        return [
            (group, found.get(i, {}) if i in unknown else self._groups[group])
            for i, (_, group) in enumerate(groups)
        ]

    def prune(self, keep: Collection[str]) -> None:
        """Forget all files but those with these hashes."""
        for path in self._folder.glob("*.json"):
            if path.stem not in keep:
                path.unlink()


def _made_by() -> str:
    """What the hashes depend on beside the rows."""
    return f"{_FORM} {duckdb.__version__}"


def differing(
    old: Mapping[str, Content], new: Mapping[str, Content], rest: Iterable[Content] = ()
) -> set[str | None]:
    """Organisations whose rows differ, and those that share a file with a row that differs.

    Args:
        old: what the files of a table held that were replaced, by name.
        new: what those hold that are there instead, by name.
        rest: what the other files of the table hold.
    """
    changed: set[tuple[str | None, str]] = set()
    for name in old.keys() | new.keys():
        was, becomes = old.get(name, {}).items(), new.get(name, {}).items()
        changed |= {place for place, _ in was ^ becomes}
    files = {file for _, file in changed} - {""}
    sharing = {
        owner
        for content in (*new.values(), *(rest if files else ()))
        for owner, file in content
        if file in files
    }
    return {owner for owner, _ in changed} | sharing
