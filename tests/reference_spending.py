"""The marts about kinds, suppliers and patterns of spending once more, slowly and obviously.

Belongs here: the slow way of spend_mix, capital_revenue, supplier, funding_pattern and records_cost.
Does not belong here: shares (``reference``) and marts about trusts (``reference_marts``).
"""

from __future__ import annotations

from collections import defaultdict
from statistics import mean, median, stdev
from typing import Any

from reference_measures import account_values, cost_split
from reference_tables import (
    Row,
    Tables,
    coverage_month,
    months_present,
    parameters,
    payments_that_count,
    start,
    year_of,
)

Key = tuple[Any, ...]


def spend_mix(t: Tables) -> dict[Key, Row]:
    """Digital pounds by answer, category and nature."""
    found: dict[Key, Row] = defaultdict(lambda: {"amount_gbp": 0.0, "lines": 0})
    for line in payments_that_count(t):
        if line["counts"] != "no":
            category = line["category"] or "software_unspecified"
            row = found[
                line["organisation_code"],
                line["financial_year"],
                line["counts"],
                category,
                line["nature"],
            ]
            row["amount_gbp"] += line["pounds"]
            row["lines"] += 1
    return dict(found)


def capital_revenue(t: Tables) -> dict[Key, Row]:
    """Capital, revenue and unknown, and the age of IT equipment."""
    accounts, mix = account_values(t), spend_mix(t)
    found: dict[Key, Row] = {}
    for key in set(accounts) | {k[:2] for k in mix}:
        sums: dict[str, float | None] = dict.fromkeys(("capital", "revenue", "unknown"))
        mine = {k: v for k, v in mix.items() if k[:2] == key and k[2] == "yes"}
        for nature in sums:
            if mine:
                sums[nature] = sum(v["amount_gbp"] for k, v in mine.items() if k[4] == nature)
        known = (sums["capital"] or 0) + (sums["revenue"] or 0)
        fair = mine and sums["capital"] >= 0 and sums["revenue"] >= 0 and known  # type: ignore[operator]
        a = accounts.get(key, {})
        age = a["it_worn"] / a["it_cost"] if a.get("it_cost") and a["it_worn"] is not None else None
        found[key] = {
            "capital_gbp": sums["capital"],
            "unknown_gbp": sums["unknown"],
            "capital_share": (sums["capital"] or 0) / known if fair else None,
            "it_asset_age": age,
        }
    return found


def price(t: Tables) -> dict[str, float]:
    """What turns pounds of a year into pounds of the base year."""
    index = {d["financial_year"]: d["index_value"] for d in t["facts.deflator"]}
    if not index:
        return {}
    wanted = parameters(t)["price_year"]
    base = min(index, key=lambda y: (abs(start(y) - wanted), start(y)))
    return {year: index[base] / value for year, value in index.items()}


def supplier_paid(t: Tables) -> dict[tuple[str, str, str], float]:
    """Digital pounds by trust, year and supplier."""
    found: dict[tuple[str, str, str], float] = defaultdict(float)
    for line in payments_that_count(t):
        if line["counts"] == "yes":
            name = (line["supplier_canonical"] or "").strip() or "(no supplier published)"
            found[line["organisation_code"], line["financial_year"], name] += line["pounds"]
    return dict(found)


def has_history(t: Tables) -> set[tuple[str, str]]:
    """Trust-years of which three of the last four years were published."""
    years = [key for key, n in months_present(t).items() if n > 0]
    return {
        (code, year)
        for code, year in years
        if sum(c == code and start(year) - 3 <= start(y) <= start(year) for c, y in years) >= 3
    }


def is_recurrent(paid: dict[tuple[str, str, str], float], code: str, year: str, name: str) -> bool:
    """Whether the trust paid the supplier in three of the four years that end with ``year``."""
    return (
        sum(
            c == code and s == name and pounds > 0 and start(year) - 3 <= start(y) <= start(year)
            for (c, y, s), pounds in paid.items()
        )
        >= 3
    )


def supplier(t: Tables) -> dict[Key, Row]:
    """Pounds by supplier and year, with the concentration of the year."""
    kinds = {o["organisation_code"]: o["kind"] for o in t["dims.organisation"]}
    paid, history = supplier_paid(t), has_history(t)
    paid = {key: pounds for key, pounds in paid.items() if kinds.get(key[0], "trust") == "trust"}
    found: dict[Key, Row] = defaultdict(
        lambda: {"amount_gbp": 0.0, "trusts": 0, "recurrent_gbp": None}
    )
    for (code, year, name), pounds in paid.items():
        row = found[name, year]
        row["amount_gbp"] += pounds
        row["trusts"] += 1
        if (code, year) in history:
            again = pounds if is_recurrent(paid, code, year, name) else 0.0
            row["recurrent_gbp"] = (row["recurrent_gbp"] or 0.0) + again
    for year in {y for _, y in found}:
        total = sum(r["amount_gbp"] for (_, y), r in found.items() if y == year)
        named = sorted(
            (
                r["amount_gbp"]
                for (name, y), r in found.items()
                if y == year
                and r["amount_gbp"] > 0
                and not name.replace(" ", "").isdigit()
                and not name.startswith("(no supplier")
            ),
            reverse=True,
        )
        for (_, y), row in found.items():
            if y == year:
                row["share_of_digital"] = row["amount_gbp"] / total
                row["year_hhi"] = 10000 * sum((v / sum(named)) ** 2 for v in named)
                row["year_cr5"] = sum(named[:5]) / sum(named)
    return dict(found)


