"""The least value of a smooth function of a few variables, by the simplex of Nelder and Mead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Vector = Any  # a numpy array of floats


def minimum(
    function: Callable[[Vector], float], start: Vector, *, tolerance: float = 1e-9, turns: int = 20_000
) -> Vector:
    """Begins anew from where it came to rest until that gains nothing more: a simplex may collapse too early."""
    best = np.asarray(start, dtype=float)
    value = function(best)
    while True:
        found = _descend(function, best, tolerance, turns)
        reached = function(found)
        if not reached < value - 1e-7:
            return found if reached <= value else best
        best, value = found, reached


def _descend(function: Callable[[Vector], float], start: Vector, tolerance: float, turns: int) -> Vector:
    size = len(start)
    points = np.vstack([start, *(start + 0.25 * np.eye(size)[i] * max(abs(start[i]), 1.0) for i in range(size))])
    values = np.array([function(point) for point in points])
    for _ in range(turns):
        order = np.argsort(values)
        points, values = points[order], values[order]
        if values[-1] - values[0] < tolerance and np.max(np.abs(points - points[0])) < 1e-7:
            break
        middle = points[:-1].mean(axis=0)
        reflected = middle + (middle - points[-1])
        value = function(reflected)
        if value < values[0]:
            further = middle + 2.0 * (middle - points[-1])
            at_further = function(further)
            points[-1], values[-1] = (further, at_further) if at_further < value else (reflected, value)
        elif value < values[-2]:
            points[-1], values[-1] = reflected, value
        else:
            nearer = middle + 0.5 * ((reflected if value < values[-1] else points[-1]) - middle)
            at_nearer = function(nearer)
            if at_nearer < min(value, values[-1]):
                points[-1], values[-1] = nearer, at_nearer
            else:
                points[1:] = points[0] + 0.5 * (points[1:] - points[0])
                values[1:] = [function(point) for point in points[1:]]
    return points[np.argmin(values)]
