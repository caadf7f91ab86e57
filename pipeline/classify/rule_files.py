"""The rule files, read and checked: unknown fields, bad values and ids used twice are refused.

Belongs here: reading `rules/*.yaml`. A rule without an example and a counter-example does not load. Does not
belong here: what a rule may say (``rulebook``).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.classify.rulebook import (
    Pass,
    RuleBook,
    RuleFileError,
    Ruling,
    SupplierRule,
    TextRule,
    rule_files,
    strange_files,
    version_of,
)
from pipeline.yaml_text import YamlError, read_yaml


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str


class _TextFile(_File):
    rule_pass: Pass = Field(alias="pass")
    rules: tuple[TextRule, ...]


class _SupplierFile(_File):
    suppliers: tuple[SupplierRule, ...]


class _RulingFile(_File):
    rulings: tuple[Ruling, ...]


def read_rules(folder: Path) -> RuleBook:
    """As :func:`pipeline.classify.own_rules.load_rules`."""
    if strange := strange_files(folder):
        raise RuleFileError(
            f"{strange[0].name} is no rule file: they are YAML and their names end in .yaml; rename it, or "
            "put it elsewhere"
        )
    text: dict[Pass, tuple[TextRule, ...]] = {}
    suppliers: tuple[SupplierRule, ...] = ()
    rulings: tuple[Ruling, ...] = ()
    paths = rule_files(folder)
    for path in paths:
        content = _read(path)
        if isinstance(content, _SupplierFile):
            suppliers += content.suppliers
        elif isinstance(content, _RulingFile):
            rulings += content.rulings
        else:
            text[content.rule_pass] = text.get(content.rule_pass, ()) + content.rules
    _check_unique(
        [r.id for rules in text.values() for r in rules]
        + [s.id for s in suppliers]
        + [r.id for r in rulings]
    )
    return RuleBook(text=text, suppliers=suppliers, rulings=rulings, version=version_of(paths))


def _read(path: Path) -> _TextFile | _SupplierFile | _RulingFile:
    try:
        content = read_yaml(path)
    except (OSError, UnicodeDecodeError, YamlError) as error:
        raise RuleFileError(
            f"{path.name} is no UTF-8 YAML file that can be read: {error}"
        ) from error
    if not isinstance(content, dict):
        raise RuleFileError(f"{path.name}: expected a mapping with a title and rules")
    key, model = (
        ("suppliers", _SupplierFile)
        if "suppliers" in content
        else ("rulings", _RulingFile)
        if "rulings" in content
        else ("rules", _TextFile)
    )
    try:
        found = model.model_validate(content)
    except ValidationError as error:
        raise RuleFileError(_explain(path, content, error)) from error
    if not content[key]:
        raise RuleFileError(f"{path.name}: it holds no {key}; add some or remove the file")
    return found


def _explain(path: Path, content: dict[str, Any], error: ValidationError) -> str:
    """The first problem of a file, with the rule it is in."""
    first = error.errors()[0]
    place = first["loc"]
    name = ""
    if len(place) > 1 and isinstance(place[1], int):
        rule = content[str(place[0])][place[1]]
        told = rule.get("id") if isinstance(rule, dict) else None
        name = f", rule {told!r}" if told else f", rule {place[1] + 1}"
    what = first["msg"].removeprefix("Value error, ").replace("valid tuple", "list")
    return (
        f"{path.name}{name}: {'.'.join(map(str, place))}: {what}. Every rule needs id, pattern or names, "
        "example and counter_example; see docs/classifier.md, 'How to add a rule'"
    )


def _check_unique(ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for rule_id in ids:
        if rule_id in seen:
            raise RuleFileError(f"rule id {rule_id!r} is used twice; give each rule its own id")
        seen.add(rule_id)
