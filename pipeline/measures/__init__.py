"""Definitions of digital spending and of what it is divided by: one reviewed YAML file each.

Belongs here: the files and their strict loading. Does not belong here: the marts that use them.
The SQL of each definition becomes a view in the published database (``measures.d1`` and so on), so
that a researcher reads the same text that made the number.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from pipeline.yaml_text import read_yaml


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Definition(_Strict):
    """A numerator: what counts as spending on digital.

    ``sql`` returns organisation_code, financial_year, numerator_gbp, lower_gbp, upper_gbp and note,
    one row a trust and year for which the definition can be computed.
    """

    id: str = Field(pattern=r"^D[0-9]$")
    title: str
    kind: Literal["counted", "lower bound", "estimate"]
    formula: str
    needs: tuple[str, ...]
    uses_payments: bool
    caveats: str
    sources: tuple[str, ...]
    author: str
    reviewed: date
    version: str
    sql: str

    @property
    def view(self) -> str:
        """Name of the view in the database."""
        return f"measures.{self.id.lower()}"


class Denominator(_Strict):
    """What the numerator is divided by.

    ``sql`` returns organisation_code, financial_year, denominator_gbp and note.
    """

    id: str = Field(pattern=r"^[a-z_]+$")
    title: str
    formula: str
    is_default: bool = False
    caveats: str
    sources: tuple[str, ...]
    author: str
    reviewed: date
    version: str
    sql: str

    @property
    def view(self) -> str:
        """Name of the view in the database."""
        return f"measures.{self.id}"


class ReferenceLine(_Strict):
    """A published level to show beside the benchmark."""

    share: float = Field(gt=0, lt=1)
    label: str
    citation: str


class Parameter(_Strict):
    """A number that the SQL of the marts uses."""

    name: str
    value: float
    unit: str
    meaning: str
    basis: str


class Category(_Strict):
    """A kind of digital spending."""

    category: str
    title: str
    description: str
    is_basics: bool = False
    upper_bound_only: bool = False


class Measures(_Strict):
    """All measure files together."""

    definitions: tuple[Definition, ...]
    denominators: tuple[Denominator, ...]
    parameters: tuple[Parameter, ...]
    categories: tuple[Category, ...]
    reference_lines: tuple[ReferenceLine, ...]
    shared_sql: dict[str, str]


def _yaml(name: str) -> object:
    return read_yaml(Path(__file__).parent / name)


@cache
def load_measures() -> Measures:
    """Load every measure file strictly.

    Raises:
        pydantic.ValidationError: when a file has an unknown key or a bad value.
    """
    folder = Path(__file__).parent
    return Measures.model_validate(
        {
            "definitions": [
                _yaml(f"definitions/{p.name}")
                for p in sorted((folder / "definitions").glob("*.yaml"))
            ],
            "denominators": [
                _yaml(f"denominators/{p.name}")
                for p in sorted((folder / "denominators").glob("*.yaml"))
            ],
            "parameters": _yaml("parameters.yaml"),
            "categories": _yaml("categories.yaml"),
            "reference_lines": _yaml("reference_lines.yaml"),
            "shared_sql": {
                p.stem: p.read_text(encoding="utf-8")
                for p in sorted((folder / "shared").glob("*.sql"))
            },
        }
    )


def measure_frame() -> pl.DataFrame:
    """``dims.measure``: one row a definition and denominator."""
    measures = load_measures()
    rows = []
    for d in measures.definitions:
        for n in measures.denominators:
            rows.append(
                {
                    "definition": d.id,
                    "denominator": n.id,
                    "title": d.title,
                    "denominator_title": n.title,
                    "formula": d.formula,
                    "denominator_formula": n.formula,
                    "numerator_sql": d.sql,
                    "denominator_sql": n.sql,
                    "kind": d.kind,
                    "caveats": f"{d.caveats} {n.caveats}".strip(),
                    "author": d.author,
                    "reviewed": d.reviewed,
                    "version": f"{d.version}/{n.version}",
                    "is_default": n.is_default and d.id == "D1",
                }
            )
    return pl.DataFrame(rows)


def category_frame() -> pl.DataFrame:
    """``dims.category``."""
    return pl.DataFrame([c.model_dump() for c in load_measures().categories])


def parameter_frame(*, benchmark: float, extra: dict[str, float] | None = None) -> pl.DataFrame:
    """``dims.parameter``: the parameters of the files with the run's settings put in.

    Args:
        benchmark: the share every trust is compared with.
        extra: measured values that replace the defaults of the file, by name.
    """
    values = {"benchmark": benchmark, **(extra or {})}
    rows = [
        p.model_dump() | {"value": values.get(p.name, p.value)} for p in load_measures().parameters
    ]
    unknown = set(values) - {p.name for p in load_measures().parameters}
    if unknown:
        raise KeyError(f"no such parameter: {sorted(unknown)}")
    return pl.DataFrame(rows)
