"""The rule files as strict models, loaded once and checked on load.

Belongs here: what a rule may say, reading `rules/*.yaml`, and the hash of their content. A rule
without an example and a counter-example does not load. Does not belong here: applying rules
(`evidence.py`, `suppliers.py`) or weighing them against each other (`decide.py`).
"""

import hashlib
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pipeline.yaml_text import read_yaml

RULES_FOLDER = Path(__file__).parent / "rules"

Digital = Literal["yes", "possible", "no"]
Category = Literal[
    "devices",
    "network_telecoms",
    "hosting",
    "cyber",
    "epr",
    "clinical_systems",
    "corporate_systems",
    "data_analytics",
    "patient_facing",
    "it_services",
    "digital_people",
    "software_unspecified",
    "print_records",
]
Nature = Literal["capital", "revenue", "unknown"]
Pass = Literal["expense_type", "expense_area", "supplier_words", "nature"]
Effect = Literal[
    "balance",  # tax, pension, financing, payroll: not spend
    "no",  # certainly something else
    "unlikely",  # something else, unless the line itself says otherwise
    "pay",  # staff or agency, of any department
    "consultancy",
    "training",
    "capital",  # an addition of any kind
    "generic",  # says nothing about digital or not
    "software",  # says software, but of what is open
    "unclear",  # a creditor, suspense or clearing account
    "print",
    "paper",  # printing or storage of an unknown kind
    "medical",  # a clinical department
    "possible",
    "yes",
    "named",  # the cost centre of a named system, such as PACS or the patient record
    "it_name",  # a supplier whose name says information technology
    "it_maybe",  # a supplier whose name may say so
    "none",  # stop looking: the words that follow mean nothing here
    "other_trade",  # a supplier of another trade, for whom a digital type is doubtful
    "not_digital",  # a supplier that cannot be one, whatever the type says
]
SupplierKind = Literal[
    "reseller",
    "system",
    "network",
    "people",
    "mixed_it",
    "mixed_medical",
    "mixed_advice",
    "pay_through",
    "print",
    "paper",  # printing or storage of an unknown kind
    "medical",  # a clinical department
    "treasury",
    "it_name",
    "mixed_cabinet",
    "not_digital",
    "other",
]


