"""The policy of a workspace as written: caps, quiet hours, the daily ceiling, the global holdout, limits of harm."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from decimal import Decimal
from typing import Any

from msgspec import Struct, field

from kizuna.channels import all_channels
from kizuna.consent.law import LAWS
from kizuna.consent.terms import Terms, read_terms
from kizuna.core import clock, exact_json
from kizuna.core.clock import Duration, duration
from kizuna.core.errors import Invalid
from kizuna.core.local_time import time_of_day
from kizuna.core.problems import Problems
from kizuna.messages.answer import Answers, read_answers
from kizuna.messages.cap import CALENDAR, DAY, HOLD, NEXT_CHANNEL, PERIODS, SKIP, SLIDING, Cap
from kizuna.messages.network import read as read_network
from kizuna.messages.policy_fields import below
from kizuna.messages.quiet_hours import Night, QuietHours, QuietRule, night_of
from kizuna.messages.utm import NAME
from kizuna.templates.render import check

HOLD_FOR_DEFAULT = "48h"
MOST_NETWORKS = 500  # of scanners: each open and click is compared with them
MOST_CAPS, MOST_MESSAGES = 100, 1_000  # a record keeps what its caps count: it must stay small


class Limits(Struct, frozen=True, kw_only=True):
    """How much harm is too much: shares of what was delivered (of what was tried, for bounces)."""

    complaints_pause: float = 0.001
    complaints_stop: float = 0.0025
    complaints_over: int = 1_000  # delivered; fewer say nothing
    bounces_pause: float = 0.05
    bounces_over: int = 100
    within: Duration = field(default_factory=lambda: duration("24h"))


class Policy(Struct, frozen=True, kw_only=True):
    caps: tuple[Cap, ...] = ()
    quiet_hours: QuietHours | None = None
    quiet_by: tuple[QuietRule, ...] = ()  # where a channel and a country have hours of their own
    holdout: float = 0  # per cent of all profiles, who receive nothing but transactional messages
    limits: Limits = field(default_factory=Limits)
    terms: Terms = field(default_factory=Terms)
    utm: Mapping[str, str] = field(default_factory=dict)  # parameters of links in mails, by name; Liquid
    answers: Answers = field(default_factory=dict)  # to STOP, START and HELP by SMS

    def night(self, channel: str, traits: Mapping[str, Any], zone: str, otherwise: str) -> Night | None:
        """When nobody says anything to this customer here; `zone` is theirs, empty where it is unknown."""
        if not self.quiet_by:  # the usual case
            return Night(self.quiet_hours, (zone or otherwise,)) if self.quiet_hours is not None else None
        return night_of(self.quiet_by, self.quiet_hours, channel, traits, zone, otherwise)


def parse(body: Mapping[str, Any]) -> Policy:
    """Raises `Invalid` with the place of everything that is wrong."""
    reader = _Reader()
    known = reader.object(body, "", below())
    caps = [reader.cap(each, f"/caps/{index}") for index, each in enumerate(reader.list(known, "caps"))]
    if "daily_ceiling" in known:
        caps.append(reader.ceiling(known["daily_ceiling"], "/daily_ceiling"))
    if len(caps) > MOST_CAPS:
        reader.note("/caps", "too_many", f"at most {MOST_CAPS} caps")
    terms = read_terms(known, reader)
    quiet, by = reader.all_quiet_hours(known.get("quiet_hours"), terms)
    holdout = reader.number(known.get("holdout", 0), "/holdout", 0, 100, "a per cent from 0 to 100")
    utm = reader.utm(known["utm"], "/utm") if "utm" in known else dict[str, str]()
    answers = read_answers(known.get("answers"), "/answers", reader)
    limits = reader.limits(known["limits"], "/limits") if "limits" in known else Limits()
    reader.networks(known)
    if reader.found:
        first = reader.found[0]
        raise Invalid(f"the policy is not valid: {first.message}", code="invalid_policy", errors=reader.found)
    return Policy(
        caps=tuple(caps), quiet_hours=quiet, quiet_by=by, holdout=holdout, limits=limits, terms=terms, utm=utm,
        answers=answers,
    )  # fmt: skip


def read_stored(body: bytes) -> Policy:
    """From the JSON it was published with."""
    return parse(exact_json.decode(body))


TEXTED = "sms"  # the channel that laws on hours speak of
NIGHT = QuietHours(time(21), time(8))
_QUIET_LAWS = {
    name: QuietHours(time.fromisoformat(law.quiet[0]), time.fromisoformat(law.quiet[1]))
    for name, law in LAWS.items()
    if law.quiet is not None
}


class _Reader(Problems):
    """Reads the parts of a policy."""

    def list(self, document: Mapping[str, Any], key: str, inside: str = "") -> list[Any]:
        raw = document.get(key)
        if raw is not None and not isinstance(raw, list):
            self.note(f"{inside}/{key}", "not_a_list", "write a list")
        return raw if isinstance(raw, list) else []

    def utm(self, raw: Any, pointer: str) -> dict[str, str]:
        said = self.object(raw, pointer)
        for name, value in said.items():
            if not NAME.match(name) or not isinstance(value, str):
                self.note(f"{pointer}/{name}", "invalid", "a name such as source, and a text; Liquid is allowed")
                continue
            try:
                check(value)
            except Invalid as error:
                self.note(f"{pointer}/{name}", error.code, str(error))
        return {name: str(value) for name, value in said.items()}

    def networks(self, known: Mapping[str, Any]) -> None:
        """Each request asks for them as they are written; here they are looked at."""
        listed = self.list(known, "scanners")
        if len(listed) > MOST_NETWORKS:
            self.note("/scanners", "too_many", f"at most {MOST_NETWORKS} networks")
        for index, each in enumerate(listed):
            self.guard(
                f"/scanners/{index}", lambda each=each: read_network(each if isinstance(each, str) else ""), None
            )

    def number(self, raw: Any, pointer: str, low: float, high: float, wanted: str) -> float:
        is_number = isinstance(raw, (int, float, Decimal)) and not isinstance(raw, bool)
        if not (is_number and low <= raw <= high):
            self.note(pointer, "invalid", wanted)
            return low
        return float(raw)

    def whole(self, raw: Any, pointer: str, high: int) -> int:
        if not isinstance(raw, int) or isinstance(raw, bool) or not 1 <= raw <= high:
            self.note(pointer, "invalid", f"a whole number from 1 to {high}")
            return 1
        return raw

    def one_of(self, raw: Any, pointer: str, words: tuple[str, ...]) -> str:
        if not isinstance(raw, str) or raw not in words:
            self.note(pointer, "invalid", f"one of {', '.join(words)}")
            return words[0]
        return raw

    def cap(self, raw: Any, pointer: str) -> Cap:
        document = self.object(raw, pointer, below("caps[]"))
        channel, topic = document.get("channel"), document.get("topic")
        if channel is not None and channel not in list(all_channels()):
            self.note(f"{pointer}/channel", "unknown_channel", f"one of {', '.join(all_channels())}")
        if topic is not None and not (isinstance(topic, str) and topic):
            self.note(f"{pointer}/topic", "not_text", "write the topic's name as text")
        window = self.one_of(document.get("window", SLIDING), f"{pointer}/window", (SLIDING, CALENDAR))
        per = self.length(document.get("per"), f"{pointer}/per")
        period = PERIODS.get(document["per"]) if window == CALENDAR and isinstance(document.get("per"), str) else None
        if window == CALENDAR and period is None and "per" in document:
            self.note(f"{pointer}/per", "invalid_period", "a calendar window is 1d, 1w, 1mo or 1y long")
        then = self.one_of(document.get("then", SKIP), f"{pointer}/then", (SKIP, HOLD, NEXT_CHANNEL))
        if "hold_for" in document and then != HOLD:
            self.note(f"{pointer}/hold_for", "no_hold", "`hold_for` goes with `then: hold` only")
        return Cap(
            channel=channel, topic=topic, max=self.whole(document.get("max"), f"{pointer}/max", MOST_MESSAGES),
            per=per, period=period, then=then,
            hold_for=self.length(document.get("hold_for", HOLD_FOR_DEFAULT), f"{pointer}/hold_for"),
        )  # fmt: skip

    def ceiling(self, raw: Any, pointer: str) -> Cap:
        """So many a local day over all channels: a number, or `{max, then?, hold_for?}`."""
        document = {"max": raw} if isinstance(raw, int) else self.object(raw, pointer, below("daily_ceiling"))
        then = self.one_of(document.get("then", SKIP), f"{pointer}/then", (SKIP, HOLD))
        return Cap(
            channel=None, topic=None,
            max=self.whole(document.get("max"), pointer if isinstance(raw, int) else f"{pointer}/max", MOST_MESSAGES),
            per=duration("1d"), period=DAY, then=then,
            hold_for=self.length(document.get("hold_for", HOLD_FOR_DEFAULT), f"{pointer}/hold_for"),
        )  # fmt: skip

    def length(self, raw: Any, pointer: str) -> Duration:
        if raw is None:
            self.note(pointer, "required", "write a duration such as 1d")
            return Duration(exact=clock.DAY)
        found = self.guard(pointer, lambda: duration(raw if isinstance(raw, str) else str(raw)), Duration(clock.DAY))
        if not found.exact and not found.months:
            self.note(pointer, "invalid_duration", "longer than nothing")
        return found

    def all_quiet_hours(self, raw: Any, terms: Terms) -> tuple[QuietHours | None, tuple[QuietRule, ...]]:
        """Those of all, and those of a channel and country: as written, then as the chosen laws have them."""
        pointer = "/quiet_hours"
        document = self.object(raw, pointer) if raw else {}
        listed = self.list(document, "by", pointer)
        rules = [self.quiet_rule(each, f"{pointer}/by/{index}") for index, each in enumerate(listed)]
        if terms.law in _QUIET_LAWS:
            rules.append(QuietRule(TEXTED, None, _QUIET_LAWS[terms.law]))
        rules += [
            QuietRule(TEXTED, place.country, _QUIET_LAWS[place.law])
            for place in terms.laws
            if place.law in _QUIET_LAWS and place.channel in (None, TEXTED)
        ]
        general = {key: value for key, value in document.items() if key != "by"}
        return self.quiet_hours(general, pointer) if general else None, tuple(rules)

    def quiet_rule(self, raw: Any, pointer: str) -> QuietRule:
        document = self.object(raw, pointer, below("quiet_hours.by[]"))
        channel, country = document.get("channel"), document.get("country")
        if channel is not None and channel not in list(all_channels()):
            self.note(f"{pointer}/channel", "unknown_channel", f"one of {', '.join(all_channels())}")
        is_code = isinstance(country, str) and len(country) == 2 and country.isascii() and country.isupper()
        if country is not None and not is_code:
            self.note(f"{pointer}/country", "invalid", "two letters of ISO 3166, such as US")
        hours = self.quiet_hours({key: document[key] for key in ("from", "to", "then") if key in document}, pointer)
        return QuietRule(channel, country, hours or NIGHT)

    def quiet_hours(self, raw: Any, pointer: str) -> QuietHours | None:
        document = self.object(raw, pointer, below("quiet_hours"))
        ends = [
            self.guard(f"{pointer}/{end}", lambda e=end: time_of_day(document.get(e)), None) for end in ("from", "to")
        ]
        then = self.one_of(document.get("then", HOLD), f"{pointer}/then", (HOLD, SKIP))
        start, end = ends
        if start is None or end is None:
            return None
        if start == end:
            self.note(f"{pointer}/to", "empty_window", "`from` and `to` differ; quiet all day would be no sending")
        return QuietHours(start, end, then)

    def limits(self, raw: Any, pointer: str) -> Limits:
        document = self.object(raw, pointer, below("limits"))
        usual = Limits()
        complaints = self.object(document.get("complaints", {}), f"{pointer}/complaints", below("limits.complaints"))
        bounces = self.object(document.get("hard_bounces", {}), f"{pointer}/hard_bounces", below("limits.hard_bounces"))

        def share(of: Mapping[str, Any], where: str, key: str, otherwise: float) -> float:
            return self.number(of.get(key, otherwise), f"{pointer}/{where}/{key}", 0, 1, "a share from 0 to 1")

        def least(of: Mapping[str, Any], where: str, otherwise: int) -> int:
            return self.whole(of.get("over", otherwise), f"{pointer}/{where}/over", 1_000_000_000)

        return Limits(
            complaints_pause=share(complaints, "complaints", "pause", usual.complaints_pause),
            complaints_stop=share(complaints, "complaints", "stop", usual.complaints_stop),
            complaints_over=least(complaints, "complaints", usual.complaints_over),
            bounces_pause=share(bounces, "hard_bounces", "pause", usual.bounces_pause),
            bounces_over=least(bounces, "hard_bounces", usual.bounces_over),
            within=self.length(document.get("within", "24h"), f"{pointer}/within"),
        )
