"""Published aggregates that our reading of the same publications must reproduce.

Belongs here: single published figures with their citation (``golden.yaml``) and the loader that
validates them. Does not belong here: computing the figure from our tables (``quality.golden``).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from pipeline.yaml_text import read_yaml

Quantity = Literal[
    "operating_expenditure",
    "providers",
    "maturity_trusts",
    "maturity_rows",
    "maturity_boards",
    "maturity_acute_mean",
    "records_cost",
    "records_cost_on_site",
    "records_cost_off_site",
    "epr_trusts",
    "epr_without",
    "workforce_trusts",
    "workforce_boards",
    "workforce_unexplained",
]


class GoldenFigure(BaseModel):
    """One published figure and the vintage it belongs to.

    Attributes:
        id: identifier, and the name of the check.
        quantity: what is measured; each has a query in ``pipeline.quality.golden``.
        period: financial year (2019/20), year, or first day of the month or day of the list.
        latest: the last period the publication held at the time; null where each period has
            its own publication.
        expected: the published value in ``unit``.
        tolerance: largest accepted difference, in ``unit``; covers the published rounding.
        unit: unit of ``expected``.
        organisations: how many organisations the figure covers in that vintage.
        severity: ``blocking`` stops publication, ``warning`` (a soft figure) does not.
        what: the figure in words.
        citation: publisher, title and date.
        url: page of the publication, where there is one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    quantity: Quantity
    period: str = Field(pattern=r"^\d{4}(/\d{2}|-\d{2}-\d{2})?$")
    latest: str | None = Field(default=None, pattern=r"^\d{4}(/\d{2}|-\d{2}-\d{2})?$")
    expected: float
    tolerance: float = Field(ge=0)
    unit: str
    organisations: int = Field(gt=0)
    severity: Literal["blocking", "warning"]
    what: str = Field(min_length=10)
    citation: str = Field(min_length=20)
    url: str | None = Field(default=None, pattern=r"^https://")


@cache
def golden_figures() -> tuple[GoldenFigure, ...]:
    """The published figures of ``golden.yaml``.

    Raises:
        pydantic.ValidationError: an entry has an unknown field or a bad value.
        ValueError: an identifier appears twice.
    """
    found = read_yaml(Path(__file__).parent / "golden.yaml")
    figures = TypeAdapter(tuple[GoldenFigure, ...]).validate_python(found)
    names = [figure.id for figure in figures]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"golden.yaml: {', '.join(repeated)} appear more than once")
    return figures
