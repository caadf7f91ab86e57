"""The hash of the code is of all its text, and of where each file stands."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import pipeline
from pipeline.refresh.code import code_hash


def read_one_by_one(root: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(p for p in root.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in ("__init__.py", "a.py", "a/b.sql", "a/c/d.yaml", "a-b.py", "a/__pycache__/x.pyc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    monkeypatch.setattr(pipeline, "__file__", str(tmp_path / "__init__.py"))
    code_hash.cache_clear()
    yield tmp_path
    code_hash.cache_clear()


def test_the_hash_of_this_package_is_that_of_its_files_read_one_by_one() -> None:
    code_hash.cache_clear()
    assert code_hash() == read_one_by_one(Path(pipeline.__file__).parent)


@pytest.mark.parametrize("change", ["another text", "another name", "another folder", "one more"])
def test_another_text_or_place_is_another_hash_and_compiled_code_is_not(
    package: Path, change: str
) -> None:
    first = code_hash()
    assert first == read_one_by_one(package)
    (package / "a" / "__pycache__" / "y.pyc").write_text("compiled")
    code_hash.cache_clear()
    assert code_hash() == first
    file = package / "a" / "c" / "d.yaml"
    if change == "another text":
        file.write_text("other")
    elif change == "another name":
        file.rename(file.with_name("e.yaml"))
    elif change == "another folder":
        file.rename(package / "a" / "d.yaml")
    else:
        file.with_name("z.html").write_text("")
    code_hash.cache_clear()
    assert code_hash() == read_one_by_one(package) != first
