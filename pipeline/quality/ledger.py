"""Checks on the marts that are made of reviewed files: every entry of the file has its row.

Belongs here: which entries there must be. Does not belong here: what is said about them
(``pipeline.marts.milestones``).
"""

from __future__ import annotations

from pipeline.quality.checks import Check, sql_name, sql_text
from pipeline.reference.claims import claims, promises, published_evidence

#: Mart -> (its file, its column of identifiers, what gives the entries).
LEDGERS = {
    "marts.milestone": ("claims.yaml", "claim_id", claims),
    "marts.promised_money": ("money.yaml", "promise_id", promises),
    "marts.published_evidence": ("published.yaml", "evidence_id", published_evidence),
}


def ledger_checks(table_name: str) -> list[Check]:
    """That every entry of the file behind ``schema.table`` has its row; empty for other tables."""
    if table_name not in LEDGERS:
        return []
    file, column, entries = LEDGERS[table_name]
    values = ", ".join(f"({sql_text(entry.id)})" for entry in entries())
    name = sql_name(column)
    return [
        Check(
            suite=table_name,
            check_name="every_entry_is_here",
            sentence=(
                f"Every entry of pipeline/reference/{file} has its row, and no other row is here. If "
                f"not: correct the code that makes {table_name}; an entry was left out."
            ),
            severity="blocking",
            rows=(
                f"select coalesce(entry.id, shown.{name}) as entry, shown.{name} is not null as is_here "
                f"from (values {values}) as entry(id) full join {{batch}} as shown on shown.{name} = entry.id "
                f"where shown.{name} is null or entry.id is null"
            ),
        )
    ]
