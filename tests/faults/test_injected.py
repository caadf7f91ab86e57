"""A few of each fault at every run of the tests; ``make faults`` tries many."""

from __future__ import annotations

from pathlib import Path

import injected
import pytest
from refreshes import World, digest
from run_all import PARTS, table


def test_foreign_bytes_in_store_and_publication_are_put_right(world: World) -> None:
    assert injected.foreign_bytes(world, seed=11, times=4)["wrong"] == []


def test_a_damaged_publication_is_built_again_though_nothing_changed(world: World) -> None:
    folder = (world.out / "current").resolve()
    said = digest(world.out)
    database = folder / "fivepercent.duckdb"
    database.write_bytes(database.read_bytes()[:5000])
    assert injected.recovered(world, world.digests.index(said)) == []
    assert (world.out / "current").resolve() != folder


def test_a_page_changed_after_its_publication_is_not_taken_over(world: World) -> None:
    site = (world.out / "current" / "charts").resolve()
    pages = sorted(site.rglob("*.html"))
    for page in pages:
        page.write_bytes(page.read_bytes() + b"<p>changed by somebody")
    state = 1 - world.digests.index(digest(world.out))
    world.put(state)
    assert injected.recovered(world, state) == []
    now = sorted((world.out / "current" / "charts").resolve().rglob("*.html"))
    assert len(now) >= len(pages) > 10
    assert not [p.name for p in now if b"changed by somebody" in p.read_bytes()]


def test_a_full_disk_leaves_the_publication_and_a_sentence(world: World, tmp_path: Path) -> None:
    if not injected.can_mount(tmp_path):
        pytest.skip("only root can make a small disk")
    told = injected.disk_full(world, tmp_path, times=2)
    assert told["wrong"] == []
    assert told["stopped"] >= 1


def test_two_refreshes_at_once_follow_each_other(world: World) -> None:
    assert injected.company(world, times=1)["wrong"] == []


def test_the_table_names_every_part_and_hides_nothing() -> None:
    lines = table({"bytes": {"tried": 3, "wrong": ["x"], "seed": 1, "day": "2026-01-01"}})
    assert lines.count("not yet") == len(PARTS) - 1
    assert "| 3 | 1 |" in lines
