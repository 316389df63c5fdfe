"""The invariants, one function each: what is wrong with what was left behind, in words; nothing when all is well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from kizuna.consent.decide import OPTED_OUT
from kizuna.core import clock, ids
from kizuna.engine.append import APPLIED, ITEMS
from kizuna.engine.moment import ONCE, Item, Moment
from kizuna.engine.slice import Slice
from kizuna.messages.message import OPEN, PlanMessage
from kizuna.profiles.section import Profile
from kizuna.segments.section import Segments
from kizuna.testing.simulation.house import Left, as_message
from kizuna.testing.simulation.naive import Did, Rules, holds, is_known
from kizuna.testing.simulation.reference import Reference
from kizuna.testing.simulation.sender import Carried
from kizuna.testing.simulation.witness import NAME, Heard

RELAYED = ("link", "absorb", "forward")

Kind = TypeVar("Kind")


class Accepted(Struct, frozen=True):
    """An act of consent as the story had it accepted."""

    workspace: int
    item: Item
    instant: int


class Look(Struct, frozen=True):
    """What a check may look at whenever everybody rests."""

    folds: Sequence[Slice]
    left: Left

    def section(self, profile: bytes, name: str, kind: type[Kind]) -> Kind:
        names = [part.name for part in self.folds]
        raw = self.left.records[profile].sections[names.index(name)]
        return msgspec.msgpack.decode(raw, type=kind) if raw else kind()

    def living(self, profile: bytes) -> bytes:
        """Who that customer is now."""
        for _ in range(100):
            if profile not in self.left.records:
                break
            into = self.section(profile, "profiles", Profile).merged_into
            if not into:
                break
            profile = into
        return profile

    def items(self, kind: int) -> Iterator[tuple[int, int, int, int, Item]]:
        """(partition, offset, index, at, item) of the log."""
        for rows in self.left.rows:
            for row in rows:
                for index, item in enumerate(row.decode() if row.kind == kind else ()):
                    yield row.partition, row.offset, index, row.at, item


class Seen(Look, frozen=True):
    """What it may look at in the end."""

    reference: Reference
    carried: Sequence[Carried]
    consents: Sequence[Accepted]


def log_is_whole(seen: Look) -> Iterator[str]:
    """Offsets have no holes, times never fall, and all of it is read."""
    for head, rows in zip(seen.left.heads, seen.left.rows, strict=True):
        if [row.offset for row in rows] != list(range(1, head.offset + 1)):
            yield f"partition {head.partition} has offsets {[row.offset for row in rows]} up to {head.offset}"
        if any(later.at < row.at for row, later in pairwise(rows)):
            yield f"in partition {head.partition} time falls"
        if head.applied != head.offset:
            yield f"partition {head.partition} is read up to {head.applied} of {head.offset}"


def each_message_id_once(seen: Seen) -> Iterator[str]:
    """What was accepted is applied once, and exactly the rest is noted as duplicate."""
    times: Counter[str] = Counter()
    if any(part.name == NAME for part in seen.folds):
        for profile in seen.left.records:
            times.update(seen.section(profile, NAME, Heard).times)
        waiting = {kept.item.id for profile in seen.left.records
                   for kept in seen.section(profile, "profiles", Profile).future}  # fmt: skip
        ids_in_log = Counter(
            item.id
            for partition, offset, index, _, item in seen.items(ITEMS)
            if item.id in seen.reference.accepted and (partition, offset, index) not in seen.reference.duplicates
        )
        for message, count in ids_in_log.items():
            if times[message] != count and message not in waiting:
                yield f"messageId {message} was accepted {count} times and applied {times[message]} times"
    if seen.left.duplicates != seen.reference.duplicates:
        missing, extra = (
            seen.reference.duplicates - seen.left.duplicates,
            seen.left.duplicates - seen.reference.duplicates,
        )
        yield f"duplicates {sorted(missing)} are not noted, {sorted(extra)} are and were none"


def replay_is_exact(seen: Seen) -> Iterator[str]:
    """The log folded anew gives the same records, facts, memberships, messages and words between profiles."""
    left, reference = seen.left, seen.reference
    written = {profile: record for profile, record in reference.records.items() if record.touched}
    for profile in sorted(left.records.keys() | written.keys()):
        name = ids.show("prf", profile)
        if profile not in written or profile not in left.records:
            yield f"{name} is in {'the state' if profile in left.records else 'the replay'} alone"
            continue
        stored, record = left.records[profile], written[profile]
        for part, mine, theirs in zip(seen.folds, stored.sections, reference.sections(record), strict=True):
            if mine != theirs:
                yield f"{name}: {part.name} is {_shown(mine, part)}, replayed {_shown(theirs, part)}"
        times, replayed = (stored.created_at, stored.seen_at), (record.created_at, record.seen_at)
        if times != replayed:
            yield f"{name}: created and seen at {times}, replayed {replayed}"
    yield from _differ(
        "facts", (item for *_, item in seen.items(APPLIED)), (fact for _, fact, _ in reference.effects.facts)
    )
    said = (item for *_, item in seen.items(ITEMS) if item.type in RELAYED)
    yield from _differ("relays", said, (item for item, _ in reference.effects.relays))
    yield from _members_differ(seen)
    yield from _messages_differ(seen)


def _shown(raw: bytes | None, part: Slice) -> Any:
    return None if raw is None else msgspec.msgpack.decode(raw, type=part.section)


def _differ(what: str, mine: Iterator[Item], theirs: Iterator[Item]) -> Iterator[str]:
    ours = Counter(msgspec.msgpack.encode(item) for item in mine)
    replayed = Counter(msgspec.msgpack.encode(item) for item in theirs)
    for raw in sorted((ours - replayed) | (replayed - ours)):
        item = msgspec.msgpack.decode(raw, type=Item)
        said = bytes(item.properties) if item.type == "fact" else b"..."
        shown = f"{item.name or item.type} of {ids.show('prf', item.profile)} at {clock.show(item.timestamp)} {said!r}"
        yield f"{what}: {shown} {ours[raw]} times, replayed {replayed[raw]} times"


def _members_differ(seen: Seen) -> Iterator[str]:
    replayed: dict[tuple[str, bytes], int] = {}
    for profile, record in seen.reference.records.items():
        replayed.update({(name, profile): at for name, at in record.sections["segments"].member_of.items()})
    if replayed != dict(seen.left.members):
        for name, profile in sorted(dict(replayed.items() ^ seen.left.members.items())):
            ours, theirs = seen.left.members.get((name, profile)), replayed.get((name, profile))
            yield f"{ids.show('prf', profile)} is in {name!r} since {ours}, replayed since {theirs}"


def _messages_differ(seen: Seen) -> Iterator[str]:
    plans: list[PlanMessage] = seen.reference.effects.other.get(PlanMessage, [])
    replayed = {plan.id: as_message(seen.left.workspace.id, plan).planned for plan in reversed(plans)}
    mine = {key: message.planned for key, message in seen.left.messages.items()}
    for key in sorted(replayed.keys() | mine.keys()):
        if replayed.get(key) != mine.get(key):
            yield f"message {ids.show('msg', key)} is planned as {mine.get(key)}, replayed {replayed.get(key)}"


def nobody_sleeps_through(seen: Look) -> Iterator[str]:
    """No timer is due and unfired, no alarm later than its timer, nobody waits for an answer."""
    for profile, stored in seen.left.records.items():
        name, wakes = ids.show("prf", profile), list[int]()
        for part, raw in zip(seen.folds, stored.sections, strict=True):
            wake_at = msgspec.msgpack.decode(raw, type=part.section).wake_at if raw else 0
            wakes += [wake_at] if wake_at else []
            if 0 < wake_at <= seen.left.now:
                yield f"{name}: {part.name} was due at {clock.show(wake_at)}, it is {clock.show(seen.left.now)}"
        if wakes and not 0 < stored.alarm <= min(wakes):
            yield f"{name}: the alarm is {stored.alarm}, a timer is due at {min(wakes)}"
        known = seen.section(profile, "profiles", Profile)
        if known.waiting_for or known.parked:
            yield f"{name} still waits for {known.waiting_for!r} with {len(known.parked)} items parked"
    if seen.left.parked:
        yield f"{seen.left.parked} items are parked as poisonous"
    if seen.left.vetoes:
        yield f"{len(seen.left.vetoes)} vetoes were never folded"


def members_by_hand(seen: Look) -> Iterator[str]:
    """Counted out plainly from what each customer did, memberships are the same."""
    left = seen.left
    rules: Rules = {d.name: d.body["where"] for d in left.definitions if d.kind == "segment" and d.retired is None}
    known = [name for name in sorted(rules) if is_known(rules[name], rules)]
    done: dict[bytes, list[Did]] = {}
    for partition, offset, index, at, item in seen.items(ITEMS):
        if item.type == "track" and (partition, offset, index) not in left.duplicates:
            did = Did(item.name, item.timestamp, Moment(item, at, 0).properties)
            done.setdefault(seen.living(item.profile), []).append(did)
    for profile in left.records:
        if seen.living(profile) != profile or not seen.section(profile, "segments", Segments).is_born:
            continue
        zone = seen.section(profile, "profiles", Profile).zone or left.workspace.zone
        for name in known:
            expected = holds(rules[name], done.get(profile, []), left.now, zone, rules)
            if expected != ((name, profile) in left.members):
                yield f"{ids.show('prf', profile)} is {'not ' if expected else ''}in {name!r}, by hand the opposite"


def sent_at_most_once(seen: Seen) -> Iterator[str]:
    """No message twice (transactional ones after a crash aside), and every row has come to its end."""
    times = Counter(each.message.id for each in seen.carried)
    paused = {d.name for d in seen.left.definitions if d.retired is None and d.status == "paused"}
    keys: Counter[tuple[Any, ...]] = Counter()
    for key, message in seen.left.messages.items():
        keys[message.purpose, message.claimed.profile, message.occurrence, message.claimed.channel] += 1
        if times[key] > 1 and not message.claimed.transactional:
            yield f"message {ids.show('msg', key)} was sent {times[key]} times"
        if message.state in OPEN and message.due_at <= seen.left.now and message.claimed.journey not in paused:
            yield f"message {ids.show('msg', key)} is still {message.state}"
        if message.state in ("sent", "delivered", "opened", "clicked") and not times[key]:
            yield f"message {ids.show('msg', key)} is {message.state} and never left"
    for key, count in keys.items():
        if count > 1:
            yield f"{count} messages are planned for {key}"


def no_message_against_a_will(seen: Seen) -> Iterator[str]:
    """Nothing is sent after an accepted opt-out, or after its run has left."""
    left_at: dict[str, tuple[int, int]] = {}
    merged: dict[bytes, tuple[int, int]] = {}
    for partition, offset, _, _, item in seen.items(APPLIED):
        if item.name == "journey_exited":
            said = Moment(item, 0, 0).properties
            if said["reason"] != "completed":
                left_at[said["run"]] = (partition, offset)
        elif item.name == "profile_merged":
            merged[ids.read("prf", Moment(item, 0, 0).properties["from"])] = (partition, offset)
    for each in seen.carried:
        if each.workspace != seen.left.workspace.id:
            continue
        shown = ids.show("msg", each.message.id)
        partition, offset = left_at.get(each.message.run or "", (0, 1 << 62))
        if offset <= each.offsets[partition]:
            yield f"message {shown} was claimed after its run left"
        if not each.message.transactional:
            joined = {profile for profile, (partition, offset) in merged.items() if offset <= each.offsets[partition]}
            yield from _against_consent(seen, each, joined, shown)


def _against_consent(seen: Seen, carried: Carried, joined: set[bytes], shown: str) -> Iterator[str]:
    """The last thing the customer said before the claim, of the channel or of the topic, must not be a no.

    What they said under an id that was not joined yet counts only as a yes with proof: that may have been by then; of
    the same instant as a no, either may be folded last.
    """
    latest: dict[str, str] = {}
    elsewhere: dict[str, int] = {}
    for said in seen.consents:
        if said.workspace != carried.workspace or said.instant > carried.instant:
            continue
        choice: Mapping[str, Any] = Moment(said.item, 0, 0).properties
        topic, is_no, at = choice.get("topic") or "", choice["state"] == OPTED_OUT, said.item.timestamp
        is_own = said.item.profile == carried.person or (
            said.item.profile in joined and seen.living(said.item.profile) == carried.person
        )
        if choice.get("proof") and seen.living(said.item.profile) == seen.living(carried.person):
            latest[topic] = choice["state"]
            elsewhere[topic] = elsewhere.get(topic, 0) if said.item.profile == carried.person else at
        elif is_own and (is_no or latest.get(topic) != OPTED_OUT) and elsewhere.get(topic) != at:
            latest[topic] = choice["state"]
    for topic in ("", carried.message.topic or ""):
        if latest.get(topic) == OPTED_OUT:
            yield f"message {shown} was claimed after an accepted opt-out of {topic or 'the channel'}"
            return


def workspaces_are_apart(seen: Seen) -> Iterator[str]:
    """Every profile that a workspace knows is named after it."""
    mine: set[bytes] = set()
    number = seen.left.workspace.id
    for *_, item in seen.items(ITEMS):
        for kind, value in (("user", item.user_id), ("anon", item.anonymous_id)):
            if value:
                mine.add(ids.profile_id(number, kind, value))
    strangers = {
        item.profile for *_, item in seen.items(ITEMS) if item.type in ONCE and item.user_id + item.anonymous_id
    }
    for profile in sorted(strangers - mine):
        yield f"{ids.show('prf', profile)} is of another workspace"


AT_REST = (log_is_whole, nobody_sleeps_through, members_by_hand)

CHECKS = (
    *AT_REST,
    each_message_id_once,
    sent_at_most_once,
    no_message_against_a_will,
    workspaces_are_apart,
    replay_is_exact,
)
