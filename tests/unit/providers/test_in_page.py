from __future__ import annotations

from kizuna.providers.in_page import Settings, provider


def test_a_secret_is_made_long_enough_and_each_time_another() -> None:
    made = [provider.make_secrets()["secret"] for _ in range(2)]
    assert made[0] != made[1]
    assert provider.check(Settings(secret=made[0])).problems == []
    assert [each.pointer for each in provider.check(Settings(secret="short")).problems] == ["/secret"]


def test_an_open_identity_is_warned_of() -> None:
    assert [each.code for each in provider.check(Settings("open", "s" * 32)).warnings] == ["open"]
    assert provider.check(Settings("signed", "s" * 32)).warnings == []


def test_a_token_is_the_hmac_of_the_user_id() -> None:
    # echo -n ada | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef
    settings = Settings(secret="0123456789abcdef0123456789abcdef")
    token = "7f06173e229c19dd526caed61c2cfefab7bb446c0f3474a2ad5da4309f9ec318"
    assert settings.vouches("ada", token)
    assert not settings.vouches("grace", token)
