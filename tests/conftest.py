"""Fixtures shared by every test: the real files, a small demonstration, a guard on the network."""

from __future__ import annotations

import errno
import functools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

if TYPE_CHECKING:
    from pipeline.demo import Truth
    from pipeline.refresh import Summary
    from pipeline.settings import Settings

ROOT = Path(__file__).resolve().parents[1]

# A shared machine may be slow at any moment; a test must not fail for that.
hypothesis.settings.register_profile("fivepercent", deadline=None)
hypothesis.settings.load_profile("fivepercent")

os.environ["FIVEPERCENT_OFFLINE"] = "1"
for name in ("FIVEPERCENT_RAW", "FIVEPERCENT_OUT", "FIVEPERCENT_BENCHMARK", "DAGSTER_HOME"):
    os.environ.pop(name, None)


#: Whether refreshes in the process of the tests start processes of their own at the moment.
_beside = {"wanted": False}


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before any fixture of a test: is it about the processes beside a refresh?"""
    _beside["wanted"] = item.get_closest_marker("processes") is not None


@pytest.fixture(scope="session", autouse=True)
def one_process() -> Iterator[None]:
    """A refresh in the process of the tests works alone, unless the test is marked ``processes``.

    To start what checks and what draws takes a quarter of the time of a small refresh. Commands that tests
    start work as users' do.
    """
    from pipeline.refresh import ahead, gates

    def has_cores(settings: Settings, asked: Any = ahead.has_cores) -> bool:
        return _beside["wanted"] and asked(settings)

    with pytest.MonkeyPatch.context() as patch:
        for module in (ahead, gates):
            patch.setattr(module, "has_cores", has_cores)
        yield


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


@pytest.fixture(scope="session")
def small_demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    """A small demonstration tree (eight trusts, two boards, two years) and what is true about it."""
    from pipeline.demo import generate

    raw = tmp_path_factory.mktemp("demo") / "raw"
    truth = generate(raw, trusts=8, boards=2, years=("2021/22", "2022/23"))
    return raw, truth


@pytest.fixture(scope="session")
def demo_build(
    small_demo: tuple[Path, Truth], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Settings, Summary]:
    """The small demonstration refreshed and published once; read it, never change it."""
    from pipeline.refresh import refresh
    from pipeline.settings import Settings

    settings = Settings(raw=small_demo[0], out=tmp_path_factory.mktemp("published") / "out")
    return settings, refresh(settings)


@pytest.fixture
def demo_copy(demo_build: tuple[Settings, Summary], tmp_path: Path) -> Settings:
    """A copy of the published demonstration with its raw files, to be changed at will."""
    from pipeline.settings import Settings

    shutil.copytree(demo_build[0].raw, tmp_path / "raw")
    shutil.copytree(demo_build[0].out, tmp_path / "out", symlinks=True)
    return Settings(raw=tmp_path / "raw", out=tmp_path / "out")


@pytest.fixture(scope="session", autouse=True)
def lineage_once() -> Iterator[None]:
    """What columns of marts are made of depends on the code alone: it takes seconds, and is found once."""
    from pipeline.marts import columns

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "column_sources", functools.cache(columns.column_sources))
        yield


@pytest.fixture(scope="session")
def real_build(
    real_raw: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Settings, Summary]:
    """The real tree refreshed and published once; read it, never change it."""
    from pipeline.refresh import refresh
    from pipeline.settings import Settings

    settings = Settings(raw=real_raw, out=tmp_path_factory.mktemp("real") / "out")
    return settings, refresh(settings)


@pytest.fixture
def shut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders named ``shut`` may not be looked into; root could, so the system's answer is given here."""
    scan = os.scandir

    def refusing(path: Any = ".") -> Any:
        if Path(os.fsdecode(path)).name == "shut":
            raise PermissionError(errno.EACCES, "Permission denied", os.fsdecode(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refusing)
