"""A launch reaches each member as an item of the log; here it becomes a message, or the reason there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from msgspec import Struct

from kizuna.campaigns import store
from kizuna.campaigns.definition import Campaign, parse
from kizuna.campaigns.goal import Goal
from kizuna.campaigns.schedule import LATEST, Schedule
from kizuna.campaigns.section import KEPT, LATE, Campaigns, Converted, Waiting, Watched
from kizuna.core import clock, ids
from kizuna.engine.moment import Moment
from kizuna.engine.slice import Definition, Scope, Section, Workspace, Writer
from kizuna.messages.grant import SendRequest, decide
from kizuna.profiles.section import zone_of

LAUNCH = "launch"  # the type of items that bring a campaign to a member
CANCEL = "cancel"  # the kind of definition that names launches which are over
PROFILE_UPDATED = "profile_updated"
ABORTED, TOO_LATE = "aborted", "expired"  # reasons


class Plan(Struct, frozen=True):
    """One version, read."""

    campaign: Campaign
    when: Schedule
    goal: Goal | None


class Program(Struct, frozen=True):
    plans: dict[tuple[str, int], Plan]  # every version ever published
    cancelled: frozenset[str]  # launches
    heard: frozenset[str]  # names of events that may meet a goal, and of the fact that may move a local time


class CampaignSlice:
    name: ClassVar[str] = "campaigns"
    section: ClassVar[type[Section]] = Campaigns
    writers: ClassVar[Mapping[type, Writer]] = {Converted: store.convert}

    def compile(self, workspace: Workspace, definitions: Sequence[Definition], lower: Mapping[str, Any]) -> Program:
        plans: dict[tuple[str, int], Plan] = {}
        cancelled: set[str] = set()
        for each in definitions:  # oldest first
            if each.kind == "campaign":
                campaign = parse(each.body)
                plans[each.name, each.version] = Plan(campaign, campaign.when(), campaign.aim())
            elif each.kind == CANCEL:
                cancelled.update(each.body["launches"])
        heard = {plan.goal.trigger.event for plan in plans.values() if plan.goal}
        if any(plan.when.local for plan in plans.values()):
            heard.add(PROFILE_UPDATED)
        return Program(plans, frozenset(cancelled), frozenset(heard))

    def hears(self, part: Program, kind: str, name: str) -> bool:
        return kind == LAUNCH or name in part.heard

    def fold(self, moment: Moment, scope: Scope) -> None:
        if moment.type == LAUNCH:
            _take(moment, scope)
            return
        section: Campaigns = scope.record["campaigns"]
        if section.watched:
            _judge(moment, scope, section)
        if section.waiting and moment.type == "fact" and moment.name == PROFILE_UPDATED:
            _set_times(scope, section)  # the zone may have changed

    def wake(self, scope: Scope) -> None:
        """Local times that have come; also called when a campaign was cancelled."""
        section: Campaigns = scope.record["campaigns"]
        program: Program = scope.program["campaigns"]
        waiting, section.waiting = section.waiting, []
        for each in waiting:
            if each.due_at <= scope.now or each.launch in program.cancelled:
                _say(scope, each)
            else:
                section.waiting.append(each)
        _set_alarm(scope, section)

    def absorb(self, other: Section, scope: Scope) -> None:
        """Who was to be reached twice is reached once."""
        assert isinstance(other, Campaigns)  # noqa: S101  # the engine gives each slice its own section
        if not other.waiting and not other.watched:
            return
        section: Campaigns = scope.record["campaigns"]
        known = {each.launch for each in section.waiting}
        for each in other.waiting:
            if each.launch in known:
                scope.count(f"campaign:{each.campaign}:decided")
            else:
                section.waiting.append(each)
        section.watched = sorted([*section.watched, *other.watched], key=lambda each: each.since)[-KEPT:]
        _set_times(scope, section)


def _take(moment: Moment, scope: Scope) -> None:
    said = moment.properties
    launched = Waiting(said["campaign"], said["version"], said["launch"], scope.now)
    program: Program = scope.program["campaigns"]
    plan = program.plans.get((launched.campaign, launched.version))
    if plan is None:
        scope.count(f"campaign:{launched.campaign}:decided")
        return
    due_at = plan.when.due_at(scope.now, zone_of(scope.record, scope.workspace))
    if due_at > scope.now and launched.launch not in program.cancelled:
        section: Campaigns = scope.record["campaigns"]
        section.waiting.append(Waiting(launched.campaign, launched.version, launched.launch, due_at))
        _set_alarm(scope, section)
    else:
        _say(scope, launched, is_late=scope.now - due_at > LATEST)


def _say(scope: Scope, launched: Waiting, *, is_late: bool = False) -> None:
    """Ask for the message, or have its skip recorded, and watch for its goal."""
    program: Program = scope.program["campaigns"]
    plan = program.plans[launched.campaign, launched.version]
    name, profile, send = launched.campaign, scope.record.id, plan.campaign.send
    variant = plan.campaign.variant(ids.bucket("variant", name, profile))
    refused = TOO_LATE if is_late else None
    if launched.launch in program.cancelled:
        refused = ABORTED
    wanted = SendRequest(
        channels=send.channels,
        template=variant.template if variant and variant.template else send.template,
        purpose=f"campaign:{name}",
        occurrence=launched.launch,
        topic=send.topic,
        transactional=send.transactional,
        holdout=ids.bucket("holdout", name, profile) < plan.campaign.holdout * 100,
        refused=refused,
        campaign=name,
        variant=variant.name if variant else None,
        data=send.data,
        expires=send.expires,
    )
    outcome = decide(scope, wanted)
    scope.count(f"campaign:{name}:decided")
    if plan.goal and outcome.is_exposed:
        _watch(scope, launched, outcome.message, plan.goal)


def _watch(scope: Scope, launched: Waiting, message: bytes, goal: Goal) -> None:
    section: Campaigns = scope.record["campaigns"]
    until = clock.after(scope.now, goal.within, zone_of(scope.record, scope.workspace))
    kept = [each for each in section.watched if each.until + LATE >= scope.now][-(KEPT - 1) :]
    section.watched = [*kept, Watched(launched.campaign, launched.version, message, scope.now, until)]
    scope.record.touch("campaigns")


def _judge(moment: Moment, scope: Scope, section: Campaigns) -> None:
    """A goal is met once for each message, by the first event of its time that is heard of."""
    if not moment.is_event or moment.is_backfill:
        return
    program: Program = scope.program["campaigns"]
    zone = zone_of(scope.record, scope.workspace)
    for each in list(section.watched):
        plan = program.plans.get((each.campaign, each.version))
        goal = plan.goal if plan else None
        if goal is None or not each.since <= moment.timestamp <= each.until or not goal.trigger.matches(moment, zone):
            continue
        section.watched.remove(each)
        scope.record.touch("campaigns")
        value = goal.value_of(moment)
        said = {"campaign": each.campaign, "version": each.version, "message": ids.show("msg", each.message)}
        scope.emit("campaign_goal", said | ({} if value is None else {"value": value}))
        scope.ask(Converted(each.message, each.campaign, moment.timestamp, None if value is None else str(value)))


def _set_times(scope: Scope, section: Campaigns) -> None:
    """A local time is the profile's own: it moves with the profile's zone."""
    program: Program = scope.program["campaigns"]
    zone = zone_of(scope.record, scope.workspace)
    kept: list[Waiting] = []
    late: list[Waiting] = []
    for each in section.waiting:
        due_at = program.plans[each.campaign, each.version].when.due_at(scope.now, zone)
        moved = Waiting(each.campaign, each.version, each.launch, due_at)
        (kept if due_at > scope.now else late).append(moved)
    section.waiting = kept
    for each in late:
        _say(scope, each, is_late=scope.now - each.due_at > LATEST)
    _set_alarm(scope, section)


def _set_alarm(scope: Scope, section: Campaigns) -> None:
    section.wake_at = min((each.due_at for each in section.waiting), default=0)
    scope.record.touch("campaigns")
