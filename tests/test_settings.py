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


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("FIVEPERCENT_BENCHMARK", "5%", "FIVEPERCENT_BENCHMARK: Input should be a valid number"),
        ("FIVEPERCENT_THREADS", "0", "FIVEPERCENT_THREADS: Input should be greater than 0"),
        ("FIVEPERCENT_SCHEDULE_CRON", "daily", "as a cron line in London's time"),
        ("FIVEPERCENT_CLUSTER", "local:0", "local:2 for two Dask workers"),
    ],
)
def test_a_bad_value_is_told_by_the_name_it_was_given_under(
    variable, value, said, tmp_path, monkeypatch
):
    monkeypatch.setenv(variable, value)
    done = CliRunner().invoke(app, ["status", "--out", str(tmp_path)])
    assert done.exit_code == 2
    assert variable in done.stderr
    assert said in done.stderr
    assert "\\S" not in done.stderr


def test_a_bad_value_of_an_option_is_told_by_the_name_of_the_option(tmp_path, monkeypatch):
    monkeypatch.setenv("FIVEPERCENT_BENCHMARK", "0.03")
    done = CliRunner().invoke(app, ["refresh", "--benchmark", "9", "--out", str(tmp_path)])
    assert done.exit_code == 2
    assert "used: benchmark: Input should be less than 1" in done.stderr


def test_a_file_of_settings_that_cannot_be_read_is_told_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fivepercent.toml").write_text("benchmark = ")
    done = CliRunner().invoke(app, ["status", "--out", str(tmp_path)])
    assert done.exit_code == 2
    assert done.stderr.startswith("Failed: fivepercent.toml cannot be read: ")


@pytest.mark.parametrize("is_file", [True, False])
def test_secrets_that_are_not_where_they_should_be_are_told_in_a_sentence(
    is_file, tmp_path, monkeypatch
):
    folder = tmp_path / "secrets"
    if is_file:
        folder.write_text("")
    monkeypatch.setenv("FIVEPERCENT_SECRETS_DIR", str(folder))
    done = CliRunner().invoke(app, ["status", "--out", str(tmp_path)])
    assert done.exit_code == (2 if is_file else 1)
    assert ("secrets_dir must reference a directory" if is_file else "Note: ") in done.stderr
    assert "warnings.warn" not in done.stderr
