from __future__ import annotations

import pytest

from kizuna.messages.blame import REFUSED_CONTENT, REFUSED_SENDER, blame_of


@pytest.mark.parametrize(
    ("reason", "status", "blame"),
    [
        ("too_large", "", REFUSED_CONTENT),
        ("552 5.3.4 message too big", "", REFUSED_CONTENT),
        ("552 5.3.5 misconfigured", "", ""),
        ("554 5.6.0 content refused", "", REFUSED_CONTENT),
        ("other", "5.6.1", REFUSED_CONTENT),
        ("blocked", "5.1.1", REFUSED_SENDER),
        ("550 5.7.1 refused by policy", "", REFUSED_SENDER),
        ("550-5.7.26 unauthenticated", "", REFUSED_SENDER),
        ("mailbox_full", "5.2.2", ""),
        ("550 5.1.1 no such user 5.7.1", "", ""),
        ("451 4.7.1 later", "", ""),
        ("suppressed", "", ""),
    ],
)
def test_a_refusal_blames_the_message_or_us_only_where_it_says_so(reason: str, status: str, blame: str) -> None:
    assert blame_of(reason, status) == blame
