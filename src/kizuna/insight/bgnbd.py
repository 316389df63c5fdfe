"""BG/NBD: how often customers buy, and whether they still do (Fader, Hardie, Lee 2005). Time is in weeks."""

from __future__ import annotations

from math import lgamma
from typing import Any

import numpy as np
from msgspec import Struct

from kizuna.insight.fit import minimum

Vector = Any  # a numpy array


class Bgnbd(Struct, frozen=True):
    """While alive a customer buys at a rate from Gamma(r, alpha); after each purchase they leave with Beta(a, b)."""

    r: float
    alpha: float
    a: float
    b: float


class Buyers(Struct, frozen=True):
    """Customers as columns: `x` repeat purchases, the last at age `t_x`, now of age `age`."""

    x: Vector
    t_x: Vector
    age: Vector


def fit(buyers: Buyers) -> Bgnbd:
    """By maximum likelihood."""
    rows, counts = np.unique(np.column_stack([buyers.x, buyers.t_x, buyers.age]), axis=0, return_counts=True)
    alike = Buyers(rows[:, 0], rows[:, 1], rows[:, 2])

    def loss(logs: Vector) -> float:
        if np.any(np.abs(logs) > 20):
            return 1e300
        return -float(counts @ _log_likelihoods(Bgnbd(*np.exp(logs)), alike))

    scale = max(float(np.mean(buyers.age)), 1e-6)
    return Bgnbd(*map(float, np.exp(minimum(loss, np.log([0.5, scale / 4, 1.0, 2.0])))))


def log_likelihood(model: Bgnbd, buyers: Buyers) -> float:
    return float(np.sum(_log_likelihoods(model, buyers)))


def p_alive(model: Bgnbd, buyers: Buyers) -> Vector:
    """The chance that each still buys; who never bought again is alive by the model."""
    return 1.0 / _doubt(model, buyers)


def expected_purchases(model: Bgnbd, buyers: Buyers, weeks: float) -> Vector:
    """Of each customer in the next `weeks`."""
    a, b, r, alpha = _off_one(model.a), model.b, model.r, model.alpha
    x, age = buyers.x, buyers.age
    z = weeks / (alpha + age + weeks)
    series = hypergeometric(r + x, b + x, a + b + x - 1.0, z)
    left = ((alpha + age) / (alpha + age + weeks)) ** (r + x)
    return (a + b + x - 1.0) / (a - 1.0) * (1.0 - left * series) / _doubt(model, buyers)


def expected_of_new(model: Bgnbd, weeks: float) -> float:
    """Repeat purchases of a new customer in their first `weeks`."""
    a, b, r, alpha = _off_one(model.a), model.b, model.r, model.alpha
    series = hypergeometric(np.array([r]), np.array([b]), np.array([a + b - 1.0]), np.array([weeks / (alpha + weeks)]))
    return float((a + b - 1.0) / (a - 1.0) * (1.0 - (alpha / (alpha + weeks)) ** r * series[0]))


def hypergeometric(a: Vector, b: Vector, c: Vector, z: Vector) -> Vector:
    """Gauss's 2F1 for 0 <= z < 1; near 1 by Euler's transformation of whichever converges faster."""
    a, b, c, z = np.broadcast_arrays(*(np.asarray(each, dtype=float) for each in (a, b, c, z)))
    better = c - a - b < 0  # then (1-z)^(c-a-b) 2F1(c-a, c-b; c; z) has the smaller terms
    first, second = np.where(better, c - a, a), np.where(better, c - b, b)
    term, total = np.ones_like(z), np.ones_like(z)
    for n in range(100_000):
        term = term * (first + n) * (second + n) / ((c + n) * (n + 1.0)) * z
        total = total + term
        if np.all(np.abs(term) <= 1e-14 * np.abs(total)):
            break
    return np.where(better, (1.0 - z) ** (c - a - b) * total, total)


def _doubt(model: Bgnbd, buyers: Buyers) -> Vector:
    """1 / P(alive)."""
    x = buyers.x
    ratio = (model.alpha + buyers.age) / (model.alpha + buyers.t_x)
    gone = model.a / (model.b + np.maximum(x, 1.0) - 1.0) * ratio ** (model.r + x)
    return 1.0 + np.where(x > 0, gone, 0.0)


def _log_likelihoods(model: Bgnbd, buyers: Buyers) -> Vector:
    r, alpha, a, b, x = model.r, model.alpha, model.a, model.b, buyers.x
    rate = _gammaln(r + x) - lgamma(r) + r * np.log(alpha)
    leaving = lgamma(a + b) + _gammaln(b + x) - lgamma(b) - _gammaln(a + b + x)
    stays = -(r + x) * np.log(alpha + buyers.age)
    left = np.log(a) - np.log(b + np.maximum(x, 1.0) - 1.0) - (r + x) * np.log(alpha + buyers.t_x)
    left = np.where(x > 0, left, -np.inf)
    return rate + leaving + np.logaddexp(stays, left)


def _gammaln(values: Vector) -> Vector:
    """The logarithm of the gamma function; counts repeat, so few are computed."""
    distinct, where = np.unique(values, return_inverse=True)
    return np.array([lgamma(value) for value in distinct])[where]


def _off_one(a: float) -> float:
    """The formulas divide by a - 1; beside 1 they are smooth."""
    return a if abs(a - 1.0) > 1e-6 else 1.0 + 1e-6
