"""The claims ledger: what was claimed, targeted and promised, and how to see whether it came true.

Belongs here: strict loading of ``claims.yaml`` (claims with a query or the reason why there is
none), ``money.yaml`` (promised against delivered money) and ``published.yaml`` (single published
figures and findings that serve as evidence). Does not belong here: running the queries
(``pipeline.marts.milestones``) or figures our reading must reproduce (``golden.yaml``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Literal, Protocol, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, model_validator

from pipeline.yaml_text import read_yaml

Theme = Literal[
    "share of expenditure",
    "historic shares",
    "money",
    "funding pattern",
    "local control",
    "basics",
    "workforce",
    "records",
    "patient services",
    "data and security",
    "maturity",
    "ways of working",
]
Kind = Literal["claim", "target", "promise", "reference level"]
Direction = Literal["at least", "below"]
# YAML reads 2007 as a number and 2007-03-05 as a date; both are kept as exactly as they are known.
When = Annotated[
    str,
    Field(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$"),
    BeforeValidator(lambda value: str(value) if isinstance(value, int | date) else value),
]
Link = Annotated[str, Field(pattern=r"^https://")]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]

TABLE_IN_QUERY = re.compile(r"\b(?:dims|facts|marts|measures)\.[a-z_0-9]+\b")
#: Tables filled from the ledger's own files, not from anything measured.
CITED_TABLES = frozenset({"marts.published_evidence", "marts.promised_money"})


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Claim(_Strict):
    """One claim, target, promise or reference level.

    Attributes:
        id: identifier, used in ``marts.milestone``.
        theme: part of the policy debate it belongs to.
        claim: what was said, in our own words.
        kind: claim (a statement of fact), target (with a level), promise (of an action or money)
            or reference level (a level to compare with that binds nobody today).
        said_by: who said it.
        said_on: when: a year, a month or a day, as exactly as known; null when not known.
        citation: publisher, title and date.
        url: address of the document, only where certain.
        due: last day on which it could come true in time; null when nobody set one.
        metric: what is measured.
        unit: unit of the metric's value and of the threshold.
        threshold: value from which (``direction``: at least) or under which (below) it is met.
        direction: side of the threshold that meets it.
        partly_from: value from which it is partly met; null when there is no middle.
        query: SQL over the published database: one row of value, evidence (a sentence), as_at
            (a date) and, where a threshold cannot express the judgement, status.
        not_measurable_reason: why no public data measure it; exactly one of this and ``query``.
        caveat: what to keep in mind.
        reviewed: day of the last review.
        author: who wrote the entry.
    """

    id: Identifier
    theme: Theme
    claim: str = Field(min_length=20, pattern=r"\.$")
    kind: Kind
    said_by: str = Field(min_length=3)
    said_on: When | None
    citation: str = Field(min_length=20)
    url: Link | None = None
    due: date | None = None
    metric: str = Field(min_length=10)
    unit: str | None = None
    threshold: float | None = None
    direction: Direction = "at least"
    partly_from: float | None = None
    query: str | None = None
    not_measurable_reason: str | None = Field(default=None, min_length=30, pattern=r"\.$")
    caveat: str = Field(min_length=10, pattern=r"\.$")
    reviewed: date
    author: str = Field(min_length=3)

    @model_validator(mode="after")
    def _one_way_to_know(self) -> Self:
        if (self.query is None) == (self.not_measurable_reason is None):
            raise ValueError(
                f"claim {self.id}: give exactly one of query and not_measurable_reason"
            )
        if self.query is not None and not self.tables:
            raise ValueError(f"claim {self.id}: the query reads no table of the database")
        if self.partly_from is not None and self.threshold is None:
            raise ValueError(f"claim {self.id}: partly_from needs a threshold")
        return self

    @cached_property
    def tables(self) -> tuple[str, ...]:
        """Tables and views of the database that the query reads, sorted."""
        return tuple(sorted(set(TABLE_IN_QUERY.findall(self.query or ""))))

    @property
    def is_computed(self) -> bool:
        """Whether the query reads anything but the ledger's own citations."""
        return bool(set(self.tables) - CITED_TABLES)


