from __future__ import annotations

import pytest

from kizuna.providers import Rejected, Unavailable
from kizuna.providers.smtp import _refused


@pytest.mark.parametrize(
    ("code", "reply", "bounce"),
    [
        (550, b"5.1.1 no such user", "hard"),
        (550, b"No such user here", "hard"),
        (550, b"5.7.1 refused by policy", None),
        (552, b"5.2.2 mailbox full", "soft"),
        (554, b"5.6.0 content refused", None),
        (554, b"no", None),
        (550, b"5.0.0 no", None),
        (551, b"User not local", "hard"),
        (550, b"5.1.10 takes no mail", "hard"),
        (556, b"takes no mail", "hard"),
        (550, b"5.4.4 no such host", "hard"),
        (525, b"5.7.13 your account is disabled", None),
        (550, b"5.7.27 your domain takes no mail", None),
    ],
)
def test_a_permanent_refusal_blames_the_address_only_where_it_says_so(
    code: int, reply: bytes, bounce: str | None
) -> None:
    outcome = _refused(code, reply)
    assert isinstance(outcome, Rejected)
    assert outcome.bounce == bounce


def test_a_temporary_refusal_is_tried_again() -> None:
    assert isinstance(_refused(451, b"4.7.1 greylisted"), Unavailable)
