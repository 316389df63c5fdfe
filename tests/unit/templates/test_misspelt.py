from __future__ import annotations

from typing import Any

import pytest

from kizuna.templates.misspelt import warnings_of

MAIL = {"channel": "email", "subject": "Hello", "body": "<p>Hi</p>"}


@pytest.mark.parametrize(
    ("more", "warning"),
    [
        ({"locale": {"ja": {}}}, "'locale' means nothing here; did you mean 'locales'?"),
        ({"preheader": "x"}, "'preheader' means nothing here"),
        ({"locales": {"ja": {"subjct": "x"}}}, "'subjct' of ja means nothing here; did you mean 'subject'?"),
        ({"channel": "emial"}, "no channel 'emial': its messages are skipped; did you mean 'email'?"),
    ],
)
def test_what_means_nothing_is_said(more: dict[str, Any], warning: str) -> None:
    assert warnings_of({**MAIL, **more}) == [warning]


@pytest.mark.parametrize("channel", ["email", "sms", "in_app", "block"])
def test_what_get_shows_may_be_put_again(channel: str) -> None:
    assert warnings_of({**MAIL, "channel": channel, "name": "hello", "version": 3, "published_at": "2026-11-26"}) == []
    assert warnings_of({"body": "<p>Hi</p>"}) == []
