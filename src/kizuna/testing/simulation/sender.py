"""A sender without a network: the real claim decides, chance carries, and it may die at each point that matters."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from kizuna.consent.section import Consent
from kizuna.core import clock, ids
from kizuna.engine.moment import Item
from kizuna.engine.record import StoredRecord
from kizuna.engine.slice import Workspace
from kizuna.messages.claim import Deferred, Person, Refused, decide, defer
from kizuna.messages.message import Claimed, Ending
from kizuna.messages.policy import parse
from kizuna.messages.report import of_customer, of_deferral, of_sender, properties
from kizuna.profiles.section import Profile
from kizuna.testing.simulation.house import House, Veto

Kind = TypeVar("Kind")


class Carried(Struct, frozen=True):
    """A message that left the house: when, and how far the log had come when it was claimed."""

    workspace: int
    message: Claimed
    person: bytes
    instant: int  # of the story: counts all that was accepted before
    offsets: tuple[int, ...]


class Sender:
    def __init__(self, house: House, chance: Random, workspaces: Mapping[int, Workspace]) -> None:
        self.house = house
        self.chance = chance
        self.workspaces = workspaces
        self.names = [part.name for part in house.folds]
        self.carried: list[Carried] = []
        self.instant = 0
        self.is_calm = False

    def work(self, workspace: int) -> bool:
        """Recover what a dead sender left, then send some of what is due; says whether there was anything."""
        found = False
        for message in sorted(self.house.lost(workspace), key=lambda each: each.id):
            self.recover(workspace, message)
            found = True
        due = sorted(self.house.claim(workspace, 1000), key=lambda each: (each.due_at, each.id))
        for message in due[: self.chance.choice((1, 2, 50))]:
            self.send(workspace, message)
            found = True
        return found

    def send(self, workspace: int, message: Claimed) -> None:
        at = self.at(workspace, message)
        person = self.person(workspace, message.profile)
        said = {message.profile, person.id} if person else {message.profile}
        vetoes = {(v.channel, v.topic) for v in self.house.vetoes(workspace) if v.profile in said}
        verdict = decide(
            message, person, vetoes, self.house.suppressed(workspace), at, self.workspaces[workspace].consent
        )
        profile = person.id if person else message.profile
        if person and isinstance(verdict, str) and (wait := self.wait(workspace, message, person, at)):
            verdict = wait
        if isinstance(verdict, Deferred):
            again = Ending(id=message.id, fence=message.fence, state="planned", due_at=verdict.until)
            self.house.finish(workspace, again, message.root, [of_deferral(message, profile, verdict.until, at)])
            return
        if isinstance(verdict, Refused):
            ending = Ending(id=message.id, fence=message.fence, state=verdict.state, reason=verdict.reason)
            report = of_sender(message, profile, verdict.state, at, reason=verdict.reason)
            self.house.finish(workspace, ending, message.root, [report])
            return
        carried = Carried(workspace, message, profile, self.instant, self.house.offsets(workspace))
        if self.chance.random() < 0.5:  # as the outbox does: all in one commit
            ending = Ending(id=message.id, fence=message.fence, state="sent", attempt=1)
            self.house.finish(workspace, ending, message.root, [of_sender(message, profile, "sent", at)])
            self.carried.append(carried)
            return
        self.house.hand(workspace, message)
        if not self.is_calm and self.chance.random() < 0.1:
            return  # it died before the network
        handed = replace(message, fence=message.fence + 1, attempts=message.attempts + 1)
        draw = 1.0 if self.is_calm else self.chance.random()
        if draw < 0.15:
            again = Ending(id=message.id, fence=handed.fence, state="planned", due_at=at + clock.MINUTE)
            self.house.finish(workspace, again, message.root, [])
        elif draw < 0.25:
            self.conclude(workspace, handed, profile, "rejected", at, reason="refused")
        else:
            self.carried.append(carried)
            if not self.is_calm and self.chance.random() < 0.1:
                return  # it died before the answer was written down
            self.conclude(workspace, handed, profile, "sent", at)

    def wait(self, workspace: int, message: Claimed, person: Person, at: int) -> Deferred | Refused | None:
        """What the quiet hours that rule say."""
        for each in self.house.ruling(workspace, "policy"):
            return defer(message, person, parse(each.body), at, self.workspaces[workspace])
        return None

    def conclude(self, workspace: int, message: Claimed, profile: bytes, state: str, at: int, **more: str) -> None:
        ending = Ending(id=message.id, fence=message.fence, state=state, reason=more.get("reason"))
        reports, veto = [of_sender(message, profile, state, at, **more)], None
        if state == "sent" and self.chance.random() < 0.25:
            reports.append(self.answer(message, profile, at))
            if reports[-1].name in ("message_unsubscribed", "message_complained"):
                veto = Veto(profile, reports[-1].id, message.channel, "")
        self.house.finish(workspace, ending, message.root, reports, veto)

    def answer(self, message: Claimed, profile: bytes, at: int) -> Item:
        """What the customer, or their mail program, makes of it."""
        state = self.chance.choice(("delivered", "opened", "clicked", "bounced", "unsubscribed", "complained"))
        said: dict[str, Any] = {name: value for name, value in properties(message).items() if name != "topic"}
        if state == "bounced":
            said |= {"class": "soft", "address": ""}
        name = ids.show("evt", ids.derive("answer", message.id, state, message.attempts))
        return of_customer(profile, state, at, said, name)

    def recover(self, workspace: int, message: Claimed) -> None:
        """Marketing between hand-over and answer is `unknown` for ever, transactional is sent again."""
        if message.transactional:
            self.house.finish(workspace, Ending(id=message.id, fence=message.fence, state="planned"), message.root, [])
        else:
            ending = Ending(id=message.id, fence=message.fence, state="unknown", reason="sender_lost")
            report = of_sender(message, message.profile, "unknown", self.at(workspace, message), reason="sender_lost")
            self.house.finish(workspace, ending, message.root, [report])

    def at(self, workspace: int, message: Claimed) -> int:
        """A test clock stands still until told: there a message goes when it was due."""
        return message.due_at if self.workspaces[workspace].clock == "test" else self.house.now(workspace)

    def living(self, workspace: int, profile: bytes) -> bytes:
        """Whom that id names now."""
        stored = self.house.load(workspace, profile)
        while stored and (into := self.section(stored, "profiles", Profile).merged_into):
            profile, stored = into, self.house.load(workspace, into)
        return profile

    def person(self, workspace: int, profile: bytes) -> Person | None:
        """The customer as the record stands now, after merges."""
        stored = self.house.load(workspace, self.living(workspace, profile))
        if stored is None:
            return None
        known = self.section(stored, "profiles", Profile)
        consent = self.section(stored, "consent", Consent)
        return Person(id=stored.id, traits=known.traits, consent=consent, known=known, zone=known.zone)

    def section(self, stored: StoredRecord, name: str, kind: type[Kind]) -> Kind:
        raw = stored.sections[self.names.index(name)]
        return msgspec.msgpack.decode(raw, type=kind) if raw else kind()
