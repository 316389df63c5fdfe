"""A story in words, a line an act: what somebody reads who wants to know why a seed fails."""

from __future__ import annotations

from collections.abc import Iterator

from kizuna.core import clock
from kizuna.engine.moment import Item
from kizuna.testing.simulation.shop import SHOPS
from kizuna.testing.simulation.story import (
    AnyAct,
    Choose,
    Launch,
    Move,
    Publish,
    Reassign,
    Rest,
    Say,
    Story,
    Tenant,
    change_of,
)


def show_story(story: Story) -> Iterator[str]:
    for tenant in story.tenants:
        begins = clock.show(tenant.now)
        yield f"workspace {tenant.id}: {tenant.clock} clock at {begins}, {tenant.zone}, {tenant.consent}"
        for each in SHOPS[tenant.shop].first:
            yield f"    {each.kind} {each.name}: {each.body}"
    tenants = {tenant.id: tenant for tenant in story.tenants}
    for act in story.acts:
        yield from _show(act, tenants[act.workspace])


def _show(act: AnyAct, tenant: Tenant) -> Iterator[str]:
    head = f"{act.number:3d}  workspace {act.workspace}: "
    match act:
        case Say(items=items):
            yield f"{head}accepted"
            for item in items:
                yield f"         {_item(item)}"
        case Choose(item=item):
            yield f"{head}chosen {_item(item)}"
        case Move(to=to):
            yield f"{head}the clock moves to {clock.show(to)}"
        case Publish():
            change = change_of(tenant, act)
            what = (
                f"{change.body}" if change.body is not None else change.status if change.kind == "journey" else "gone"
            )
            yield f"{head}published {change.kind} {change.name}: {what}"
        case Launch(campaign=campaign):
            yield f"{head}campaign {campaign} is launched"
        case Reassign(silently=silently):
            yield f"{head}a partition goes to another worker{', unsaid' if silently else ''}"
        case Rest():
            yield f"{head}everybody comes to rest"


def _item(item: Item) -> str:
    who = f"user {item.user_id}" if item.user_id else f"anonymous {item.anonymous_id}" if item.anonymous_id else ""
    what = " ".join(word for word in (item.type, item.name, item.id) if word)
    also = f" with anonymous {item.anonymous_id}" if item.user_id and item.anonymous_id else ""
    context = f" {item.context.decode()}" if item.context else ""
    whom = who or item.profile.hex()[:8]
    return f"{what} of {whom}{also}, dated {clock.show(item.timestamp)}: {item.properties.decode()}{context}"
