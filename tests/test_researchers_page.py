"""Every query and program of docs/researchers.md is run as printed, and its answers are true."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import openpyxl
import pytest

from pipeline.exports import export_build, files
from pipeline.settings import Settings

PAGE = Path(__file__).resolve().parents[1] / "docs" / "researchers.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(language: str) -> list[str]:
    """The code blocks of a language, in order."""
    return [
        text for kind, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")) if kind == language
    ]


def queries() -> list[tuple[str, str]]:
    """Each query with the answer printed under it."""
    found = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    return [
        (text, found[i + 1][1] if i + 1 < len(found) and found[i + 1][0] == "csv" else "")
        for i, (kind, text) in enumerate(found)
        if kind == "sql"
    ]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A researcher's folder: the file of the whole demonstration, its Parquet files and its exports."""
    from pipeline.demo import generate
    from pipeline.refresh import refresh

    base = tmp_path_factory.mktemp("desk")
    generate(base / "raw")
    refresh(Settings(raw=base / "raw", out=base / "out"))
    folder = base / "desk"
    folder.mkdir()
    shutil.copyfile((base / "out" / "fivepercent.duckdb").resolve(), folder / "fivepercent.duckdb")
    shutil.copytree((base / "out" / "parquet").resolve(), folder / "parquet")
    with pytest.MonkeyPatch.context() as patch:  # the workbook of all payments takes half a minute
        patch.setattr(files, "THEMES", {"answer": files.THEMES["answer"]})
        export_build(folder / "fivepercent.duckdb", folder / "exports", formats=["csv", "excel"])
    return folder


@pytest.fixture(scope="module")
def command_line() -> str:
    found = shutil.which("duckdb") or str(Path(sys.executable).with_name("duckdb"))
    if not Path(found).exists():
        pytest.skip("the duckdb command line is not installed (duckdb-cli of the dev dependencies)")
    return found


def test_every_query_gives_the_answer_that_is_printed(desk: Path, command_line: str) -> None:
    page, wrong = PAGE.read_text(encoding="utf-8"), []
    assert len(queries()) > 10
    for sql, printed in queries():
        done = subprocess.run(
            [command_line, "-readonly", "-csv", "-nullvalue", "", "fivepercent.duckdb", sql],
            cwd=desk,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{sql}\n{done.stderr}"
        assert printed, f"no answer is printed under\n{sql}"
        answer = done.stdout.replace("\r", "").rstrip() + "\n"
        if answer != printed:
            wrong.append(f"{sql}\nprinted:\n{printed}\nfound:\n{answer}")
            page = page.replace(f"{sql}```\n```csv\n{printed}", f"{sql}```\n```csv\n{answer}")
    if wrong and os.environ.get("FIVEPERCENT_WRITE_ANSWERS"):
        PAGE.write_text(page, encoding="utf-8")
        pytest.fail(f"{len(wrong)} answers were written anew; look at the difference and run again")
    assert not wrong, "\n\n".join(wrong)


def test_the_command_line_opens_it_as_printed(desk: Path, command_line: str) -> None:
    (line,) = [
        line for text in blocks("sh") for line in text.splitlines() if line.startswith("duckdb ")
    ]
    done = subprocess.run(
        ["sh", "-c", line],
        cwd=desk,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PATH": f"{Path(command_line).parent}:{os.environ['PATH']}"},
    )
    assert done.returncode == 0, done.stderr
    assert "share_upper" in done.stdout


def test_the_commands_that_are_named_exist() -> None:
    from typer.testing import CliRunner

    from pipeline.cli import app

    text = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"fivepercent ([a-z]+)\b(?: --?([a-z]+))?", text))
    assert {("export", "csv"), ("export", "excel"), ("pin", ""), ("rebuild", "")} <= named
    for command, option in named:
        told = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"})
        assert told.exit_code == 0, command
        assert f"--{option}" in re.sub(r"\x1b\[[0-9;]*m", "", told.output), (command, option)


@pytest.mark.parametrize("number", range(3))
def test_the_python_programs_run(desk: Path, number: int) -> None:
    assert len(blocks("python")) == 3
    done = subprocess.run(
        [sys.executable, "-c", blocks("python")[number]],
        cwd=desk,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert ("2022/23", "stopped after 2 seconds", "2022/23")[number] in done.stdout


def test_the_r_program_runs_and_finds_the_same_middle(desk: Path) -> None:
    found = shutil.which("Rscript")
    if found is None:
        pytest.skip("R is not installed here (r-base-core of Debian)")
    (program,) = blocks("r")
    (desk / "recipe.R").write_text(program, encoding="utf-8")
    done = subprocess.run(
        [found, "--vanilla", "recipe.R"], cwd=desk, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    connection = duckdb.connect(str(desk / "fivepercent.duckdb"), read_only=True)
    rows = connection.execute(
        "select financial_year, median(share) from marts.digital_share where definition = 'D1' and badge <> 'C'"
        " and denominator = 'operating_expenditure_less_impairments' group by all"
    ).fetchall()
    connection.close()
    for year, middle in rows:
        printed = re.search(rf"{re.escape(year)}\s+([0-9.]+)", done.stdout)
        assert printed, done.stdout
        assert float(printed[1]) == pytest.approx(middle, rel=1e-4)


def test_the_excel_formula_names_the_right_columns_and_gives_the_sum(desk: Path) -> None:
    (formula,) = blocks("excel")
    book = openpyxl.load_workbook(desk / "exports" / "excel" / "fivepercent_answer.xlsx")
    parts = re.findall(r"'([^']+)'!([A-Z]):[A-Z](?:,\"([^\"]*)\")?", formula)
    (sheet_name, summed, _), *conditions = parts
    sheet = book[sheet_name]
    assert sheet[f"{summed}1"].value == "gap_gbp"
    total = 0.0
    for line in range(2, sheet.max_row + 1):
        kept = all(
            sheet[f"{column}{line}"].value != wanted[2:]
            if wanted.startswith("<>")
            else sheet[f"{column}{line}"].value == wanted
            for _, column, wanted in conditions
        )
        total += sheet[f"{summed}{line}"].value if kept else 0
    connection = duckdb.connect(str(desk / "fivepercent.duckdb"), read_only=True)
    gap = connection.execute(
        "select sum(gap_gbp) from marts.digital_share where financial_year = '2022/23' and definition = 'D1'"
        " and denominator = 'operating_expenditure_less_impairments' and badge <> 'C'"
    ).fetchall()[0][0]
    connection.close()
    assert len(conditions) == 4
    assert total == pytest.approx(float(gap))
