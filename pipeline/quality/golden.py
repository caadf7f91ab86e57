"""Golden checks: what publishers say their files add up to, against what we read from them.

Belongs here: the query behind each published quantity and the decision whether a figure applies.
Does not belong here: the figures themselves (``pipeline/reference/golden.yaml``).

A figure is about one vintage of one publication. It applies when the period is here and complete
enough to compare. More organisations than the vintage had means a newer publication, fewer than
half of them an extract; in both cases a difference is a warning, because nothing was lost by us.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import duckdb

from pipeline.quality.results import CheckResult, Severity
from pipeline.reference.golden import GoldenFigure, golden_figures

# Each query gives, for the period $period: the value, the organisations it covers, and the latest
# period of the table; no row when the period is not here (or not in a comparable state).
_ACCOUNTS = """
    select {value}, count(distinct organisation_name), null from facts.account_line
    where financial_year = $period and main_code = 'A08CY01' and sub_code = 'EXP0390'
    -- trusts and foundation trusts come in separate workbooks: one of them alone is not the total
    having count(*) filter (contains(upper(organisation_name), 'FOUNDATION TRUST')) > 0
    and count(*) filter (not contains(upper(organisation_name), 'FOUNDATION TRUST')) > 0
"""
_MATURITY = """
    select {value}, count(distinct organisation_name),
    (select max(year) from facts.maturity)::varchar from facts.maturity
    where year = $period::int and organisation_kind = '{kind}' and pillar <> 'overall_comparable'
    having count(*) > 0
"""
_RECORDS = """
    select sum({value}) / 1e6, count(*) filter (total_gbp > 0),
    (select max(financial_year) from facts.records_cost) from facts.records_cost
    where financial_year = $period having count(*) > 0
"""
_EPR = """
    select {value}, count(*), null from facts.epr where as_at = $period::date having count(*) > 0
"""
_WORKFORCE = """
    select {value}, count(distinct organisation_code), null from facts.workforce
    where month = $period::date and publication = 'turnover' and {where} having count(*) > 0
"""
_UNEXPLAINED = """
    select sum(abs(gap)), count(*), null from (
    select organisation_code,
    coalesce(sum(fte) filter (is_total), 0) - coalesce(sum(fte) filter (not is_total), 0) as gap
    from facts.workforce where month = $period::date and publication = 'turnover' group by all)
    having count(*) > 0
"""
_IS_BOARD = "coalesce(cluster_group, '') ilike 'integrated care board%'"
_TRUSTS = "count(distinct organisation_name)"


@dataclass(frozen=True)
class _Query:
    table: str
    sql: str


@cache
def quantities() -> dict[str, _Query]:
    """The table and the query behind each quantity of ``golden.yaml``."""
    accounts, maturity = "facts.account_line", "facts.maturity"
    records, epr, workforce = "facts.records_cost", "facts.epr", "facts.workforce"
    rows = "count(distinct (organisation_name, care_setting))"
    acute = "avg(score) filter (lower(care_setting) = 'acute')"
    heads = "count(distinct organisation_code)"
    return {
        "operating_expenditure": _Query(accounts, _ACCOUNTS.format(value="sum(value) / 1e6")),
        "providers": _Query(accounts, _ACCOUNTS.format(value=_TRUSTS)),
        "maturity_trusts": _Query(maturity, _MATURITY.format(value=_TRUSTS, kind="trust")),
        "maturity_rows": _Query(maturity, _MATURITY.format(value=rows, kind="trust")),
        "maturity_boards": _Query(maturity, _MATURITY.format(value=_TRUSTS, kind="icb")),
        "maturity_acute_mean": _Query(maturity, _MATURITY.format(value=acute, kind="trust")),
        "records_cost": _Query(records, _RECORDS.format(value="total_gbp")),
        "records_cost_on_site": _Query(records, _RECORDS.format(value="on_site_gbp")),
        "records_cost_off_site": _Query(records, _RECORDS.format(value="off_site_gbp")),
        "epr_trusts": _Query(epr, _EPR.format(value="count(*)")),
        "epr_without": _Query(epr, _EPR.format(value="count(*) filter (not has_epr)")),
        "workforce_trusts": _Query(
            workforce, _WORKFORCE.format(value=heads, where=f"not {_IS_BOARD}")
        ),
        "workforce_boards": _Query(workforce, _WORKFORCE.format(value=heads, where=_IS_BOARD)),
        "workforce_unexplained": _Query(workforce, _UNEXPLAINED),
    }


def run_golden(
    connection: duckdb.DuckDBPyConnection,
    tables: Iterable[str],
    figures: Iterable[GoldenFigure] | None = None,
) -> list[CheckResult]:
    """Compare the facts with the published figures whose vintage is here.

    Args:
        connection: from ``pipeline.quality.engine.opened``.
        tables: full names of the tables that are in the store and may be looked at.
        figures: the figures to compare with; those of ``golden.yaml`` by default.

    Returns:
        One result (suite ``golden``) a figure that applies; none for the others.
    """
    allowed = set(tables)
    results = []
    for figure in golden_figures() if figures is None else figures:
        query = quantities()[figure.quantity]
        if query.table not in allowed:
            continue
        found = connection.execute(query.sql, {"period": figure.period}).fetchone()
        if found is None or (figure.latest is not None and found[2] != figure.latest):
            continue
        results.append(_compare(figure, query.table, found[0], found[1]))
    return results


def table_of(check_name: str) -> str:
    """The table a golden check looks at, such as ``facts.epr``.

    Raises:
        KeyError: no published figure has that identifier.
    """
    figures = {figure.id: figure for figure in golden_figures()}
    return quantities()[figures[check_name].quantity].table


def _compare(
    figure: GoldenFigure, table: str, value: float | None, organisations: int
) -> CheckResult:
    passed = value is not None and abs(value - figure.expected) <= figure.tolerance + 1e-9
    severity: Severity = figure.severity
    note = ""
    if organisations > figure.organisations:
        severity, note = "warning", ": more than then, so probably a later publication"
    elif organisations < figure.organisations / 2:
        severity, note = "warning", ": an extract, not the whole publication"
    shown = "nothing" if value is None else f"{round(value, 3):,.6g}"
    return CheckResult(
        suite="golden",
        check_name=figure.id,
        sentence=(
            f"{figure.what}, {figure.period}: {figure.expected:g} {figure.unit}, give or take "
            f"{figure.tolerance:g} ({figure.citation}). If not: compare the files behind {table} "
            "with the publication; rows were lost, repeated or misread, or the publisher revised "
            "the figure (then correct pipeline/reference/golden.yaml with its new citation)."
        ),
        severity=severity,
        passed=passed,
        observed=(
            f"{shown} {figure.unit} over {organisations:,} organisations "
            f"(published: {figure.organisations:,}{note})"
        ),
        failing_rows=0 if passed else 1,
        sample=None,
    )
