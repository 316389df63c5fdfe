"""Lifetime value on the CDNOW sample: the parameters that were published come out of the fit."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from kizuna.insight import bgnbd, gamma_gamma
from kizuna.insight.clv import answer, columns

DATA = Path(__file__).parents[4] / "shared" / "data" / "cdnow"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the CDNOW data may not be shipped")


def summary() -> list[dict[str, float]]:
    with (DATA / "cdnow_customers_summary_with_transactions.csv").open() as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


@needs_data
def test_the_published_fit_of_cdnow() -> None:
    expected = json.loads((DATA / "expected.json").read_text())["BG/NBD (Fader, Hardie, Lee 2005)"]
    rows = summary()
    buyers = bgnbd.Buyers(*(np.array([row[name] for row in rows]) for name in ("x", "t_x", "T")))
    model = bgnbd.fit(buyers)
    assert [round(value, 3) for value in (model.r, model.alpha, model.a, model.b)] == pytest.approx(
        [expected["r"], expected["alpha"], expected["a"], expected["b"]], abs=1.5e-3
    )
    assert bgnbd.log_likelihood(model, buyers) == pytest.approx(expected["log_likelihood"], abs=0.05)
    for weeks, purchases in expected["E[X(t)] for t weeks"].items():
        assert bgnbd.expected_of_new(model, float(weeks)) == pytest.approx(purchases, abs=5e-4)
    held_out = bgnbd.expected_purchases(model, buyers, 39)
    by_frequency = [held_out[np.minimum(buyers.x, 7) == x].mean() for x in range(8)]
    published = expected["conditional expectation in the 39 holdout weeks by calibration frequency"]["model"]
    assert by_frequency == pytest.approx(published, rel=2e-3)


@needs_data
def test_the_published_values_of_cdnow() -> None:
    expected = json.loads((DATA / "expected.json").read_text())["Gamma-Gamma (Fader, Hardie 2013)"]
    rows = summary()
    x, mean = (np.array([row[name] for row in rows]) for name in ("x", "zbar"))
    repeaters = x > 0
    assert int(repeaters.sum()) == expected["fitted_on_customers_with_repeat"]
    model = gamma_gamma.fit(x[repeaters], mean[repeaters])
    assert (model.p, model.q, model.v) == pytest.approx((expected["p"], expected["q"], expected["v"]), abs=0.02)
    found = gamma_gamma.log_likelihood(model, x[repeaters], mean[repeaters])
    assert found == pytest.approx(expected["log_likelihood"], abs=0.05)
    worth = gamma_gamma.expected_value(model, x, mean)[:10]
    assert worth == pytest.approx(expected["E[spend] of the first ten summary rows"], abs=0.03)


@needs_data
def test_purchase_days_become_the_published_columns() -> None:
    """From the raw purchases: one a day, in weeks, `until` exclusive."""
    days: dict[str, dict[int, float]] = {}
    until = np.datetime64("1997-10-01").astype(int)
    for line in (DATA / "CDNOW_sample.txt").read_text().splitlines():
        _, customer, day, _, value = line.split()
        number = np.datetime64(f"{day[:4]}-{day[4:6]}-{day[6:]}").astype(int)
        if number < until:
            of = days.setdefault(customer, {})
            of[number] = of.get(number, 0.0) + float(value)
    rows = [
        (customer, len(of), min(of), max(of), until - 1, sum(value for day, value in of.items() if day > min(of)))
        for customer, of in days.items()
    ]
    bought = columns(rows)
    published = summary()
    assert bought.x.tolist() == [row["x"] for row in published]
    assert bought.t_x == pytest.approx([row["t_x"] for row in published], abs=0.006)
    assert bought.age == pytest.approx([row["T"] for row in published], abs=0.006)
    told = answer(rows, 39, "USD", {})
    assert told["params"]["r"] == pytest.approx(0.243, abs=2e-3)
    assert told["log_likelihood"] == pytest.approx(-9582.4, abs=1)
    assert told["expected_purchases"] == pytest.approx(float(told["expected_purchases"]))
    assert told["expected_value"]["currency"] == "USD"


def test_too_few_customers_get_no_model() -> None:
    assert answer([("prf_1", 2, 10, 20, 30, 5)], 52, "JPY", {})["params"] is None
