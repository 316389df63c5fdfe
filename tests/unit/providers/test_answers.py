from __future__ import annotations

import httpx
import pytest

from kizuna.providers import Ambiguous, Unavailable
from kizuna.providers.answers import lost, one_line, retry_after


@pytest.mark.parametrize("error", [httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.PoolTimeout("x")])
def test_before_the_request_was_on_its_way_nothing_was_taken(error: Exception) -> None:
    assert isinstance(lost(error), Unavailable)


@pytest.mark.parametrize("error", [httpx.ReadTimeout("x"), httpx.WriteError("x"), httpx.RemoteProtocolError("x")])
def test_after_that_nobody_knows(error: Exception) -> None:
    assert isinstance(lost(error), Ambiguous)


@pytest.mark.parametrize(
    ("given", "seconds"), [("120", 120), (" 5 ", 5), ("999999", 86_400), ("-1", None), ("soon", None), ("", None)]
)
def test_how_long_to_wait_is_read_in_seconds(given: str, seconds: int | None) -> None:
    assert retry_after({"retry-after": given}) == seconds


def test_an_answer_is_one_short_line() -> None:
    assert one_line(400, "bad\n  request") == "400 bad request"
    assert len(one_line(400, "x" * 9_999)) == 500
