"""Trust accounts consolidation of the demonstration: the values of every line.

Belongs here: account lines from the world's plan, so that they add up. Does not belong here: the
list of lines (``account_map``) and the workbooks (``account_files``).
"""

from __future__ import annotations

import numpy as np
import polars as pl

from pipeline.demo.account_map import INTANGIBLE_DIGITAL, PPE_DIGITAL, TABLES
from pipeline.demo.world import World, start_year

# How non-pay operating expenditure falls on the lines of the note, before the trust's own tilt.
_NONPAY = {
    "EXP0100": 3, "EXP0110": 9, "EXP0140": 0.1, "EXP0150": 26, "EXP0160": 4, "EXP0170": 24,
    "EXP0190": 1, "EXP0200": 4, "EXP0210": 2, "EXP0220": 13, "EXP0230A": 0.6, "EXP0230B": 2,
    "EXP0280A": 0.1, "EXP0290A": 6, "EXP0330A": 1.5, "EXP0330B": 0.5, "EXP0380O": 1, "EXP0380Z": 2,
}  # fmt: skip
_WTE = {"STA0370": 0.13, "STA0400": 0.2, "STA0410": 0.33, "STA0430": 0.13, "STA0480": 0.02}

Values = dict[tuple[str, str], np.ndarray]
"""GBP thousand (or WTE, or years) by main-code suffix with prefix, such as ``A0801``, and row."""


def _operating(rng: np.random.Generator, plan: pl.DataFrame, k: dict[str, np.ndarray]) -> Values:
    weights = np.array(list(_NONPAY.values())) * rng.gamma(30, 1 / 30, (plan.height, len(_NONPAY)))
    parts = weights / weights.sum(axis=1, keepdims=True) * k["nonpay"][:, None]
    out: Values = {("A0801", sub): parts[:, i] for i, sub in enumerate(_NONPAY)}
    out[("A0801", "EXP0130")] = k["staff_costs"]
    out[("A0801", "EXP0240")] = k["depreciation"]
    out[("A0801", "EXP0250")] = k["amortisation"]
    out[("A0801", "EXP0260")] = k["impairments"]
    income = k["operating_income"]
    out[("A0201", "SCI0100A")] = income * 0.92
    out[("A0201", "SCI0110A")] = income * 0.08
    return out


def _staff(plan: pl.DataFrame, k: dict[str, np.ndarray]) -> Values:
    staff, wte, admin = k["staff_costs"], plan["wte"].to_numpy(), plan["wte_admin"].to_numpy()
    capitalised = k["digital_capital"] * 0.06
    out: Values = {}
    for suffix, part in (("01", 1.0), ("01P", 0.91), ("01O", 0.09)):
        other = suffix == "01O"
        agency = staff * 0.07 * (0 if suffix == "01P" else 1)
        gross = (staff + capitalised) * part
        out[(f"A09{suffix}", "STA0300")] = agency * 0.4
        out[(f"A09{suffix}", "STA0310")] = agency * 0.6
        out[(f"A09{suffix}", "STA0230")] = gross - (agency if other or suffix == "01" else 0)
        out[(f"A09{suffix}", "STA0330")] = gross
        out[(f"A09{suffix}", "STA0360")] = gross
        out[(f"A09{suffix}", "STA0365")] = capitalised * part
        out[(f"A09{suffix}", "STA0366")] = staff * part
        out[(f"A09{suffix}", "STA0390")] = admin * part
        is_ambulance = (plan["sector"] == "Ambulance").to_numpy()
        rest = wte - admin
        for sub, share in _WTE.items():
            low = np.where(is_ambulance, share * 0.15, share) / sum(_WTE.values())
            out[(f"A09{suffix}", sub)] = rest * low * part
        out[(f"A09{suffix}", "STA0380")] = np.where(is_ambulance, rest * 0.85 * part, 0.0)
    return out


