"""The description of tables says what it may say: every process reads it without the library that checks it here."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from pydantic import TypeAdapter, ValidationError

from pipeline.charts.board_map import Hex, hexes
from pipeline.schema import Column, Table, all_tables

COLUMN = {"name": "share", "type": "DOUBLE", "comment": "Share of expenditure."}


def refused(kind: type, value: object) -> str:
    """What the library that checks kinds strictly says against a value; empty when nothing."""
    try:
        TypeAdapter(kind).validate_json(json.dumps(asdict(value)), strict=True)
    except ValidationError as error:
        return str(error)
    return ""


def test_every_value_of_the_description_is_of_its_kind():
    for table in all_tables().values():
        assert refused(Table, table) == ""
    for place in hexes().values():
        assert refused(Hex, place) == ""


def test_a_value_of_another_kind_is_found_by_that():
    assert "nullable" in refused(Column, Column(**{**COLUMN, "nullable": "yes"}))
    assert "label" in refused(Hex, Hex(row=1, column=2, label=3))


@pytest.mark.parametrize(
    ("spoil", "error", "says"),
    [
        ({"unitt": "GBP"}, TypeError, "unitt"),
        ({"name": "Share of"}, ValueError, "Share of"),
        ({"type": "FLOAT"}, ValueError, "FLOAT"),
        ({"comment": "?"}, ValueError, "comment"),
    ],
)
def test_a_column_that_cannot_be_is_refused_when_it_is_read(spoil, error, says):
    Column(**COLUMN)
    with pytest.raises(error, match=says):
        Column(**{**COLUMN, **spoil})


def test_a_table_without_a_key_is_refused():
    with pytest.raises(ValueError, match=r"marts\.x"):
        Table(
            database_schema="marts", name="x", title="t", grain="g", question="q", key=(),
            columns=(Column(**COLUMN),),
        )  # fmt: skip
