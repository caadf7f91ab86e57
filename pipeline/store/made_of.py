"""What a published database was made of, so that the next one can be made of it where little changed.

Belongs here: the note beside a database, and its comparison by content. Does not belong here: writing
the database (``publish``).
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pipeline.schema import all_tables
from pipeline.store.seal import file_hash
from pipeline.store.tables import TableStore, write_bytes

NOTE = "made_of.json"


@dataclass(frozen=True)
class MadeOf:
    """What a database was made of.

    Attributes:
        written_by: hash of the code that wrote it.
        files: table -> name of a Parquet file -> its hash.
        at_the_end: table -> rows that replaced others since the table was last written whole.
    """

    written_by: str
    files: dict[str, dict[str, str]]
    at_the_end: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, store: TableStore, written_by: str, *, leave_out: Collection[str] = ()) -> MadeOf:
        """The working store as it is now, but for tables that are to be added later."""
        made = cls(written_by, {})
        for name in all_tables():
            if name not in leave_out:
                made.add(store, name)
        return made

    def add(self, store: TableStore, name: str) -> None:
        """Note a table as it is now."""
        self.files[name] = {path.name: file_hash(path) for path in store.files(name)}

    @classmethod
    def read(cls, folder: Path) -> MadeOf | None:
        """The note of a build; None when there is none that can be read."""
        try:
            return cls(**json.loads((folder / NOTE).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, folder: Path) -> None:
        """Put the note into a build's folder."""
        write_bytes(folder / NOTE, json.dumps(asdict(self), indent=0).encode())