def _assets(rng: np.random.Generator, plan: pl.DataFrame, k: dict[str, np.ndarray]) -> Values:
    n = plan.height
    digital, donated = k["digital_capital"], k["digital_donated"]
    other = np.maximum(k["capital_additions"] - digital, 0.0)
    hardware = rng.uniform(0.4, 0.7, n)
    software = rng.uniform(0.5, 0.75, n)
    soft = digital * (1 - hardware)
    website = np.where(rng.random(n) < 0.1, 0.03, 0.0)
    split = {
        "A1402": 0.02 * other, "A1403": 0.42 * other, "A1405": 0.28 * other, "A1406": 0.22 * other,
        "A1407": 0.02 * other, "A1409": 0.02 * other, "A1408": digital * hardware,
        "A1302": soft * software, "A1305": soft * (1 - software - website) * 0.65,
        "A1306": soft * (1 - software - website) * 0.35, "A1308": soft * website,
        "A1303": 0.002 * other, "A1309": 0.018 * other,
    }  # fmt: skip
    out: Values = {}
    age = np.clip(0.62 + rng.normal(0, 0.1, n), 0.35, 0.9)
    for column, additions in split.items():
        intangible = column.startswith("A13")
        base = "INT" if intangible else "PPE"
        is_it = column in {"A1408", *(f"A13{c}" for c in INTANGIBLE_DIGITAL)}
        gross = additions * (5.2 if is_it else 14.0)
        worn = gross * (age if is_it or column == "A1406" else 0.12)
        charge = gross * (0.17 if is_it else 0.035)
        if column in {"A1402", "A1405", "A1309"}:  # land and assets under construction do not wear
            worn, charge = worn * 0, charge * 0
        out[(column, f"{base}0060")] = additions
        out[(column, f"{base}0190")] = gross
        out[(column, f"{base}0250")] = charge
        out[(column, f"{base}0350")] = worn
        if intangible:
            out[(column, "INT0360")] = gross - worn
    out[("A1408", "PPE0090")] = donated
    out[("A1406", "PPE0080")] = np.where(rng.random(n) < 0.2, other * 0.01, 0.0)
    for column, low, high, sub in (
        ("A13", 2, 7, "INT0390"), ("A13", 2, 10, "INT0430"),
        ("A14", 3, 8, "PPE0540"), ("A14", 5, 15, "PPE0520"),
    ):  # fmt: skip
        out[(f"{column}15", sub)] = np.full(n, float(low))
        out[(f"{column}16", sub)] = high + rng.integers(0, 4, n).astype(float)
    lease = k["digital_leased"]
    out[("A14A05", "ROU0070")] = lease
    out[("A14A05", "ROU0190")] = lease * 4
    out[("A14A05", "ROU0250")] = lease * 0.8
    out[("A14A05", "ROU0350")] = lease * 1.9
    out[("A14A02", "ROU0070")] = other * 0.15
    return out


def _totals(values: Values) -> Values:
    """Add the totals of every schedule from the rounded parts, so that they add up exactly."""
    out = dict(values)
    zero = np.zeros_like(next(iter(values.values())))
    for prefix in ("A13", "A14", "A14A"):
        subs = {s for c, s in values if c[:-2] == prefix and c[-2:] not in ("01", "15", "16")}
        for sub in subs:
            parts = [v for (c, s), v in values.items() if c[:-2] == prefix and s == sub]
            out[(f"{prefix}01", sub)] = sum(parts, zero)
    operating = sum((v for (c, _), v in values.items() if c == "A0801"), zero)
    out[("A0801", "EXP0390")] = operating
    income = values[("A0201", "SCI0100A")] + values[("A0201", "SCI0110A")]
    out[("A0201", "SCI0125A")] = -operating
    out[("A0201", "SCI0140A")] = income - operating
    out[("A0701", "INC1365")] = income
    for suffix in ("01", "01P", "01O"):
        column = f"A09{suffix}"
        parts = [v for (c, s), v in values.items() if c == column and "STA0370" <= s <= "STA0480"]
        out[(column, "STA0490")] = sum(parts, zero)
    return out


