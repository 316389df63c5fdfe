"""Gamma-Gamma: what a purchase of a customer is worth (Fader, Hardie 2013)."""

from __future__ import annotations

from math import lgamma
from typing import Any

import numpy as np
from msgspec import Struct

from kizuna.insight.fit import minimum

Vector = Any  # a numpy array


class GammaGamma(Struct, frozen=True):
    """Values of one customer scatter by Gamma(p, nu) around a mean that differs by Gamma(q, v)."""

    p: float
    q: float
    v: float


def fit(x: Vector, mean: Vector) -> GammaGamma:
    """By maximum likelihood, from customers with `x` > 0 repeat purchases of `mean` > 0."""

    def loss(logs: Vector) -> float:
        if np.any(np.abs(logs) > 20):
            return 1e300
        return -log_likelihood(GammaGamma(*np.exp(logs)), x, mean)

    start = np.log([2.0, 2.0, max(float(np.mean(mean)), 1e-6)])
    return GammaGamma(*map(float, np.exp(minimum(loss, start))))


def log_likelihood(model: GammaGamma, x: Vector, mean: Vector) -> float:
    p, q, v = model.p, model.q, model.v
    return float(
        np.sum(
            _gammaln(p * x + q) - _gammaln(p * x) - lgamma(q) + q * np.log(v)
            + (p * x - 1) * np.log(mean) + p * x * np.log(x) - (p * x + q) * np.log(x * mean + v)
        )
    )  # fmt: skip


def expected_value(model: GammaGamma, x: Vector, mean: Vector) -> Vector:
    """Of one purchase of each customer; for who never bought again, the mean of all."""
    p, q, v = model.p, model.q, model.v
    if q <= 1.0:  # the mean of all is infinite: fall back to what each one shows
        return np.where(x > 0, mean, np.mean(mean[x > 0]) if np.any(x > 0) else 0.0)
    return p * (v + np.where(x > 0, mean, 0.0) * x) / (p * x + q - 1.0)


def _gammaln(values: Vector) -> Vector:
    distinct, where = np.unique(values, return_inverse=True)
    return np.array([lgamma(value) for value in distinct])[where]
