"""Every spend file is read once per content: the typed rows as Parquet, the report inside it.

The key is made of the content's hash, the path (its name is evidence for months), how the
publisher's other files write dates, and the text of the reader itself, so a changed reader reads
again. An entry that cannot be opened, or does not add up, is thrown away and read again.
"""

from __future__ import annotations

import hashlib
import io
import json
from functools import cache
from pathlib import Path

import polars as pl

from pipeline.ingest.report import REJECTED_SCHEMA, FileReport
from pipeline.ingest.spend import LINE_SCHEMA, SpendBatch, SpendInput
from pipeline.store.tables import write_bytes

_PACKAGE = Path(__file__).parent


@cache
def reader_version() -> str:
    """Hash of the reader's own text: any change to it makes every entry stale."""
    digest = hashlib.sha256(pl.__version__.encode())
    for path in sorted(
        [*_PACKAGE.glob("tabular/*.*"), *_PACKAGE.glob("spend*.py"), _PACKAGE / "report.py"]
    ):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


class SpendCache:
    """Entries below one folder, one Parquet file each."""

    def __init__(self, root: Path) -> None:
        self.root = root / "spend"

    def _path(self, item: SpendInput) -> Path:
        key = "\n".join((item.sha256, item.path, item.forced_order or "", reader_version()))
        return self.root / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.parquet"

    def get(self, item: SpendInput) -> SpendBatch | None:
        """The entry of a file, or None when there is none that can be trusted."""
        path = self._path(item)
        if not path.exists():
            return None
        try:
            data = path.read_bytes()
            body, seal = data[:-64], data[-64:]
            if hashlib.sha256(body).hexdigest().encode() != seal:
                raise ValueError("the seal does not fit")
            told = pl.read_parquet_metadata(io.BytesIO(body))
            report = FileReport.from_json(json.loads(told["report"]))
            rejected = pl.DataFrame(
                json.loads(told["rejected"]), schema=REJECTED_SCHEMA, orient="row"
            )
            lines = pl.read_parquet(io.BytesIO(body))
            if report.rows_kept != lines.height or lines.schema != LINE_SCHEMA:
                raise ValueError("the entry does not add up")
        except Exception:  # whatever is wrong with it, the raw file is the truth
            path.unlink(missing_ok=True)
            return None
        return SpendBatch(lines, rejected, {item.path: report})

    def put(
        self, item: SpendInput, lines: pl.DataFrame, rejected: pl.DataFrame, report: FileReport
    ) -> None:
        """Keep what reading a file gave."""
        buffer = io.BytesIO()
        body = report.to_json() | {"layout": report.layout}
        lines.write_parquet(
            buffer,
            compression="lz4",
            statistics=False,
            metadata={"report": json.dumps(body), "rejected": json.dumps(rejected.rows())},
        )
        content = buffer.getvalue()
        write_bytes(self._path(item), content + hashlib.sha256(content).hexdigest().encode())

    def prune(self, items: list[SpendInput]) -> int:
        """Remove entries of files that are no longer there; returns how many."""
        keep = {self._path(item) for item in items}
        stale = [p for p in self.root.glob("*.parquet") if p not in keep]
        for path in stale:
            path.unlink(missing_ok=True)
        return len(stale)
