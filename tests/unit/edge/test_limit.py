from __future__ import annotations

import pytest

from kizuna.core.errors import TooMany
from kizuna.edge.limit import Limiter


def test_so_many_in_a_window_and_again_in_the_next() -> None:
    now = 0.0
    limiter = Limiter(60, lambda: now)
    for _ in range(3):
        limiter.take("ada", 3)
    with pytest.raises(TooMany) as refused:
        limiter.take("ada", 3)
    assert refused.value.retry_after == 61
    limiter.take("grace", 3)
    now = 60.0
    limiter.take("ada", 3)


def test_what_it_remembers_is_bounded() -> None:
    limiter = Limiter(60, lambda: 0.0, most_names=2)
    limiter.take("a", 9)
    limiter.take("b", 9)
    limiter.take("a", 9)
    with pytest.raises(TooMany):
        limiter.take("c", 9)
