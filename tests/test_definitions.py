"""The Dagster graph: what is in it, and that it materialises."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from pipeline.definitions import build_defs
from pipeline.defs.keys import ALL_YEARS
from pipeline.defs.resources import Product
from pipeline.demo import Truth
from pipeline.schema import all_tables


@pytest.fixture(scope="module")
def defs() -> dg.Definitions:
    return build_defs()


def test_the_graph_is_the_one_that_was_reviewed(defs: dg.Definitions, snapshot) -> None:
    graph = defs.resolve_asset_graph()
    told = {
        "assets": {
            key.to_user_string(): {
                "group": graph.get(key).group_name,
                "partitioned": graph.get(key).is_partitioned,
                "upstream": sorted(p.to_user_string() for p in graph.get(key).parent_keys),
            }
            for key in sorted(graph.get_all_asset_keys(), key=lambda k: k.to_user_string())
        },
        "checks": sorted(
            f"{k.asset_key.to_user_string()}:{k.name}" for k in graph.asset_check_keys
        ),
        "jobs": sorted(j.name for j in defs.jobs or []),
        "schedules": {s.name: s.cron_schedule for s in defs.schedules or []},
        "sensors": sorted(s.name for s in defs.sensors or []),
    }
    assert told == snapshot


def test_every_table_but_those_written_at_publication_is_an_asset(defs: dg.Definitions) -> None:
    keys = {
        k.to_user_string().replace("/", ".")
        for k in defs.resolve_asset_graph().get_all_asset_keys()
    }
    assert set(all_tables()) - keys == {
        "meta.build",
        "meta.check_result",
        "meta.figure_history",
        "meta.change",
    }


def test_every_asset_has_a_description_owners_and_columns(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert node.owners, key
        if key.path[0] in ("dims", "facts", "marts", "meta"):
            assert "dagster/column_schema" in node.metadata, key


def test_the_whole_graph_materialises_and_publishes(
    small_demo: tuple[Path, Truth], tmp_path: Path
) -> None:
    product = Product(raw=str(small_demo[0]), out=str(tmp_path / "out"))
    job = build_defs({"product": product}).resolve_job_def("refresh")
    result = job.execute_in_process(tags=ALL_YEARS)
    assert result.success
    assert (tmp_path / "out" / "fivepercent.duckdb").exists()
    assert (tmp_path / "out" / "charts" / "index.html").exists()
    evaluations = result.get_asset_check_evaluations()
    assert len(evaluations) > 10
    assert not [
        e for e in evaluations if not e.passed and e.severity == dg.AssetCheckSeverity.ERROR
    ]
    counts = {
        e.asset_key.to_user_string(): e.step_materialization_data.materialization.metadata
        for e in result.get_asset_materialization_events()
    }
    assert counts["marts/digital_share"]["dagster/row_count"].value > 0
    assert counts["facts/payment"]["dagster/row_count"].value > 0


def test_a_failing_blocking_check_stops_what_comes_after_it(
    small_demo: tuple[Path, Truth], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.refresh import payments

    real = payments.classify_lines
    monkeypatch.setattr(
        payments, "classify_lines", lambda lines, c: real(lines, c).tail(lines.height - 1)
    )
    product = Product(raw=str(small_demo[0]), out=str(tmp_path / "out"))
    job = build_defs({"product": product}).resolve_job_def("refresh")
    result = job.execute_in_process(tags=ALL_YEARS, raise_on_error=False)
    assert not result.success
    assert not (tmp_path / "out" / "fivepercent.duckdb").exists()
