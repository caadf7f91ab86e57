"""Weighing the evidence of type, area, supplier and description against each other.

Belongs here: applying the rulings (`rules/rulings.yaml`) and choosing the category. Does not belong
here: finding the evidence (`evidence.py`, `suppliers.py`).
"""

from collections.abc import Sequence

import polars as pl

from pipeline.classify.rulebook import Ruling

COLUMNS = ("expense_type", "expense_area", "description", "supplier")
_PEOPLE = ("pay", "consultancy", "training")


def _holds(ruling: Ruling) -> pl.Expr:
    """Whether all conditions of a ruling hold."""
    conditions = [
        pl.col(f"{column}_effect").is_in(accepted)
        for column in COLUMNS
        if (accepted := getattr(ruling, column))
    ]
    return pl.all_horizontal(conditions) if conditions else pl.lit(True)


def apply_rulings(evidence: pl.DataFrame, rulings: Sequence[Ruling]) -> pl.DataFrame:
    """Decide every row by the first ruling that holds.

    Args:
        evidence: per row and column of `COLUMNS`: `<column>_effect`, `<column>_category`,
            `<column>_specific`, `<column>_rule_id`, `<column>_rule_confidence`.
        rulings: in order of precedence; the last one holds for everything.

    Returns:
        Frame of the same rows: digital, category, rule_id (`<ruling>:<rule>`), confidence,
        is_balance_sheet.
    """
    index = pl.coalesce(
        pl.when(_holds(ruling)).then(pl.lit(number, dtype=pl.UInt32))
        for number, ruling in enumerate(rulings)
    )
    table = pl.DataFrame(
        {
            "ruling": range(len(rulings)),
            "ruling_id": [r.id for r in rulings],
            "digital": [r.digital for r in rulings],
            "decided_by": [r.decided_by for r in rulings],
            "is_balance_sheet": [r.balance_sheet for r in rulings],
            "ruling_category": [r.category for r in rulings],
            "ruling_confidence": [r.confidence for r in rulings],
        },
        schema={
            "ruling": pl.UInt32,
            "ruling_id": pl.String,
            "digital": pl.String,
            "decided_by": pl.String,
            "is_balance_sheet": pl.Boolean,
            "ruling_category": pl.String,
            "ruling_confidence": pl.Float64,
        },
    )
    decided = evidence.with_columns(ruling=index).join(
        table, on="ruling", how="left", maintain_order="left"
    )

    def by_decider(suffix: str) -> pl.Expr:
        return pl.coalesce(
            pl.when(pl.col("decided_by") == column).then(pl.col(f"{column}_{suffix}"))
            for column in COLUMNS
        )

    rule = by_decider("rule_id")
    return decided.select(
        "digital",
        category=pl.when(pl.col("digital") != "no").then(
            pl.coalesce("ruling_category", _category())
        ),
        rule_id=pl.when(rule.is_null())
        .then(pl.col("ruling_id"))
        .otherwise(pl.concat_str("ruling_id", pl.lit(":"), rule)),
        confidence=pl.min_horizontal(
            "ruling_confidence", by_decider("rule_confidence").fill_null(1.0)
        ),
        is_balance_sheet=pl.col("is_balance_sheet"),
    )


def _specific(column: str) -> pl.Expr:
    return pl.when(pl.col(f"{column}_specific")).then(pl.col(f"{column}_category"))


def _category() -> pl.Expr:
    """The category of a digital line: what is named most exactly comes first."""
    people = pl.col("expense_type_effect").is_in(_PEOPLE) & (
        pl.col("supplier_effect").is_in(["none", "mixed_advice", "people", "pay_through"])
    )
    mixed = pl.col("supplier_effect").str.contains("^(mixed|other)")
    department_system = (
        (pl.col("expense_area_effect") == "medical")
        & pl.col("expense_type_category").is_in(["software_unspecified", "it_services"])
        & (mixed | pl.col("supplier_effect").is_in(["none", "it_name", "it_maybe"]))
    )
    return pl.coalesce(
        pl.when(_specific("expense_area") == "data_analytics").then(pl.lit("data_analytics")),
        pl.when(~mixed).then(_specific("supplier")),
        pl.when(people).then(pl.lit("digital_people")),
        _specific("expense_type"),
        _specific("expense_area"),
        _specific("supplier"),
        _specific("description"),
        pl.when(department_system).then(pl.col("expense_area_category")),
        pl.col("expense_type_category"),
        pl.col("description_category"),
        pl.col("supplier_category"),
        pl.col("expense_area_category"),
        pl.lit("it_services"),
    )
