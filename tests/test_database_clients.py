"""Old and new clients read the same file: the oldest supported DuckDB, this one, the command line."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from pipeline.refresh import Summary
from pipeline.settings import Settings

OLDEST = "1.0.0"

#: Runs in whichever client: reads every table and view, every macro and every worked query.
READ_ALL = """
import json, sys, duckdb
c = duckdb.connect(sys.argv[1], read_only=True)
told = {"version": duckdb.__version__, "rows": {}, "examples": [], "comments": {}}
names = c.execute("select schema_name || '.' || table_name from duckdb_tables() union all "
    "select schema_name || '.' || view_name from duckdb_views() where not internal order by 1").fetchall()
for (name,) in names:
    told["rows"][name] = c.execute(f"select count(*) from {name}").fetchall()[0][0]
    c.execute(f"select * from {name} limit 2").fetchall()
for step, sql in c.execute("select step, sql from read_me order by step").fetchall():
    told["examples"].append([step, len(c.execute(sql).fetchall())])
told["comments"]["columns"] = c.execute("select count(*) from duckdb_columns() "
    "where not internal and comment is null").fetchall()[0][0]
told["comments"]["macros"] = c.execute("select count(*) from duckdb_functions() "
    "where function_type = 'table_macro' and not internal and comment is null").fetchall()[0][0]
told["shares"] = [[str(v) for v in r] for r in c.execute(
    "select organisation_code, financial_year, share, position "
    "from share_vs_benchmark('D1', 'operating_income', 0.02)").fetchall()]
print(json.dumps(told))
"""


@pytest.fixture(scope="session")
def oldest_client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the oldest supported DuckDB, installed by uv from the package registry or its cache."""
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    folder = tmp_path_factory.mktemp("duckdb-oldest")
    command = [uv, "pip", "install", "-q", "--only-binary", ":all:", "--target", str(folder)]
    try:
        done = subprocess.run(
            [*command, "--python", sys.executable, f"duckdb=={OLDEST}"],
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"duckdb {OLDEST} cannot be installed here: {error}")
    if done.returncode:
        pytest.skip(f"duckdb {OLDEST} cannot be installed here: {done.stderr.strip()[-200:]}")
    return folder


def read_all(database: Path, client: Path | None) -> dict:
    """What a client finds in the file, in a process of its own."""
    import os

    environment = os.environ | ({"PYTHONPATH": str(client)} if client else {})
    done = subprocess.run(
        [sys.executable, "-c", READ_ALL, str(database)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-1500:]
    return json.loads(done.stdout)


def test_the_oldest_supported_client_reads_what_this_one_reads(
    demo_build: tuple[Settings, Summary], oldest_client: Path
) -> None:
    database = demo_build[0].out / "fivepercent.duckdb"
    old, new = read_all(database, oldest_client), read_all(database, None)
    assert old["version"] == OLDEST
    assert new["version"] == duckdb.__version__ != OLDEST
    assert old["rows"] == new["rows"]
    assert old["examples"] == new["examples"]
    assert old["comments"] == new["comments"] == {"columns": 0, "macros": 0}
    assert old["shares"] == new["shares"] != []


def test_the_command_line_of_duckdb_reads_it(demo_build: tuple[Settings, Summary]) -> None:
    found = shutil.which("duckdb") or str(Path(sys.executable).with_name("duckdb"))
    if not Path(found).exists():
        pytest.skip("the duckdb command line is not installed (duckdb-cli of the dev dependencies)")
    database = demo_build[0].out / "fivepercent.duckdb"
    done = subprocess.run(
        [found, "-readonly", "-json", str(database), "select count(*) as n from read_me"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["n"] > 10
