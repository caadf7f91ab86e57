"""The demonstration's ledger: what trusts buy, in the words ledgers use, with the true label.

Belongs here: the model of a kind of payment, and loading of ``ledger.yaml``. Does not belong here:
amounts (``payments``), or the product's own classifier, which must not read this ledger: its
labels are the answer the classifier is compared with.
"""

from __future__ import annotations

from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from pipeline.yaml_text import parse_yaml

Bucket = Literal[
    "digital_revenue",
    "digital_capital",
    "possible",
    "other_revenue",
    "other_capital",
    "balance_sheet",
]
BUCKETS: tuple[Bucket, ...] = (
    "digital_revenue",
    "digital_capital",
    "possible",
    "other_revenue",
    "other_capital",
    "balance_sheet",
)
"""Sums that are planned by trust and year; every kind of payment belongs to one."""


class Kind(BaseModel):
    """One kind of payment.

    Attributes:
        bucket: one of ``BUCKETS``.
        types: expense types; a trust uses one of them throughout.
        areas: expense areas or cost centres; a trust uses one of them throughout.
        descriptions: free text, for publishers who give it.
        trade: key of ``suppliers.SUPPLIERS``.
        weight: how often it occurs within its bucket.
        category: category of digital spending, None for no digital spending.
        vatable: whether the invoice carries 20% VAT.
        hard: why a classifier may get it wrong, None for plain lines.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    bucket: Bucket
    types: tuple[str, ...] = Field(min_length=1)
    areas: tuple[str, ...] = Field(min_length=1)
    descriptions: tuple[str, ...] = Field(min_length=1)
    trade: str
    weight: float = Field(gt=0)
    category: str | None = None
    vatable: bool = True
    hard: str | None = None

    @property
    def digital(self) -> str:
        """True label: yes, possible or no."""
        if self.bucket.startswith("digital"):
            return "yes"
        return "possible" if self.bucket == "possible" else "no"

    @property
    def nature(self) -> str:
        """True nature: capital, revenue, or unknown for balance-sheet lines."""
        if self.bucket == "balance_sheet":
            return "unknown"
        return "capital" if self.bucket.endswith("capital") else "revenue"


def _load() -> tuple[Kind, ...]:
    text = resources.files("pipeline.demo").joinpath("ledger.yaml").read_text(encoding="utf-8")
    return TypeAdapter(tuple[Kind, ...]).validate_python(parse_yaml(text))


KINDS: tuple[Kind, ...] = _load()
"""Every kind of payment, in the order of ``ledger.yaml``."""
