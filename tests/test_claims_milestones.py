"""Milestones: nothing is hidden, nothing fails on what is not there, fiction is marked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import duckdb
import polars as pl
import pytest
from claims_frames import TODAY, cite, fill, outcome, register, share, shares, trust
from quality_frames import rows

from pipeline.marts import open_store
from pipeline.marts.judging import STATUSES
from pipeline.marts.milestones import LEDGER_MARTS, build_milestones, tables_read_by
from pipeline.reference.claims import claims, promises
from pipeline.schema import all_tables, table
from pipeline.store import TableStore
from pipeline.store.tables import conform


@pytest.fixture(scope="module")
def opened(tmp_path_factory) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = open_store(TableStore(tmp_path_factory.mktemp("empty")))
    yield connection
    connection.close()


@pytest.fixture
def empty(opened) -> Iterator[duckdb.DuckDBPyConnection]:
    """Every table of the contract, without a row; what a test puts in is rolled back after it."""
    opened.execute("begin transaction")
    yield opened
    opened.execute("rollback")


def test_every_query_runs_on_an_empty_build_and_names_what_is_missing(empty):
    frame = build_milestones(empty, today=TODAY)
    assert frame.height == len(claims())
    asked = frame.filter(pl.col("query").is_not_null())
    assert set(asked["status"]) == {"data not here"}
    assert all("No rows in " in text for text in asked["evidence"])
    wards = asked.row(by_predicate=pl.col("claim_id") == "virtual_wards_40_per_100000", named=True)
    assert "facts.virtual_ward (virtual_wards)" in wards["evidence"]


def test_an_unmeasurable_claim_is_grey_and_says_why(empty):
    frame = build_milestones(empty, today=TODAY).filter(pl.col("query").is_null())
    assert set(frame["status"]) == {"not measurable in public data"}
    assert frame["evidence"].to_list() == frame["not_measurable_reason"].to_list()
    assert frame["value"].null_count() == frame.height


def test_the_three_tables_fit_their_contract_and_can_be_stored(tmp_path):
    store = TableStore(tmp_path)
    connection = open_store(store)
    for name, build in LEDGER_MARTS.items():
        frame = build(connection)
        assert conform(frame, table(name)).height == store.write(name, frame).height
        assert frame.select(table(name).key).is_unique().all()
    assert store.read("marts.promised_money").height == len(promises())
    assert set(store.read("marts.milestone")["status"]) <= set(STATUSES)


def test_cited_claims_need_no_data_of_ours(empty):
    cite(empty)
    row = outcome(empty, "historic_2006_07")
    assert (row["status"], row["value"]) == ("context", 0.0177)
    assert row["evidence_basis"] == "published figure"
    assert row["evidence_as_at"] == dt.date(2007, 3, 31)
    assert outcome(empty, "digital_workforce_plan")["status"] == "not met"
    assert outcome(empty, "epr_ninety_five_percent_2025")["status"] == "not met"
    assert outcome(empty, "app_75_percent_2024")["status"] == "met"


def test_evidence_older_than_the_due_date_leaves_the_question_open(empty):
    cite(empty)
    row = outcome(empty, "epr_all_trusts_2026")
    assert row["status"] == "data not here"
    assert "Nothing here shows 31 March 2026 or later." in row["evidence"]


def test_money_due_in_the_future_is_not_called_broken(empty):
    cite(empty)
    assert outcome(empty, "promise_ten_billion")["status"] == "not yet due"
    late = outcome(empty, "promise_ten_billion", dt.date(2030, 1, 1))
    assert late["status"] == "not measurable in public data"
    assert "published as delivered: nothing" in late["evidence"]


def test_a_promise_paid_in_part_is_partly_met(empty):
    cite(empty)
    row = outcome(empty, "promise_two_billion")
    assert (row["status"], row["value"]) == ("partly", pytest.approx(0.2))


def test_computed_evidence_of_the_demonstration_is_marked_and_cited_evidence_stays_real(empty):
    fill(empty, "dims.organisation", trust("ZZ1", is_demo=True))
    cite(empty)
    shares(empty, share("ZZ1", 0.02))
    frame = build_milestones(empty, today=TODAY)
    assert frame["is_demo"].all()
    for row in frame.iter_rows(named=True):
        computed = row["evidence_basis"] == "computed from this build"
        assert row["evidence"].startswith("DEMONSTRATION, fictional data: ") == computed
    assert (frame["evidence_basis"] == "computed from this build").any()


def test_real_organisations_are_not_marked(empty):
    fill(empty, "dims.organisation", trust("ZZ1"))
    frame = build_milestones(empty, today=TODAY)
    assert not frame["is_demo"].any()
    assert not any("DEMONSTRATION" in text for text in frame["evidence"])


def test_the_query_kept_in_the_table_gives_the_value_again(empty):
    cite(empty)
    shares(empty, share("ZZ1", 0.02), share("ZZ2", 0.06))
    kept = build_milestones(empty, today=TODAY).filter(pl.col("value").is_not_null())
    assert kept.height > 15
    for row in kept.iter_rows(named=True):
        assert empty.sql(row["query"]).pl()["value"][0] == pytest.approx(row["value"])


@pytest.mark.parametrize("holes", [False, True])
def test_every_query_runs_on_tables_of_one_row(empty, holes):
    """With harmless values everywhere, and with a hole wherever the contract allows one."""
    for name, spec in all_tables().items():
        gaps = {c.name: None for c in spec.columns if c.nullable} if holes else {}
        register(empty, name, rows(name, gaps))
    cite(empty)
    frame = build_milestones(empty, today=TODAY)
    assert frame.height == len(claims())
    assert set(frame["status"]) <= set(STATUSES)
    assert conform(frame, table("marts.milestone")).height == frame.height


def test_lineage_of_the_milestones_is_what_the_queries_read():
    assert {"facts.epr", "marts.digital_share", "marts.promised_money"} <= tables_read_by(
        "marts.milestone"
    )
    assert tables_read_by("marts.promised_money") == {"dims.organisation"}
    with pytest.raises(KeyError, match=r"marts\.peer is not made from the ledger"):
        tables_read_by("marts.peer")


@pytest.mark.real
def test_the_real_files_give_the_published_answers(real_raw, tmp_path):
    """The small sources of the real tree, read as a refresh reads them."""
    from pipeline.refresh import sources
    from pipeline.refresh.context import Run
    from pipeline.settings import Settings

    run = Run(Settings(raw=real_raw, out=tmp_path))
    sources.build_reference_dims(run)
    sources.build_organisations(run)
    small = {"epr_suppliers", "medical_records_cost", "fdp", "virtual_wards", "dspt"}
    small |= {"gdp_deflator", "digital_maturity"}
    for source in sources.SOURCES:
        if source.source_id in small:
            sources.build_source(run, source, sources.register_of(run))
    connection = open_store(run.store)
    cite(connection)
    found = {row["claim_id"]: row for row in build_milestones(connection, today=TODAY).to_dicts()}
    assert len(found) == len(claims()) >= 30
    expected = {
        "epr_ninety_percent_2023": ("met", 189 / 209),
        "virtual_wards_40_per_100000": ("not met", 20.9),
        "virtual_wards_10000": ("met", 10_737),
        "security_standards_met": ("not met", 153 / 211),
        "level_up_maturity": ("met", 0.153),
        "records_cost_falls": ("met", -0.033),
    }
    for name, (status, value) in expected.items():
        assert found[name]["status"] == status, name
        assert found[name]["value"] == pytest.approx(value, abs=0.001), name
    evidence = found["records_cost_falls"]["evidence"]
    assert "-13.2% in all, where 211 trusts reported first and 193 last" in evidence
    assert "123 trusts live" in found["federated_data_platform_live"]["evidence"]
    assert found["five_percent_level"]["status"] == "data not here"
    assert not found["epr_ninety_percent_2023"]["is_demo"]
