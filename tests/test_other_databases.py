"""A database that is damaged, or of another version, is told in a sentence that says what to do."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.refresh import Summary
from pipeline.settings import Settings


def damaged(path: Path, _: Path) -> None:
    path.write_text("no database", encoding="utf-8")


def of_somebody_else(path: Path, _: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table t (i integer)")


def of_an_older_version(path: Path, ours: Path) -> None:
    shutil.copy(ours, path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("alter table meta.build drop column benchmark")


@pytest.mark.parametrize("other", [damaged, of_somebody_else, of_an_older_version])
@pytest.mark.parametrize("command", [["status"], ["export", "--csv"]])
def test_another_database_is_told_with_what_to_do(
    command, other, demo_build: tuple[Settings, Summary], tmp_path
):
    other(tmp_path / "fivepercent.duckdb", demo_build[0].out / "fivepercent.duckdb")
    told = CliRunner().invoke(app, [*command, "--out", str(tmp_path)])
    assert told.exit_code == 1
    assert "is damaged, or of another version than this program" in told.output
    assert "`fivepercent refresh --force` builds it again" in told.output
    assert isinstance(told.exception, SystemExit)
