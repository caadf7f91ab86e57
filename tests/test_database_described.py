"""The database explains itself: comments, dictionary, keys, order, warnings, worked queries."""

from __future__ import annotations

import re
from collections.abc import Iterator

import duckdb
import pytest

from pipeline.refresh import Summary
from pipeline.schema import all_tables
from pipeline.schema.described import examples, macros, views
from pipeline.settings import Settings


@pytest.fixture(scope="module")
def file(demo_build: tuple[Settings, Summary]) -> Iterator[duckdb.DuckDBPyConnection]:
    path = demo_build[0].out / "fivepercent.duckdb"
    connection = duckdb.connect(str(path), read_only=True)
    yield connection
    connection.close()


def one(file: duckdb.DuckDBPyConnection, sql: str) -> object:
    """The single value of a query."""
    return file.execute(sql).fetchall()[0][0]


def test_every_table_view_macro_and_column_carries_a_comment(file) -> None:
    silent = file.execute(
        "select schema_name || '.' || table_name from duckdb_tables() where comment is null"
        " union all select schema_name || '.' || view_name from duckdb_views() where not internal and comment is null"
        " union all select function_name from duckdb_functions()"
        " where function_type = 'table_macro' and not internal and comment is null"
        " union all select schema_name || '.' || table_name || '.' || column_name from duckdb_columns()"
        " where not internal and comment is null"
    ).fetchall()
    assert silent == []
    named = file.execute(
        "select function_name from duckdb_functions() where function_type = 'table_macro' and not internal"
    ).fetchall()
    assert {name for (name,) in named} == set(macros())


def test_a_comment_names_nothing_that_is_not_in_the_file(file) -> None:
    """A caveat said "see vat_basis", and there was no such thing to see."""
    known = file.execute(
        "select column_name from duckdb_columns() union select table_name from information_schema.tables"
        " union select function_name from duckdb_functions() union select name from dims.parameter"
        " union select pillar from marts.maturity union select unnest(['core_1', 'core_5', 'staff_group'])"
    ).fetchall()
    comments = file.execute(
        "select schema_name || '.' || table_name || '.' || column_name, comment from duckdb_columns()"
        " where not internal union all select schema_name || '.' || table_name, comment from duckdb_tables()"
        " union all select schema_name || '.' || view_name, comment from duckdb_views() where not internal"
    ).fetchall()
    names = {name for (name,) in known}
    named = {
        (at, word)
        for at, text in comments
        for word in re.findall(r"\b[a-z]+(?:_[a-z0-9]+)+\b", text)
    }
    assert len(named) > 50
    assert {(at, word) for at, word in named if word not in names} == set()


def test_the_comment_of_a_column_is_the_meaning_in_the_dictionary(file) -> None:
    different = file.execute(
        "select d.table_name, d.column_name from duckdb_columns() as d left join meta.column as c"
        " on c.table_name = d.schema_name || '.' || d.table_name and c.column_name = d.column_name"
        " where not d.internal and (c.meaning is null or not starts_with(d.comment, c.meaning)"
        " or (c.unit is not null and not contains(d.comment, 'Unit: ' || c.unit))"
        " or (c.caveat is not null and not contains(d.comment, c.caveat)))"
    ).fetchall()
    assert different == []


def test_the_dictionary_has_every_column_in_its_place_with_its_type(file) -> None:
    wrong = file.execute(
        "select coalesce(c.table_name, d.table_name), c.column_name, d.column_name, c.type, d.data_type"
        " from (select schema_name || '.' || table_name as table_name, * exclude (table_name)"
        " from duckdb_columns() where not internal) as d"
        " full join (select * from meta.column where table_name not in"
        " (select table_name from meta.table where kind = 'macro')) as c"
        " on c.table_name = d.table_name and c.position = d.column_index + (select 1 - min(column_index)"
        " from duckdb_columns() where not internal)"
        " where c.column_name is distinct from d.column_name or c.type is distinct from d.data_type"
    ).fetchall()
    assert wrong == []


def test_the_columns_of_a_macro_are_those_in_the_dictionary(file) -> None:
    for macro in macros().values():
        arguments = ", ".join("['RZ1']" if p == "codes" else "null" for p in macro.parameters)
        found = [r[:2] for r in file.execute(f"describe from {macro.name}({arguments})").fetchall()]
        told = file.execute(
            "select column_name, type from meta.column where table_name = ? order by position",
            [f"main.{macro.name}"],
        ).fetchall()
        assert found == told, macro.name


