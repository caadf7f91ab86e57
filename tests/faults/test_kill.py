"""A refresh killed at some random moments; ``make faults`` does it a hundred times."""

from __future__ import annotations

import os

from refreshes import World, killed_at_random_moments, recovered


def test_killed_at_random_moments_the_publication_is_old_or_new(world: World) -> None:
    times = int(os.environ.get("FIVEPERCENT_TEST_KILLS", "2"))
    told = killed_at_random_moments(world, times, seed=4)
    assert told["wrong"] == []
    assert told["killed"] >= 1
    assert told["reads"] > 0


def test_what_a_killed_run_leaves_unfinished_is_gone_after_the_next(world: World) -> None:
    staging = world.out / "builds" / "20200101T000000Z-dead.staging-abc123"
    staging.mkdir()
    (staging / "fivepercent.duckdb").write_bytes(b"half")
    unfinished = world.out / ".work" / "tables" / "facts" / ".epr.parquet.elsewhere.1.abcdef12.tmp"
    unfinished.write_bytes(b"half")
    os.utime(unfinished, (1, 1))
    (world.out / ".current-dead").symlink_to("builds/nowhere")
    assert recovered(world, 0) == []
