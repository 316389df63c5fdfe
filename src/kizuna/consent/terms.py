"""What a policy says about consent: which law where, who the sender is, how an opt-in is confirmed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from kizuna.consent.country import country_of
from kizuna.consent.decide import OPT_IN
from kizuna.consent.law import ADDRESS, CONTACT, CUSTOM, LAWS, SENDER, Law
from kizuna.core.clock import Duration, duration
from kizuna.core.problems import Problems

MOST_PLACES = 100
LONGEST = 500  # characters of what the sender is called and where
MOST_ASKED = 20


class Place(Struct, frozen=True):
    """A law where a channel, a topic and a country are these; what is None is any."""

    law: str
    country: str | None = None
    channel: str | None = None
    topic: str | None = None

    def holds(self, channel: str, topic: str | None, country: str) -> bool:
        return self.country in (None, country) and self.channel in (None, channel) and self.topic in (None, topic)


class Sender(Struct, frozen=True):
    """Who is responsible for what is sent, as it must be shown."""

    name: str = ""
    address: str = ""
    contact: str = ""  # an address, number or page for questions and complaints


class DoubleOptIn(Struct, frozen=True):
    template: str
    expires: Duration
    most: int = 3  # confirmations within thirty days


class Terms(Struct, frozen=True, kw_only=True):
    law: str = CUSTOM
    laws: tuple[Place, ...] = ()
    sender: Sender = Sender()
    double_opt_in: DoubleOptIn | None = None
    keep_ip: bool = False  # whether proofs hold the address that an act came from

    def law_of(self, channel: str, topic: str | None, country: str) -> Law:
        """The first place that holds, else the general one."""
        return LAWS[next((each.law for each in self.laws if each.holds(channel, topic, country)), self.law)]

    def law_for(self, channel: str, topic: str | None, traits: Mapping[str, Any]) -> Law:
        """As `law_of`, of a customer."""
        return self.law_of(channel, topic, country_of(traits) if self.laws else "")

    def neutral(self, otherwise: str, channel: str, topic: str | None, traits: Mapping[str, Any]) -> str:
        """What no choice means: a law makes it stricter, never laxer."""
        return OPT_IN if self.law_for(channel, topic, traits).neutral == OPT_IN else otherwise

    def laws_on(self, channel: str) -> list[Law]:
        """All that may rule a channel, whoever is written to."""
        names = {each.law for each in self.laws if each.channel in (None, channel)} | {self.law}
        return [LAWS[name] for name in sorted(names)]


def read_terms(known: Mapping[str, Any], reader: Problems) -> Terms:
    """From the object of a policy; what is wrong is noted."""
    raw = known.get("laws")
    if raw is not None and not isinstance(raw, list):
        reader.note("/laws", "not_a_list", "write a list")
    listed = raw if isinstance(raw, list) else []
    if len(listed) > MOST_PLACES:
        reader.note("/laws", "too_many", f"at most {MOST_PLACES}")
    keeps = known.get("keep_ip", False)
    if not isinstance(keeps, bool):
        reader.note("/keep_ip", "not_a_boolean", "true or false")
    terms = Terms(
        law=_law(known.get("law", CUSTOM), "/law", reader),
        laws=tuple(_place(each, f"/laws/{index}", reader) for index, each in enumerate(listed)),
        sender=_sender(known.get("sender"), reader),
        double_opt_in=_double(known["double_opt_in"], reader) if known.get("double_opt_in") is not None else None,
        keep_ip=keeps is True,
    )
    _complete(terms, reader)
    return terms


def _law(raw: Any, pointer: str, reader: Problems) -> str:
    if not isinstance(raw, str) or raw not in LAWS:
        reader.note(pointer, "unknown_law", f"one of {', '.join(LAWS)}")
        return CUSTOM
    return raw


def _place(raw: Any, pointer: str, reader: Problems) -> Place:
    said = reader.object(raw, pointer, ("law", "country", "channel", "topic"))
    for key in ("country", "channel", "topic"):
        if said.get(key) is not None and not (isinstance(said[key], str) and said[key]):
            reader.note(f"{pointer}/{key}", "not_text", "a text")
            return Place(CUSTOM)
    country = said.get("country")
    if country is not None and not (len(country) == 2 and country.isascii() and country.isupper()):
        reader.note(f"{pointer}/country", "invalid", "two letters of ISO 3166, such as JP")
    return Place(_law(said.get("law"), f"{pointer}/law", reader), country, said.get("channel"), said.get("topic"))


def _sender(raw: Any, reader: Problems) -> Sender:
    said = reader.object(raw, "/sender", ("name", "address", "contact")) if raw is not None else {}
    for key, value in said.items():
        if not isinstance(value, str) or len(value) > LONGEST:
            reader.note(f"/sender/{key}", "not_text", f"a text of at most {LONGEST} characters")
    return Sender(**{key: " ".join(value.split()) for key, value in said.items() if isinstance(value, str)})


def _double(raw: Any, reader: Problems) -> DoubleOptIn:
    pointer = "/double_opt_in"
    said = reader.object(raw, pointer, ("template", "expires", "most"))
    template, most = said.get("template"), said.get("most", 3)
    if not isinstance(template, str) or not template:
        reader.note(f"{pointer}/template", "required", "the template of the mail that asks for the confirmation")
    if not isinstance(most, int) or isinstance(most, bool) or not 1 <= most <= MOST_ASKED:
        reader.note(f"{pointer}/most", "invalid", f"a whole number from 1 to {MOST_ASKED}")
        most = 3
    expires = reader.guard(f"{pointer}/expires", lambda: duration(str(said.get("expires", "7d"))), duration("7d"))
    return DoubleOptIn(str(template or ""), expires, most)


def _complete(terms: Terms, reader: Problems) -> None:
    """What some law wants shown must be there to be shown."""
    wanted = {each for law in terms.laws_on("email") for each in law.display}
    for part, said in ((SENDER, "name"), (ADDRESS, "address"), (CONTACT, "contact")):
        if part in wanted and not getattr(terms.sender, said):
            reader.note(f"/sender/{said}", "legal_display_missing", "a law you chose wants it shown in every mail")
