"""A launch reaches each member as an item of the log; here it becomes a message, or the reason there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from kizuna.campaigns.definition import Campaign, parse
from kizuna.core import ids
from kizuna.engine.moment import Moment
from kizuna.engine.slice import Definition, Scope, Section, Workspace, Writer
from kizuna.messages.grant import SendRequest, request


class Campaigns(Section):
    """Nothing is kept of a campaign in the record: the ledger of messages has it."""


class CampaignSlice:
    name: ClassVar[str] = "campaigns"
    section: ClassVar[type[Section]] = Campaigns
    writers: ClassVar[Mapping[type, Writer]] = {}

    def compile(
        self, workspace: Workspace, definitions: Sequence[Definition], lower: Mapping[str, Any]
    ) -> dict[tuple[str, int], Campaign]:
        return {(each.name, each.version): parse(each.body) for each in definitions if each.kind == "campaign"}

    def hears(self, part: Any, kind: str, name: str) -> bool:
        return kind == "launch"

    def fold(self, moment: Moment, scope: Scope) -> None:
        if moment.type != "launch":
            return
        launched = moment.properties
        name: str = launched["campaign"]
        campaign: Campaign | None = scope.program["campaigns"].get((name, launched["version"]))
        if campaign is None:
            return
        profile = scope.record.id
        variant = campaign.variant(ids.bucket("variant", name, profile))
        in_holdout = ids.bucket("holdout", name, profile) < campaign.holdout * 100
        send = campaign.send
        request(
            scope,
            SendRequest(
                channels=send.channels,
                template=variant.template if variant and variant.template else send.template,
                purpose=f"campaign:{name}",
                occurrence=launched["launch"],
                topic=send.topic,
                transactional=send.transactional,
                holdout=in_holdout,
                campaign=name,
                variant=variant.name if variant else None,
                data=send.data,
                expires=send.expires,
            ),
        )

    def wake(self, scope: Scope) -> None:
        scope.record["campaigns"].wake_at = 0

    def absorb(self, other: Section, scope: Scope) -> None:
        """Nothing to take over."""
