"""The fictional world: how large each trust is, what it truly spends on digital, how mature it is.

Belongs here: the quantities by trust and year that accounts, payments, workforce and maturity are
all made from, so that they agree with each other. Does not belong here: any publisher's format.

The numbers are invented. Their ranges follow single published facts: trusts spend around 2% of
expenditure on digital and vary widely, payments published are 16% to 69% of operating expenditure,
about two thirds of costs are staff.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import polars as pl

from pipeline.demo.places import Board, Trust, make_boards, make_trusts

# Sector: median operating expenditure in GBP million, staff share, capital additions share,
# digital share, share of posts in administration and estates.
_SECTORS = {
    "Acute": (520.0, 0.62, 0.065, 0.0215, 0.19),
    "Specialist": (190.0, 0.57, 0.060, 0.0235, 0.21),
    "Mental Health": (330.0, 0.73, 0.040, 0.0225, 0.20),
    "Community": (150.0, 0.69, 0.035, 0.0240, 0.22),
    "Ambulance": (270.0, 0.70, 0.050, 0.0260, 0.18),
}
MEDIAN_STAFF_COST_GBP = 52_000.0
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class World:
    """Everything the demonstration's files are made from.

    Attributes:
        seed: the seed it was made with.
        years: financial years, written ``2020/21``.
        boards: the fictional boards.
        trusts: the fictional trusts, in code order.
        plan: one row per trust and year in which the trust exists; see ``make_world``.
        maturity: one latent score from 1 to 5 per trust, in trust order.
    """

    seed: int
    years: tuple[str, ...]
    boards: list[Board]
    trusts: list[Trust]
    plan: pl.DataFrame
    maturity: np.ndarray


def start_year(financial_year: str) -> int:
    """Calendar year of the April a financial year begins with: 2020 for ``2020/21``.

    Raises:
        ValueError: when the text is not two consecutive years written ``2020/21``.
    """
    head, _, tail = financial_year.partition("/")
    if len(head) != 4 or not head.isdigit() or tail != f"{(int(head) + 1) % 100:02d}":
        raise ValueError(
            f"{financial_year!r} is not a financial year. Write two consecutive years as '2020/21'."
        )
    return int(head)


def _spread(rng: np.random.Generator, count: int) -> np.ndarray:
    """Normal scores in random order: the same spread for every seed, another trust each time."""
    normal = NormalDist()
    return rng.permutation([normal.inv_cdf((i + 0.5) / count) for i in range(count)])


def _digital_shares(
    rng: np.random.Generator, trusts: list[Trust], years: int
) -> tuple[np.ndarray, np.ndarray]:
    """True non-pay digital shares (trusts x years) and the year of an EPR go-live (-1 for none)."""
    count = len(trusts)
    medians = np.array([_SECTORS[t.sector][3] for t in trusts])
    z = _spread(rng, count)
    level = medians * np.exp(0.41 * z)
    wobble = np.zeros((count, years))
    wobble[:, 0] = rng.normal(0, 0.07, count)
    for year in range(1, years):
        wobble[:, year] = 0.6 * wobble[:, year - 1] + rng.normal(0, 0.07, count)
    shares = level[:, None] * np.exp(wobble)
    # A few acute trusts go live with an electronic patient record: one year of spike, then a tail
    # of higher running cost. Not the top spenders, so that the spike is not the range.
    golive = np.full(count, -1)
    able = [
        i for i, t in enumerate(trusts) if t.sector == "Acute" and z[i] < 0.9 and not t.successor
    ]
    wanted = max(3, count // 10)
    for turn, i in enumerate(able[:: max(1, len(able) // wanted)][:wanted]):
        year = min(1 + turn % 2, years - 1)
        golive[i] = year
        shares[i, year] *= 1.75
        shares[i, year + 1 :] *= 1.22
    return np.clip(shares, 0.0075, 0.062), golive


def _expenditure(rng: np.random.Generator, trusts: list[Trust], years: int) -> Arrays:
    """Operating expenditure and its parts in GBP, trusts x years; a successor takes over size."""
    count, shape = len(trusts), (len(trusts), years)
    sector = np.array([_SECTORS[t.sector] for t in trusts])
    growth = np.cumprod(np.r_[1.0, np.full(years - 1, 1.065)])
    size = sector[:, 0] * 1e6 * np.exp(0.48 * _spread(rng, count))
    opex = size[:, None] * growth * np.exp(rng.normal(0, 0.012, shape))
    numbers = {t.code: i for i, t in enumerate(trusts)}
    for i, trust in enumerate(trusts):
        if trust.successor:
            opex[numbers[trust.successor], trust.last :] += opex[i, trust.last :]
    revaluation = rng.uniform(0.01, 0.045, shape)
    impairments = opex * np.where(
        rng.random(shape) < 0.15, revaluation, rng.normal(0.0, 0.0015, shape)
    )
    core = opex - impairments
    share = sector[:, 1, None] + rng.normal(0, 0.015, (count, 1)) + rng.normal(0, 0.005, shape)
    staff = core * share
    depreciation = core * rng.uniform(0.024, 0.034, shape)
    amortisation = core * rng.uniform(0.003, 0.007, shape)
    wte = staff / MEDIAN_STAFF_COST_GBP / growth**0.5
    return {
        "operating_expenditure": opex,
        "staff_costs": staff,
        "depreciation": depreciation,
        "amortisation": amortisation,
        "impairments": impairments,
        "operating_income": opex * (1 + rng.normal(0.004, 0.012, shape)),
        "capital_additions": core * sector[:, 2, None] * np.exp(rng.normal(0, 0.22, shape)),
        "nonpay": core - staff - depreciation - amortisation,
        "core": core,
        "wte": wte,
        "wte_admin": wte * sector[:, 4, None] * np.exp(rng.normal(0, 0.03, shape)),
    }


def _digital(
    rng: np.random.Generator, spent: Arrays, shares: np.ndarray, is_golive: np.ndarray
) -> Arrays:
    """Digital money in GBP, trusts x years, from the true shares."""
    count, shape = len(shares), shares.shape
    total = shares * spent["core"]
    part = 0.31 + 0.06 * _spread(rng, count)[:, None] + rng.normal(0, 0.03, shape)
    part = np.clip(part + 0.18 * is_golive, 0.12, 0.65)
    capital = total * part
    pay = 0.016 * np.exp(0.25 * _spread(rng, count))[:, None] * (shares / 0.0215) ** 0.35
    wobble = np.exp(rng.normal(0, 0.1, shape))
    return {
        "digital_revenue": total - capital,
        "digital_capital": capital,
        "digital_donated": capital * np.where(rng.random(shape) < 0.15, 0.04, 0.0),
        "digital_leased": capital * np.where(rng.random(shape) < 0.4, 0.12, 0.0),
        "digital_pay": spent["staff_costs"] * np.clip(pay, 0.005, 0.04),
        "possible": spent["core"] * rng.uniform(0.002, 0.005, (count, 1)) * wobble,
        # IT is part of all additions, so these cannot be smaller.
        "capital_additions": np.maximum(spent["capital_additions"], capital * 1.6),
    }


def _published(rng: np.random.Generator, money: Arrays, is_gross: np.ndarray) -> Arrays:
    """The parts of the money that are paid in lines over the threshold and published."""
    shape = money["nonpay"].shape
    count = shape[0]
    lift = np.where(is_gross, 1.13, 1.0)[:, None]  # VAT on about two thirds of the money
    cash = (money["nonpay"] + money["capital_additions"]) / money["operating_expenditure"] * lift
    capture = rng.uniform(0.5, 0.93, (count, 1)) + rng.normal(0, 0.02, shape)
    capture = np.maximum(capture, 0.18 / cash)
    capture = np.minimum.reduce([capture, 0.62 / cash, np.broadcast_to(0.95 / lift, shape)])
    mode = rng.choice(3, count, p=[0.35, 0.42, 0.23])
    few, many = rng.uniform(0.02, 0.07, count), rng.uniform(0.12, 0.3, count)
    rate = np.select([mode == 0, mode == 1], [np.zeros(count), few], many)
    return {
        "capture": capture,
        "digital_capture": np.clip(capture * np.exp(rng.normal(-0.02, 0.06, shape)), 0.25, 0.96),
        "balance_sheet_rate": np.clip(np.minimum(rate[:, None], 0.66 - capture * cash), 0, None),
        "year_end": np.repeat(np.exp(0.45 * _spread(rng, count))[:, None], shape[1], 1),
    }


def _maturity(rng: np.random.Generator, shares: np.ndarray) -> np.ndarray:
    """Latent maturity by trust, 1 to 5: goes with spending, but weakly."""
    level = np.log(shares.mean(axis=1))
    with_money = 0.3 * (level - level.mean()) / 0.41
    return np.clip(2.45 + 0.42 * (with_money + 0.95 * _spread(rng, len(shares))), 1.2, 4.4)


def make_world(seed: int, trusts: int, boards: int, years: Sequence[str]) -> World:
    """Draw the world.

    Args:
        seed: any integer; the same seed gives the same world.
        trusts: how many trusts, at least 1.
        boards: how many boards.
        years: consecutive financial years, written ``2020/21``.

    Returns:
        A ``World``. Its ``plan`` has one row per trust and year: ``trust`` (index),
        ``organisation_code``, ``year`` (index), ``financial_year``, ``sector``, then amounts in
        GBP: ``operating_expenditure``, ``staff_costs``, ``depreciation``, ``amortisation``,
        ``impairments``, ``operating_income``, ``capital_additions``, ``nonpay`` (operating
        expenditure without staff, depreciation, amortisation and impairments: what is paid in
        cash to others), ``digital_revenue``, ``digital_capital``, ``digital_donated``,
        ``digital_leased``, ``digital_pay``, ``possible``; ``capture`` and ``digital_capture``
        (share of all and of digital non-pay money that reaches the publishing threshold),
        ``balance_sheet_rate`` (tax and pension rows as a share of operating expenditure),
        ``year_end`` (weight of March, 1 is a plain month), ``golive`` (whether an electronic
        patient record goes live), ``wte`` and ``wte_admin``, ``vat_basis``.

    Raises:
        ValueError: for a year not written ``2020/21``, or years that do not follow each other.
    """
    starts = [start_year(y) for y in years]
    if not starts or starts != list(range(starts[0], starts[0] + len(starts))):
        raise ValueError(f"Years must follow each other; got {list(years)}.")
    rng = np.random.default_rng([seed, 1])
    named = make_boards(boards)
    people = make_trusts(trusts, named, len(years))
    shape = (len(people), len(starts))
    money = _expenditure(rng, people, len(starts))
    shares, golive = _digital_shares(rng, people, len(starts))
    is_golive = golive[:, None] == np.arange(len(starts))
    money |= _digital(rng, money, shares, is_golive)
    is_gross = rng.random(len(people)) < 0.4
    money |= _published(rng, money, is_gross)
    index, year = (axis.ravel().tolist() for axis in np.indices(shape))
    plan = pl.DataFrame(
        {
            "trust": index,
            "organisation_code": [people[i].code for i in index],
            "year": year,
            "financial_year": [years[y] for y in year],
            "sector": [people[i].sector for i in index],
            **{name: values.ravel() for name, values in money.items() if name != "core"},
            "golive": is_golive.ravel(),
            "vat_basis": ["gross" if is_gross[i] else "net" for i in index],
            "last": [people[i].last for i in index],
        }
    )
    plan = plan.filter(pl.col("year") < pl.col("last")).drop("last")
    return World(seed, tuple(years), named, people, plan, _maturity(rng, shares))
