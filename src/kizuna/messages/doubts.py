"""What a campaign or journey wants said, and what of it will be skipped or disappoint: templates and channels that are
not there, mails without a way out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from kizuna.channels import all_channels
from kizuna.templates import legal
from kizuna.templates.definition import Template


class Wish(Struct, frozen=True):
    """Of `channels` the first that reaches the customer is taken."""

    template: str
    channels: Sequence[str]
    transactional: bool = False


def doubts(wishes: Iterable[Wish], templates: Mapping[str, Template]) -> list[str]:
    """A sentence for each, once, in the order of the wishes; `templates` are all that rule."""
    found: dict[str, None] = {}
    for wish in wishes:
        template = templates.get(wish.template)
        if template is None:
            found[f"no template {wish.template!r}: until it is published, its messages are skipped"] = None
        elif not wish.transactional and legal.CHANNEL in wish.channels and legal.hides_way_out(template, templates):
            found[f"the text of {wish.template!r} shows no way out: put in {{{{ message.unsubscribe_url }}}}"] = None
        for channel in wish.channels:
            if channel not in all_channels():
                found[f"no channel {channel!r}: its messages are skipped; there are {', '.join(all_channels())}"] = None
    return list(found)
