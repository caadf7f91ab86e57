"""The claims ledger: every entry says who, when, where it is written, and how it can be checked."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from pipeline.marts import measure_views
from pipeline.reference import claims as module
from pipeline.reference.claims import (
    CITED_TABLES,
    Claim,
    Promise,
    PublishedEvidence,
    claims,
    promises,
    published_evidence,
)
from pipeline.schema import all_tables

BY_ID = {claim.id: claim for claim in claims()}

#: What section 6 of the method asks for, by identifier.
ASKED_FOR = {
    "five_percent_level",
    "nao_below_two_percent",
    "think_tank_below_five",
    "wanless_then_one_and_a_half",
    "wanless_three_percent",
    "carter_back_office",
    "cost_of_digitising_england",
    "capital_third_revenue_two_thirds",
    "historic_2005_06",
    "historic_2006_07",
    "historic_2008_09",
    "historic_2015_16",
    "historic_2020_21",
    "digital_workforce_plan",
    "ten_thousand_five_hundred_posts",
    "digital_workforce_baseline",
    "digital_workforce_in_2030",
    "app_28_million",
    "app_front_door",
    "third_of_interactions_digital",
    "remote_monitoring_500000",
    "pre_assessment_from_home",
    "paperless_by_2024",
    "digital_skills_tool",
    "epr_ninety_percent_2023",
    "epr_ninety_five_percent_2025",
    "promise_two_billion",
    "promise_three_point_four_billion",
    "promise_ten_billion",
    "minimum_digital_foundations",
    "federated_data_platform_live",
    "virtual_wards_40_per_100000",
    "security_standards_met",
    "level_up_maturity",
    "records_cost_falls",
    "systems_control_their_programmes",
    "capital_where_revenue_is_needed",
    "annual_funding_crowds_the_year_end",
    "chronic_short_termism",
    "digital_raises_productivity",
    "co_design_with_staff",
    "non_clinical_staff",
}


def entry(**changes: Any) -> dict[str, Any]:
    """A valid entry of the ledger with some fields changed; None removes one."""
    base: dict[str, Any] = {
        "id": "an_example",
        "theme": "records",
        "claim": "Every ward will have a working printer.",
        "kind": "target",
        "said_by": "A fictional minister",
        "said_on": "2024-05",
        "citation": "Fictional ministry, A plan for printers, May 2024",
        "metric": "Wards with a printer",
        "query": "select 1 as value, 'x' as evidence, null as as_at from facts.epr",
        "caveat": "Nobody prints any more.",
        "reviewed": dt.date(2026, 11, 22),
        "author": "a test",
    }
    return {k: v for k, v in (base | changes).items() if v is not None}


def test_the_ledger_covers_the_policy_debate():
    assert len(claims()) >= 30
    assert set(BY_ID) >= ASKED_FOR


@pytest.mark.parametrize("claim", claims(), ids=lambda claim: claim.id)
def test_every_claim_has_a_query_or_the_reason_why_there_is_none(claim):
    assert (claim.query is None) != (claim.not_measurable_reason is None)


@pytest.mark.parametrize("entries", [claims(), promises(), published_evidence()])
def test_every_entry_names_its_document(entries):
    for item in entries:
        assert any(character.isdigit() for character in item.citation) or (
            "not verified here" in item.citation
        ), f"{item.id}: the citation has no date and does not say that it is not verified"


def test_what_was_said_without_a_known_date_says_so_in_its_citation():
    undated = [claim for claim in claims() if claim.said_on is None]
    assert undated
    for claim in undated:
        assert "not verified here" in claim.citation, claim.id


def test_a_due_date_lies_after_the_day_it_was_set():
    for claim in claims():
        if claim.due and claim.said_on:
            assert str(claim.due) > claim.said_on, claim.id


@pytest.mark.parametrize("claim", [c for c in claims() if c.query], ids=lambda claim: claim.id)
def test_queries_read_tables_that_are_published(claim):
    published = set(all_tables()) | {name for name, _, _ in measure_views()}
    assert set(claim.tables) <= published


def test_cited_figures_that_queries_ask_for_exist():
    known = {item.id for item in published_evidence()} | {item.id for item in promises()}
    for claim in claims():
        for part in (claim.query or "").split("_id = '")[1:]:
            assert part.split("'")[0] in known, claim.id


def test_a_claim_that_rests_on_citations_alone_is_not_called_computed():
    assert not BY_ID["historic_2006_07"].is_computed
    assert BY_ID["virtual_wards_40_per_100000"].is_computed
    for claim in claims():
        assert claim.is_computed == bool(set(claim.tables) - CITED_TABLES)


def test_targets_that_can_be_measured_have_a_threshold():
    for claim in claims():
        if claim.kind == "target" and claim.query:
            assert claim.threshold is not None, claim.id


def test_the_digital_workforce_figures_are_those_published():
    figures = {item.id: item.value for item in published_evidence()}
    assert figures["digital_workforce_2020"] == 46_009
    assert figures["digital_workforce_2030"] == 77_923
    assert round(10_500 / 46_009, 3) == 0.228


def test_the_costing_of_2025_adds_up_to_a_third_capital():
    """GBP 5bn capital, 2.25bn once and 1.5bn a year for five years."""
    total = 5 + 2.25 + 5 * 1.5
    assert total == 14.75
    assert round(5 / total, 2) == 0.34


def test_promised_money_is_not_called_delivered_without_a_citation():
    for promise in promises():
        assert (promise.delivered_gbp is None) == (promise.delivered_citation is None)
        if promise.delivered_gbp is not None:
            assert promise.delivered_gbp <= promise.promised_gbp


def test_a_claim_with_both_a_query_and_a_reason_is_refused():
    reason = "Nobody publishes the number of printers by ward."
    with pytest.raises(ValidationError, match="exactly one of query and not_measurable_reason"):
        Claim.model_validate(entry(not_measurable_reason=reason))


def test_a_claim_with_neither_is_refused():
    with pytest.raises(ValidationError, match="exactly one of query and not_measurable_reason"):
        Claim.model_validate(entry(query=None))


def test_a_query_that_reads_no_table_is_refused():
    with pytest.raises(ValidationError, match="reads no table"):
        Claim.model_validate(entry(query="select 1 as value, 'x' as evidence, null as as_at"))


@pytest.mark.parametrize(
    "changes",
    [
        {"citation": ""},
        {"citation": None},
        {"said_on": "May 2024"},
        {"url": "http://example.org/plan"},
        {"kind": "rumour"},
        {"caveat": None},
        {"surprise": "a field nobody knows"},
        {"partly_from": 0.5},
    ],
)
def test_a_careless_entry_is_refused(changes):
    with pytest.raises(ValidationError):
        Claim.model_validate(entry(**changes))


def test_a_date_is_kept_as_exactly_as_it_is_known():
    for written in ("2007", "2007-03", "2007-03-05"):
        item = entry(said_on=yaml.safe_load(written))
        assert Claim.model_validate(item).said_on == written


def test_delivered_money_needs_its_citation():
    with pytest.raises(ValidationError, match="delivered_gbp and delivered_citation go together"):
        Promise.model_validate(
            {
                "id": "an_example",
                "programme": "Printers for every ward",
                "promised_gbp": 100,
                "promised_by": "A fictional minister",
                "promised_on": "2024",
                "citation": "Fictional ministry, A plan for printers, May 2024",
                "period": "2024-25",
                "delivered_gbp": 50,
                "note": "Paper is not included.",
                "reviewed": dt.date(2026, 11, 22),
                "author": "a test",
            }
        )


def test_a_published_figure_needs_its_unit():
    with pytest.raises(ValidationError, match="value and unit go together"):
        PublishedEvidence.model_validate(
            {
                "id": "an_example",
                "subject": "printers",
                "finding": "There were 12 printers in the ward.",
                "value": 12,
                "as_at": dt.date(2024, 5, 1),
                "citation": "Fictional ministry, Printer census, May 2024",
            }
        )


def test_an_identifier_used_twice_is_named_with_its_file():
    with pytest.raises(ValueError, match=r"claims\.yaml: an_example appear more than once"):
        module.unique([Claim.model_validate(entry())] * 2, "claims.yaml")
