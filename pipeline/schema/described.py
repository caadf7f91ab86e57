"""Views, macros and worked queries of the database: what they are called and what their columns mean.

Belongs here: the strict loading of ``views.yaml``, ``macros.yaml`` and ``examples.yaml``. Does not
belong here: the SQL of measures (``measures``), or writing anything into a database (``store``).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from pipeline.schema import FIRST_VERSION
from pipeline.yaml_text import read_yaml

_HERE = Path(__file__).parent


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Meaning(_Strict):
    """What one column of a view holds, and in which unit."""

    comment: str = Field(min_length=6)
    unit: str | None = None

    @property
    def said(self) -> str:
        """The sentence that travels with the column in the database."""
        return f"{self.comment} Unit: {self.unit}." if self.unit else self.comment


class View(_Strict):
    """One view: the grain, the key, and what columns mean where they mean something of their own.

    ``sql`` and ``title`` are given here for views that no measure makes.
    """

    name: str
    grain: str
    key: tuple[str, ...]
    title: str | None = None
    sql: str | None = None
    since: str = FIRST_VERSION
    columns: dict[str, Meaning] = Field(default_factory=dict)

    def meaning(self, column: str) -> Meaning:
        """What a column holds; KeyError when nobody described it."""
        own = self.columns.get(column) or self.columns.get("*")
        return own or common_columns()[column]


class Macro(_Strict):
    """One table macro: its parameters in order, its SQL, and a call of it.

    ``columns`` describes those that the views' common columns do not.
    """

    name: str
    title: str
    parameters: dict[str, str]
    grain: str
    caveat: str
    example: str
    sql: str
    since: str = FIRST_VERSION
    columns: dict[str, str]

    @property
    def call(self) -> str:
        """The macro with its parameters: ``compare(codes)``."""
        return f"{self.name}({', '.join(self.parameters)})"

    @property
    def comment(self) -> str:
        """The sentence that travels with the macro in the database."""
        told = " ".join(f"{name}: {said}" for name, said in self.parameters.items())
        return f"{self.title}. One row: {self.grain}. {told} CAREFUL: {self.caveat} Example: {self.example}"

    def meaning(self, column: str) -> Meaning:
        """What a column of the result holds; KeyError when nobody described it."""
        own = self.columns.get(column)
        if own is None:
            return common_columns()[column]
        unit = "GBP" if column.endswith("_gbp") else None
        return Meaning(comment=own, unit=unit)


class Example(_Strict):
    """A question with the query that answers it and how to read the answer."""

    question: str
    sql: str
    answer: str


@cache
def _views_file() -> dict[str, dict[str, dict[str, object]]]:
    return read_yaml(_HERE / "views.yaml")


@cache
def common_columns() -> dict[str, Meaning]:
    """Columns that mean the same in every view that does not say otherwise."""
    return {name: Meaning.model_validate(v) for name, v in _views_file()["columns"].items()}


@cache
def views() -> dict[str, View]:
    """Every view of the database by ``schema.view``.

    Raises:
        pydantic.ValidationError: when the YAML file has an unknown key or a bad value.
    """
    found = _views_file()["views"]
    return {name: View.model_validate({"name": name, **body}) for name, body in found.items()}


@cache
def macros() -> dict[str, Macro]:
    """Every table macro by name, in the order of the file."""
    found = read_yaml(_HERE / "macros.yaml")
    return {name: Macro.model_validate({"name": name, **body}) for name, body in found.items()}


@cache
def examples() -> tuple[Example, ...]:
    """The worked queries of ``meta.example``, in the order a newcomer needs them."""
    return tuple(Example.model_validate(body) for body in read_yaml(_HERE / "examples.yaml"))
