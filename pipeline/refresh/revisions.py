"""``meta.revision``: what was published first, and what stands now, for files published again.

Belongs here: choosing the two versions to compare and saying what is known of each. Does not belong
here: how versions are named (``catalogue.versions``) and which one the figures use (``ingest.files``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from pipeline.catalogue.versions import split_version
from pipeline.refresh.context import Run
from pipeline.schema import table


def build_revisions(run: Run) -> dict[str, int]:
    """``meta.revision``: first and latest version of every file that was published again.

    Reads ``meta.source_file``, so that is built before.
    """
    families: dict[str, list[str]] = {}
    for file in run.files:
        if file.superseded_by:
            families.setdefault(file.superseded_by, []).append(file.path)
    frame = revisions(run.store.read("meta.source_file"), families)
    return {"meta.revision": run.store.write("meta.revision", frame).height}


def revisions(files: pl.DataFrame, families: dict[str, list[str]]) -> pl.DataFrame:
    """One row for each file with several versions.

    Args:
        files: ``meta.source_file``.
        families: latest version -> its earlier versions, as paths.

    Returns:
        Rows of ``meta.revision``. The first version that could be read stands for the first figure;
        where none was read, or the source does not count its earlier versions, the earliest is named
        and its figures are null, because not knowing is not zero.
    """
    known: dict[str, dict[str, Any]] = {r["path"]: r for r in files.iter_rows(named=True)}
    rows = []
    for latest, earlier in sorted(families.items()):
        versions = [known[path] for path in sorted(earlier, key=_age) if path in known]
        if latest not in known or not versions:
            continue
        first = next((v for v in versions if _counted(v)), versions[0])
        last = known[latest]
        codes = [v["organisation_code"] for v in (last, *reversed(versions))]
        rows.append(
            {
                "source_file": first["path"],
                "latest_file": latest,
                "organisation_code": next((code for code in codes if code), None),
                "rows_first": first["rows_kept"] if _counted(first) else None,
                "rows_latest": last["rows_kept"] if _counted(last) else None,
                "pounds_first": first["pounds_kept"] if _counted(first) else None,
                "pounds_latest": last["pounds_kept"] if _counted(last) else None,
            }
        )
    return pl.DataFrame(rows, schema=table("meta.revision").polars)


def _age(path: str) -> str:
    """The time in a version's name; the first version, which has none, comes first."""
    return split_version(Path(path))[1]


def _counted(file: dict[str, Any]) -> bool:
    """Whether the rows of this version are known: read, and not passed over as an earlier version."""
    read = file["status"] in ("read", "partly read")
    return read and (file["pounds_kept"] is not None or not file["is_superseded"])
