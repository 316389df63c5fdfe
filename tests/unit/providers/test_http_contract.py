"""What every provider with an HTTP API must do, over a real connection. A new adapter needs a file in `tests/data`."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kizuna import providers
from kizuna.core.errors import Invalid
from kizuna.providers import Accepted, Ambiguous, Delivery, Outcome, Rejected, Unavailable, all_providers
from kizuna.providers.http import MOST_BYTES, HttpProvider, Outside
from kizuna.providers.report import ACTS, STATES, Incoming, Report
from kizuna.testing.receiver import DRIPS, HANGS, HANGS_UP, Receiver, Told

CASES = Path(__file__).parents[2] / "data" / "providers"
POSTED = Path(__file__).parents[4] / "shared" / "data" / "bounces-sisimai" / "esp_webhook_json"
SAID = '{"to":"ada@example.com","say":"秋の新作"}'
ADAPTERS = {name: each for name, each in all_providers().items() if isinstance(each, HttpProvider)}


class Tried:
    """One adapter before one server."""

    def __init__(self, name: str, receiver: Receiver) -> None:
        self.provider, self.receiver = ADAPTERS[name], receiver
        self.case: dict[str, Any] = json.loads((CASES / f"{name}.json").read_text())
        self.outside = Outside(["127.0.0.0/8"])

    def settings(self, url: str = "") -> Any:
        values = json.loads(json.dumps(self.case["settings"]).replace("{url}", url or self.receiver.url))
        return msgspec.convert(values, self.provider.settings)

    def deliver(self, told: Told | None = None, url: str = "", **changes: Any) -> Outcome:
        if told is not None:
            self.receiver.told = told
        is_mail = self.provider.channel == "email"
        delivery = Delivery(
            message="msg_1", channel=self.provider.channel or "email", subject="秋の新作",
            address=self.case.get("address", "ada@example.com"), text=self.case.get("text", SAID),
            html="<p>Hi</p>" if is_mail else None, headers={"List-Unsubscribe": "<https://k.example/u/1>"}, at=0.0,
        )  # fmt: skip
        return self.outside.deliver(self.provider, msgspec.structs.replace(delivery, **changes), self.settings(url))

    def told(self, case: dict[str, Any]) -> Told:
        body = case["text"].encode() if "text" in case else case.get("body", b"")
        return Told(case["status"], case.get("headers", {}), body)


@pytest.fixture(params=sorted(ADAPTERS))
def tried(request: pytest.FixtureRequest) -> Iterator[Tried]:
    with Receiver() as receiver:
        found = Tried(request.param, receiver)
        yield found
        found.outside.close()


def test_every_adapter_of_the_folder_is_here() -> None:
    cases = {path.stem for path in CASES.iterdir()}
    assert cases == set(ADAPTERS)
    reports = sum(len(json.loads((CASES / f"{name}.json").read_text())["reports"]) for name in ADAPTERS)
    print(f"{len(ADAPTERS)} providers, {reports} reports read: {', '.join(sorted(ADAPTERS))}")


def test_every_kind_is_in_the_guide_with_its_settings() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "guides" / "providers.md").read_text()
    rows = {line.split("`")[1]: line for line in guide.splitlines() if line.startswith("| `")}
    assert set(rows) == set(all_providers()) - {"outbox"}
    for name, row in rows.items():
        for field in msgspec.structs.fields(all_providers()[name].settings):
            said = f"`{field.encode_name}`"
            assert (f"*{said}*" in row) is (field.encode_name in all_providers()[name].secrets), (name, said)
            assert said in row, (name, said)


def test_it_hands_over_once_under_the_name_of_the_message(tried: Tried) -> None:
    taken = tried.case["taken"]
    assert tried.deliver(tried.told(taken)) == Accepted(taken["reference"])
    (asked,) = tried.receiver.asked
    assert (asked.method, asked.path) == ("POST", tried.case["path"])
    for said in tried.case["carries"]:
        assert said in asked.body.decode()
    assert {name: asked.headers[name] for name in tried.case.get("headers", {})} == tried.case.get("headers", {})
    assert asked.headers["user-agent"].startswith("Kizuna/")


def test_connections_are_kept(tried: Tried) -> None:
    for _ in range(3):
        assert isinstance(tried.deliver(tried.told(tried.case["taken"])), Accepted)
    assert len(tried.outside._pool.connections) == 1


def test_what_is_refused_for_good_blames_the_address_only_where_it_says_so(tried: Tried) -> None:
    for refusal in tried.case["refusals"]:
        outcome = tried.deliver(tried.told(refusal))
        assert isinstance(outcome, Rejected), refusal
        assert outcome.bounce == refusal["bounce"], refusal
        assert outcome.opted_out is refusal.get("opted_out", False), refusal
        assert outcome.reason.startswith(refusal.get("reason", str(refusal["status"])))


def test_what_is_about_us_waits_for_us(tried: Tried) -> None:
    for each in [{"status": 401}, {"status": 403}, *tried.case["about_us"]]:
        outcome = tried.deliver(tried.told(each))
        assert isinstance(outcome, Unavailable), each
        assert outcome.retry_after == each.get("retry_after"), each


def test_what_an_earlier_attempt_brought_is_taken(tried: Tried) -> None:
    for each in tried.case.get("known", []):
        assert tried.deliver(tried.told(each)) == Accepted(), each


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_that_is_asked_for_is_told(tried: Tried, status: int) -> None:
    outcome = tried.deliver(Told(status, {"Retry-After": "17"}))
    assert isinstance(outcome, Unavailable)
    assert outcome.retry_after == 17


def test_failures_of_theirs_come_back_later(tried: Tried) -> None:
    for status in (500, 502, 503, 408):
        outcome = tried.deliver(Told(status))
        assert isinstance(outcome, Unavailable)
        assert outcome.retry_after is None
    assert isinstance(tried.deliver(Told(504)), Ambiguous)


def test_no_redirect_is_followed(tried: Tried) -> None:
    for status in (301, 302, 307):
        assert isinstance(tried.deliver(Told(status, {"Location": f"{tried.receiver.url}/other"})), Unavailable)
    assert {asked.path for asked in tried.receiver.asked} == {tried.case["path"]}


@pytest.mark.parametrize("way", [HANGS, HANGS_UP, DRIPS])
def test_without_an_answer_nobody_knows(tried: Tried, way: str) -> None:
    tried.outside = Outside(["127.0.0.0/8"], connect_seconds=0.2, answer_seconds=0.2)
    assert isinstance(tried.deliver(Told(way)), Ambiguous)
    assert len(tried.receiver.asked) == 1


def test_before_the_request_nothing_was_taken(tried: Tried) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: refused
        assert isinstance(tried.deliver(url=f"http://127.0.0.1:{closed.getsockname()[1]}"), Unavailable)
    assert isinstance(tried.deliver(url="http://no-such-host.invalid"), Unavailable)


def test_a_long_answer_is_cut(tried: Tried) -> None:
    outcome = tried.deliver(Told(422, {"Content-Type": "text/plain"}, b"x" * (2 * MOST_BYTES)))
    assert isinstance(outcome, Rejected)
    assert len(outcome.reason) <= 500


def test_a_line_break_in_a_header_goes_nowhere(tried: Tried) -> None:
    for changes in ({"subject": "Hi\r\nBcc: all@example.com"}, {"headers": {"X-A": "b\nc"}}):
        outcome = tried.deliver(**changes)
        assert isinstance(outcome, Rejected)
        assert outcome.reason.startswith("template_error")
    assert not tried.receiver.asked


def test_a_private_target_is_not_reached_unless_allowed(tried: Tried) -> None:
    tried.outside = Outside()
    outcome = tried.deliver()
    assert isinstance(outcome, Unavailable)
    assert "KIZUNA_ALLOW_PRIVATE_TARGETS" in outcome.reason
    assert not tried.receiver.asked


@pytest.mark.parametrize(
    "body", [b"no \x00 such user", b"[" * 100_000, b"\xff\xfe", b'{"message": 7, "errors": [3]}', b"[]"]
)
def test_a_strange_answer_is_an_outcome_too(tried: Tried, body: bytes) -> None:
    outcome = tried.deliver(Told(400, {}, body))
    assert isinstance(outcome, Rejected)
    assert "\x00" not in outcome.reason
    assert tried.deliver(Told(200, {}, body)) == Accepted("")


@pytest.mark.parametrize("body", [b"", b"[" * 100_000, b"null", b"[[1], 7, null]", b'{"a": {"b": 1e999}}', b'"text"'])
def test_a_strange_report_says_nothing(tried: Tried, body: bytes) -> None:
    with suppress(Invalid):  # a 400
        assert list(tried.provider.reports(Incoming({}, body, 0.0), tried.settings(), lambda _: b"")) == []


def test_reports_are_read_in_our_words(tried: Tried) -> None:
    for case in tried.case["reports"]:
        body = case["body"] if isinstance(case["body"], str) else json.dumps(case["body"])
        said = Incoming({}, body.encode(), 0.0, case.get("url", ""))
        reports = list(tried.provider.reports(said, tried.settings(), lambda _: b""))
        assert _shown(reports) == case["says"]
        assert {each.state for each in reports} <= {*STATES, *ACTS}


def _shown(said: Iterable[Any]) -> list[dict[str, Any]]:
    return [{key: value for key, value in msgspec.to_builtins(each).items() if value} for each in said]


def test_an_outcome_never_says_a_secret(tried: Tried) -> None:
    for told in (Told(401), Told(500), Told(422), Told(HANGS_UP)):
        assert "secret-1" not in str(tried.deliver(told))


@pytest.mark.skipif(not POSTED.exists(), reason="the bodies that providers posted are not here")
@pytest.mark.parametrize(
    ("name", "state", "bounce"),
    [
        ("amazonses-01", "bounced", "hard"), ("amazonses-03", "complained", None), ("amazonses-05", "delivered", None),
        ("sendgrid-13", "delivered", None), ("sendgrid-15", "complained", None), ("sendgrid-17", "complained", None),
    ],
)  # fmt: skip
def test_what_they_posted_once_means_what_is_published(name: str, state: str, bounce: str | None) -> None:
    """Recorded bodies, in which our own mark stands where we would have put it."""
    body = json.loads((POSTED / f"json-{name}.json").read_text())
    if name.startswith("amazonses"):
        kind = "ses"
        body = {"Message": json.dumps({**body, "mail": {**body["mail"], "tags": {"kizuna": ["msg_1"]}}})}
    else:
        kind = "sendgrid"
        body = [{**each, "kizuna": "msg_1"} for each in body]
    values = json.loads((CASES / f"{kind}.json").read_text())["settings"]
    settings = msgspec.convert(values, ADAPTERS[kind].settings)
    said = Incoming({}, json.dumps(body).encode(), 0.0)
    reports = [each for each in ADAPTERS[kind].reports(said, settings, lambda _: b"") if isinstance(each, Report)]
    assert {(each.message, each.state, each.bounce) for each in reports} == {("msg_1", state, bounce)}


# one more ------------------------------------------------------------------------------------------------------------

PIGEON = """
from msgspec import Struct

