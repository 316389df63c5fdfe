"""The wire of browsers: any page may ask, and what cannot be taken is told."""

from __future__ import annotations

import json

import pytest

from kizuna.testing.shop import Shop


def test_any_page_may_ask_without_a_preflight(site: Shop) -> None:
    body = json.dumps({"writeKey": site.made["write_key"], "anonymousId": "a1"})
    plain = {"Content-Type": "text/plain;charset=UTF-8", "Origin": "https://shop.example"}
    for path, said in (("/in-page/pull", body), ("/in-page/acts", body[:-1] + ', "acts": []}')):
        answer = site.http.post(path, content=said, headers=plain)
        assert answer.status_code in (200, 202), answer.text
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
        before = site.http.options(path, headers={"Origin": "https://shop.example"})
        assert (before.status_code, before.headers["access-control-allow-headers"]) == (204, "Content-Type")
    key = site.ask("PUT", "/api/v1/providers/web", {"kind": "webpush", "settings": {"subject": "mailto:a@b.example"}})
    assert site.http.post("/in-page/pull", content=body).json()["push"] == {"public_key": key["applicationServerKey"]}


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("pull", b"", 400, "invalid_json"),
        ("pull", b"[]", 400, "invalid_pull"),
        ("pull", b'{"writeKey": "KEY"}', 400, "invalid_pull"),
        ("pull", b'{"anonymousId": "a"}', 400, "invalid_pull"),
        ("pull", b'{"writeKey": "wk_nobody", "anonymousId": "a"}', 401, "unknown_write_key"),
        ("pull", b'{"writeKey": "KEY", "anonymousId": ["a"]}', 400, "invalid_pull"),
        ("pull", b'{"writeKey": "KEY", "anonymousId": "a\\u0000"}', 400, "invalid_text"),
        ("pull", b'{"writeKey": "KEY", "anonymousId": "\\ud800"}', 400, "invalid_json"),
        ("pull", b'{"writeKey": "KEY", "anonymousId": "' + b"a" * 501 + b'"}', 400, "invalid_pull"),
        ("pull", b'{"writeKey": "KEY", "anonymousId": "a", "known": ' + b"[" * 60 + b"]" * 60 + b"}", 400, "too_deep"),
        ("pull", b'{"writeKey": "KEY", "anonymousId": "a", "x": "' + b"a" * 70_000 + b'"}', 413, "too_large"),
        ("acts", b'{"writeKey": "KEY", "acts": {}}', 400, "invalid_acts"),
        ("acts", b'{"writeKey": "KEY", "acts": [{"token": "t", "act": "explode"}]}', 400, "invalid_acts"),
        (
            "acts",
            b'{"writeKey": "KEY", "acts": [' + b'{"token":"t","act":"click"},' * 100 + b"{}]}",
            400,
            "invalid_acts",
        ),
        ("acts", b'{"writeKey": "KEY", "acts": [{"token": "t", "act": "click", "at": 1e400}]}', 400, "invalid_number"),
    ],
)
def test_hostile_bodies_are_told_what_is_wrong(shop: Shop, path: str, body: bytes, status: int, code: str) -> None:
    answer = shop.http.post(f"/in-page/{path}", content=body.replace(b"KEY", shop.made["write_key"].encode()))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["access-control-allow-origin"] == "*"


def test_templates_say_what_is_wrong_with_them(shop: Shop) -> None:
    wrong = {
        "channel": "in_app", "body": "Hi", "buttons": [{"label": "Go", "href": "/"}], "image": 7,
        "display": {"trigger": {"event": "Viewed", "where": [{"property": "at", "before": "2026-01-01"}]}},
        "locales": {"ja": {"url": "{{ broken"}},
    }  # fmt: skip
    answer = shop.call("PUT", "/api/v1/templates/offer", wrong)
    assert answer.status == 400
    assert {each["pointer"] for each in answer.body["errors"]} >= {
        "/buttons/0", "/image", "/display/trigger/where/0/before",
    }  # fmt: skip
    right = {"channel": "in_app", "body": "Hi", "locales": {"ja": {"url": "{{ broken"}}}
    answer = shop.call("PUT", "/api/v1/templates/offer", right)
    assert [each["pointer"] for each in answer.body["errors"]] == ["/locales/ja/url"]
