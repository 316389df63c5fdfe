from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kizuna.consent.preferences import is_unfollowed, preferences, refused_in
from kizuna.engine.moment import Item


def event(context: Any, kind: str = "identify") -> Item:
    return Item(b"a" * 16, "m1", kind, context=context if isinstance(context, bytes) else msgspec.json.encode(context))


def said(preferences: Any) -> dict[str, Any]:
    return {"consent": {"categoryPreferences": preferences}}


def test_only_a_no_is_a_refusal() -> None:
    assert refused_in(event(said({"news": False, "offers": True, "odd": "false", "none": None, "care": False}))) == [
        "news",
        "care",
    ]
    assert refused_in(event(said({"news": True}))) == []


@pytest.mark.parametrize("kind", ["track", "page", "group"])
def test_what_is_no_identify_is_not_asked(kind: str) -> None:
    assert refused_in(event(said({"news": False}), kind)) == []


@pytest.mark.parametrize(
    "context",
    [b"", {"network": {"wifi": False}}, said(False), said([False]), {"consent": False}, {"categoryPreferences": False},
     {"other": {"categoryPreferences": {"news": False}}}],
)  # fmt: skip
def test_other_words_are_no_preferences(context: Any) -> None:
    assert refused_in(event(context)) == []


def test_a_name_written_with_escapes_is_the_same_name() -> None:
    assert refused_in(event(b'{"consent": {"category\\u0050references": {"news": false}}}')) == ["news"]


def test_what_is_refused_is_what_the_fold_takes() -> None:
    context = said({"news": False, "offers": True, "": False})
    assert refused_in(event(context)) == [topic for topic, allowed in preferences(context) if not allowed]


@pytest.mark.parametrize(("context", "is_so"), [({"gpc": True}, True), ({"gpc": "true"}, False), ({}, False)])
def test_the_signal_of_a_browser(context: dict[str, Any], is_so: bool) -> None:
    assert is_unfollowed({"consent": context}) is is_so
