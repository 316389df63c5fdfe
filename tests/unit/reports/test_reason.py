from __future__ import annotations

import pytest

from kizuna.reports.reason import Said, judge
from kizuna.reports.result import BOUNCE, BOUNCE_REASONS, OF_NO_ADDRESS

REPLIES = [
    ("550 5.1.1 <ada@x.example>: User unknown", "unknown_user", True),
    ("550 5.1.10 RESOLVER.ADR.RecipientNotFound; no null mx", "takes_no_mail", True),
    ("550 5.1.2 Host unknown", "unknown_host", True),
    ("551 5.1.6 recipient no longer on server", "moved", True),
    ("550 5.2.1 mailbox disabled, not accepting messages", "disabled", True),
    ("552 5.2.2 Mailbox full", "mailbox_full", False),
    ("450 4.7.1 Greylisted, try again later", "rate_limited", False),
    ("552 5.3.4 Message size exceeds fixed limit", "too_large", False),
    ("554 5.7.1 Message content rejected as spam", "refused_content", False),
    ("554 5.7.1 Service unavailable; client [192.0.2.1] blocked using zen.spamhaus.org", "blocked", False),
    ("550 5.7.26 This mail is unauthenticated, SPF check failed", "authentication", False),
    ("550 5.7.0 Local Policy Violation", "policy", False),
    ("450 4.1.1 unheard of words", "system", False),
    ("unheard of words", "other", False),
]


@pytest.mark.parametrize(("reply", "reason", "hard"), REPLIES)
def test_what_a_server_says_is_one_of_our_reasons(reply: str, reason: str, hard: bool) -> None:
    found = judge("ada@x.example", BOUNCE, Said(diagnostic=f"smtp; {reply}"))
    assert (found.reason, found.hardness == "hard") == (reason, hard)
    assert found.reason in BOUNCE_REASONS


def test_the_words_win_over_the_code_and_the_code_over_nothing() -> None:
    assert judge(None, BOUNCE, Said(diagnostic="550 5.1.1 mailbox is over quota")).reason == "mailbox_full"
    assert judge(None, BOUNCE, Said(diagnostic="550 5.1.1 sorry")).reason == "unknown_user"
    assert judge(None, BOUNCE, Said(status="5.2.1")).reason == "disabled"


def test_what_is_said_when_the_mail_was_taken_is_not_about_the_address() -> None:
    human = "<ada@x.example>: host mx said: 550 user unknown (in reply to end of DATA command)"
    assert judge("ada@x.example", BOUNCE, Said(human=human)).reason == "refused_by_recipient"
    human = human.replace("end of DATA", "RCPT TO")
    assert judge("ada@x.example", BOUNCE, Said(human=human)).reason == "unknown_user"


def test_what_a_server_thinks_of_the_sender_is_not_about_the_address() -> None:
    human = "<ada@x.example>: host mx said: 550 user unknown (in reply to MAIL FROM command)"
    assert judge("ada@x.example", BOUNCE, Said(human=human)).reason == "sender_refused"


def test_a_name_that_says_something_is_not_a_reason() -> None:
    found = judge("spam.virus@x.example", BOUNCE, Said(diagnostic="550 5.1.1 <spam.virus@x.example>: User unknown"))
    assert found.reason == "unknown_user"


def test_hard_are_those_that_never_work() -> None:
    assert set(OF_NO_ADDRESS) < set(BOUNCE_REASONS)
