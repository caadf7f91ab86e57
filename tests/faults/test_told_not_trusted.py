"""What is not read or not trusted is told: links out of the raw folder, a damaged history."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pytest
from refreshes import World, digest, finish, make_world, start
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.ingest.files import has_data, links_not_followed, list_raw_files
from pipeline.refresh.context import Run
from pipeline.refresh.demonstration import has_raw_files
from pipeline.refresh.inbox import sort_inbox
from pipeline.refresh.sources import build_unknown
from pipeline.settings import Settings


def test_links_that_are_not_followed_are_set_aside_by_name(tmp_path: Path) -> None:
    raw, outside = tmp_path / "raw", tmp_path / "outside"
    folder = raw / "spend_over_25k" / "RJ1"
    folder.mkdir(parents=True)
    outside.mkdir()
    (outside / "secret.csv").write_text("not yours")
    (folder / "inside.csv").write_text("a,b\n")
    (folder / "out.csv").symlink_to(outside / "secret.csv")
    (folder / "gone.csv").symlink_to(outside / "nowhere.csv")
    (folder / "same.csv").symlink_to(folder / "inside.csv")
    (raw / "dspt").symlink_to(outside, target_is_directory=True)
    told = links_not_followed(raw)
    assert list(told) == ["dspt", "spend_over_25k/RJ1/gone.csv", "spend_over_25k/RJ1/out.csv"]
    assert "leads out of" in told["spend_over_25k/RJ1/out.csv"]
    assert [f.path.rsplit("/", 1)[-1] for f in list_raw_files(raw)] == ["inside.csv", "same.csv"]
    run = Run(Settings(raw=raw, out=tmp_path / "out"))
    build_unknown(run)
    files = run.read_parts("files", pl.Schema())
    assert dict(files.select("path", "reason").iter_rows()) == told
    assert set(files["status"]) == {"set aside"}


def test_files_are_listed_by_folder_and_a_link_in_a_circle_holds_nobody_up(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    for name in ("spend/a/2.csv", "spend/a/1.csv", "spend/a b/1.csv", "spend/b.csv", "top.csv"):
        (raw / name).parent.mkdir(parents=True, exist_ok=True)
        (raw / name).write_text(name)
    assert not has_data(tmp_path / "nothing")
    (raw / "spend" / "circle.csv").symlink_to(raw / "spend" / "circle.csv")
    (raw / "spend" / "again").symlink_to(raw / "spend", target_is_directory=True)
    (raw / "inbox").symlink_to(raw / "spend", target_is_directory=True)
    found = list_raw_files(raw)
    expected = ["spend/a/1.csv", "spend/a/2.csv", "spend/a b/1.csv", "spend/b.csv"]
    assert [f.path for f in found] == expected
    assert [f.bytes for f in found] == [len(path) for path in expected]
    assert list(links_not_followed(raw)) == ["spend/again", "spend/circle.csv"]
    assert has_data(raw)
    for path in expected:
        (raw / path).unlink()
    assert not has_data(raw)  # links that are not followed, and a file above all sources


@pytest.mark.usefixtures("shut")
def test_nothing_is_published_without_a_folder_that_may_not_be_looked_into(tmp_path: Path) -> None:
    """Its payments would vanish from all figures, and nothing would say so."""
    raw = tmp_path / "raw"
    for name in ("RJ1", "shut"):
        (raw / "spend_over_25k" / name).mkdir(parents=True)
        (raw / "spend_over_25k" / name / "april.csv").write_text("a,b\n")
    settings = Settings(raw=raw, out=tmp_path / "out", offline=True)
    with pytest.raises(PermissionError, match="shut"):
        list_raw_files(raw)
    with pytest.raises(PermissionError, match="shut"):
        links_not_followed(raw)
    assert has_raw_files(settings)  # so that no demonstration takes its place
    done = CliRunner().invoke(app, ["refresh", "--raw", str(raw), "--out", str(tmp_path / "out")])
    assert done.exit_code
    assert "Permission denied" in done.output
    assert "nothing was published" in " ".join(done.output.split())  # there was nothing to keep
    assert not (tmp_path / "out" / "current").exists()


@pytest.mark.usefixtures("shut")
def test_hidden_folders_and_the_inbox_may_be_shut(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    for name in ("spend_over_25k/RJ1", ".fetch/shut", "spend_over_25k/.old/shut", "inbox/shut"):
        (raw / name).mkdir(parents=True)
    (raw / "spend_over_25k" / "RJ1" / "april.csv").write_text("a,b\n")
    assert [f.path for f in list_raw_files(raw)] == ["spend_over_25k/RJ1/april.csv"]
    (told,) = sort_inbox(Run(Settings(raw=raw, out=tmp_path / "out")))
    assert told.stays
    assert told.sentence == (
        "inbox/shut stays in the inbox: it is a folder that may not be looked into."
    )


def test_a_damaged_history_is_told_and_not_carried_on(tmp_path: Path) -> None:
    world: World = make_world(tmp_path)

    def versions() -> list[tuple]:
        path = world.out / "current" / "fivepercent.duckdb"
        with duckdb.connect(str(path.resolve()), read_only=True) as connection:
            return connection.sql(
                "select build_id, count(*) from meta.figure_history group by all order by all"
            ).fetchall()

    before = versions()
    assert len(before) == 2  # one in each state of the world
    current = (world.out / "current").resolve()
    history = current / "parquet" / "meta" / "figure_history.parquet"
    pl.read_parquet(history).with_columns(build_id=pl.lit("forged")).write_parquet(history)
    world.put(1)
    done = finish(start(world))
    assert done.returncode == 0
    assert f"The build {current.name} was damaged" in done.stderr
    assert digest(world.out) == world.digests[1]
    after = dict(versions())
    assert "forged" not in after
    assert before[0][0] in after  # the build before the damaged one is whole, and goes on
    assert current.name not in after