def test_formula_and_source_say_how_a_share_is_made(file) -> None:
    rows = {
        column: (formula, source)
        for column, formula, source in file.execute(
            "select column_name, formula, source from meta.column where table_name = 'marts.digital_share'"
        ).fetchall()
    }
    assert rows["share"][0] == "numerator_gbp / denominator_gbp"
    assert "facts.payment.amount_gbp" in rows["share_upper"][1]
    assert rows["organisation_code"][0] is None
    # whatever a mart computes, it says how or from what
    bare = file.execute(
        "select table_name, column_name from meta.column where table_name like 'marts.%'"
        " and type in ('DOUBLE', 'DECIMAL(18,2)') and formula is null and source is null"
    ).fetchall()
    assert bare == []
    assert one(file, "select count(*) from meta.column where first_published is null") == 0


def test_keys_name_one_row_in_tables_and_in_views(file) -> None:
    for name, table in all_tables().items():
        keys = ", ".join(table.key)
        rows, distinct = file.execute(
            f"select count(*), count(distinct ({keys})) from {name}"
        ).fetchall()[0]
        assert rows == distinct, f"{name} by {keys}"
    for name, view in views().items():
        keys = ", ".join(view.key)
        rows, distinct = file.execute(
            f"select count(*), count(distinct ({keys})) from {name}"
        ).fetchall()[0]
        assert rows == distinct, f"{name} by {keys}"


def test_rows_lie_in_the_order_that_is_declared(file) -> None:
    for name, table in all_tables().items():
        order = ", ".join(f"{column} nulls last" for column in table.order)
        turned = one(
            file,
            f"select count(*) from (select rowid as here, row_number() over (order by {order}) - 1 as place"
            f" from {name}) where here <> place",
        )
        assert turned == 0, f"{name} by {order}"


def test_warnings_stand_beside_the_tables_they_are_about(file) -> None:
    beside = file.execute("select table_name, warning, safe_filter from facts.usage_warning")
    payment = [r for r in beside.fetchall() if r[0] == "facts.payment"]
    assert {r[2] for r in payment} >= {
        "not is_balance_sheet and not is_superseded and not is_duplicate"
    }
    told = one(
        file,
        "select (select count(*) from dims.usage_warning) + (select count(*) from facts.usage_warning)"
        " + (select count(*) from marts.usage_warning)",
    )
    about_meta = one(file, "select count(*) from meta.usage_warning where table_name like 'meta.%'")
    assert told + about_meta == one(file, "select count(*) from meta.usage_warning")


def test_the_safe_filters_are_conditions_of_their_tables(file) -> None:
    filters = file.execute(
        "select table_name, safe_filter from meta.usage_warning where safe_filter is not null"
    ).fetchall()
    assert filters
    for name, condition in filters:
        kept = one(file, f"select count(*) from {name} where {condition}")
        assert 0 < kept <= one(file, f"select count(*) from {name}"), (name, condition)


def test_every_worked_query_runs_as_it_stands_and_answers(file) -> None:
    told = file.execute("select step, question, sql from read_me order by step").fetchall()
    assert len(told) == len(examples())
    may_be_empty = {"What did publishers change after first publication?"}
    for _, question, sql in told:
        rows = file.execute(sql).fetchall()
        assert rows or question in may_be_empty, question


def test_d1_recomputed_from_the_payments_in_one_query_equals_the_mart(file) -> None:
    sql = next(e.sql for e in examples() if e.question.startswith("Can I recompute D1"))
    recomputed, published = file.execute(sql).fetchall()[0][-2:]
    assert published > 0
    assert recomputed == pytest.approx(published, rel=1e-12)


def test_money_that_is_added_up_is_exact(file) -> None:
    floating = file.execute(
        "select table_name || '.' || column_name from meta.column where unit = 'GBP' and type = 'DOUBLE'"
        " and (table_name like 'marts.%' or table_name = 'facts.payment') order by all"
    ).fetchall()
    assert floating == [("marts.records_cost.per_million_spent",)]  # a ratio
    both = file.execute(
        "select (select sum(amount_gbp) from marts.spend_mix where digital = 'yes'),"
        " (select sum(digital_gbp) from measures.payment_sum),"
        " (select sum(p.amount_gbp) from facts.payment as p left join dims.category as c using (category)"
        " where p.digital = 'yes' and not coalesce(c.upper_bound_only, false) and not is_balance_sheet"
        " and not is_superseded and not is_duplicate)"
    ).fetchall()[0]
    assert both[0] == both[2] > 0  # to the penny, without a tolerance
    assert float(both[0]) == pytest.approx(both[1])
