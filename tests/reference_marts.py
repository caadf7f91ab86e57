"""The marts about boards, staff, maturity and peers once more, slowly and obviously.

See ``reference`` for the shares and ``reference_spending`` for spending. Every function takes tables
as lists of dicts and returns rows by the key of the mart.
"""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import date
from statistics import mean, median, stdev
from typing import Any

from reference import digital_share, digital_share_as_now
from reference_measures import cost_split, staff_counts
from reference_tables import (
    DEFAULT,
    Row,
    Tables,
    parameters,
    start,
    year_of,
)

Key = tuple[Any, ...]


def quantile(values: list[float], q: float) -> float:
    """Quantile by straight lines between the sorted values."""
    values = sorted(values)
    place = q * (len(values) - 1)
    low = math.floor(place)
    return values[low] + (place - low) * (values[min(low + 1, len(values) - 1)] - values[low])


def places(values: list[float]) -> list[float]:
    """Rank of each value from 1; equal values share the mean of their ranks."""
    return [sum(v < x for v in values) + (sum(v == x for v in values) + 1) / 2 for x in values]


def correlation(x: list[float], y: list[float]) -> float | None:
    """Pearson's correlation; None when one of them does not vary."""
    mx, my = mean(x), mean(y)
    xx, yy = sum((a - mx) ** 2 for a in x), sum((b - my) ** 2 for b in y)
    if xx == 0 or yy == 0:
        return None
    return sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True)) / math.sqrt(xx * yy)


def counted(t: Tables) -> list[Row]:
    """Shares with badge A or B, with the board of the row in the mart (tested on its own)."""
    rows = []
    boards = board_of(t)
    for (code, year, definition, name), row in digital_share(t).items():
        if row["badge"] != "C":
            rows.append(
                {"code": code, "year": year, "d": definition, "n": name, "icb": boards(code, year)}
                | row
            )
    return rows


def board_of(t: Tables) -> Any:
    """Board of a trust at the end of a financial year, by the register of the time."""
    latest = {o["organisation_code"]: o["icb_code"] for o in t["dims.organisation"]}

    def board(code: str, year: str) -> str | None:
        day = max(date(start(year) + 1, 3, 31), date(2022, 7, 1))
        known = [
            m
            for m in t["dims.icb_membership"]
            if m["organisation_code"] == code and m["valid_from"] <= day
        ]
        return max(known, key=lambda m: m["valid_from"])["icb_code"] if known else latest.get(code)

    return board


def icb_share(t: Tables) -> dict[Key, Row]:
    """Sums and spread of the trusts of each board."""
    groups: dict[Key, list[Row]] = defaultdict(list)
    for row in counted(t):
        if row["icb"] is not None:
            groups[row["icb"], row["year"], row["d"], row["n"]].append(row)
    return {
        key: {
            "trusts_counted": len(rows),
            "numerator_gbp": sum(r["numerator_gbp"] for r in rows),
            "denominator_gbp": sum(r["denominator_gbp"] for r in rows),
            "share": sum(r["numerator_gbp"] for r in rows)
            / sum(r["denominator_gbp"] for r in rows),
            "p10_share": quantile([r["share"] for r in rows], 0.1),
            "p90_share": quantile([r["share"] for r in rows], 0.9),
            "sd_share": stdev([r["share"] for r in rows]) if len(rows) > 1 else None,
        }
        for key, rows in groups.items()
    }


