"""What is compiled ahead is what would be read, and is not taken where it is of something else."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipeline import beside, yaml_text
from pipeline.classify import own_rules
from pipeline.classify.rulebook import RuleBook, RuleFileError
from pipeline.site import render
from pipeline.yaml_text import keep_parsed, parse_yaml, read_yaml

PACKAGE = yaml_text.PACKAGE


def _move(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (beside, yaml_text):
        monkeypatch.setattr(module, "PACKAGE", package)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of one file, kept as parsed."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.yaml").write_text("since: 2020-04-01\nof: [1, two, null]\n", "utf-8")
    _move(tmp_path, monkeypatch)
    assert keep_parsed() == 1
    return tmp_path


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Texts that were parsed."""
    texts: list[str] = []

    def noting(text: str) -> Any:
        texts.append(text)
        return parse_yaml(text)

    monkeypatch.setattr(yaml_text, "parse_yaml", noting)
    return texts


def _kept(package: Path) -> Path:
    return next((package / "a" / "__pycache__").glob("one.yaml.*.parsed"))


def test_every_file_of_the_package_says_what_it_says(tmp_path, monkeypatch):
    copy = tmp_path / "pipeline"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    _move(copy, monkeypatch)
    paths = sorted(copy.rglob("*.yaml"))
    before = [read_yaml(path) for path in paths]
    assert keep_parsed() == len(paths) > 40
    assert [read_yaml(path) for path in paths] == before


def test_a_file_that_is_kept_is_not_parsed(package, parsed):
    found = read_yaml(package / "a" / "one.yaml")
    assert found == parse_yaml((package / "a" / "one.yaml").read_text("utf-8"))
    assert parsed == []
    found["of"].append("more")  # each reader has its own
    assert len(read_yaml(package / "a" / "one.yaml")["of"]) == 3


@pytest.mark.parametrize("spoiled", ["text", "body", "seal", "cut", "empty", "parser", "gone"])
def test_what_is_kept_is_not_taken_where_it_is_of_something_else(
    package, parsed, monkeypatch, spoiled
):
    path, kept = package / "a" / "one.yaml", _kept(package)
    told, seal, body = kept.read_bytes().split(b"\n", 2)
    if spoiled == "text":
        path.write_text("of: now\n", "utf-8")
    elif spoiled == "body":
        kept.write_bytes(b"\n".join((told, seal, pickle.dumps({"of": "elsewhere"}))))
    elif spoiled == "seal":
        kept.write_bytes(b"\n".join((told, seal[::-1], body)))
    elif spoiled == "cut":
        kept.write_bytes(kept.read_bytes()[:-3])
    elif spoiled == "empty":
        kept.write_bytes(b"")
    elif spoiled == "parser":
        monkeypatch.setattr(yaml_text, "_parser", lambda: "another")
    else:
        kept.unlink()
    text = path.read_text("utf-8")
    assert read_yaml(path) == parse_yaml(text)
    assert parsed == [text]


def test_a_file_outside_the_package_is_always_parsed(package, parsed, monkeypatch):
    _move(package / "elsewhere", monkeypatch)
    read_yaml(package / "a" / "one.yaml")
    assert len(parsed) == 1


def test_the_rules_that_are_kept_are_those_of_the_files_and_of_no_others(tmp_path, monkeypatch):
    folder = tmp_path / "rules"
    shutil.copytree(own_rules.RULES_FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(own_rules, "RULES_FOLDER", folder)
    _move(tmp_path, monkeypatch)
    checked: list[Path] = []
    load_rules = own_rules.load_rules

    def noting(path: Path = folder) -> RuleBook:
        checked.append(path)
        return load_rules(path)

    monkeypatch.setattr(own_rules, "load_rules", noting)
    own_rules.keep_rules()
    checked.clear()
    found, read = own_rules.default_rules.__wrapped__(), load_rules(folder)
    assert checked == []
    assert (found.text, found.suppliers, found.rulings) == (read.text, read.suppliers, read.rulings)
    assert found.version == read.version
    changed = folder / "nature.yaml"
    changed.write_text(changed.read_text("utf-8").replace("example", "exampel", 1), "utf-8")
    with pytest.raises(RuleFileError, match=r"nature\.yaml"):
        own_rules.default_rules.__wrapped__()
    assert checked == [folder]


def test_templates_are_compiled_once_and_a_changed_one_anew(tmp_path, monkeypatch):
    shutil.copytree(render.HERE / "templates", tmp_path / "templates")
    monkeypatch.setattr(render, "HERE", tmp_path)
    monkeypatch.setattr(render, "COMPILED", tmp_path / "__pycache__")
    made: list[str] = []

    def fresh() -> Any:
        render.environment.cache_clear()
        environment = render.environment()
        compile_it = environment.compile

        def noting(source: str, name: str | None = None, *a: Any) -> Any:
            made.append(str(name))
            return compile_it(source, name, *a)

        environment.compile = noting  # type: ignore[method-assign]
        return environment

    try:
        fresh()
        render.compile_templates()
        names = sorted(made)
        assert "trust.html" in names
        made.clear()
        environment = fresh()
        assert [environment.get_template(n).name for n in names] == names
        assert made == []
        path = tmp_path / "templates" / "trust.html"
        path.write_text(path.read_text("utf-8") + "<!-- more -->", "utf-8")
        environment = fresh()
        for name in names:
            environment.get_template(name)
        assert made == ["trust.html"]
        assert len(list((tmp_path / "__pycache__").iterdir())) == len(names)  # nothing was written
    finally:
        render.environment.cache_clear()
