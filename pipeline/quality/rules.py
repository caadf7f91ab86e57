"""The written expectations: knowledge about NHS data that no schema can imply.

Belongs here: loading and checking ``rules/*.yaml``. Does not belong here: running them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from pipeline.quality.checks import Check
from pipeline.quality.results import Severity
from pipeline.yaml_text import read_yaml

RULES = Path(__file__).parent / "rules"


class Rule(BaseModel):
    """One written expectation.

    Attributes:
        check: identifier, unique in its table.
        severity: ``blocking`` only where a mart would be wrong.
        expected: what is expected, as a sentence.
        fix: what the person who sees it fail should do.
        needs: other tables the query reads.
        alone: whether it may be asked of the rows of some organisations apart from all others, as
            :class:`pipeline.quality.checks.Check` says.
        rows: DuckDB query that returns the rows that break it; ``{batch}`` is the table.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    check: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    severity: Severity
    expected: str = Field(min_length=10, pattern=r"\.$")
    fix: str = Field(min_length=10, pattern=r"\.$")
    needs: tuple[str, ...] = ()
    alone: bool = False
    rows: str = Field(pattern=r"\{batch\}")


@cache
def all_rules() -> dict[str, tuple[Rule, ...]]:
    """Written rules by full table name.

    Raises:
        pydantic.ValidationError: a rule has an unknown field, a bad value or no ``{batch}``.
        ValueError: a check appears twice.
    """
    adapter = TypeAdapter(dict[str, tuple[Rule, ...]])
    rules: dict[str, tuple[Rule, ...]] = {}
    for path in sorted(RULES.glob("*.yaml")):
        for name, entries in adapter.validate_python(read_yaml(path)).items():
            rules[name] = (*rules.get(name, ()), *entries)
            names = [rule.check for rule in rules[name]]
            if len(set(names)) != len(names):
                raise ValueError(f"{path.name}: a check of {name} appears twice")
    return rules


def written_checks(table_name: str) -> list[Check]:
    """The written expectations on ``schema.table``; an empty list when there are none."""
    return [
        Check(
            suite=table_name,
            check_name=rule.check,
            sentence=f"{rule.expected} If not: {rule.fix[0].lower()}{rule.fix[1:]}",
            severity=rule.severity,
            rows=" ".join(rule.rows.split()),
            needs=rule.needs,
            alone=rule.alone,
        )
        for rule in all_rules().get(table_name, ())
    ]
