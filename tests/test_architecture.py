"""The house rules that a machine can check: layers, lock file, no data, cheap imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_layers_point_one_way_and_only_defs_know_dagster() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-2000:]


def test_importing_the_package_and_the_command_line_is_cheap() -> None:
    heavy = (
        "great_expectations,plotly,dagster,scipy,pandas,httpx,fastexcel,sqlalchemy,polars,duckdb"
    )
    code = f"import sys, pipeline.cli\nprint([m for m in {heavy!r}.split(',') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_lock_file_holds_hashes_and_no_addresses() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text
    pins = [line for line in text.splitlines() if "==" in line and not line.startswith(" ")]
    assert len(pins) > 50
    assert text.count("--hash=sha256:") > len(pins)


def test_no_data_file_is_tracked() -> None:
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        return
    data = {".csv", ".xlsx", ".xls", ".ods", ".parquet", ".duckdb", ".zip"}
    assert [n for n in done.stdout.splitlines() if Path(n).suffix in data] == []
    assert "uv.lock" not in done.stdout.splitlines()


def test_every_module_opens_with_its_charter() -> None:
    for path in (ROOT / "pipeline").rglob("*.py"):
        assert path.read_text(encoding="utf-8").lstrip().startswith('"""'), path
