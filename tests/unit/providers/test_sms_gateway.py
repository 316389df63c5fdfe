from __future__ import annotations

import json
from typing import Any

import pytest

from kizuna.providers import Delivery
from kizuna.providers.http import Call
from kizuna.providers.sms_gateway import Settings, provider

URL = "https://gateway.example/send"


def call(text: str, **settings: Any) -> Call:
    delivery = Delivery(
        message="msg_1", channel="sms", address="+8190", subject=None, text=text, html=None, headers={}, at=0.0
    )
    return provider.call(delivery, Settings(**{"url": URL, "sender": "Shop", **settings}), 0.0)


@pytest.mark.parametrize("text", ['", "admin": "1', "a\\", "line\nbreak\x00", "{to}{from}", "秋😀"])
def test_what_is_put_in_stays_in_its_place(text: str) -> None:
    asked = call(text, body='{"to": "{to}", "say": "{text}", "by": "{from} {message}"}')
    assert json.loads(asked.body) == {"to": "+8190", "say": text, "by": "Shop msg_1"}
    asked = call(text, body="to={to}&say={text}", headers={"content-type": "application/x-www-form-urlencoded"})
    assert asked.body.decode().count("&") == 1
    assert asked.headers == {"Content-Type": "application/x-www-form-urlencoded"}
    assert call("a&b/?#", url=URL + "?to={to}&say={text}", method="GET") == Call(
        f"{URL}?to=%2B8190&say=a%26b%2F%3F%23", b"", {}, "GET"
    )


@pytest.mark.parametrize(
    ("settings", "pointers"),
    [
        ({"body": "{to} {text}"}, []),
        ({"url": URL + "?to={to}&text={text}"}, []),
        ({"body": "{text}"}, ["/body"]),
        ({"body": "{to} {text}", "method": "PATCH"}, ["/method"]),
        ({"body": "{to} {text}", "url": "https://{to}.example/"}, ["/url"]),
        ({"body": "{to} {text}", "url": "ftp://gateway.example/"}, ["/url"]),
        ({"body": "{to} {text}", "url": "https://gateway.example{to}"}, ["/url"]),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], pointers: list[str]) -> None:
    checked = provider.check(Settings(**{"url": URL, **settings}))
    assert [each.pointer for each in checked.problems] == pointers
