"""The notebooks run from top to bottom on a build, and what is committed of them is a demonstration's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest
from nbclient import NotebookClient
from spend_files import put, table

from pipeline.refresh import refresh
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.refresh import Summary

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb"))


def _printed(notebook: nbformat.NotebookNode) -> str:
    outputs = [o for c in notebook.cells if c.cell_type == "code" for o in c.outputs]
    return "\n".join(o.get("text", "") or o.get("data", {}).get("text/plain", "") for o in outputs)


def _run(path: Path, database: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("FIVEPERCENT_DATABASE", str(database))
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":  # drawing needs a browser; the tests of charts have one
            cell.source = cell.source.replace("has_browser = any", "has_browser = False and any")
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return _printed(notebook)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_runs_on_the_demonstration(
    path: Path,
    demo_build: tuple[Settings, Summary],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    published = tmp_path / "an analyst's folder"
    published.symlink_to(demo_build[0].out)
    said = _run(path, published / "fivepercent.duckdb", monkeypatch)
    assert "DEMONSTRATION" in said


@pytest.mark.real
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_runs_on_real_files_and_claims_no_demonstration(
    path: Path, real_build: tuple[Settings, Summary], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = _run(path, real_build[0].out / "fivepercent.duckdb", monkeypatch)
    assert "DEMONSTRATION" not in said


@pytest.fixture(scope="module")
def only_payments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a trust that has payments and no accounts, so that nobody has a share."""
    folder = tmp_path_factory.mktemp("payments")
    for month in (4, 5):
        put(folder / "raw", f"month-{month}.csv", table(month), "RJ1")
    refresh(Settings(raw=folder / "raw", out=folder / "out"))
    return folder / "out" / "fivepercent.duckdb"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_says_so_where_no_trust_has_a_share(
    path: Path, only_payments: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = _run(path, only_payments, monkeypatch)
    if path.stem[:2] in ("01", "04"):
        assert "No trust has a share" in said
        assert "2020/21" in said  # the year of the payments


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_committed_outputs_are_complete_and_from_the_demonstration(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    code = [c for c in notebook.cells if c.cell_type == "code"]
    assert all(c.execution_count for c in code), "a cell was committed without having run"
    assert not any(o.output_type == "error" for c in code for o in c.outputs)
    assert "DEMONSTRATION" in _printed(notebook)


def test_all_four_notebooks_are_here() -> None:
    assert [p.stem[:2] for p in NOTEBOOKS] == ["01", "02", "03", "04"]
