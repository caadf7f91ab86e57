"""The rules as they are applied: what one may say, and the book of all of them.

Belongs here: what a rule may say, and which files and version a book has. Does not belong here: reading and
checking the files (``rule_files``), finding the book of this package (``own_rules``), applying rules
(``evidence``, ``suppliers``) or weighing them against each other (``decide``).
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Le, MinLen, Predicate

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


_Share = Annotated[float, Ge(0), Le(1)]
_Words = Annotated[str, MinLen(2)]


def _small_letters_digits_underscores_and_dots(text: str) -> bool:
    return re.fullmatch(r"[a-z0-9_.]+", text) is not None


def _small_letters_digits_and_underscores(text: str) -> bool:
    return re.fullmatch(r"[a-z0-9_]+", text) is not None


def _code(text: str) -> bool:
    return re.fullmatch(r"[A-Z0-9]{3,5}", text) is not None


class RuleFileError(ValueError):
    """A rule file cannot be used; the message names file and rule and says what to do."""


class _Strict:
    """A file that names another field than these is refused."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}


@dataclass(frozen=True, kw_only=True)
class _Rule(_Strict):
    id: Annotated[str, Predicate(_small_letters_digits_underscores_and_dots)]
    confidence: _Share = 0.9
    example: _Words
    counter_example: _Words
    seen_in: tuple[Annotated[str, Predicate(_code)], ...] = ()
    note: str = ""

    def active_without(self, organisation_code: str | None) -> bool:
        """Whether the rule stands when the files of one trust may not speak for it."""
        if organisation_code is None or not self.seen_in:
            return True
        return set(self.seen_in) != {organisation_code}


@dataclass(frozen=True, kw_only=True)
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

    def __post_init__(self) -> None:
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"the pattern {self.pattern!r} cannot be read: {error}") from error


@dataclass(frozen=True, kw_only=True)
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
    names: Annotated[tuple[str, ...], MinLen(1)]
    kind: SupplierKind
    category: Category | None = None
    general: bool = False
    exact: bool = False


@dataclass(frozen=True, kw_only=True)
class Line(_Strict):
    """A payment line as text, for the examples of rulings."""

    expense_type: str | None = None
    expense_area: str | None = None
    supplier: str | None = None
    description: str | None = None


@dataclass(frozen=True, kw_only=True)
class Ruling(_Strict):
    """How evidence of the passes is weighed: the first ruling whose conditions all hold decides.

    A condition names the accepted evidence of one column; a column left out may hold anything;
    `none` stands for "no rule matched".
    """

    id: Annotated[str, Predicate(_small_letters_digits_and_underscores)]
    expense_type: tuple[str, ...] = ()
    expense_area: tuple[str, ...] = ()
    description: tuple[str, ...] = ()
    supplier: tuple[str, ...] = ()
    digital: Digital
    decided_by: Literal["expense_type", "expense_area", "description", "supplier", "default"]
    balance_sheet: bool = False
    category: Category | None = None
    confidence: _Share
    example: Line
    counter_example: Line
    note: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class RuleBook:
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
        return replace(
            self,
            text={
                rule_pass: tuple(r for r in rules if r.active_without(organisation_code))
                for rule_pass, rules in self.text.items()
            },
            suppliers=tuple(s for s in self.suppliers if s.active_without(organisation_code)),
        )


def rule_files(folder: Path) -> list[Path]:
    """The rule files of a folder, in the order in which they are read."""
    return sorted(folder.glob("*.yaml"))


def strange_files(folder: Path) -> list[Path]:
    """Files of a folder of rules that are not read as such, and would be without effect."""
    rules = set(rule_files(folder))
    others = (path for path in sorted(folder.iterdir()) if path not in rules and path.is_file())
    return [path for path in others if not path.name.startswith(".") and path.name[-1:] != "~"]


def version_of(paths: Sequence[Path]) -> str:
    """Hash of names and bytes of rule files."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
