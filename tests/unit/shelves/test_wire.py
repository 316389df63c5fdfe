from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.core.errors import Invalid
from kizuna.shelves.wire import Pull, read_acts, read_pull


def test_names_are_those_of_the_tracking_api_and_null_is_unsaid() -> None:
    said = b'{"writeKey": "wk", "anonymousId": "a", "userId": null, "known": ["msg_1"], "version": 1, "more": {}}'
    assert read_pull(said) == Pull(write_key="wk", anonymous_id="a", known=["msg_1"], version=1)


def test_somebody_has_to_ask() -> None:
    with pytest.raises(Invalid, match="anonymousId"):
        read_pull(b'{"writeKey": "wk"}')


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_any_other_body_is_refused(body: bytes) -> None:
    for read in (read_pull, read_acts):
        with pytest.raises(Invalid):
            read(body)
