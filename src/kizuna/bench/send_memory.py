"""`send_memory`: what the sender weighs while it works on a campaign of a million planned mails."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import mean
from typing import Any

from rich.console import Console

from kizuna.bench import pipeline, send, workload
from kizuna.bench.house import House, megabytes_of
from kizuna.bench.mail_sink import mail_sink
from kizuna.bench.render import MAIL, data
from kizuna.runtime.database import connect

PEOPLE, EACH = 5_000, 200  # customers, and mails planned for each of them: the sender keeps nothing of either
SECONDS = 200.0
BETWEEN_SAMPLES = 1.0  # seconds
WARM = 20  # samples until every part of it was used once
LIMIT_MEGABYTES = 150


def run(
    house: House, screen: Console, people: int = PEOPLE, each: int = EACH, seconds: float = SECONDS
) -> Iterator[str]:
    with mail_sink(screen) as sink:
        send.set_provider(house, sink.port, send.private_key())
        _introduce(house, people)
        screen.print(f"planning {people * each:,} mails ...")
        _plan(house, each)
        samples: list[float] = []
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(BETWEEN_SAMPLES)
            samples.append(megabytes_of(house.data, "send"))
        sent = _sent(house)
        house.call("POST", "/api/v1/sending/email/pause", {})  # the sink ends before the sender
    warm = samples[WARM:]
    third = len(warm) // 3
    yield (
        f"the sender's processes weigh {max(samples):.0f} MB at most together (limit {LIMIT_MEGABYTES});"
        f" {mean(warm[:third]):.0f} in the first third, {mean(warm[-third:]):.0f} in the last"
    )
    yield f"{people * each:,} mails planned, {sent:,} of them sent in {seconds:.0f} s, signed; PSS each second"


def _introduce(house: House, people: int) -> None:
    """Customers whose traits say what their mail is written from, and the campaign's template."""
    body = "{% assign event = profile.traits.order %}{% assign shop = profile.traits.shop %}" + MAIL
    template = {"channel": "email", "subject": "{{ event.properties.order_id }}", "body": body}
    house.call("PUT", "/api/v1/templates/autumn", {**template, "format": "liquid+html"})
    events: list[dict[str, Any]] = []
    for number in range(people):
        said = data(number)
        traits = {**said["profile"]["traits"], "order": said["event"], "shop": said["shop"]}
        who = {"userId": f"p-{number}", "messageId": f"i-{number}"}
        events.append({"type": "identify", **who, "traits": {**traits, "email": f"p-{number}@shop.example"}})
    pipeline.send(house, workload.requests(events))


def _plan(house: House, each: int) -> None:
    """As a launch leaves them in the ledger; they are seen all at once."""
    with connect(house.database_url, name="kizuna bench") as connection:
        connection.execute(
            "INSERT INTO message (workspace, id, profile, state, channel, purpose, occurrence, campaign, template,"
            " template_version, topic, planned_at, due_at, expires_at, root, caused_by, history)"
            " SELECT p.workspace, decode(md5(p.id::text || n), 'hex'), p.id, 'planned', 'email', 'campaign:autumn',"
            " n::text, 'autumn', d.name, d.version, 'news', t.now, t.now, t.now + 259200000000, 1, '',"
            " ARRAY[t.now << 5] FROM profile p CROSS JOIN generate_series(1, %s) n CROSS JOIN ("
            " SELECT (extract(epoch FROM now()) * 1000000)::bigint AS now) t"
            " JOIN definition d ON d.workspace = p.workspace AND d.kind = 'template' AND d.name = 'autumn'"
            " AND d.retired IS NULL",
            [each],
        )
        connection.execute("NOTIFY kizuna_send")


def _sent(house: House) -> int:
    with connect(house.database_url, name="kizuna bench") as connection:
        row: Any = connection.execute("SELECT count(*) FROM message WHERE state = 'sent'").fetchone()
    return row[0]
