"""BG/NBD against the figures its authors published (CDNOW), and against an independent sum."""

from __future__ import annotations

import numpy as np
import pytest

from kizuna.insight.bgnbd import (
    Bgnbd,
    Buyers,
    expected_of_new,
    expected_purchases,
    hypergeometric,
    log_likelihood,
    p_alive,
)

PUBLISHED = Bgnbd(0.243, 4.414, 0.793, 2.426)
ONE = Buyers(np.array([2.0]), np.array([30.43]), np.array([38.86]))


def one(x: float, t_x: float, age: float) -> Buyers:
    return Buyers(np.array([x]), np.array([t_x]), np.array([age]))


@pytest.mark.parametrize(
    ("weeks", "expected"),
    [(0.1429, 0.0078), (1, 0.0532), (3, 0.1506), (31.8571, 1.0405), (32, 1.0437), (78, 1.8576)],
)
def test_purchases_of_a_new_customer(weeks: float, expected: float) -> None:
    """The table was made with parameters of more digits; test_clv.py asks the fitted ones."""
    assert expected_of_new(PUBLISHED, weeks) == pytest.approx(expected, rel=2e-3, abs=1e-4)


def test_a_known_customer() -> None:
    assert expected_purchases(PUBLISHED, ONE, 39)[0] == pytest.approx(1.226, abs=5e-4)
    assert p_alive(PUBLISHED, ONE)[0] == pytest.approx(0.7266, abs=5e-5)
    late = one(2, 5.0, 38.86)
    assert p_alive(PUBLISHED, late)[0] == pytest.approx(0.1237, abs=5e-5)
    assert expected_purchases(PUBLISHED, late, 39)[0] == pytest.approx(0.2087, abs=5e-5)
    never = one(0, 0, 38.86)
    assert p_alive(PUBLISHED, never)[0] == 1
    assert expected_purchases(PUBLISHED, never, 39)[0] == pytest.approx(0.1951, abs=5e-5)


def test_a_busy_customer() -> None:
    """Printed by BTYD with parameters of more digits than were published."""
    busy = one(26, 30.86, 31.0)
    assert expected_purchases(PUBLISHED, busy, 52)[0] == pytest.approx(25.75659, rel=2e-3)
    assert p_alive(PUBLISHED, busy)[0] == pytest.approx(0.9688523, abs=1e-3)


def test_beside_a_of_one_the_expectation_is_smooth() -> None:
    near = [expected_purchases(Bgnbd(0.3, 4, a, 2.4), ONE, 39)[0] for a in (0.999, 1.0, 1.001)]
    assert near[1] == pytest.approx((near[0] + near[2]) / 2, rel=1e-4)


def test_the_likelihood_is_the_integral_over_rates_and_chances() -> None:
    """Independent of the closed form: sums over a grid of the two hidden values."""
    model, x, t_x, age = Bgnbd(1.5, 6.0, 2.0, 3.0), 2, 20.0, 30.0
    rate = (np.arange(4000) + 0.5) / 4000 * 6.0
    chance = ((np.arange(2000) + 0.5) / 2000)[:, None]
    prior = rate**0.5 * np.exp(-6.0 * rate) * chance * (1 - chance) ** 2
    alive = (1 - chance) ** x * np.exp(-rate * age)
    gone = chance * (1 - chance) ** (x - 1) * np.exp(-rate * t_x)
    total = np.sum(prior * rate**x * (alive + gone)) / np.sum(prior)
    assert log_likelihood(model, one(x, t_x, age)) == pytest.approx(np.log(total), abs=1e-3)


def test_the_series_agrees_with_known_values() -> None:
    z = np.array([0.0, 0.3, 0.9, 0.99])
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.where(z > 0, -np.log1p(-z) / z, 1.0)
    assert hypergeometric(np.ones(4), np.ones(4), np.full(4, 2.0), z) == pytest.approx(log, rel=1e-10)
    assert hypergeometric(np.full(4, 3.0), np.ones(4), np.ones(4), z) == pytest.approx((1 - z) ** -3, rel=1e-9)