def account_lines(world: World) -> pl.DataFrame:
    """Account lines of every trust and year, current year and the prior year beside it.

    Args:
        world: from ``make_world``.

    Returns:
        ``trust``, ``year``, ``sheet``, ``table_id``, ``main_code``, ``row_number``, ``sub_code``,
        ``value`` (GBP thousand; WTE for STA0370 to STA0490; years for useful lives). Lines of
        nought are left out, as the publisher leaves out empty cells.
    """
    rng = np.random.default_rng([world.seed, 7])
    plan = world.plan
    amounts = (
        "operating_expenditure", "staff_costs", "depreciation", "amortisation", "impairments",
        "operating_income", "capital_additions", "nonpay", "digital_capital", "digital_donated",
        "digital_leased",
    )  # fmt: skip
    k = {name: plan[name].to_numpy() / 1000 for name in amounts}
    raw = _operating(rng, plan, k) | _staff(plan, k) | _assets(rng, plan, k)
    # Most publish whole thousands, some give decimals.
    decimals = (rng.random(len(world.trusts)) < 0.25)[plan["trust"].to_numpy()]
    rounded = {key: np.where(decimals, np.round(v, 3), np.round(v)) for key, v in raw.items()}
    values = _totals(rounded)
    frames = []
    for table in TABLES:
        for position, (sub, _, _) in enumerate(table.rows):
            for suffix, _ in table.columns:
                value = values.get((table.prefix + suffix, sub))
                if value is None:
                    continue
                frames.append(
                    plan.select(
                        "trust",
                        "year",
                        sheet=pl.lit(table.sheet),
                        table_id=pl.lit(table.table_id),
                        prefix=pl.lit(table.prefix),
                        suffix=pl.lit(suffix),
                        row_number=pl.lit(9 + position),
                        sub_code=pl.lit(sub),
                        value=pl.Series(np.round(value, 3)),
                        has_prior=pl.lit(table.has_prior),
                        prior_id=pl.lit(table.prior_id or table.table_id),
                        since=pl.lit(table.since),
                    )
                )
    starts = pl.Series([start_year(y) for y in world.years])
    current = pl.concat(frames).with_columns(period=pl.lit("CY"))
    earlier = current.filter("has_prior").with_columns(
        period=pl.lit("PY"), table_id=pl.col("prior_id")
    )
    # The year before the first is not part of the world: a little smaller, as growth goes.
    before = earlier.filter(pl.col("year") == 0).with_columns(
        value=(pl.col("value") * 0.94).round()
    )
    prior = pl.concat([before, earlier.with_columns(year=pl.col("year") + 1)])
    present = plan.select("trust", "year")
    lines = pl.concat([current, prior.join(present, on=["trust", "year"], how="semi")])
    is_known = starts.gather(lines["year"]) >= lines["since"]
    return (
        lines.filter(is_known & (pl.col("value") != 0))
        .with_columns(main_code=pl.concat_str("prefix", "period", "suffix"))
        .select(
            "trust", "year", "sheet", "table_id", "main_code", "row_number", "sub_code", "value"
        )
        .sort("year", "trust", "sheet", "table_id", "main_code", "row_number", maintain_order=True)
    )


def digital_capital(lines: pl.DataFrame) -> pl.DataFrame:
    """Digital capital by trust and year as the accounts show it.

    Args:
        lines: from ``account_lines``.

    Returns:
        ``trust``, ``year``, ``digital_capital_gbp`` (purchased and donated additions of
        information technology, software, IT, development and websites), ``digital_donated_gbp``
        (the donated part of it) and ``digital_leased_gbp`` (new leases of IT, not part of it).
    """
    columns = [f"A13CY{c}" for c in INTANGIBLE_DIGITAL] + [f"A14CY{c}" for c in PPE_DIGITAL]
    bought = pl.col("sub_code").is_in(["INT0060", "PPE0060", "PPE0070"])
    given = pl.col("sub_code").is_in(["INT0080", "INT0090", "PPE0080", "PPE0090"])
    digital = pl.col("main_code").is_in(columns)
    leased = (pl.col("main_code") == "A14ACY05") & (pl.col("sub_code") == "ROU0070")
    return lines.group_by("trust", "year", maintain_order=True).agg(
        digital_capital_gbp=pl.col("value").filter(digital & (bought | given)).sum() * 1000,
        digital_donated_gbp=pl.col("value").filter(digital & given).sum() * 1000,
        digital_leased_gbp=pl.col("value").filter(leased).sum() * 1000,
    )
