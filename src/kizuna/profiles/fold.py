"""The profile's own part of the fold: identities, traits, zone and language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from kizuna.core import clock, ids
from kizuna.core.errors import Invalid
from kizuna.engine.moment import FROM_OUTSIDE, Moment
from kizuna.engine.slice import Definition, Record, Scope, Section, Workspace, Writer
from kizuna.profiles.device import MOVED, Device, seen, shown, shown_item, without
from kizuna.profiles.gate import let_through
from kizuna.profiles.identity import external_ids, own_name
from kizuna.profiles.section import Profile
from kizuna.profiles.traits import absorb_traits, merge_traits

MAX_KEPT = 100  # anonymous ids, external ids of one profile
GONE = "device_gone"  # the report of a sender to which a push service said that nobody is there any more


class ProfileSlice:
    name: ClassVar[str] = "profiles"
    section: ClassVar[type[Section]] = Profile
    writers: ClassVar[Mapping[type, Writer]] = {}

    def compile(self, workspace: Workspace, definitions: Sequence[Definition], lower: Mapping[str, Any]) -> None:
        return None

    def hears(self, part: None, kind: str, name: str) -> bool:
        return kind in FROM_OUTSIDE or kind == MOVED or (kind, name) in (("fact", "traits_updated"), ("report", GONE))

    def fold(self, moment: Moment, scope: Scope) -> None:
        if moment.type in FROM_OUTSIDE:
            profile: Profile = scope.record["profiles"]
            changed = _take_names(moment, profile)
            if moment.item.context:
                changed |= _take_context(moment, profile)
                changed |= _take_device(moment, scope)
            if moment.type == "identify":
                at = min(moment.timestamp, moment.at)
                changed |= _take_traits(profile, moment.properties, at, scope)
            if changed:
                scope.record.touch("profiles")
                emit_updated(scope)
        elif moment.name == "traits_updated" and moment.type == "fact":
            traits = moment.properties["traits"]
            if _take_traits(scope.record["profiles"], traits, scope.now, scope):
                emit_updated(scope)
        elif moment.type == MOVED:
            drop_device(scope, moment.name, "moved")
        elif moment.name == GONE:
            said = moment.properties
            drop_device(scope, str(said.get("device") or ""), "unregistered", str(said.get("reason") or ""))

    def wake(self, scope: Scope) -> None:
        let_through(scope.record["profiles"], scope)

    def absorb(self, other: Section, scope: Scope) -> None:
        assert isinstance(other, Profile)  # noqa: S101  # the engine gives each slice its own section
        profile: Profile = scope.record["profiles"]
        absorb_traits(profile, other)
        for name in other.anonymous_ids:
            _add(profile.anonymous_ids, name)
        for external in other.external_ids:
            _add(profile.external_ids, external)
        for external in other.claimed:
            _add(profile.claimed, external)
        for device in sorted(other.devices, key=lambda each: each.seen_at):
            _keep_device(scope, device)
        profile.zone = profile.zone or other.zone
        profile.locale = profile.locale or other.locale
        profile.future = sorted([*profile.future, *other.future], key=lambda kept: kept.item.timestamp)
        profile.wake_at = profile.future[0].item.timestamp if profile.future else 0
        scope.record.touch("profiles")
        joined = own_name(other.merged_into, scope.workspace.id, profile.anonymous_ids)
        scope.emit("profile_merged", {"from": ids.show("prf", other.merged_into), "anonymous_id": joined})
        emit_updated(scope)


def emit_updated(scope: Scope) -> None:
    """Say all that is shown of the profile; the lake and the rules on traits live on it."""
    profile: Profile = scope.record["profiles"]
    scope.emit(
        "profile_updated",
        {
            "traits": profile.traits,
            "user_id": profile.user_id or None,
            "anonymous_ids": profile.anonymous_ids,
            "zone": profile.zone or None,
            "locale": profile.locale or None,
        },
    )


def identities(profile: Profile) -> list[dict[str, str]]:
    """The names a profile goes by, as the outside sees them."""
    names = [{"type": "user_id", "id": profile.user_id}] if profile.user_id else []
    names += [{"type": "anonymous_id", "id": name} for name in profile.anonymous_ids]
    names += [{"type": kind, "id": name} for kind, name in profile.external_ids]
    for kind in ("email", "phone"):
        value = profile.traits.get(kind)
        if isinstance(value, str) and value:
            names.append({"type": kind, "id": value})
    return names


def public(record: Record) -> tuple[dict[str, Any], bytes | None]:
    """What the profile's row shows beside its sections: traits, and where a merged record lives on."""
    profile: Profile = record["profiles"]
    return profile.traits, profile.merged_into or None


def _take_names(moment: Moment, profile: Profile) -> bool:
    item = moment.item
    if item.user_id:
        if not profile.user_id:
            profile.user_id = item.user_id
            return True
        return False
    return bool(item.anonymous_id) and _add(profile.anonymous_ids, item.anonymous_id)


def _take_traits(profile: Profile, traits: dict[str, Any], at: int, scope: Scope) -> bool:
    scope.record.touch("profiles")
    return merge_traits(profile, traits, at)


def _take_context(moment: Moment, profile: Profile) -> bool:
    context = moment.context
    changed = False
    zone = context.get("timezone")
    if isinstance(zone, str) and zone != profile.zone and _is_zone(zone):
        profile.zone, changed = zone, True
    locale = context.get("locale")
    if isinstance(locale, str) and locale and locale != profile.locale and len(locale) <= 35:
        profile.locale, changed = locale, True
    for named in external_ids(context):
        if named in profile.claimed and named not in profile.refused:
            changed |= _add(profile.external_ids, named)
    return changed


def _take_device(moment: Moment, scope: Scope) -> bool:
    """What it shows of a device; that one is new to this profile is said to the device's own record."""
    device = shown(moment.context, min(moment.timestamp, moment.at))
    if device is None or not _keep_device(scope, device):
        return False
    scope.relay(shown_item(scope.workspace.id, device.id, scope.record.id, moment.id, moment.at))
    return True


def _keep_device(scope: Scope, device: Device) -> bool:
    """Whether it is new here."""
    profile: Profile = scope.record["profiles"]
    kept, is_new, dropped = seen(profile.devices, device)
    if kept is not profile.devices:
        profile.devices = kept
        scope.record.touch("profiles")
    if dropped is not None and dropped is not device:
        _emit_removed(scope, dropped, "too_many")
    return is_new and dropped is not device


def drop_device(scope: Scope, name: str, reason: str, why: str = "") -> None:
    """It cannot be reached any more, or belongs to somebody else now."""
    profile: Profile = scope.record["profiles"]
    for device in profile.devices:
        if device.id == name:
            profile.devices = without(profile.devices, name)
            scope.record.touch("profiles")
            _emit_removed(scope, device, reason, why)
            return


def _emit_removed(scope: Scope, device: Device, reason: str, why: str = "") -> None:
    said = {"device": device.id, "type": device.type, "reason": reason}
    scope.emit("device_removed", {**said, "answer": why} if why else said)


def _is_zone(name: str) -> bool:
    try:
        clock.zone_info(name)
    except Invalid:
        return False
    return True


def _add(kept: list[Any], value: Any) -> bool:
    if value in kept or len(kept) >= MAX_KEPT:
        return False
    kept.append(value)
    return True
