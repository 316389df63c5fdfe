"""What a campaign is: to whom, what, when, with which variants, holdout and goal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct, field

from kizuna.campaigns import goal, schedule
from kizuna.campaigns.goal import Goal
from kizuna.campaigns.schedule import NOW, Schedule
from kizuna.channels import EXPIRES_DEFAULT, best_channels
from kizuna.core import clock
from kizuna.core.errors import FieldError, Invalid
from kizuna.core.shape import misfit
from kizuna.messages.doubts import Wish
from kizuna.messages.rehearsal import LONGEST_MARK, is_marked_well
from kizuna.segments import rule
from kizuna.segments.rule import Rule

BEST, EMAIL = "best", "email"


class Seeds(Struct, frozen=True, forbid_unknown_fields=True):
    """A seed list that gets copies of each launch, their subjects marked."""

    list: str
    mark: str = ""


class Send(Struct, frozen=True, forbid_unknown_fields=True):
    """What is said. `channel` may be a list: the first reachable one is taken."""

    template: str
    channel: str | list[str] = "email"
    topic: str | None = None
    transactional: bool = False
    expires: str = ""  # as the channel has it
    data: dict[str, Any] = {}
    seeds: str | Seeds | None = None  # a text is the list's name

    @property
    def copied_to(self) -> Seeds | None:
        return Seeds(list=self.seeds) if isinstance(self.seeds, str) else self.seeds

    @property
    def channels(self) -> list[str]:
        if self.channel == BEST:  # until there is evidence of engagement, the channels in their order
            return best_channels()
        return [self.channel] if isinstance(self.channel, str) else self.channel


class Variant(Struct, frozen=True, forbid_unknown_fields=True):
    """One arm; what it does not say is as in the campaign's `send`."""

    name: str
    weight: float = 1
    template: str | None = None


class Campaign(Struct, frozen=True, forbid_unknown_fields=True):
    """As written; `when`, `rule` and `aim` are what `schedule`, `where` and `goal` mean."""

    send: Send
    segment: str | None = None
    where: Any = None
    schedule: Any = NOW
    title: str = ""
    holdout: float = 0  # per cent who are tracked and receive nothing
    variants: list[Variant] = field(default_factory=list)
    goal: Any = None

    def templates(self) -> list[str]:
        """Those it says, its own before those of its variants."""
        return list(dict.fromkeys([self.send.template, *(each.template for each in self.variants if each.template)]))

    def marketing_templates(self) -> set[str]:
        """Those it says marketing with; none where it is transactional."""
        return set() if self.send.transactional else set(self.templates())

    def wishes(self) -> list[Wish]:
        return [Wish(template, self.send.channels, self.send.transactional) for template in self.templates()]

    def arms(self) -> list[tuple[str | None, str]]:
        """(variant, template) of each thing it may say."""
        named = [(each.name, each.template or self.send.template) for each in self.variants]
        return [*named] or [(None, self.send.template)]

    def variant(self, bucket: int) -> Variant | None:
        """The arm of a bucket 0..9999, in proportion to the weights."""
        total = sum(each.weight for each in self.variants)
        edge = 0.0
        for each in self.variants:
            edge += each.weight / total * 10_000
            if bucket < edge:
                return each
        return self.variants[-1] if self.variants else None

    def when(self) -> Schedule:
        return schedule.parse(self.schedule)

    def rule(self) -> Rule | None:
        return None if self.where is None else rule.parse(self.where, "/where")

    def aim(self) -> Goal | None:
        return None if self.goal is None else goal.parse(self.goal)


def parse(body: Mapping[str, Any]) -> Campaign:
    """Raises `Invalid` with the field and what to do."""
    try:
        campaign = msgspec.convert(body, Campaign)
    except msgspec.ValidationError as error:
        found = misfit(error, Campaign)
        raise _invalid(found.pointer, found.code, found.message) from None
    if (campaign.segment is None) == (campaign.where is None):
        pointer = "/segment" if campaign.where is None else "/where"
        raise _invalid(pointer, "required", "say to whom: either `segment`, a name, or `where`, a rule")
    if not 0 <= campaign.holdout <= 100:
        raise _invalid("/holdout", "invalid", "a per cent from 0 to 100")
    if campaign.variants and not all(each.weight > 0 for each in campaign.variants):
        raise _invalid("/variants", "invalid", "every weight is above 0")
    if len({each.name for each in campaign.variants}) < len(campaign.variants):
        raise _invalid("/variants", "invalid", "every variant has a name of its own")
    if not campaign.send.channels or not all(campaign.send.channels):
        raise _invalid("/send/channel", "invalid", "a channel such as email, or a list of them in order of preference")
    try:
        clock.duration(campaign.send.expires or EXPIRES_DEFAULT)
    except Invalid as error:
        raise _invalid("/send/expires", error.code, str(error)) from None
    _check_seeds(campaign.send)
    campaign.when()
    campaign.rule()
    campaign.aim()
    return campaign


def _check_seeds(send: Send) -> None:
    seeds = send.copied_to
    if seeds is None:
        return
    if EMAIL not in send.channels:
        raise _invalid("/send/seeds", "unsupported_channel", "seeds get copies of mails: name `email` as a channel")
    if not is_marked_well(seeds.mark):
        raise _invalid("/send/seeds/mark", "invalid_mark", f"at most {LONGEST_MARK} characters of one line")


def _invalid(pointer: str, code: str, message: str) -> Invalid:
    return Invalid(
        f"the campaign is not valid: {message}", code="invalid_campaign", errors=[FieldError(pointer, code, message)]
    )
