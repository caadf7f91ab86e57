"""The gate counts the same failing rows as a slow, plain Polars reading of the same sentence."""

from __future__ import annotations

import datetime as dt
import random

import polars as pl
import pytest
from quality_frames import rows, run_gate, store_of

FILES = [f"spend_over_25k/ZZ{i}/file.csv" for i in range(4)]


def random_payments(seed: int) -> pl.DataFrame:
    """Payments with faults strewn over them."""
    pick = random.Random(seed)
    lines = []
    for number in range(300):
        month = dt.date(
            pick.choice([2019, 2020, 2021]), pick.randint(1, 12), pick.choice([1] * 30 + [2])
        )
        start = month.year - (month.month < 4)
        if pick.random() < 0.05:
            start += 1
        digital = pick.choice(["yes", "possible", "no", "no"])
        category = None if digital == "no" else "devices"
        lines.append(
            {
                "source_file": pick.choice(FILES),
                "source_row": number if pick.random() < 0.97 else 7,
                "month": month,
                "payment_date": month + dt.timedelta(days=pick.choice([0, 3, 20, 40])),
                "financial_year": f"{start}/{(start + 1) % 100:02}",
                "amount_gbp": pick.choice([0, -500, 26_000, 99_000.55]),
                "digital": digital,
                "category": "cyber" if pick.random() < 0.03 else category,
                "confidence": pick.choice([0.0, 0.5, 1.0, 1.01]),
                "is_duplicate": pick.random() < 0.2,
            }
        )
    return rows("facts.payment", *lines)  # fmt: skip


def reference(frame: pl.DataFrame) -> dict[str, int]:
    """Failing rows by check, in Polars, one sentence at a time."""
    key = ["source_file", "source_sheet", "source_row"]
    april = pl.col("month").dt.year() - (pl.col("month").dt.month() < 4).cast(pl.Int32)
    year = pl.format("{}/{}", april, ((april + 1) % 100).cast(pl.String).str.zfill(2))
    files = frame.group_by("source_file").agg(
        pl.len().alias("lines"), pl.col("is_duplicate").sum().alias("repeated")
    )
    middle = frame.group_by("source_file").agg(
        pl.col("month").sort().slice((pl.len() - 1) // 2, 1).first().alias("middle")
    )
    ordinal = lambda c: pl.col(c).dt.year() * 12 + pl.col(c).dt.month()  # noqa: E731
    return {
        "key_is_unique": frame.filter(pl.struct(key).is_duplicated()).height,
        "month_is_first_day": frame.filter(pl.col("month").dt.day() != 1).height,
        "month_inside_financial_year": frame.filter(pl.col("financial_year") != year).height,
        "payment_date_inside_month": frame.filter(
            pl.col("payment_date").dt.truncate("1mo") > pl.col("month")
        ).height,
        "dates_near_the_rest_of_the_file": frame.join(middle, on="source_file")
        .filter((ordinal("month") - ordinal("middle")).abs() > 18)
        .height,
        "amount_is_not_zero": frame.filter(pl.col("amount_gbp") == 0).height,
        "digital_lines_have_a_category": frame.filter(
            (pl.col("digital") == "no") != pl.col("category").is_null()
        ).height,
        "confidence_in_bounds": frame.filter(~pl.col("confidence").is_between(0, 1)).height,
        "few_duplicates": files.filter(
            (pl.col("repeated") > 0.2 * pl.col("lines")) & (pl.col("lines") >= 20)
        ).height,
    }


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_failing_rows_agree_with_polars(tmp_path, seed):
    frame = random_payments(seed)
    store = store_of(tmp_path, facts__payment=frame)
    found = {r.check_name: r.failing_rows for r in run_gate(store, "facts", is_demo=True)}
    expected = reference(frame)
    assert {name: found[name] for name in expected} == expected
    assert sum(count > 0 for count in expected.values()) >= 7


def test_file_accounts_agree_with_polars(tmp_path):
    frame = random_payments(4)
    kept = frame.group_by("source_file").agg(
        pl.len().alias("rows_kept"), pl.col("amount_gbp").sum().cast(pl.Float64).alias("pounds")
    )
    pick = random.Random(4)
    files = rows(
        "meta.source_file",
        *(
            {
                "path": line["source_file"],
                "rows_kept": line["rows_kept"] + pick.choice([0, 1]),
                "rows_rejected": 0,
                "rows_ignored": 1,
                "rows_read": line["rows_kept"] + 1,
                "pounds_kept": line["pounds"] + pick.choice([0, 0.5]),
                "pounds_read": line["pounds"],
            }
            for line in kept.sort("source_file").to_dicts()
        ),
    )
    store = store_of(tmp_path, facts__payment=frame, meta__source_file=files)
    found = {r.check_name: r.failing_rows for r in run_gate(store, "facts", is_demo=True)}
    both = files.join(kept, left_on="path", right_on="source_file")
    assert (
        found["rows_add_up"]
        == files.filter(
            pl.col("rows_read")
            != pl.col("rows_kept") + pl.col("rows_rejected") + pl.col("rows_ignored")
        ).height
    )
    assert (
        found["payments_equal_rows_kept"]
        == both.filter(pl.col("rows_kept") != pl.col("rows_kept_right")).height
    )
    assert (
        found["pounds_equal_pounds_kept"]
        == found["pounds_add_up"]
        == both.filter((pl.col("pounds_kept") - pl.col("pounds")).abs() > 0.01).height
    )
    assert found["rows_add_up"] + found["pounds_equal_pounds_kept"] > 0
