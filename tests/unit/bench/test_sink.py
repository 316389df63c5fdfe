from __future__ import annotations

from kizuna.bench.sink import sink
from kizuna.providers import Accepted, Delivery
from kizuna.providers.smtp import Settings, SmtpProvider


def mail(number: int) -> Delivery:
    text = ".\r\n..\n.dot" if number % 2 else "hello"
    return Delivery(
        message=f"msg_{number}", channel="email", address=f"t-{number}@example.com", subject="Hi", text=text, html=None,
        headers={}, at=0.0,
    )  # fmt: skip


def test_the_sink_takes_what_the_provider_hands_over_and_says_when() -> None:
    provider = SmtpProvider()
    with sink() as server:
        settings = Settings(host="127.0.0.1", sender="news@shop.example", port=server.port, tls="none")
        outcomes = [provider.deliver(mail(number), settings) for number in range(120)]
        provider.close()
        server.close()
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert list(server.arrived) == [f"t-{number}@example.com" for number in range(120)]
    assert sorted(server.arrived.values()) == list(server.arrived.values())
