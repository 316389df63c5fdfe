"""A provider as a file: what is limited belongs to it, and what is not said is not written."""

from __future__ import annotations

from typing import Any

import pytest

from kizuna.definitions.kinds.provider import kind

PLAIN = {"kind": "smtp", "channel": "email", "settings": {"host": "mail.shop.example", "from": "news@shop.example"}}
LIMITS = {"warm_up": {"start": "2026-12-01", "plan": [200, 400]}, "domains": {"gmail.com": {"per_day": 500}}}
UNLIMITED: dict[str, Any] = {"warm_up": None, "domains": {}}


@pytest.mark.parametrize(("limits", "written"), [(LIMITS, LIMITS), (UNLIMITED, {}), ({}, {})])
def test_limits_are_written_where_there_are_any(limits: dict[str, Any], written: dict[str, Any]) -> None:
    stored = {**PLAIN, "rate": 0, "lane": None, "warnings": [], **limits}
    assert kind.written("mail", stored) == {**PLAIN, **written}


@pytest.mark.parametrize("limits", [LIMITS, UNLIMITED, {}])
def test_what_was_written_means_what_is_stored(limits: dict[str, Any]) -> None:
    stored = {**PLAIN, "rate": 0, "lane": None, **limits}
    assert kind.normal("mail", kind.written("mail", stored)) == kind.normal("mail", stored)
