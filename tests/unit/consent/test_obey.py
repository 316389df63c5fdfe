from __future__ import annotations

import msgspec

from kizuna.consent.obey import vetoes_in
from kizuna.core import ids
from kizuna.engine.moment import Item

NO = msgspec.json.encode({"consent": {"categoryPreferences": {"news": False, "offers": False, "care": True}}})
ADA, VISITOR = ids.profile_id(1, "user", "ada"), ids.profile_id(1, "anon", "a1")


def test_each_topic_is_vetoed_also_for_the_visitor_that_a_customer_was() -> None:
    item = Item(ADA, "m1", "identify", context=NO, user_id="ada", anonymous_id="a1")
    found = [(each.profile, each.channel, each.topic) for each in vetoes_in(1, [item])]
    assert found == [(profile, "email", topic) for topic in ("news", "offers") for profile in (ADA, VISITOR)]


def test_an_event_that_comes_again_has_vetoes_of_its_own() -> None:
    first, again = (Item(ADA, "m1", "identify", context=NO, received_at=at) for at in (1, 2))
    assert {each.item for each in vetoes_in(1, [first])}.isdisjoint(each.item for each in vetoes_in(1, [again]))


def test_what_refuses_nothing_needs_none() -> None:
    assert vetoes_in(1, [Item(ADA, "m1", "identify", context=b"{}"), Item(ADA, "m2", "track", context=NO)]) == []
