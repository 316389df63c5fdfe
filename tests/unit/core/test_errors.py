from __future__ import annotations

import inspect

from kizuna.core import errors
from kizuna.core.errors import FieldError, Invalid, KizunaError, TooMany, Unavailable


def kinds() -> list[type[KizunaError]]:
    return [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, KizunaError)]


def test_every_kind_has_a_code_of_its_own_and_says_what_it_means() -> None:
    codes = [kind.code for kind in kinds()]
    assert len(set(codes)) == len(codes)
    assert all(kind.__doc__ for kind in kinds())


def test_a_code_given_is_narrower_than_that_of_the_kind() -> None:
    error = Invalid("write it like 90s", code="invalid_duration")
    assert error.code == "invalid_duration"
    assert Invalid("no").code == "invalid"
    assert str(error) == "write it like 90s"


def test_wrong_fields_travel_along() -> None:
    field = FieldError(pointer="/steps/0/delay", code="invalid_duration", message="write it like 90s")
    assert Invalid("see errors", errors=[field]).errors == [field]
    assert Invalid("no").errors == []


def test_try_again_errors_say_when() -> None:
    assert TooMany("slow down", retry_after=7).retry_after == 7
    assert Unavailable("starting").retry_after == 1