from kizuna.providers.http import Call, HttpProvider


class Settings(Struct, frozen=True):
    url: str


class Pigeon(HttpProvider):
    name, settings = "pigeon", Settings

    def call(self, delivery, settings, now):
        return Call(settings.url, delivery.text.encode(), {})


provider = Pigeon()
"""


def test_one_more_provider_is_one_more_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pigeon.py").write_text(PIGEON)
    monkeypatch.setattr(providers, "__path__", [*providers.__path__, str(tmp_path)])
    all_providers.cache_clear()
    try:
        pigeon = all_providers()["pigeon"]
        assert isinstance(pigeon, HttpProvider)
        with Receiver(Told(503, {"Retry-After": "7"})) as receiver:
            outside = Outside(["127.0.0.0/8"])
            said = Delivery(
                message="m", channel="email", subject=None, address="a@b.example", text="coo", html=None, headers={},
                at=0.0,
            )  # fmt: skip
            settings = msgspec.convert({"url": receiver.url}, pigeon.settings)
            assert outside.deliver(pigeon, said, settings) == Unavailable("503", 7)  # read once, for all of them
            receiver.told = Told(200)
            assert isinstance(outside.deliver(pigeon, said, settings), Accepted)
            outside.close()
        assert [each.body for each in receiver.asked] == [b"coo", b"coo"]
    finally:
        sys.modules.pop("kizuna.providers.pigeon", None)
        all_providers.cache_clear()
