"""Segments in the fold: touched leaves are updated, and only rules whose reading of them changed are asked again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import Any, ClassVar

import msgspec

from kizuna.core import ids
from kizuna.engine.moment import RULING, Moment
from kizuna.engine.slice import Definition, Scope, Section, Workspace, Writer
from kizuna.profiles.section import zone_of
from kizuna.segments import store
from kizuna.segments.history import Fill
from kizuna.segments.leaves import FLIPS, Leaf
from kizuna.segments.program import FOREVER, Group, Guests, Program, Tree, compile_program
from kizuna.segments.section import MembershipChanged, Segments
from kizuna.segments.tree import View, next_trait_change

LISTING = "list"  # the type of items that put a customer on an uploaded list, or take them off; named by the list
_EVENTS = frozenset(("track", "page", "screen", "fact", "report"))
# facts of joining another record, which is born with what it was joined for; and reports: what was said to an address
# makes nobody a customer
_OF_NOBODY_NEW = frozenset(("fact", "report"))
_CHANGES = ("profile_updated", "consent_changed")  # facts after which rules on traits and consent are asked again
_decode_fill = msgspec.msgpack.Decoder(Fill).decode


class SegmentSlice:
    """`guests` name the rules, as written, that definitions of other kinds ask; their leaves are kept too."""

    name: ClassVar[str] = "segments"
    section: ClassVar[type[Section]] = Segments
    writers: ClassVar[Mapping[type, Writer]] = {MembershipChanged: store.write_memberships}

    def __init__(self, guests: Sequence[Guests] = ()) -> None:
        self.guests = tuple(guests)

    def compile(self, workspace: Workspace, definitions: Sequence[Definition], lower: Mapping[str, Any]) -> Program:
        return compile_program(definitions, lower["version"], self.guests)

    def hears(self, part: Program, kind: str, name: str) -> bool:
        """Of facts those that rules mention; the record learns of a new program from any other moment."""
        return kind != "fact" or name in part.by_event or name in _CHANGES

    def fold(self, moment: Moment, scope: Scope) -> None:
        program: Program = scope.program["segments"]
        section: Segments = scope.record.sections["segments"]
        if 0 < section.wake_at <= scope.now:
            self.wake(scope)  # a slice before us woke first at this instant
        kind = moment.type
        if kind == LISTING:
            _enlist(moment, scope, program, section)
        if not section.is_born:
            if kind == "say":
                return
            if kind in _OF_NOBODY_NEW:
                _take(program.by_event.get(moment.name, ()), moment, scope, section)
                return
            if kind != "fill":
                _bear(moment, scope, program, section)
                return
            section.seen = program.version  # nothing but its history is known yet
        if section.seen != program.version:
            _catch_up(scope, program, section)
        if kind in _EVENTS:
            groups = program.by_event.get(moment.name)
            if groups and (touched := _take(groups, moment, scope, section)):
                settle(scope, program, section, touched)
            if kind == "fact":
                _hear(moment, scope, program, section)
        elif kind == "fill":
            _fill(moment, scope, program, section)
        elif kind == LISTING:
            settle(scope, program, section, program.on_list.get(moment.name, ()))

    def wake(self, scope: Scope) -> None:
        program: Program = scope.program["segments"]
        section: Segments = scope.record["segments"]
        before, section.wake_at = section.wake_at - 1, 0
        scope.record.touch("segments")
        if not section.is_born:
            return
        if section.seen != program.version:
            _catch_up(scope, program, section)
        settle(scope, program, section, schedule(scope, program, section, before))

    def absorb(self, other: Section, scope: Scope) -> None:
        assert isinstance(other, Segments)  # noqa: S101 - the engine gives each slice its own section
        program: Program = scope.program["segments"]
        section: Segments = scope.record["segments"]
        if section.is_born and section.seen != program.version:
            _catch_up(scope, program, section)
        _unite(scope, program, section, other)
        if section.is_born:
            settle(scope, program, section, range(len(program.trees)))
            schedule(scope, program, section)


def _take(groups: Iterable[Group], moment: Moment, scope: Scope, section: Segments) -> set[int] | None:
    """The inner loop: one event into the leaves that mention it; the rules whose reading of them changed."""
    if moment.program != RULING:
        groups = _without_history(groups, moment, scope.program["segments"])
    states, now, zone = section.leaves, scope.now, zone_of(scope.record, scope.workspace)
    touched: set[int] | None = None
    wake = section.wake_at
    changed = False
    for passes, counters, listeners in groups:
        if passes is not None and not passes(moment.properties, moment.timestamp, zone):
            continue
        for key, enough, turns, ranks in counters:  # as `EverCount.add`
            seen = states.get(key, 0)
            if seen < enough:
                states[key] = seen + 1
                changed = True
                if turns[seen] and ranks:
                    touched = touched.union(ranks) if touched else set(ranks)
        for listener in listeners:
            outcome = listener.add(states, moment, now, zone)
            if not outcome:
                continue
            changed = True
            leaf = listener.leaf
            if leaf.timed:
                state = states[leaf.id]
                if not wake or leaf.soonest(state, zone) < wake:
                    due = leaf.next_change(state, now, zone)
                    if due and (not wake or due < wake):
                        wake = due
            if outcome == FLIPS and leaf.ranks:
                touched = touched.union(leaf.ranks) if touched else set(leaf.ranks)
    if changed:
        section.wake_at = wake
        scope.record.touch("segments")
    return touched


def _without_history(groups: Iterable[Group], moment: Moment, program: Program) -> list[Group]:
    """Of what was said under an older program and kept back, leaves kept since then learn by their fill."""
    return [
        (
            passes,
            tuple([each for each in counters if not _is_history(program.leaves[each[0]], moment)]),
            tuple([each for each in listeners if not _is_history(each.leaf, moment)]),
        )
        for passes, counters, listeners in groups
    ]


def _is_history(leaf: Leaf, moment: Moment) -> bool:
    return leaf.born > moment.program and moment.timestamp <= leaf.born_at


def _bear(moment: Moment, scope: Scope, program: Program, section: Segments) -> None:
    """The first moment of a record: the rules are asked when it is taken, so none is true only of knowing nothing."""
    has_joined = bool(section.leaves or section.member_of or section.owed)
    heard = program.by_event.get(moment.name, ()) if moment.type in _EVENTS else ()
    touched = program.at_birth.union(_take(heard, moment, scope, section) or ())
    if moment.type == LISTING:
        touched = touched.union(program.on_list.get(moment.name, ()))
    if has_joined:
        touched = range(len(program.trees))
    section.seen = program.version
    section.filled = program.version if moment.program == RULING else moment.program
    scope.record.touch("segments")
    settle(scope, program, section, touched)
    schedule(scope, program, section)


def _hear(moment: Moment, scope: Scope, program: Program, section: Segments) -> None:
    """Facts of the slices before us: traits and zone, or consent, may have changed."""
    if moment.name == "profile_updated" and program.on_profile:
        settle(scope, program, section, program.on_profile)
        schedule(scope, program, section)
    elif moment.name == "consent_changed" and program.on_consent:
        settle(scope, program, section, program.on_consent.get(moment.properties.get("channel") or "", ()))


def _enlist(moment: Moment, scope: Scope, program: Program, section: Segments) -> None:
    """An upload named this customer, or no longer does; of a list that no rule asks for nothing is kept."""
    said = moment.properties
    entry, name = ids.read("prf", said["entry"]), moment.name
    entries = section.listed.get(name, [])
    if said["listed"] and name in program.on_list and entry not in entries:
        section.listed[name] = sorted([*entries, entry])
    elif not said["listed"] and entry in entries:
        section.listed[name] = [each for each in entries if each != entry]
        if not section.listed[name]:
            del section.listed[name]
    scope.record.touch("segments")


def settle(scope: Scope, program: Program, section: Segments, touched: Collection[int]) -> None:
    """Ask the rules touched, and those that ask for a segment entered or left by it, each after what it asks for."""
    complete = section.complete
    view = View(scope, section)
    waiting = list(touched)
    heapify(waiting)
    last = -1
    while waiting:
        rank = heappop(waiting)
        if rank == last:
            continue
        last = rank
        tree = program.trees[rank]
        if tree.born > complete:
            continue  # history before it is still to come
        inside = tree.holds(view)
        if inside != (tree.name in section.member_of):
            _change(scope, section, tree, inside)
            for dependent in program.dependents.get(tree.name, ()):
                heappush(waiting, dependent)


def _change(scope: Scope, section: Segments, tree: Tree, entered: bool) -> None:
    if entered:
        section.member_of[tree.name] = scope.now
        _record_membership(scope, tree.name, scope.record.id, True, scope.now)
        scope.emit("segment_entered", {"segment": tree.name, "version": tree.version})
    else:
        _leave(scope, section, tree.name, tree.version)


def _leave(scope: Scope, section: Segments, name: str, version: int | None) -> None:
    del section.member_of[name]
    _record_membership(scope, name, scope.record.id, False, scope.now)
    scope.emit("segment_left", {"segment": name, "version": version})


def _record_membership(scope: Scope, name: str, profile: bytes, entered: bool, at: int) -> None:
    scope.record.touch("segments")
    scope.ask(MembershipChanged(profile, name, entered, at))
    scope.count(f"segment:{name}", 1 if entered else -1)


def _catch_up(scope: Scope, program: Program, section: Segments) -> None:
    """The first time under a new program: forget what is no longer kept, ask the rules that are new."""
    seen, section.seen = section.seen, program.version
    scope.record.touch("segments")
    for leaf in [leaf for leaf in section.leaves if not _is_kept(program, leaf, seen)]:
        del section.leaves[leaf]
    for gone in section.listed.keys() - program.on_list.keys():
        del section.listed[gone]
    for name in sorted(section.member_of.keys() - program.by_name.keys()):
        _leave(scope, section, name, None)
    asking = {rank for name in program.dependents.keys() - program.by_name.keys() for rank in program.dependents[name]}
    settle(scope, program, section, asking | {tree.rank for tree in program.trees if tree.introduced > seen})
    schedule(scope, program, section)


def _is_kept(program: Program, leaf: str, seen: int) -> bool:
    """Whether a state written under program `seen` still counts: dropped and taken up again, a leaf starts anew."""
    known = program.leaves.get(leaf)
    return known is not None and known.born <= seen


def _fill(moment: Moment, scope: Scope, program: Program, section: Segments) -> None:
    """History up to a publish has come: only now do the rules it brought begin to speak."""
    fill = _decode_fill(moment.item.properties)
    owed = section.owed.get(fill.of)
    own = not fill.of or fill.of == scope.record.id
    if own and fill.program <= section.filled:
        return
    states = section.leaves
    for key, state in fill.leaves.items():
        leaf = program.leaves.get(key)
        if leaf is not None and leaf.born == fill.program:
            states[key] = leaf.merge(states[key], state) if key in states else state
    if own:
        section.filled = fill.program
    elif owed:
        owed[0] = fill.program
        if fill.program >= owed[1]:
            del section.owed[fill.of]
    scope.record.touch("segments")
    settle(scope, program, section, range(len(program.trees)))
    schedule(scope, program, section)


def _unite(scope: Scope, program: Program, section: Segments, other: Segments) -> None:
    """Take over the states and memberships of a joined record; a membership that goes on is no new entry."""
    scope.record.touch("segments")
    for key, state in other.leaves.items():
        leaf = program.leaves.get(key)
        if leaf is not None and leaf.born <= other.seen:
            mine = section.leaves.get(key)
            section.leaves[key] = state if mine is None else leaf.merge(mine, state)
    for name, entries in other.listed.items():
        if name in program.on_list:
            section.listed[name] = sorted({*section.listed.get(name, []), *entries})
    joined = scope.record["profiles"].met[-1]
    merged = ids.profile_id(scope.workspace.id, "anon", joined)
    newest = max((leaf.born for leaf in program.leaves.values()), default=0)
    if other.is_born and other.filled < newest:  # later publishes find the two as one
        section.owed[merged] = [other.filled, newest]
    for name, at in other.member_of.items():
        _record_membership(scope, name, merged, False, scope.now)
        if at < section.member_of.get(name, 0):
            section.member_of[name] = at
            scope.ask(MembershipChanged(scope.record.id, name, True, at))
        elif name not in section.member_of:
            section.member_of[name] = at
            _record_membership(scope, name, scope.record.id, True, at)
            if name not in program.by_name:
                _leave(scope, section, name, None)


def schedule(scope: Scope, program: Program, section: Segments, before: int | None = None) -> set[int]:
    """Ask to be woken when time alone may next change an answer; the rules it may have changed since `before`."""
    now, view, due, touched = scope.now, View(scope, section), FOREVER, set[int]()
    since = now if before is None else before
    for key, state in section.leaves.items():
        leaf = program.timed.get(key)
        if leaf is None:
            continue
        at = leaf.next_change(state, since, view.zone)
        if 0 < at <= now:
            touched.update(leaf.ranks)
            at = leaf.next_change(state, now, view.zone)
        if 0 < at < due:
            due = at
    for rank, condition in program.timed_traits:
        at = next_trait_change(condition, view.traits, since, view.zone)
        if 0 < at <= now:
            touched.add(rank)
            at = next_trait_change(condition, view.traits, now, view.zone)
        if 0 < at < due:
            due = at
    due = 0 if due == FOREVER else due
    if due != section.wake_at:
        section.wake_at = due
        scope.record.touch("segments")
    return touched