def icb_spread(t: Tables) -> dict[Key, Row]:
    """One-way analysis of variance of the shares between boards."""
    years: dict[Key, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in counted(t):
        if row["icb"] is not None:
            years[row["year"], row["d"], row["n"]][row["icb"]].append(row["share"])
    found = {}
    for key, boards in years.items():
        groups = [shares for shares in boards.values() if len(shares) >= 2]
        if not groups:
            continue
        n, k = sum(map(len, groups)), len(groups)
        grand = sum(map(sum, groups)) / n
        within = sum((x - mean(g)) ** 2 for g in groups for x in g) / (n - k)
        icc = None
        if k >= 3:
            between = sum(len(g) * (mean(g) - grand) ** 2 for g in groups) / (k - 1)
            size = (n - sum(len(g) ** 2 for g in groups) / n) / (k - 1)
            icc = (between - within) / (between + (size - 1) * within)
        found[key] = {"boards": k, "trusts": n, "sd_within_boards": math.sqrt(within), "icc": icc}
    return found


def rank_stability(t: Tables) -> dict[Key, Row]:
    """Rank correlation between every two combinations of definition and denominator."""
    by_year: dict[str, dict[tuple[str, str], dict[str, float]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for row in counted(t):
        by_year[row["year"]][row["d"], row["n"]][row["code"]] = row["share"]
    found = {}
    for year, combinations in by_year.items():
        for a in combinations:
            for b in combinations:
                codes = sorted(set(combinations[a]) & set(combinations[b]))
                if a >= b or not codes:
                    continue
                x = places([combinations[a][c] for c in codes])
                y = places([combinations[b][c] for c in codes])
                rho = correlation(x, y) if len(codes) >= 8 else None
                low = high = None
                if rho is not None and abs(rho) < 1 - 1e-12:  # tanh and its inverse, written out
                    z = math.log((1 + rho) / (1 - rho)) / 2
                    reach = 1.96 * math.sqrt((1 + rho**2 / 2) / (len(codes) - 3))
                    low, high = (1 - 2 / (math.exp(2 * v) + 1) for v in (z - reach, z + reach))
                found[year, *a, *b] = {
                    "trusts": len(codes),
                    "spearman": rho,
                    "spearman_lower": low,
                    "spearman_upper": high,
                    "mean_places_moved": mean(abs(i - j) for i, j in zip(x, y, strict=True)),
                }
    return found


def workforce(t: Tables) -> dict[Key, Row]:
    """Proxies per 1,000 FTE with Wilson's interval, and the gap to 22.8% more than in 2020."""
    p, costs = parameters(t), cost_split(t)
    trusts = {o["organisation_code"] for o in t["dims.organisation"] if o["kind"] == "trust"}
    counts = [c for c in staff_counts(t) if c["code"] in trusts]
    growth = 1 + p["digital_posts_needed"] / p["digital_posts_baseline"]
    found: dict[Key, Row] = {}
    for c in counts:
        fte = c["fte"] if c["fte"] >= 5 else None
        row: Row = {
            "is_suppressed": fte is None,
            "per_1000_fte": None,
            "gap_fte": None,
            "per_100m_gbp": None,
        }
        if fte is not None:
            share, n, z = fte / c["all"], c["all"], 1.96
            middle = (share + z * z / (2 * n)) / (1 + z * z / n)
            half = (
                z
                * math.sqrt(max(0.0, share * (1 - share)) / n + z * z / (4 * n * n))
                / (1 + z * z / n)
            )
            row |= {
                "per_1000_fte": 1000 * share,
                "per_1000_fte_lower": 1000 * max(0.0, middle - half),
            }
            row["per_1000_fte_upper"] = 1000 * min(1.0, middle + half)
            near = [
                (abs(start(y) - year_of(c["month"])), start(y), v["spent"])
                for (k, y), v in costs.items()
                if k == c["code"]
            ]
            row["per_100m_gbp"] = fte / (min(near)[2] / 1e8) if near else None
            alike = [
                x
                for x in counts
                if x["proxy"] == c["proxy"] and x["month"] == c["month"] and x["fte"] >= 5
            ]
            enough = p["pro_rata_part"] * len({x["code"] for x in counts})
            posts = p["digital_posts_needed"] * fte / sum(x["fte"] for x in alike)
            having = sum(x["proxy"] == c["proxy"] and x["month"] == c["month"] for x in counts)
            row["posts_pro_rata"] = posts if having >= enough else None
            first = [
                (x["month"], x["fte"])
                for x in counts
                if x["code"] == c["code"]
                and x["proxy"] == c["proxy"]
                and x["month"].year == 2020
                and x["fte"] >= 5
            ]
            row["gap_fte"] = min(first)[1] * growth - fte if first else None
        found[c["code"], c["month"], c["proxy"]] = row
    return found


def maturity(t: Tables) -> dict[Key, Row]:
    """Scores with the quartile of their care setting and the change on comparable domains."""
    scores: dict[Key, float] = {}
    files: dict[Key, str] = {}
    pillars: dict[Key, list[float]] = defaultdict(list)
    for m in t["facts.maturity"]:
        if m["score"] is None:
            continue
        key = m["organisation_name"], m["year"], m["care_setting"]
        scores[*key, m["pillar"]] = m["score"]
        files[*key, m["pillar"]] = m["source_file"]
        if m["pillar"] != "overall_comparable":
            pillars[key].append(m["score"])
    for key, values in pillars.items():
        scores[*key, "mean_of_pillars"] = mean(values)
    found: dict[Key, Row] = {}
    for (name, year, setting, pillar), score in scores.items():
        alike = [s for (_, y, c, q), s in scores.items() if (y, c, q) == (year, setting, pillar)]
        before = scores.get((name, year - 1, setting, pillar))
        one_file = files.get((name, year, setting, pillar)) == files.get(
            (name, year - 1, setting, pillar)
        )
        low = quantile(alike, 0.25)
        found[name, year, setting, pillar] = {
            "score": score,
            "setting_median": median(alike),
            "gap_to_p25": max(0.0, low - score),
            "change": score - before
            if pillar == "overall_comparable" and before is not None and one_file
            else None,
        }
    return found


def _trust_scores(t: Tables) -> dict[tuple[str, int, str], list[float]]:
    current = {o["organisation_code"]: o["current_code"] for o in t["dims.organisation"]}
    who = {
        m["organisation_name"]: m["organisation_code"]
        for m in t["facts.maturity"]
        if m["organisation_kind"] == "trust" and m["organisation_code"] is not None
    }
    scores: dict[tuple[str, int, str], list[float]] = defaultdict(list)
    for (name, year, _, pillar), row in maturity(t).items():
        if name in who:
            scores[current.get(who[name]) or who[name], year, pillar].append(row["score"])
    return scores


def maturity_and_spend_trust(t: Tables) -> dict[Key, Row]:
    """Mean share of the latest three years beside the score."""
    shares: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for (code, year, definition, name), row in digital_share_as_now(t).items():
        if row["badge"] != "C" and name == DEFAULT:
            shares[code, definition][year] = row["share"]
    found: dict[Key, Row] = {}
    for (code, year, pillar), values in _trust_scores(t).items():
        if pillar not in ("mean_of_pillars", "Ensure Smart Foundations", "overall_comparable"):
            continue
        for (owner, definition), by_year in shares.items():
            usable = sorted((y for y in by_year if start(y) <= year), reverse=True)[:3]
            if owner == code and usable:
                found[code, definition, DEFAULT, year, pillar] = {
                    "score": mean(values),
                    "mean_share": mean(by_year[y] for y in usable),
                    "years_used": len(usable),
                }
    return found


def maturity_and_spend(t: Tables) -> dict[Key, Row]:
    """Spearman's correlation over all trusts and in each sector (no interval)."""
    sector = {o["organisation_code"]: o["sector"] for o in t["dims.organisation"]}
    groups: dict[Key, list[Row]] = defaultdict(list)
    for (code, *rest), row in maturity_and_spend_trust(t).items():
        groups[*rest, "All"].append(row)
        if sector[code] is not None:
            groups[*rest, sector[code]].append(row)
    return {
        key: {
            "trusts": len(rows),
            "spearman": correlation(
                places([r["mean_share"] for r in rows]), places([r["score"] for r in rows])
            )
            if len(rows) >= 8
            else None,
        }
        for key, rows in groups.items()
    }


def peer(t: Tables) -> dict[Key, Row]:
    """The ten nearest neighbours of every open trust, and whether they are worth a call."""
    latest: dict[str, tuple[str, float]] = {}
    for (code, year), c in cost_split(t).items():
        latest[code] = max(latest.get(code, ("", 0.0)), (year, c["spent"]))
    shares: dict[str, tuple[str, Row]] = {}
    for (code, year, definition, name), row in digital_share(t).items():
        if definition == "D1" and name == DEFAULT and row["badge"] != "C":
            shares[code] = max(shares.get(code, ("", {})), (year, row), key=lambda pair: pair[0])
    scores: dict[str, tuple[int, float]] = {}
    who = {
        m["organisation_name"]: m["organisation_code"]
        for m in t["facts.maturity"]
        if m["organisation_code"]
    }
    by_code: dict[tuple[str, int], list[float]] = defaultdict(list)
    for (name, year, _, pillar), row in maturity(t).items():
        if pillar == "mean_of_pillars" and name in who:
            by_code[who[name], year].append(row["score"])
    for (code, year), values in by_code.items():
        scores[code] = max(scores.get(code, (0, 0.0)), (year, mean(values)))
    trusts = [
        o
        for o in t["dims.organisation"]
        if o["kind"] == "trust"
        and o["current_code"] == o["organisation_code"]
        and o["sector"]
        and o["organisation_code"] in latest
    ]
    found: dict[Key, Row] = {}
    for a in trusts:
        near = []
        for b in trusts:
            if a is b:
                continue
            size = math.log2(latest[a["organisation_code"]][1] / latest[b["organisation_code"]][1])
            taught = [
                bool(o["benchmark_group"] and "teaching" in o["benchmark_group"].lower())
                for o in (a, b)
            ]
            far = math.sqrt(size**2 + (taught[0] != taught[1]) + 9 * (a["sector"] != b["sector"]))
            near.append((far, b["organisation_code"], b))
        for place, (far, code, b) in enumerate(sorted(near, key=lambda n: n[:2])[:10], 1):
            mine, theirs = scores.get(a["organisation_code"]), scores.get(code)
            call: bool | None
            if a["sector"] != b["sector"]:
                call = False
            elif mine is None or theirs is None:
                call = None
            elif theirs[1] < mine[1] + 0.25:
                call = False
            elif a["organisation_code"] not in shares or code not in shares:
                call = None
            else:
                x, y = shares[a["organisation_code"]][1], shares[code][1]
                overlap = (
                    x["share_lower"] <= y["share_upper"] and y["share_lower"] <= x["share_upper"]
                )
                call = abs(x["share"] - y["share"]) <= 0.005 or overlap
            found[a["organisation_code"], code] = {
                "nearness": place,
                "distance": far,
                "is_worth_a_call": call,
            }
    return found
