from __future__ import annotations

import hmac
from typing import Any

import pytest

from kizuna.core import ids
from kizuna.core.errors import NotAllowed
from kizuna.profiles.section import Profile
from kizuna.providers.in_page import Settings
from kizuna.shelves.wall import may_read, named, vouched
from kizuna.shelves.wire import Pull

SIGNED, OPEN = Settings(secret="s" * 32), Settings(identity="open", secret="s" * 32)
TOKEN = hmac.digest(b"s" * 32, "絆".encode(), "sha256").hex()


def pull(**said: Any) -> Pull:
    return Pull(write_key="wk_1", **said)


def test_a_token_of_the_shop_vouches_for_one_user() -> None:
    assert vouched(pull(user_id="絆", user_token=TOKEN), SIGNED)
    assert vouched(pull(user_id="絆", user_token=f" {TOKEN.upper()}"), SIGNED)
    for wrong in (TOKEN[:-1], TOKEN[:-1] + "é", "0" * 64):
        with pytest.raises(NotAllowed) as refused:
            vouched(pull(user_id="絆", user_token=wrong), SIGNED)
        assert refused.value.code == "invalid_user_token"
    with pytest.raises(NotAllowed):
        vouched(pull(user_id="ada", user_token=TOKEN), SIGNED)


def test_a_token_without_its_user_vouches_for_nobody() -> None:
    assert not vouched(pull(anonymous_id="a1", user_token=TOKEN), SIGNED)
    assert not vouched(pull(user_id="絆"), SIGNED)
    assert not vouched(pull(anonymous_id="a1"), SIGNED)


def test_a_provider_without_a_secret_vouches_for_nobody() -> None:
    empty = hmac.digest(b"", b"ada", "sha256").hex()
    with pytest.raises(NotAllowed):
        vouched(pull(user_id="ada", user_token=empty), Settings())


def test_an_open_identity_vouches_for_all_and_still_knows_a_forged_token() -> None:
    assert vouched(pull(user_id="ada"), OPEN)
    assert vouched(pull(anonymous_id="a1"), OPEN)
    with pytest.raises(NotAllowed):
        vouched(pull(user_id="ada", user_token=TOKEN), OPEN)


def test_who_is_asked_for() -> None:
    user, visitor = ids.profile_id(7, "user", "ada"), ids.profile_id(7, "anon", "a1")
    assert named(pull(user_id="ada", anonymous_id="a1"), 7, is_vouched=True) == user
    assert named(pull(user_id="ada", anonymous_id="a1"), 7, is_vouched=False) is None
    assert named(pull(anonymous_id="a1"), 7, is_vouched=False) == visitor
    assert named(pull(anonymous_id="line:U1"), 7, is_vouched=True) is None


def test_whoever_is_known_is_read_by_the_shops_word_alone() -> None:
    assert may_read(Profile(anonymous_ids=["a1"], traits={"email": "a@b.example"}), is_vouched=False)
    for known in (Profile(user_id="ada"), Profile(external_ids=[("crm", "17")])):
        assert not may_read(known, is_vouched=False)
        assert may_read(known, is_vouched=True)
