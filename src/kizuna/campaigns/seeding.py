"""Copies of a launch for the addresses of a seed list: one of each variant in each wording. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kizuna.campaigns.definition import EMAIL, Campaign
from kizuna.campaigns.store import Launch
from kizuna.core import ids
from kizuna.engine.moment import Item
from kizuna.messages.rehearsal import CopyOf, item_of, packed_copy
from kizuna.templates.definition import Template

Sample = tuple[bytes, str]  # (profile, locale) of a member


def copies_of(
    launched: Launch,
    campaign: Campaign,
    addresses: Sequence[str],
    templates: Mapping[str, Template],
    samples: Sequence[Sample],
    now: int,
) -> list[Item]:
    """What asks for them: their ids follow from the launch, so that they are the same however often they are made.

    Each wording is written as the first of the members who gets it; where none does, as the first of all.
    """
    seeds, launch = campaign.send.copied_to, ids.show("lch", launched.id)
    if seeds is None or not samples:
        return []
    items: list[Item] = []
    said = {"channel": EMAIL, "expires": campaign.send.expires, "topic": campaign.send.topic}
    for variant, name in campaign.arms():
        template = templates.get(name)
        if template is None or template.channel != EMAIL:
            continue
        for locale in ("", *template.locales):
            sample = next((who for who, own in samples if template.variant(own) == locale), samples[0][0])
            copy = CopyOf(launched.campaign, launch, variant, sample, locale)
            told = {**said, "template": name, "data": packed_copy(campaign.send.data, seeds.mark, copy)}
            for address in dict.fromkeys(addresses):
                derived = ids.show("evt", ids.derive("seed", launch, variant or "", locale, address))
                items.append(item_of(launched.workspace, address, told, now, derived))
    return items
