"""Who may read a shelf: a browser that nobody knows by name its own, a known customer by their shop's word. Pure."""

from __future__ import annotations

from kizuna.channels import all_channels
from kizuna.core import ids
from kizuna.core.errors import NotAllowed
from kizuna.profiles.section import Profile
from kizuna.providers.in_page import OPEN, Settings
from kizuna.shelves.wire import Pull

USER_TOKEN = "user_token"  # noqa: S105  # what is needed, not one


def vouched(asked: Pull, settings: Settings) -> bool:
    """Whether the shop says that this browser is who it says; raises `NotAllowed` for a token it never made."""
    if asked.user_id and asked.user_token and not settings.vouches(asked.user_id, asked.user_token):
        raise NotAllowed(
            "userToken is not the HMAC-SHA256 of this userId under the secret of the in-page provider",
            code="invalid_user_token",
        )
    return settings.identity == OPEN or bool(asked.user_id and asked.user_token)


def named(asked: Pull, workspace: int, *, is_vouched: bool) -> bytes | None:
    """The record that is asked for; None where the shop's word is needed first."""
    if asked.user_id:
        return ids.profile_id(workspace, "user", asked.user_id) if is_vouched else None
    return None if _is_made_by_us(asked.anonymous_id) else ids.profile_id(workspace, "anon", asked.anonymous_id)


def may_read(known: Profile, *, is_vouched: bool) -> bool:
    """An anonymous id is a secret of its browser, but whoever claims a user id or an external one joins that record:
    from then on it takes more than having said so."""
    return is_vouched or not (known.user_id or known.external_ids)


def _is_made_by_us(anonymous_id: str) -> bool:
    """Of friends of a channel whom nobody knows yet: made of their address there, so no secret of a browser."""
    channel, colon, _ = anonymous_id.partition(":")
    return bool(colon) and channel in all_channels()