class RuleFileError(ValueError):
    """A rule file cannot be used; the message names file and rule and says what to do."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Rule(_Strict):
    id: str = Field(pattern=r"^[a-z0-9_.]+$")
    confidence: float = Field(default=0.9, ge=0, le=1)
    example: str = Field(min_length=2)
    counter_example: str = Field(min_length=2)
    seen_in: tuple[str, ...] = ()
    note: str = ""

    def active_without(self, organisation_code: str | None) -> bool:
        """Whether the rule stands when the files of one trust may not speak for it."""
        if organisation_code is None or not self.seen_in:
            return True
        return set(self.seen_in) != {organisation_code}


class TextRule(_Rule):
    """One pattern on the normal form of a label.

    Attributes:
        pattern: regular expression (Rust syntax), searched in the normal form of a label.
        effect: what the match says about the line (see `Effect`).
        category: the category it suggests; `specific` when it outranks a general supplier.
        nature: only in the pass `nature`.
    """

    pattern: str
    effect: Effect | None = None
    category: Category | None = None
    specific: bool = False
    nature: Nature | None = None

    @model_validator(mode="after")
    def _pattern_compiles(self) -> Self:
        re.compile(self.pattern)
        return self


class SupplierRule(_Rule):
    """One supplier with its names, in canonical form (`text.canonical_supplier`).

    Attributes:
        name: how the supplier is called in `supplier_canonical`; left out where one entry covers
            several suppliers, which then keep their own canonical forms.
        names: canonical forms; a supplier matches when its own canonical form equals one or goes on
            after it with a blank. With `exact`, only when equal.
        kind: what kind of supplier it is (see `SupplierKind`).
        category: its category; `general` when the expense type knows better.
    """

    name: str | None = None
    names: tuple[str, ...] = Field(min_length=1)
    kind: SupplierKind
    category: Category | None = None
    general: bool = False
    exact: bool = False


class Line(_Strict):
    """A payment line as text, for the examples of rulings."""

    expense_type: str | None = None
    expense_area: str | None = None
    supplier: str | None = None
    description: str | None = None


class Ruling(_Strict):
    """How evidence of the passes is weighed: the first ruling whose conditions all hold decides.

    A condition names the accepted evidence of one column; a column left out may hold anything;
    `none` stands for "no rule matched".
    """

    id: str = Field(pattern=r"^[a-z0-9_]+$")
    expense_type: tuple[str, ...] = ()
    expense_area: tuple[str, ...] = ()
    description: tuple[str, ...] = ()
    supplier: tuple[str, ...] = ()
    digital: Digital
    decided_by: Literal["expense_type", "expense_area", "description", "supplier", "default"]
    balance_sheet: bool = False
    category: Category | None = None
    confidence: float = Field(ge=0, le=1)
    example: Line
    counter_example: Line
    note: str = ""


class _TextFile(_Strict):
    title: str
    rule_pass: Pass = Field(alias="pass")
    rules: tuple[TextRule, ...]


class _SupplierFile(_Strict):
    title: str
    suppliers: tuple[SupplierRule, ...]


class _RulingFile(_Strict):
    title: str
    rulings: tuple[Ruling, ...]


class RuleBook(_Strict):
    """All rules, in the order in which they are tried.

    Attributes:
        text: pass -> rules; the files of a pass are read in the order of their names.
        suppliers: the dictionary.
        rulings: precedence, first match wins.
        version: hash of the rule files.
    """

    text: dict[Pass, tuple[TextRule, ...]]
    suppliers: tuple[SupplierRule, ...]
    rulings: tuple[Ruling, ...]
    version: str

    def without(self, organisation_code: str | None) -> "RuleBook":
        """The rule book less the rules whose only evidence is one trust's own files."""
        if organisation_code is None:
            return self
        return self.model_copy(
            update={
                "text": {
                    rule_pass: tuple(r for r in rules if r.active_without(organisation_code))
                    for rule_pass, rules in self.text.items()
                },
                "suppliers": tuple(
                    s for s in self.suppliers if s.active_without(organisation_code)
                ),
            }
        )


def _read(path: Path) -> _TextFile | _SupplierFile | _RulingFile:
    try:
        content = read_yaml(path)
        if not isinstance(content, dict):
            raise RuleFileError(f"{path.name}: expected a mapping with a title and rules")
        model = (
            _SupplierFile
            if "suppliers" in content
            else _RulingFile
            if "rulings" in content
            else _TextFile
        )
        return model.model_validate(content)
    except (yaml.YAMLError, ValidationError) as error:
        raise RuleFileError(
            f"{path.name}: {error}\nEvery rule needs id, pattern or names, example and "
            "counter_example; see docs/classifier.md, 'How to add a rule'."
        ) from error


def _check_unique(ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for rule_id in ids:
        if rule_id in seen:
            raise RuleFileError(f"rule id {rule_id!r} is used twice; give each rule its own id")
        seen.add(rule_id)


def load_rules(folder: Path = RULES_FOLDER) -> RuleBook:
    """Read and check every rule file of a folder.

    Args:
        folder: where the `*.yaml` lie; files are read in the order of their names.

    Returns:
        The rule book.

    Raises:
        RuleFileError: a file is not valid, or an id is used twice.
    """
    text: dict[Pass, tuple[TextRule, ...]] = {}
    suppliers: tuple[SupplierRule, ...] = ()
    rulings: tuple[Ruling, ...] = ()
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.yaml")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
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
    return RuleBook(
        text=text, suppliers=suppliers, rulings=rulings, version=digest.hexdigest()[:12]
    )


@cache
def default_rules() -> RuleBook:
    """The rule book of this package, read once per process."""
    return load_rules()
