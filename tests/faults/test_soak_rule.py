"""The rule that says whether something grows over many refreshes can say yes, and says no to noise."""

from __future__ import annotations

import random

import pytest
from soak import NOISE, creeps


def _level(number: int, height: float = 340.0) -> list[float]:
    lot = random.Random(7)
    return [height + lot.uniform(-6, 6) for _ in range(number)]


def test_a_level_with_noise_and_one_peak_does_not_creep() -> None:
    level = _level(200)
    level[190] += 60
    assert creeps(level, NOISE["memory_mb"]) == ""


@pytest.mark.parametrize("a_refresh", [0.2, 0.8])
def test_a_steady_rise_creeps(a_refresh: float) -> None:
    rising = [value + n * a_refresh for n, value in enumerate(_level(200))]
    assert "mean of the last 50" in creeps(rising, NOISE["memory_mb"])


def test_a_rise_that_has_ended_before_the_second_half_is_warming_up() -> None:
    assert creeps([250.0 + min(n, 99) for n in range(200)], NOISE["memory_mb"]) == ""


def test_one_handle_more_is_one_too_many() -> None:
    assert creeps([9.0] * 170 + [10.0] * 30, NOISE["handles"])
    assert creeps([9.0] * 200, NOISE["handles"]) == ""


def test_too_few_refreshes_tell_nothing() -> None:
    assert creeps([1.0, 2.0, 4.0], 0.0) == ""