class Promise(_Strict):
    """Money promised for digital, and what is publicly known of its delivery.

    Attributes:
        id: identifier.
        programme: what the money was for.
        promised_gbp: pounds promised, nominal.
        promised_by: who promised.
        promised_on: when: a year, a month or a day.
        citation: publisher, title and date of the promise.
        url: address, only where certain.
        period: years the money was for, in words.
        period_end: last day of that period.
        revised_gbp: pounds after a published change; null when none is known.
        revised_citation: where the change was published.
        delivered_gbp: pounds published as spent or paid out; null when nothing was published.
        delivered_as_at: day to which the delivered pounds refer.
        delivered_citation: where they were published.
        note: what is new money, what overlaps, what was not verified.
        reviewed: day of the last review.
        author: who wrote the entry.
    """

    id: Identifier
    programme: str = Field(min_length=10)
    promised_gbp: float = Field(gt=0)
    promised_by: str = Field(min_length=3)
    promised_on: When
    citation: str = Field(min_length=20)
    url: Link | None = None
    period: str = Field(min_length=4)
    period_end: date | None = None
    revised_gbp: float | None = Field(default=None, ge=0)
    revised_citation: str | None = Field(default=None, min_length=20)
    delivered_gbp: float | None = Field(default=None, ge=0)
    delivered_as_at: date | None = None
    delivered_citation: str | None = Field(default=None, min_length=20)
    note: str = Field(min_length=20, pattern=r"\.$")
    reviewed: date
    author: str = Field(min_length=3)

    @model_validator(mode="after")
    def _figures_are_cited(self) -> Self:
        if (self.delivered_gbp is None) != (self.delivered_citation is None):
            raise ValueError(f"promise {self.id}: delivered_gbp and delivered_citation go together")
        if (self.delivered_gbp is None) != (self.delivered_as_at is None):
            raise ValueError(f"promise {self.id}: delivered_gbp and delivered_as_at go together")
        if (self.revised_gbp is None) != (self.revised_citation is None):
            raise ValueError(f"promise {self.id}: revised_gbp and revised_citation go together")
        return self


class PublishedEvidence(_Strict):
    """One published figure or finding that is evidence for a claim.

    Attributes:
        id: identifier, used in the queries of claims.
        subject: what it is about; figures with one subject are comparable unless the finding
            says otherwise.
        finding: the figure or finding as a sentence, in our own words.
        value: the figure; null for a finding without one.
        unit: unit of the figure.
        as_at: day it refers to; where only a month or year is given, its last day.
        citation: publisher, title and date.
        url: address, only where certain.
    """

    id: Identifier
    subject: str = Field(min_length=5)
    finding: str = Field(min_length=20, pattern=r"\.$")
    value: float | None = None
    unit: str | None = None
    as_at: date
    citation: str = Field(min_length=20)
    url: Link | None = None

    @model_validator(mode="after")
    def _a_figure_has_a_unit(self) -> Self:
        if (self.value is None) != (self.unit is None):
            raise ValueError(f"published evidence {self.id}: value and unit go together")
        return self


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


Entry = TypeVar("Entry", bound=_HasId)


def unique(entries: Iterable[Entry], file: str) -> tuple[Entry, ...]:
    """The entries as a tuple.

    Raises:
        ValueError: an identifier appears twice; the message names the file and the identifiers.
    """
    listed = tuple(entries)
    names = [entry.id for entry in listed]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(
            f"pipeline/reference/{file}: {', '.join(repeated)} appear more than once; "
            "give each entry an id of its own"
        )
    return listed


def _yaml(file: str) -> object:
    return read_yaml(Path(__file__).parent / file)


@cache
def claims() -> tuple[Claim, ...]:
    """The claims of ``claims.yaml`` in their order.

    Raises:
        pydantic.ValidationError: an entry has an unknown field, a bad value, or not exactly one of
            a query and a reason.
        ValueError: an identifier appears twice.
    """
    return unique(
        TypeAdapter(tuple[Claim, ...]).validate_python(_yaml("claims.yaml")), "claims.yaml"
    )


@cache
def promises() -> tuple[Promise, ...]:
    """The promised money of ``money.yaml``.

    Raises:
        pydantic.ValidationError: an entry has an unknown field or a figure without its citation.
        ValueError: an identifier appears twice.
    """
    return unique(
        TypeAdapter(tuple[Promise, ...]).validate_python(_yaml("money.yaml")), "money.yaml"
    )


@cache
def published_evidence() -> tuple[PublishedEvidence, ...]:
    """The published figures and findings of ``published.yaml``.

    Raises:
        pydantic.ValidationError: an entry has an unknown field or a figure without a unit.
        ValueError: an identifier appears twice.
    """
    return unique(
        TypeAdapter(tuple[PublishedEvidence, ...]).validate_python(_yaml("published.yaml")),
        "published.yaml",
    )
