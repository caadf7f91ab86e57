"""Settings come from where they are said to come from, and a slip of the pen is told."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.cli.status import financial_year
from pipeline.settings import Settings, misspelt


def test_a_misspelt_variable_names_the_one_that_was_meant():
    told = {
        "FIVEPERCENT_BENCHMRK": "0.03",
        "fivepercent_ofline": "1",
        "FIVEPERCENT_BENCHMARK": "0.03",
        "fivepercent_threads": "2",
        "FIVEPERCENT_DATABASE": "of the notebooks",
        "FIVEPERCENT_SECRETS_DIR": "of the secrets",
        "BENCHMRK": "of somebody else",
    }
    assert misspelt(told) == {
        "FIVEPERCENT_BENCHMRK": "FIVEPERCENT_BENCHMARK",
        "fivepercent_ofline": "FIVEPERCENT_OFFLINE",
    }
    assert all(misspelt({f"FIVEPERCENT_{n.upper()}": "1"}) == {} for n in Settings.model_fields)


@pytest.mark.parametrize("command", [["status"], ["query", "select 1"]])
def test_every_command_tells_of_a_misspelt_variable(command, tmp_path, monkeypatch):
    monkeypatch.setenv("FIVEPERCENT_BENCHMRK", "0.03")
    told = CliRunner().invoke(app, [*command, "--out", str(tmp_path)]).stderr
    assert "FIVEPERCENT_BENCHMRK is no setting and does nothing" in told
    assert "FIVEPERCENT_BENCHMARK is one" in told


def test_a_copy_with_another_folder_works_in_that_folder(tmp_path):
    here = Settings(out=tmp_path / "here")
    assert here.tables.is_relative_to(tmp_path / "here")
    there = here.model_copy(update={"out": tmp_path / "there"})
    for folder in (there.work, there.tables, there.cache):
        assert folder.is_relative_to(tmp_path / "there")


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("2020/21", "2020/21"),
        ("2020-21", "2020/21"),
        (" 2020/2021", "2020/21"),
        ("2020", None),
        ("2020/22", None),
        ("2020/2022", None),
        ("1999/00", None),
    ],
)
def test_a_financial_year_is_understood_as_people_write_it(asked, meant):
    assert financial_year(asked) == meant
