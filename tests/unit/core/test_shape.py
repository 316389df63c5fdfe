from __future__ import annotations

from typing import Any, Literal

import msgspec
import pytest
from msgspec import Struct

from kizuna.core.shape import misfit


class Key(Struct, forbid_unknown_fields=True):
    algorithm: Literal["rsa", "ed25519"]


class Settings(Struct, forbid_unknown_fields=True, rename={"sender": "from"}):
    sender: str = ""
    tls: Literal["none", "starttls"] | None = None
    keys: list[Key] = []
    by: dict[str, Key] = {}


@pytest.mark.parametrize(
    ("told", "pointer", "message"),
    [
        ({"tls": "off"}, "/tls", "Invalid enum value 'off'; write one of none, starttls"),
        ({"keys": [{"algorithm": "dsa"}]}, "/keys/0/algorithm", "Invalid enum value 'dsa'; write one of ed25519, rsa"),
        ({"by": {"x": {"algorithm": "dsa"}}}, "/by/.../algorithm",
         "Invalid enum value 'dsa'; write one of ed25519, rsa"),
        ({"sender": "a"}, "/sender", "Object contains unknown field `sender`; known are by, from, keys, tls"),
        ({"keys": [{"algorithm": "rsa", "a/b": 1}]}, "/keys/0/a~1b",
         "Object contains unknown field `a/b`; known are algorithm"),
        ({"keys": [{}]}, "/keys/0/algorithm", "Object missing required field `algorithm`"),
        ({"from": 1}, "/from", "Expected `str`, got `int`"),
        ([], "", "Expected `object`, got `array`"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_told_its_place_and_what_may_stand_there(
    told: Any, pointer: str, message: str
) -> None:
    with pytest.raises(msgspec.ValidationError) as raised:
        msgspec.convert(told, Settings)
    found = misfit(raised.value, Settings)
    assert (found.pointer, found.code, found.message) == (pointer, "invalid", message)


def test_where_anything_may_stand_nothing_is_listed() -> None:
    assert misfit(msgspec.ValidationError("Invalid enum value 'x'"), Any).message == "Invalid enum value 'x'"
