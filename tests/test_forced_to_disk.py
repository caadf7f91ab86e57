"""Everything a build consists of is on the disk before the link leads to it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.store import publish, seal


def test_files_and_folders_are_forced_before_the_switch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    staging = publish.stage(tmp_path, "20260101T000000Z-aaaaaaaa")
    for name in ("fivepercent.duckdb", "parquet/facts/epr.parquet", "charts/index.html"):
        path = staging.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    told: list[tuple[str, bool]] = []
    real = os.fsync

    def noting(handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        told.append((os.path.relpath(path, tmp_path), (tmp_path / "current").exists()))
        real(handle)

    monkeypatch.setattr(seal.os, "fsync", noting)
    final = publish.switch(staging, keep=2)
    before = {path.partition(staging.folder.name)[2] for path, switched in told if not switched}
    inside = list(final.rglob("*"))
    assert {f"/{p.relative_to(final).as_posix()}" for p in inside} | {""} == before
    assert [path for path, switched in told if switched] == ["."]
    assert ("builds", False) in told
