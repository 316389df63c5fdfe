from __future__ import annotations

import dns.flags
import dns.message
import dns.rrset
import pytest

from kizuna.providers import names
from kizuna.providers.names import LONGEST_RECORD, MOST_QUESTIONS, MOST_RECORDS, Names
from kizuna.testing.dns_server import DnsServer


def chain(asked: dns.message.Message) -> bytes:
    """Names that lead to each other for ever."""
    answer = dns.message.make_response(asked)
    own, other = asked.question[0].name.to_text(), "other.example."
    answer.answer.append(dns.rrset.from_text(own, 60, "IN", "CNAME", other))
    answer.answer.append(dns.rrset.from_text(other, 60, "IN", "CNAME", own))
    return answer.to_wire()


def cut(asked: dns.message.Message) -> bytes:
    """Too long for a datagram, it says; and nobody is there over TCP."""
    answer = dns.message.make_response(asked)
    answer.flags |= dns.flags.TC
    return answer.to_wire()


def huge(asked: dns.message.Message) -> bytes:
    answer = dns.message.make_response(asked)
    records = [f'"{n:04}" ' + " ".join(['"' + "x" * 250 + '"'] * 20) for n in range(11)]
    answer.answer.append(dns.rrset.from_text_list(asked.question[0].name, 60, "IN", "TXT", records))
    return answer.to_wire(max_size=65_000)


@pytest.mark.parametrize(
    "reply",
    [lambda _: None, lambda _: b"\0" * 11, lambda _: b"nonsense" * 99, chain, cut],
    ids=["silence", "zeros", "nonsense", "chain", "cut"],
)
def test_what_servers_should_not_say_is_trouble_in_bounded_time(reply: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "QUESTION_SECONDS", 0.3)
    with DnsServer(reply=reply) as server:  # type: ignore[arg-type]
        said = Names([server.address]).ask("shop.example", "TXT")
    assert said.values == ()
    assert said.trouble or reply is chain


def test_long_answers_are_cut() -> None:
    with DnsServer(reply=huge) as server:
        said = Names([server.address]).ask("shop.example", "TXT")
    assert len(said.values) <= MOST_RECORDS
    assert all(len(each) <= LONGEST_RECORD for each in said.values)


def test_questions_have_an_end() -> None:
    with DnsServer() as server:
        asked = Names([server.address])
        for number in range(MOST_QUESTIONS + 5):
            said = asked.ask(f"n{number}.example", "TXT")
    assert said.trouble
    assert server.asked == MOST_QUESTIONS


def test_a_name_that_is_none_is_trouble() -> None:
    with DnsServer() as server:
        assert Names([server.address]).ask("x" * 70 + ".example", "TXT").trouble
