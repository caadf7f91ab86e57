"""Fixtures shared by every test: where the real files are, and a guard against the network."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

os.environ.setdefault("FIVEPERCENT_OFFLINE", "1")


@pytest.fixture(scope="session")
def real_raw() -> Path:
    """The real public files beside the repository, or a skip that says so."""
    path = ROOT.parent / "shared" / "data" / "raw"
    if not path.is_dir():
        pytest.skip("the real public files (../shared/data/raw) are not here")
    return path


@pytest.fixture(scope="session")
def real_reference(real_raw: Path) -> Path:
    """The labelled payments and account lines that lie beside the real files."""
    path = real_raw.parent / "reference"
    if not path.is_dir():
        pytest.skip("the reference files (../shared/data/reference) are not here")
    return path
