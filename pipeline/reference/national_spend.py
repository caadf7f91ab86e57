"""The ledger of national spending on digital: what exists, and what can be divided between trusts.

Belongs here: reviewed entries with citation (``national_spend.yaml``) and their strict loading. Does
not belong here: the division itself (``measures/shared/national_allocation.sql``).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from pipeline.yaml_text import read_yaml


class NationalSpend(BaseModel):
    """One programme and year.

    Attributes:
        programme: what was paid for.
        financial_year: ``2023/24``; null for entries that are not allocated.
        amount_gbp: pounds of the year; null where not published.
        allocation: how it is divided between trusts.
        trusts: pounds by organisation code, for ``published by trust``.
        reason: why it is, or is not, divided.
        citation: where it was published.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    programme: str = Field(min_length=4)
    financial_year: str | None = Field(default=None, pattern=r"^\d{4}/\d{2}$")
    amount_gbp: float | None = Field(default=None, gt=0)
    allocation: Literal["not allocated", "by operating expenditure", "published by trust"]
    trusts: dict[str, float] = Field(default_factory=dict)
    reason: str = Field(min_length=10)
    citation: str = Field(min_length=20)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.allocation == "not allocated":
            if self.trusts:
                raise ValueError(f"{self.programme}: trusts are given, but it is not allocated")
        elif self.financial_year is None or (self.amount_gbp is None and not self.trusts):
            raise ValueError(
                f"{self.programme}: an allocation needs financial_year and amount_gbp or trusts"
            )
        if (self.allocation == "published by trust") != bool(self.trusts):
            raise ValueError(
                f"{self.programme}: trusts belong to 'published by trust' and nothing else"
            )
        return self


@cache
def national_spend() -> tuple[NationalSpend, ...]:
    """The entries of ``national_spend.yaml``.

    Raises:
        pydantic.ValidationError: an entry has an unknown field, a bad value or is incomplete.
    """
    found = read_yaml(Path(__file__).parent / "national_spend.yaml") or ()
    return TypeAdapter(tuple[NationalSpend, ...]).validate_python(found)


def national_spend_sql(entries: Sequence[NationalSpend] | None = None) -> str:
    """The ledger as a query: programme, financial_year, allocation, organisation_code, amount_gbp.

    Args:
        entries: the ledger of the file by default.

    Returns:
        SQL with one row a programme, year and (where published by trust) trust; no rows for an
        empty ledger.
    """
    rows: list[str] = []
    for entry in national_spend() if entries is None else entries:
        parts: dict[str | None, float | None] = (
            {**entry.trusts} if entry.trusts else {None: entry.amount_gbp}
        )
        for code, pounds in parts.items():
            told = (entry.programme, entry.financial_year, entry.allocation, code)
            texts = ["null" if t is None else "'" + t.replace("'", "''") + "'" for t in told]
            rows.append(
                f"({', '.join(texts)}, {'null' if pounds is None else repr(pounds)}::double)"
            )
    columns = "programme, financial_year, allocation, organisation_code, amount_gbp"
    listed = ",\n    ".join(rows) or "(null, null, null, null, null::double)"
    return (
        "select programme::varchar as programme, financial_year::varchar as financial_year, "
        "allocation::varchar as allocation, organisation_code::varchar as organisation_code, amount_gbp\n"
        f"from (values\n    {listed}\n) as ledger ({columns})\nwhere programme is not null"
    )
