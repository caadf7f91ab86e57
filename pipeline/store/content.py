"""What each organisation's rows of a Parquet file are, by number and hash, kept under the file's own hash.

Two files are compared by it without a look at their rows: who changed is told by a few hundred pairs of
numbers. It is always made of the file itself, never of what the file was made of, so a row that was lost
or changed on the way shows.

Belongs here: making and keeping that, and who differs. Does not belong here: what follows from it for
checks (``refresh.checked``) or for the database (``publish``).
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import duckdb

from pipeline.schema import Table
from pipeline.store.scratch import scratch
from pipeline.store.sealed import read_sealed, write_sealed

#: Of whom it is told: the column that names an organisation, and that of a file where it is in the key.
OWNER, FILE = "organisation_code", "source_file"
#: (organisation, file or nothing) -> rows, and the sum of their hashes.
Content = dict[tuple[str | None, str], tuple[int, int]]
_FORM = "1"


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
    file = f'"{FILE}"' if FILE in spec.key else "''"
    found = connection.execute(
        f'select "{OWNER}", {file}, count(*), sum(hash(rows)::hugeint) '
        f"from {source} as rows where {condition} group by all"
    ).fetchall()
    return {(owner, file): (int(rows), int(hashes)) for owner, file, rows, hashes in found}


class Contents:
    """Keeps what files hold.

    Args:
        folder: where.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._known: dict[str, Content] = {}

    def _path(self, sha256: str) -> Path:
        return self._folder / f"{sha256}.json"

    def known(self, sha256: str) -> Content | None:
        """What a file with these bytes holds, where that is kept and undamaged."""
        if sha256 in self._known:
            return self._known[sha256]
        told = read_sealed(self._path(sha256))
        if (told.get("of"), told.get("by")) != (sha256, _made_by()):
            return None
        content: Content = {(owner, file): (n, h) for owner, file, n, h in told["rows"]}
        self._known[sha256] = content
        return content

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
                with scratch() as connection:
                    quoted = str(path).replace("'", "''")
                    content = content_in(connection, spec, f"read_parquet('{quoted}')")
                self._keep(sha256, content)
            return content

    def _keep(self, sha256: str, content: Content) -> None:
        rows = [[owner, file, n, h] for (owner, file), (n, h) in content.items()]
        write_sealed(self._path(sha256), {"of": sha256, "by": _made_by(), "rows": rows})
        self._known[sha256] = content

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
