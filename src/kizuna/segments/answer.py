"""How other slices ask: does a rule hold of this record now, and when may time alone change that."""

from __future__ import annotations

from kizuna.engine.slice import Scope
from kizuna.segments.program import Program, Tree
from kizuna.segments.section import Segments
from kizuna.segments.tree import View, next_trait_change


def holds(scope: Scope, key: str) -> bool:
    """Whether the rule of that key (`rule.rule_key`) is true; false while its history is not complete."""
    tree = _tree(scope, key)
    section: Segments = scope.record["segments"]
    return tree is not None and tree.born <= section.complete and tree.holds(View(scope, section))


def is_ready(scope: Scope, key: str) -> bool:
    """Whether the record knows all the history that the rule asks about."""
    tree = _tree(scope, key)
    section: Segments = scope.record["segments"]
    return tree is not None and tree.born <= section.complete


def next_change(scope: Scope, key: str) -> int:
    """The first instant after now at which time alone may change the answer; 0 is never."""
    tree = _tree(scope, key)
    if tree is None:
        return 0
    section: Segments = scope.record["segments"]
    program: Program = scope.program["segments"]
    view = View(scope, section)
    changes = [
        leaf.next_change(section.leaves[leaf.id], scope.now, view.zone)
        for leaf in tree.sources.leaves.values()
        if leaf.timed and leaf.id in section.leaves
    ]
    changes += [next_trait_change(each, view.traits, scope.now, view.zone) for each in tree.sources.timed_traits]
    if any(name in program.by_name for name in tree.sources.segments):
        changes.append(section.wake_at)
    return min((at for at in changes if at > scope.now), default=0)


def _tree(scope: Scope, key: str) -> Tree | None:
    program: Program = scope.program["segments"]
    return program.guests.get(key)
