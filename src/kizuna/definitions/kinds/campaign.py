"""Campaigns: `campaigns/NAME.yaml`. Publishing one launches nothing."""

from __future__ import annotations

from typing import Any, ClassVar

from kizuna.campaigns import store
from kizuna.campaigns.change import PAUSED, READY
from kizuna.campaigns.definition import parse
from kizuna.campaigns.store import GATHERING, HANDING, SCHEDULED
from kizuna.core.errors import FieldError, Invalid, Unprocessable
from kizuna.definitions.document import Document
from kizuna.definitions.kinds import Kind, Scene
from kizuna.definitions.kinds.segment import readable, rules_of
from kizuna.definitions.kinds.template import templates_of, terms_of
from kizuna.definitions.store import Key
from kizuna.events.publish import publish
from kizuna.messages.doubts import doubts
from kizuna.messages.seed_list import SEEDS, no_seed_list
from kizuna.segments.program import check_references
from kizuna.segments.rule import segments_of
from kizuna.templates import legal

UNDER_WAY = frozenset((SCHEDULED, GATHERING, HANDING))  # one that is being cancelled ends by itself


class CampaignKind(Kind):
    """One that is paused stays so, whatever is published."""

    name: ClassVar[str] = "campaign"
    folder: ClassVar[str] = "campaigns"
    rank: ClassVar[int] = 50

    def uses(self, body: dict[str, Any]) -> set[Key]:
        said = body.get("send")
        variants = body.get("variants")
        sends = [said, *(variants if isinstance(variants, list) else [])]
        said_by = [send for send in sends if isinstance(send, dict)]
        named: list[tuple[str, Any]] = [(word, send.get(word)) for send in said_by for word in ("template", "topic")]
        rule = readable(body)
        named += [("segment", asked) for asked in (segments_of(rule) if rule else [body.get("segment")])]
        seeds = said.get("seeds") if isinstance(said, dict) else None
        named.append((SEEDS, seeds.get("list") if isinstance(seeds, dict) else seeds))
        return {(kind, name) for kind, name in named if isinstance(name, str)}

    async def check(self, document: Document, scene: Scene) -> None:
        campaign = parse(document.body)
        rule = campaign.rule()
        if rule is not None:
            check_references({**rules_of(scene.target), "": rule}, "")
        elif ("segment", campaign.segment) not in scene.target:
            problem = FieldError("/segment", "unknown_segment", f"there is no segment {campaign.segment!r}")
            raise Unprocessable(f"no segment {campaign.segment!r}", code="unknown_segment", errors=[problem])
        seeds = campaign.send.copied_to
        if seeds is not None and (SEEDS, seeds.list) not in scene.target:
            raise no_seed_list(seeds.list, "/send/seeds")
        legal.check_use(templates_of(scene), terms_of(scene), campaign.marketing_templates())

    async def warnings(self, document: Document, scene: Scene) -> list[str]:
        """By the templates that are to rule."""
        return doubts(parse(document.body).wishes(), templates_of(scene))

    async def publish(self, document: Document, scene: Scene) -> int:
        ruling = scene.ruling.get((self.name, document.name))
        status = PAUSED if ruling and ruling.status == PAUSED else READY
        _, position = await publish(scene.conn, scene.workspace, self.name, document.name, document.body, status=status)
        return position

    async def check_removal(self, name: str, scene: Scene) -> None:
        """Launches go on without a campaign, and then nobody could pause or cancel them."""
        launches = await store.launches(scene.conn, scene.workspace.id, name)
        is_paused = scene.ruling[self.name, name].status == PAUSED
        if any(each.state in UNDER_WAY or is_paused for each in launches):
            raise Invalid("it is under way: cancel it, then it may be removed", code="under_way")


kind = CampaignKind()
