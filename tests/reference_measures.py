"""The measures once more, slowly and obviously: dicts and loops instead of the SQL of the YAML files.

Belongs here: account values, the capture ratio, staff, numerators and denominators. Does not belong
here: shares made of them (``reference``).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from statistics import median

from reference_tables import (
    DEFAULT,
    Row,
    Tables,
    TrustYear,
    months_open,
    months_present,
    parameters,
    payments_that_count,
    start,
    year_of,
)

DIGITAL_COLUMNS = ("A13CY02", "A13CY05", "A13CY06", "A13CY08", "A14CY08")


def account_values(t: Tables) -> dict[TrustYear, Row]:
    """Lines of the accounts that the measures use, in pounds; None when no line is there."""
    wanted: dict[str, Callable[[str, str], bool]] = {
        "opex": lambda m, s: m == "A08CY01" and s == "EXP0390",
        "impairments": lambda m, s: m == "A08CY01" and s == "EXP0260",
        "staff": lambda m, s: m == "A08CY01" and s == "EXP0130",
        "depreciation": lambda m, s: m == "A08CY01" and s in ("EXP0240", "EXP0250"),
        "income": lambda m, s: m == "A02CY01" and s in ("SCI0100A", "SCI0110A"),
        "digital": lambda m, s: (
            m in DIGITAL_COLUMNS and s[3:] in ("0060", "0070", "0080", "0090") and s != "INT0070"
        ),
        "additions": lambda m, s: (
            (m == "A14CY01" and s in ("PPE0060", "PPE0070", "PPE0080", "PPE0090"))
            or (m == "A13CY01" and s in ("INT0060", "INT0080", "INT0090"))
        ),
        "it_cost": lambda m, s: m == "A14CY08" and s == "PPE0190",
        "it_worn": lambda m, s: m == "A14CY08" and s == "PPE0350",
        "wte": lambda m, s: m == "A09CY01" and s == "STA0490",
        "administration": lambda m, s: m == "A09CY01" and s == "STA0390",
    }
    found: dict[TrustYear, Row] = {}
    for line in t["facts.account_line"]:
        if line["organisation_code"] is None:
            continue
        key = line["organisation_code"], line["financial_year"]
        row = found.setdefault(key, dict.fromkeys(wanted) | {"sector": line["sector"]})
        row["sector"] = row["sector"] or line["sector"]
        for name, fits in wanted.items():
            if fits(line["main_code"], line["sub_code"]):
                factor = 1 if name in ("wte", "administration") else 1000
                row[name] = (row[name] or 0) + factor * line["value"]
    return found


def cost_split(t: Tables) -> dict[TrustYear, Row]:
    """Spent, staff, non-pay and how sure non-pay is; estimated where the accounts lack a part."""
    p = parameters(t)
    given = {}
    for key, a in account_values(t).items():
        spent = None if a["opex"] is None else a["opex"] - (a["impairments"] or 0)
        if spent is not None and spent > 0:
            given[key] = a | {"spent": spent}

    def share(key: TrustYear, part: str, fallback: float) -> tuple[float, str]:
        own = [
            (abs(start(y) - start(key[1])), start(y), a[part] / a["spent"])
            for (code, y), a in given.items()
            if code == key[0] and a[part] is not None
        ]
        if own:
            return min(own)[2], "own"
        alike = [
            a[part] / a["spent"]
            for a in given.values()
            if a["sector"] is not None
            and a["sector"] == given[key]["sector"]
            and a[part] is not None
        ]
        return (median(alike), "sector") if alike else (fallback, "England")

    found: dict[TrustYear, Row] = {}
    for key, a in given.items():
        rest = p["depreciation_share_england"]
        staff_share, basis = share(key, "staff", 1 - p["nonpay_share_england"] - rest)
        depreciation_share, _ = share(key, "depreciation", rest)
        staff = a["spent"] * staff_share if a["staff"] is None else a["staff"]
        worn = a["spent"] * depreciation_share if a["depreciation"] is None else a["depreciation"]
        known = a["staff"] is not None and a["depreciation"] is not None
        error = 0.0 if known else p["nonpay_error_own" if basis == "own" else "nonpay_error_sector"]
        found[key] = {
            "spent": a["spent"],
            "staff": staff,
            "nonpay": max(0.0, a["spent"] - staff - worn),
            "error": error,
            "additions": a["additions"],
        }
    return found


def published(t: Tables) -> dict[TrustYear, Row]:
    """Sums of published lines by trust and year."""
    found: dict[TrustYear, Row] = {}
    for line in payments_that_count(t):
        key = line["organisation_code"], line["financial_year"]
        row = found.setdefault(key, {"all": 0.0, "yes": 0.0, "possible": 0.0, "typed": False})
        row["all"] += line["pounds"]
        if line["counts"] != "no":
            row[line["counts"]] += line["pounds"]
        row["typed"] = row["typed"] or line["expense_type"] is not None
    return found


def capture(t: Tables) -> dict[TrustYear, Row]:
    """Capture ratio with its denominator and the low and high end of that."""
    p, costs = parameters(t), cost_split(t)
    found: dict[TrustYear, Row] = {}
    for key, paid in published(t).items():
        if key not in costs:
            continue
        c = costs[key]
        additions = c["additions"] or 0.0
        missing = p["additions_share_high"] * c["spent"] if c["additions"] is None else additions
        spent = c["nonpay"] + additions
        found[key] = {
            "ratio": paid["all"] / spent if spent else None,
            "spent": spent,
            "low": c["nonpay"] * (1 - c["error"]) + additions,
            "high": c["nonpay"] * (1 + c["error"]) + missing,
        }
    return found


def staff_counts(t: Tables) -> list[Row]:
    """Counts of the groups among whom the digital staff are: code, month, proxy, fte, all."""
    by_return: dict[tuple[str, date, str], Row] = defaultdict(
        lambda: {"total": None, "parts": 0.0, "central": None}
    )
    bands: dict[tuple[str, date], float] = defaultdict(float)
    for r in t["facts.workforce"]:
        row = by_return[r["organisation_code"], r["month"], r["publication"]]
        if r["is_total"] and r["staff_group"] == "All staff groups":
            row["total"] = (row["total"] or 0) + r["fte"]
        if not r["is_total"]:
            row["parts"] += r["fte"] or 0
        if r["publication"] != "core_5" and r["staff_group"] == "Central functions":
            row["central"] = (row["central"] or 0) + r["fte"]
        high = {"Band 5", "Band 6", "Band 7", "Band 8a", "Band 8b", "Band 8c", "Band 8d", "Band 9"}
        if (
            r["publication"] == "core_5"
            and "/ central functions / " in r["staff_group"].lower()
            and r["level"] in high
        ):
            bands[r["organisation_code"], r["month"]] += r["fte"]
    order = {"turnover": 1, "staff_group": 2, "core_1": 3, "core_5": 4}
    chosen: dict[tuple[str, date], tuple[tuple[bool, int], Row]] = {}
    for (code, month, publication), row in by_return.items():
        everyone = row["total"] if row["total"] is not None else row["parts"]
        if row["central"] is None or not everyone:
            continue
        candidate = (
            (row["total"] is None, order[publication]),
            {"fte": row["central"], "all": everyone},
        )
        if (code, month) not in chosen or candidate[0] < chosen[code, month][0]:
            chosen[code, month] = candidate
    rows = []
    for (code, month), (_, row) in chosen.items():
        rows.append({"code": code, "month": month, "proxy": "central functions", **row})
        if (code, month) in bands:
            rows.append(
                {"code": code, "month": month, "proxy": "central functions, band 5 and above"}
                | {"fte": bands[code, month], "all": row["all"]}
            )
    for (code, year), a in account_values(t).items():
        if a["administration"] is not None and (a["wte"] or 0) > 0:
            rows.append(
                {
                    "code": code,
                    "month": date(start(year) + 1, 3, 1),
                    "proxy": "administration and estates",
                }
                | {"fte": a["administration"], "all": a["wte"]}
            )
    return rows


def digital_pay(t: Tables) -> dict[TrustYear, tuple[float, float, float]]:
    """Estimated pay of digital staff: middle, low, high."""
    p, counts = parameters(t), staff_counts(t)
    found = {}
    for (code, year), c in cost_split(t).items():
        usable = [
            (
                abs(year_of(s["month"]) - start(year)),
                year_of(s["month"]),
                s["proxy"] != "central functions",
                s["month"],
                s,
            )
            for s in counts
            if s["code"] == code
            and s["proxy"] in ("central functions", "administration and estates")
        ]
        if not usable:
            continue
        nearest = min(usable, key=lambda u: u[:4])[4]
        stem = "digital_part_of_" + (
            "central" if nearest["proxy"] == "central functions" else "administration"
        )
        pay = c["staff"] * nearest["fte"] / nearest["all"]
        found[code, year] = (pay * p[stem], pay * p[f"{stem}_low"], pay * p[f"{stem}_high"])
    return found


def numerators(t: Tables) -> dict[tuple[str, str, str], tuple[float, float, float]]:
    """Numerator, lower and upper in pounds by trust, year and definition (D0 to D3)."""
    p, months, captured, pay = parameters(t), months_present(t), capture(t), digital_pay(t)
    open_for = months_open(t)
    found: dict[tuple[str, str, str], tuple[float, float, float]] = {}
    for (code, year), a in account_values(t).items():
        if a["digital"] is not None:
            found[code, year, "D0"] = (a["digital"],) * 3
    for (code, year), paid in published(t).items():
        yes, possible = max(0.0, paid["yes"]), max(0.0, paid["possible"])
        recall = p["classifier_recall_low"]
        if not paid["typed"]:
            recall = min(recall, p["recall_without_type"])
        found[code, year, "D1"] = (
            paid["yes"],
            yes * p["classifier_precision_low"] / (1 + p["vat_rate"]),
            (yes / recall + possible) * (1 + p["vat_rate"]),
        )
        m = months.get((code, year), 0)
        if m < p["months_for_estimate"]:
            continue
        life = open_for[code, year]
        k = captured.get((code, year))
        known = k is not None and k["ratio"] is not None and k["ratio"] > 0
        rate = paid["all"] * life / m
        unseen = max(1.0, k["spent"] / rate) if known and k else 1.0
        unseen_low = max(1.0, k["low"] / rate) if known and k else 1.0
        unseen_high = max(1.0, k["high"] / rate) if known and k else 1 / p["capture_low"]
        factor = life / m * unseen
        vat = math.log(1 + p["vat_rate"]) * (0.5 if unseen > 1 else 1)
        down = [
            math.log(p["classifier_precision_low"]),
            math.log(unseen / (1 + p["unpublished_digital_low"] * (unseen_low - 1))),
            math.log((m + (life - m) * p["month_weight_low"]) / life),
            vat,
        ]
        up = [
            math.log((1 + p["unpublished_digital_high"] * (unseen_high - 1)) / unseen),
            math.log((m + (life - m) * p["month_weight_high"]) / life),
            vat,
        ]
        top = possible
        if yes > 0:
            top = yes
            up.append(math.log(1 / recall + possible / yes))
        d2 = (
            yes * factor,
            yes * factor * math.exp(-math.hypot(*down)),
            top * factor * math.exp(math.hypot(*up)),
        )
        found[code, year, "D2"] = d2
        if (code, year) in pay:
            middle, low, high = pay[code, year]
            total = d2[0] + middle
            found[code, year, "D3"] = (
                total,
                max(0.0, total - math.hypot(d2[0] - d2[1], middle - low)),
                total + math.hypot(d2[2] - d2[0], high - middle),
            )
    return found


def denominators(t: Tables) -> dict[tuple[str, str, str], float]:
    """Denominators in pounds by trust, year and name."""
    found: dict[tuple[str, str, str], float] = {}
    for (code, year), a in account_values(t).items():
        if a["opex"] is not None and a["opex"] > 0:
            found[code, year, "operating_expenditure"] = a["opex"]
            found[code, year, DEFAULT] = a["opex"] - (a["impairments"] or 0)
            if a["additions"] is not None:
                found[code, year, "operating_expenditure_and_capital"] = a["opex"] + a["additions"]
        if a["income"] is not None:
            found[code, year, "operating_income"] = a["income"]
    return found
