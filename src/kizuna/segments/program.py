"""All segments and guest rules of one program version: which events touch which leaves, and which trees read them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from kizuna.core.errors import FieldError, Unprocessable
from kizuna.engine.slice import Definition
from kizuna.segments import rule
from kizuna.segments.leaves import Leaf, Listener
from kizuna.segments.leaves.count import EverCount
from kizuna.segments.props import PropsCheck, compile_conditions
from kizuna.segments.rule import Condition, canonical, key_of, parse
from kizuna.segments.tree import Blank, Seen, Sources, compile_rule

Guests = Callable[[Definition], Iterable[Mapping[str, Any]]]  # the rules, as written, that a definition asks
Counter = tuple[str, int, list[bool], tuple[int, ...]]  # of an `EverCount`: leaf id, enough, turns, ranks
Group = tuple[PropsCheck | None, tuple[Counter, ...], tuple[Listener, ...]]

FOREVER = 1 << 62


class Tree(Struct):
    """A segment's rule, or with no name a guest's."""

    name: str
    version: int
    introduced: int
    holds: Callable[[Seen], bool]
    sources: Sources
    born: int = 0  # the program from which on all its leaves are kept: records must be filled up to it
    rank: int = -1  # its place among the segments; those it asks stand before


class Program(Struct):
    """Ranks are indices into `trees`."""

    version: int
    trees: list[Tree]
    by_name: dict[str, Tree]
    guests: dict[str, Tree]  # by rule key
    leaves: dict[str, Leaf]
    by_event: dict[str, list[Group]]
    timed: dict[str, Leaf]
    timed_traits: list[tuple[int, Condition]]  # rank, condition
    on_profile: frozenset[int]
    on_consent: dict[str, frozenset[int]]  # by channel
    at_birth: frozenset[int]  # those that may hold of a record that did nothing
    dependents: dict[str, tuple[int, ...]]  # ranks that ask for a segment
    on_list: dict[str, frozenset[int]]  # ranks that ask for an uploaded list

    def gained(self, version: int) -> list[Leaf]:
        """The leaves kept since that version: history before it must be filled in."""
        return [leaf for leaf in self.leaves.values() if leaf.born == version]

    def needs_fill(self, version: int, definitions: Sequence[Definition]) -> bool:
        """Whether records must be told of that version: it gained leaves, or changed which segments there are."""
        changed = any(d.kind == "segment" and version in (d.introduced, d.retired) for d in definitions)
        return changed or bool(self.gained(version))


def compile_program(definitions: Sequence[Definition], version: int, guests: Sequence[Guests] = ()) -> Program:
    leaves: dict[str, Leaf] = {}
    kept: dict[str, list[tuple[int, int]]] = {}  # leaf id to the spans of versions that kept it
    live: dict[str, Tree] = {}
    asked: dict[str, Tree] = {}
    for each in definitions:
        if each.introduced > version:
            continue
        retired = each.retired if each.retired is not None and each.retired <= version else None
        if each.kind == "segment" and retired is None:
            tree = live[each.name] = _tree(each.name, each, parse(each.body["where"]), leaves)
            _keep(kept, tree.sources.leaves, each.introduced, FOREVER)
        elif each.kind == "segment" and retired is not None:
            _keep(kept, _leaves_of(each), each.introduced, retired)
        for raw in (raw for guest in guests for raw in guest(each)):
            node = parse(raw)
            key = key_of(node)
            if key not in asked:
                asked[key] = _tree("", each, node, leaves)
            _keep(kept, asked[key].sources.leaves, each.introduced, FOREVER)
    published = {each.introduced: each.published_at for each in definitions}
    for leaf in leaves.values():
        leaf.born = _born(kept[leaf.id], version)
        leaf.born_at = published.get(leaf.born, 0)
    return _assemble(version, _in_order(live), asked, leaves)


def _tree(name: str, definition: Definition, node: rule.Rule, leaves: dict[str, Leaf]) -> Tree:
    sources = Sources()
    return Tree(name, definition.version, definition.introduced, compile_rule(node, leaves, sources), sources)


def _leaves_of(definition: Definition) -> dict[str, Leaf]:
    """Of a retired definition: only which they were."""
    leaves: dict[str, Leaf] = {}
    compile_rule(parse(definition.body["where"]), leaves, Sources())
    return leaves


def _keep(kept: dict[str, list[tuple[int, int]]], ids: Iterable[str], start: int, end: int) -> None:
    for leaf in ids:
        kept.setdefault(leaf, []).append((start, end))


def _born(spans: list[tuple[int, int]], version: int) -> int:
    """Since when it is kept without a gap up to `version`."""
    born = version
    for start, end in sorted(spans, key=lambda span: -span[1]):
        if end >= born:
            born = min(born, start)
    return born


def _in_order(live: dict[str, Tree]) -> list[Tree]:
    """Each after those it asks for; an asked segment that is gone has no members."""
    ordered: list[Tree] = []
    placed: set[str] = set()

    def place(name: str) -> None:
        if name in placed or name not in live:
            return
        placed.add(name)
        for asked in sorted(live[name].sources.segments):
            place(asked)
        live[name].rank = len(ordered)
        ordered.append(live[name])

    for name in sorted(live):
        place(name)
    return ordered


def _assemble(version: int, trees: list[Tree], guests: dict[str, Tree], leaves: dict[str, Leaf]) -> Program:
    by_name = {tree.name: tree for tree in trees}
    for tree in [*trees, *guests.values()]:
        asked = [by_name[name].born for name in tree.sources.segments if name in by_name]
        tree.born = max([0, *asked, *(leaf.born for leaf in tree.sources.leaves.values())])
    for leaf in leaves.values():
        leaf.ranks = tuple(tree.rank for tree in trees if leaf.id in tree.sources.leaves)
    blank = Blank()
    channels = {channel for tree in trees for channel in tree.sources.channels}
    names = {name for tree in trees for name in tree.sources.segments}
    lists = {name for tree in [*trees, *guests.values()] for name in tree.sources.lists}
    return Program(
        version=version,
        trees=trees,
        by_name=by_name,
        guests=guests,
        leaves=leaves,
        by_event=_by_event(leaves),
        timed={key: leaf for key, leaf in leaves.items() if leaf.timed},
        timed_traits=[(tree.rank, each) for tree in trees for each in tree.sources.timed_traits],
        on_profile=_ranks(trees, lambda tree: tree.sources.hears_profile),
        on_consent={name: _ranks(trees, lambda tree: name in tree.sources.channels) for name in channels},  # noqa: B023
        at_birth=_ranks(
            trees, lambda t: bool(t.sources.has_bucket or t.sources.channels or t.sources.traits) or t.holds(blank)
        ),
        dependents={n: tuple(_ranks(trees, lambda tree: n in tree.sources.segments)) for n in names},  # noqa: B023
        on_list={name: _ranks(trees, lambda tree: name in tree.sources.lists) for name in lists},  # noqa: B023
    )


def _ranks(trees: list[Tree], wanted: Callable[[Tree], bool]) -> frozenset[int]:
    return frozenset(tree.rank for tree in trees if wanted(tree))


def _by_event(leaves: dict[str, Leaf]) -> dict[str, list[Group]]:
    """Listeners with the same conditions stand together, so that these are judged once an event."""
    grouped: dict[str, dict[bytes, tuple[tuple[Condition, ...], list[Listener]]]] = {}
    for leaf in leaves.values():
        for event, where, listener in leaf.listeners():
            key = b"".join(map(canonical, where))
            grouped.setdefault(event, {}).setdefault(key, (where, []))[1].append(listener)
    return {event: [_group(where, told) for where, told in groups.values()] for event, groups in grouped.items()}


def _group(where: tuple[Condition, ...], told: list[Listener]) -> Group:
    """Counts over all time are taken out: they are many, mostly full, and cost least without a call."""
    counters = tuple(
        [
            (leaf.id, leaf.enough, leaf.turns, leaf.ranks)
            for leaf in told
            if isinstance(leaf, EverCount) and leaf.is_ever
        ]
    )
    others = tuple([each for each in told if not (isinstance(each, EverCount) and each.is_ever)])
    return compile_conditions(where) if where else None, counters, others


def check_references(rules: Mapping[str, rule.Rule], name: str, pointer: str = "/where") -> None:
    """Raises `Invalid` when the rule of `name` asks for an unknown segment, or for itself by way of others."""
    for node in rule.walk(rules[name]):
        if isinstance(node, rule.InSegment) and node.segment not in rules:
            raise _refused("unknown_segment", f"there is no segment {node.segment!r}; publish it first", pointer)
    path = _cycle(rules, name)
    if path:
        raise _refused("cycle", f"a segment may not ask for itself: {' → '.join(path)}", pointer)


def _refused(code: str, message: str, pointer: str) -> Unprocessable:
    return Unprocessable(message, code=code, errors=[FieldError(pointer, code, message)])


def _cycle(rules: Mapping[str, rule.Rule], name: str) -> list[str]:
    """The way by which a segment asks for itself, if there is one."""
    came_from: dict[str, str] = {}
    waiting = [name]
    while waiting:
        asking = waiting.pop()
        for asked in sorted(rule.segments_of(rules[asking]), reverse=True):
            if asked == name:
                way = [name, asking]
                while way[-1] != name:
                    way.append(came_from[way[-1]])
                return way[::-1] if asking != name else [name, name]
            if asked in rules and asked not in came_from:
                came_from[asked] = asking
                waiting.append(asked)
    return []
