"""Reviewed ledgers about organisations: later successions, former names, trusts to leave out.

Belongs here: what a person looked up and cited because no file of the register holds it.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from pipeline.yaml_text import read_yaml

WELSH_TRUSTS = ("RQF", "RT4", "RYT")
"""In the register of trusts but not in England."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Succession(_Strict):
    """One change of code: the old organisation, the new one, and how much goes over."""

    old_code: str = Field(pattern=r"^[A-Z0-9]{3,5}$")
    new_code: str = Field(pattern=r"^[A-Z0-9]{3,5}$")
    date: date
    weight: float = Field(default=1.0, gt=0, le=1)
    note: str = Field(min_length=10)
    citation: str = Field(min_length=10)
    assumption: str | None = None


class FormerName(_Strict):
    """A name that is no longer in the register, and the code its bearer kept."""

    code: str = Field(pattern=r"^[A-Z0-9]{3,5}$")
    name: str = Field(min_length=4)


def _load(stem: str) -> list[dict[str, object]]:
    return read_yaml(Path(__file__).parent / f"{stem}.yaml")


@cache
def successions() -> tuple[Succession, ...]:
    """The ledger of successions.

    Raises:
        pydantic.ValidationError: when an entry has an unknown key or a bad value.
        ValueError: when the weights of an old code do not add up to 1.
    """
    entries = tuple(Succession.model_validate(entry) for entry in _load("successions"))
    for old in {entry.old_code for entry in entries}:
        total = sum(entry.weight for entry in entries if entry.old_code == old)
        if abs(total - 1) > 1e-9:
            raise ValueError(
                f"pipeline/reference/successions.yaml: the weights of {old} add up to {total}, "
                "expected 1; correct the entries of that code"
            )
    return entries


@cache
def split_weights() -> dict[tuple[str, str], float]:
    """Weights of splits that are in the register's own file, where no weight is published."""
    return {
        (str(e["old_code"]), str(e["new_code"])): float(str(e["weight"]))
        for e in _load("split_weights")
    }


@cache
def former_names() -> tuple[FormerName, ...]:
    """The ledger of former names."""
    return tuple(FormerName.model_validate(entry) for entry in _load("former_names"))
