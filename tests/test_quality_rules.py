"""The written rules and the published figures are well formed, and every query can be run."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError
from quality_frames import rows, store_of

from pipeline.quality import suite_for
from pipeline.quality.engine import opened, rows_that_break
from pipeline.quality.golden import quantities
from pipeline.quality.rules import Rule, all_rules
from pipeline.reference.golden import GoldenFigure, golden_figures
from pipeline.schema import all_tables


def test_every_written_rule_is_about_a_table_of_the_contract():
    assert set(all_rules()) <= set(all_tables())
    for entries in all_rules().values():
        for rule in entries:
            assert set(rule.needs) <= set(all_tables()), rule.check


def test_a_rule_that_reads_another_table_says_that_it_needs_it():
    for name, entries in all_rules().items():
        for rule in entries:
            for other in set(all_tables()) - {name, *rule.needs}:
                read = re.search(rf" {re.escape(other)}\b", rule.rows)
                assert not read, f"{name}/{rule.check} reads {other}"


def test_check_names_are_unique_in_a_suite():
    for table in all_tables().values():
        names = [check.check_name for check in suite_for(table)]
        assert len(names) == len(set(names)), table.full_name


def test_every_query_runs_on_a_store_with_every_table(tmp_path):
    store = store_of(tmp_path, **{n.replace(".", "__"): rows(n, {}) for n in all_tables()})
    with opened(store, all_tables()) as connection:
        for table in all_tables().values():
            for check in suite_for(table):
                connection.execute(f"select count(*) from ({rows_that_break(check)})").fetchall()
        for query in quantities().values():
            connection.execute(
                query.sql, {"period": "2020-04-01"} if "::date" in query.sql else {"period": "2020"}
            ).fetchall()


def test_every_quantity_of_a_published_figure_has_a_query_and_is_used():
    assert {figure.quantity for figure in golden_figures()} == set(quantities())


def test_a_rule_without_the_table_it_is_about_is_refused():
    good = {"check": "a", "severity": "warning", "expected": "All is well.", "fix": "Look there."}
    Rule(**good, rows="select * from {batch}")
    with pytest.raises(ValidationError, match="rows"):
        Rule(**good, rows="select 1")


def test_a_published_figure_with_an_unknown_field_is_refused():
    figure = golden_figures()[0].model_dump()
    with pytest.raises(ValidationError, match="vintage"):
        GoldenFigure(**figure, vintage="2024")
