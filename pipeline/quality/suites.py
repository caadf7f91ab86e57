"""The suite of each table: expectations generated from its schema, then the written ones.

Belongs here: what the schema alone implies (columns and types, required values, allowed values,
bounds, the key). Does not belong here: knowledge about NHS data (``rules/*.yaml``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipeline.quality.checks import Check, sql_columns, sql_list, sql_name, sql_text
from pipeline.quality.ledger import ledger_checks
from pipeline.quality.rules import written_checks
from pipeline.schema import Column, Table

# Values this pipeline computes itself: out of bounds means a fault of ours, so the gate closes.
# Every other bound is about a published value, which may be odd and true at the same time.
COMPUTED = frozenset({"benchmark", "confidence", "months_present", "source_row", "weight"})


def suite_for(table: Table) -> list[Check]:
    """The expectations on one table: generated ones first, written ones after them.

    Args:
        table: a table of ``pipeline.schema``.

    Returns:
        Descriptions of checks with names unique in the table.
    """
    return [
        *generated_checks(table),
        *written_checks(table.full_name),
        *ledger_checks(table.full_name),
    ]


def generated_checks(table: Table) -> list[Check]:
    """The expectations that follow from the description of ``table`` alone."""
    checks = [_columns(table), *_required(table), *_key(table)]
    for column in table.columns:
        checks.extend(_allowed(table, column))
        checks.extend(_bounds(table, column))
        checks.extend(_financial_year(table, column))
    # Each looks at rows one by one, or at rows of one file; only the large table is worth two goes.
    if table.partition_by and "source_file" in table.key:
        return [replace(check, alone=True) for check in checks]
    return checks


def _columns(table: Table) -> Check:
    declared = ", ".join(f"({sql_text(c.name)}, {sql_text(c.type)})" for c in table.columns)
    return Check(
        suite=table.full_name,
        check_name="columns_and_types",
        sentence=(
            f"{table.full_name} has the columns and types of its description. If not: the code "
            f"that writes it and pipeline/schema/{table.database_schema}.yaml disagree; change one."
        ),
        severity="blocking",
        rows=(
            "select coalesce(declared.name, found.column_name) as column_name, "
            "declared.type as expected_type, found.column_type as found_type "
            f"from (values {declared}) as declared(name, type) full join "
            "(select column_name, column_type from (describe select * from {batch})) as found "
            "on found.column_name = declared.name "
            "where declared.type is distinct from found.column_type"
        ),
    )


def _required(table: Table) -> Iterator[Check]:
    required = [c.name for c in table.columns if not c.nullable]
    if required:
        # One query for all columns: a scan each would cost more than everything else together.
        yield Check(
            suite=table.full_name,
            check_name="required_values_present",
            sentence=(
                f"No row of {table.full_name} lacks {', '.join(required)}. If not: find the rows "
                "in the sample, and let the reader reject such rows with a reason."
            ),
            severity="blocking",
            rows=(
                f"select {sql_columns([*table.key, *required])} from {{batch}} where "
                + " or ".join(f"{sql_name(name)} is null" for name in required)
            ),
        )


def _key(table: Table) -> Iterator[Check]:
    if not table.key:
        return
    names = sql_columns(table.key)
    yield Check(
        suite=table.full_name,
        check_name="key_is_unique",
        sentence=(
            f"One row of {table.full_name} is {table.grain}: no two rows share "
            f"{', '.join(table.key)}. If not: the same thing was read twice; look for the same "
            "publication under two file names."
        ),
        severity="blocking",
        # Keys are grouped by their hash, which is narrow, and only those whose hash occurs twice by
        # themselves: a third of the time of ExpectCompoundColumnsToBeUnique, same rows.
        rows=(
            f"select {names} from {{batch}} where hash({names}) in (select suspect from "
            f"(select hash({names}) as suspect, count(*) as times from {{batch}} group by all) "
            f"where times > 1) qualify count(*) over (partition by {names}) > 1 order by all"
        ),
    )


def _allowed(table: Table, column: Column) -> Iterator[Check]:
    if column.allowed is None:
        return
    name = sql_name(column.name)
    yield Check(
        suite=table.full_name,
        check_name=f"{column.name}_is_allowed",
        sentence=(
            f"{column.name} is one of: {', '.join(column.allowed)}. If not: a new value was "
            "published or a rule writes a word of its own; map it, or add it to the schema."
        ),
        severity="blocking",
        rows=(
            f"select {sql_columns([*table.key, column.name])} from {{batch}} "
            f"where {name} not in ({sql_list(column.allowed)})"
        ),
        expectation="ExpectColumnValuesToBeInSet",
        arguments={"column": column.name, "value_set": list(column.allowed)},
    )


def _bounds(table: Table, column: Column) -> Iterator[Check]:
    low, high = column.minimum, column.maximum
    if low is None and high is None:
        return
    name = sql_name(column.name)
    outside = [f"{name} < {low!r}"] if low is not None else []
    outside += [f"{name} > {high!r}"] if high is not None else []
    words = (
        f"between {low:g} and {high:g}"
        if low is not None and high is not None
        else (f"at least {low:g}" if low is not None else f"at most {high:g}")
    )
    yield Check(
        suite=table.full_name,
        check_name=f"{column.name}_in_bounds",
        sentence=(
            f"{column.name} is {words}. If not: compare the rows of the sample with the published "
            "file; a misread unit or column is more likely than a new extreme."
        ),
        severity="blocking" if column.name in COMPUTED else "warning",
        rows=(
            f"select {sql_columns([*table.key, column.name])} from {{batch}} "
            f"where {' or '.join(outside)}"
        ),
        expectation="ExpectColumnValuesToBeBetween",
        arguments={"column": column.name, "min_value": low, "max_value": high},
    )


def _financial_year(table: Table, column: Column) -> Iterator[Check]:
    if column.name != "financial_year":
        return
    yield Check(
        suite=table.full_name,
        check_name="financial_year_is_well_formed",
        sentence=(
            "financial_year is written 2020/21, the second part being the year after the first. "
            "If not: correct the reader or the SQL that makes it; nothing would join on it."
        ),
        severity="blocking",
        rows=(
            # Decided on the few distinct years; the count keeps the planner from undoing that.
            f"select {sql_columns([*table.key, 'financial_year'])} from {{batch}} "
            "where financial_year in (select financial_year from (select financial_year, "
            "count(*) as lines from {batch} group by all) where lines > 0 and ("
            "not regexp_matches(financial_year, '^[0-9]{{4}}/[0-9]{{2}}$') or "
            "try_cast(right(financial_year, 2) as int) <> "
            "(try_cast(left(financial_year, 4) as int) + 1) % 100))"
        ),
    )
