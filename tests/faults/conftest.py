"""The world that all fault tests share; each leaves it published and whole."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from refreshes import World, make_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Four organisations, one year, published."""
    return make_world(tmp_path_factory.mktemp("faults"))
