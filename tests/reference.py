"""The shares once more, slowly and obviously: dicts and loops instead of SQL.

Belongs here: a second way to compute shares, coverage and the as-now view, to compare
``pipeline/marts/sql`` with. Does not belong here: the measures they are made of
(``reference_measures``) and the other marts (``reference_marts``). Every function takes tables as
lists of dicts (``reference_tables``) and returns rows by key.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from reference_measures import account_values, capture, denominators, numerators, published
from reference_tables import Row, Tables, months_present, parameters


def digital_share(t: Tables) -> dict[tuple[str, str, str, str], Row]:
    """The share with its interval, gap and badge, by trust, year, definition and denominator."""
    p, months, captured, paid = parameters(t), months_present(t), capture(t), published(t)
    below = denominators(t)
    found: dict[tuple[str, str, str, str], Row] = {}
    for (code, year, definition), (middle, low, high) in numerators(t).items():
        for name in {n for c, y, n in below if (c, y) == (code, year)}:
            amount = below[code, year, name]
            if amount <= 0:
                continue
            badge, m, ratio = "A", None, None
            if definition != "D0":
                m = months.get((code, year), 0)
                ratio = captured[code, year]["ratio"] if (code, year) in captured else None
                if not paid[code, year]["typed"] or m < p["months_for_b"]:
                    badge = "C"
                elif (
                    m < p["months_for_a"]
                    or ratio is None
                    or not p["capture_low"] <= ratio <= p["capture_high"]
                ):
                    badge = "B"
            found[code, year, definition, name] = {
                "numerator_gbp": middle,
                "denominator_gbp": amount,
                "share": middle / amount,
                "share_lower": min(low, middle) / amount,
                "share_upper": max(high, middle) / amount,
                "gap_pp": 100 * (p["benchmark"] - middle / amount),
                "gap_gbp": p["benchmark"] * amount - middle,
                "months_present": m,
                "capture_ratio": ratio,
                "badge": badge,
            }
    return found


def coverage(t: Tables) -> dict[tuple[str, str, str, str], Row]:
    """Every combination, with its status."""
    shares = digital_share(t)
    keys = set(account_values(t)) | set(months_present(t))
    words = {"A": "available", "B": "available", "C": "incomplete"}
    return {
        (code, year, row["definition"], row["denominator"]): {
            "status": words[shares[key]["badge"]]
            if (key := (code, year, row["definition"], row["denominator"])) in shares
            else "not available"
        }
        for code, year in keys
        for row in t["dims.measure"]
    }


def today_of(t: Tables) -> Callable[[str], dict[str, float]]:
    """What a code became: codes of today with the weight that went there."""
    followed: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for row in t["dims.succession"]:
        followed[row["old_code"]].append((row["new_code"], row["weight"]))

    def walk(code: str, passed: tuple[str, ...]) -> dict[str, float]:
        onward = [(new, weight) for new, weight in followed[code] if new not in passed]
        if not onward:
            return {code: 1.0}
        ends: dict[str, float] = defaultdict(float)
        for new, weight in onward:
            for end, part in walk(new, (*passed, new)).items():
                ends[end] += weight * part
        return dict(ends)

    return lambda code: walk(code, (code,))


def digital_share_as_now(t: Tables) -> dict[tuple[str, str, str, str], Row]:
    """Sums by organisation of today."""
    today = today_of(t)
    found: dict[tuple[str, str, str, str], Row] = {}
    for (code, year, definition, name), row in digital_share(t).items():
        for now, weight in today(code).items():
            key = now, year, definition, name
            mine = found.setdefault(
                key, {"numerator_gbp": 0.0, "denominator_gbp": 0.0, "parts": 0, "badge": "A"}
            )
            mine["numerator_gbp"] += weight * row["numerator_gbp"]
            mine["denominator_gbp"] += weight * row["denominator_gbp"]
            mine["parts"] += 1
            mine["badge"] = max(mine["badge"], row["badge"])
    expected: dict[tuple[str, str, str], int] = defaultdict(int)
    for (code, year, name), amount in denominators(t).items():
        if amount > 0:
            for now in today(code):
                expected[now, year, name] += 1
    for (now, year, _, name), row in found.items():
        row["share"] = row["numerator_gbp"] / row["denominator_gbp"]
        if row["parts"] < expected[now, year, name]:
            row["badge"] = "C"
    return found
