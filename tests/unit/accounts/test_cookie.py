from __future__ import annotations

from kizuna.accounts.cookie import for_public_url


def test_a_cookie_on_plain_http_is_still_hidden_from_scripts() -> None:
    line = for_public_url("http://127.0.0.1:8700").given("t")
    assert line == "kizuna_session=t; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict"


def test_a_cookie_on_https_is_bound_to_its_host() -> None:
    cookie = for_public_url("https://kizuna.example")
    assert cookie.given("t").startswith("__Host-kizuna_session=t; Path=/;")
    assert cookie.given("t").endswith("; Secure")
    assert "Max-Age=0" in cookie.taken()