def trust_supplier(t: Tables) -> dict[Key, Row]:
    """The ten largest named suppliers of every trust and year, with their part of the whole."""
    kinds = {o["organisation_code"]: o["kind"] for o in t["dims.organisation"]}
    by_year: dict[tuple[str, str], list[tuple[float, str]]] = defaultdict(list)
    for (code, year, name), pounds in supplier_paid(t).items():
        if kinds.get(code, "trust") == "trust":
            by_year[code, year].append((round(pounds, 2), name))
    found: dict[Key, Row] = {}
    for (code, year), paid in by_year.items():
        whole = sum(pounds for pounds, _ in paid)
        named = [
            (pounds, name)
            for pounds, name in paid
            if pounds > 0
            and not name.replace(" ", "").isdigit()
            and not name.startswith("(no supplier")
        ]
        for place, (pounds, name) in enumerate(sorted(named, key=lambda p: (-p[0], p[1]))[:10], 1):
            found[code, year, name] = {
                "place": place,
                "amount_gbp": pounds,
                "share_of_digital": pounds / whole if whole else None,
            }
    return found


def funding_pattern(t: Tables) -> dict[Key, Row]:
    """Year-end index, volatility, spikes and recurrent share by trust and year."""
    p, to_real, paid, history = parameters(t), price(t), supplier_paid(t), has_history(t)
    months: dict[tuple[str, int], list[tuple[int, Row]]] = defaultdict(list)
    for (code, month), row in coverage_month(t).items():
        months[code, year_of(month)].append((month.month, row))
    real: dict[tuple[str, int], float] = {}
    whole: dict[str, int] = defaultdict(int)
    found: dict[Key, Row] = {}
    for (code, year), rows in months.items():
        label = f"{year}/{(year + 1) % 100:02d}"
        total = sum(r["digital_gbp"] or 0 for _, r in rows)
        complete = all(r["is_present"] for _, r in rows)
        march = next(r["digital_gbp"] for m, r in rows if m == 3)
        whole[code] += complete
        if complete and label in to_real:
            real[code, year] = total * to_real[label]
        mine = {name: v for (c, y, name), v in paid.items() if (c, y) == (code, label)}
        again = sum(v for name, v in mine.items() if is_recurrent(paid, code, label, name))
        found[code, label] = {
            "year_end_index": march / (total / 12) if complete and total > 0 else None,
            "recurrent_share": (again / sum(mine.values()) if mine else 0.0)
            if (code, label) in history
            else None,
        }
    for (code, label), row in found.items():
        own = {y: v for (c, y), v in real.items() if c == code}
        enough = len(own) >= 3
        changes = [abs(own[y] / own[y - 1] - 1) for y in own if y - 1 in own]
        row["complete_years"] = whole[code]
        row["cv_real"] = stdev(own.values()) / mean(own.values()) if enough else None
        row["mean_absolute_change"] = mean(changes) if enough and changes else None
        others = [v for y, v in own.items() if y != start(label)]
        here = start(label) in own and len(others) >= 2
        row["is_spike"] = own[start(label)] >= p["spike_ratio"] * median(others) if here else None
    return found


def records_cost(t: Tables) -> dict[Key, Row]:
    """Nominal and real cost of records; nought is missing."""
    to_real, costs = price(t), cost_split(t)
    found: dict[Key, Row] = {}
    for r in sorted(t["facts.records_cost"], key=lambda r: r["financial_year"]):
        key = r["organisation_code"], r["financial_year"]
        cost = r["total_gbp"] or None
        real = cost * to_real[key[1]] if cost and key[1] in to_real else None
        earlier = [
            v["cost_real_gbp"]
            for k, v in found.items()
            if k[0] == key[0] and v["cost_real_gbp"] is not None
        ]
        first = earlier[0] if earlier else real
        found[key] = {
            "cost_gbp": cost,
            "cost_real_gbp": real,
            "real_index": real / first if real and first else None,
            "per_million_spent": 1e6 * cost / costs[key]["spent"]
            if cost and key in costs
            else None,
        }
    return found
