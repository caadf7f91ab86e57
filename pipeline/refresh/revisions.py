"""``meta.revision``: what was published first, and what stands now, for files published again.

Belongs here: families of versions in order of age, which of them counts, and what is known of the
first and the last. Does not belong here: what makes a file a version of another (``ingest.files``).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.catalogue.versions import base_path, split_version
from pipeline.ingest.files import RawFile
from pipeline.ingest.payments.republished import revision_of
from pipeline.refresh.context import Run
from pipeline.schema import table


def build_revisions(run: Run) -> dict[str, int]:
    """``meta.revision``: first and latest version of every file that was published again.

    Reads ``meta.source_file``, so that is built before.
    """
    frame = revisions(run.store.read("meta.source_file"), families(run.files))
    return {"meta.revision": run.store.write("meta.revision", frame).height}


def families(files: Sequence[RawFile]) -> list[list[str]]:
    """Files published more than once: the paths of each family, oldest version first.

    An exact copy under another name is no version and is left out.

    Args:
        files: raw files with what supersedes them.
    """
    by_path = {file.path: file for file in files}
    found: dict[str, list[str]] = {}
    for file in files:
        latest = by_path.get(file.superseded_by or "")
        if latest is None:
            continue
        named_alike = base_path(Path(file.path)) == base_path(Path(latest.path))
        if file.sha256 != latest.sha256 or named_alike:
            found.setdefault(latest.path, []).append(file.path)
    return [[*sorted(earlier, key=_age), latest] for latest, earlier in sorted(found.items())]


def counting_version(family: Sequence[str], readable: Collection[str]) -> str:
    """The version whose rows count: the latest that could be read, else the latest.

    Args:
        family: paths, oldest version first.
        readable: paths that could be read.
    """
    return next((path for path in reversed(family) if path in readable), family[-1])


def revisions(files: pl.DataFrame, versions: Sequence[Sequence[str]]) -> pl.DataFrame:
    """One row for each file with several versions.

    Args:
        files: ``meta.source_file``.
        versions: families from :func:`families`.

    Returns:
        Rows of ``meta.revision``. The first version that could be read is compared with the latest
        that could be read. Where fewer than two could, or the source does not count its earlier
        versions, the figures that are not known are null, because not knowing is not zero.
    """
    known: dict[str, dict[str, Any]] = {r["path"]: r for r in files.iter_rows(named=True)}
    rows = []
    for family in versions:
        present = [known[path] for path in family if path in known]
        if len(present) < 2:
            continue
        counted = [version for version in present if _counted(version)]
        first = counted[0] if counted and counted[0] is not present[-1] else present[0]
        last = counted[-1] if len(counted) > 1 else present[-1]
        codes = [v["organisation_code"] for v in (last, *reversed(present))]
        rows.append(
            {
                "source_file": first["path"],
                "latest_file": last["path"],
                "organisation_code": next((code for code in codes if code), None),
                "rows_first": first["rows_kept"] if _counted(first) else None,
                "rows_latest": last["rows_kept"] if _counted(last) else None,
                "pounds_first": _pounds(first),
                "pounds_latest": _pounds(last),
            }
        )
    return pl.DataFrame(rows, schema=table("meta.revision").polars)


def _age(path: str) -> tuple[str, int, str]:
    """Older versions first: by the time in the name, then by words such as v2 or revised."""
    base, stamp = split_version(Path(path))
    return stamp, revision_of(base.name)[1], path


def _pounds(file: dict[str, Any]) -> float | None:
    pounds = file["pounds_kept"] if _counted(file) else None
    return None if pounds is None else float(pounds)


def _counted(file: dict[str, Any]) -> bool:
    """Whether the rows of this version are known: read, and not passed over as an earlier version."""
    read = file["status"] in ("read", "partly read")
    return read and (file["pounds_kept"] is not None or not file["is_superseded"])
