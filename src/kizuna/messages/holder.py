"""Who holds a link of ours: the message that it names, and the customer it went to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from kizuna.accounts import store as accounts
from kizuna.config import Config
from kizuna.consent.section import Consent
from kizuna.core import ids
from kizuna.core.errors import NotFound
from kizuna.engine.record import decoder_of
from kizuna.messages import page, store
from kizuna.messages.links import Signer, Ticket
from kizuna.profiles.section import Profile
from kizuna.providers.vault import secrets_of
from kizuna.runtime.database import Database
from kizuna.templates.variables import locale_of


class Found(Struct, frozen=True):
    """The message a token names, and to whom it was said."""

    workspace: int
    message: bytes
    row: dict[str, Any]
    profile: bytes
    known: Profile
    traits: dict[str, Any]
    consent: Consent
    signer: Signer

    @property
    def channel(self) -> str:
        return self.row["channel"]

    @property
    def topic(self) -> str | None:
        return self.row["topic"]

    def said(self, **more: Any) -> dict[str, Any]:
        names = ("channel", "template", "journey", "run", "step", "campaign", "variant", "topic")
        known = {name: self.row[name] for name in names if self.row[name]}
        return {"message": ids.show("msg", self.message), **known, **more}

    def link(self, path: str, purpose: bytes) -> str:
        """From one page of the message to another, whatever stands before them."""
        return f"../{path}/{self.signer.token(Ticket(self.workspace, self.message, purpose))}"

    def language(self, headers: Mapping[str, str]) -> str:
        """The customer's own, where we know it and speak it, else that of the browser."""
        return page.language(headers.get("accept-language", ""), locale_of(self.traits, self.known))


async def read(database: Database, config: Config, token: str, purpose: bytes) -> tuple[Found, Ticket]:
    """Raises `NotFound` for a forged token, and for a message or customer that is gone."""
    async with database.connection() as conn:
        signer = Signer(secrets_of(await accounts.secret(conn), config.secret))
        ticket = signer.read(token, purpose)
        row = await store.one(conn, ticket.workspace, ticket.message)
        person = await store.recipient(conn, ticket.workspace, row) if row else None
    if row is None or person is None:
        raise NotFound("this link is not one of ours")
    profile, known, consent, traits = person
    found = Found(
        ticket.workspace, ticket.message, row, profile, _profile(known) if known else Profile(), traits or {},
        consent_of(consent), signer,
    )  # fmt: skip
    return found, ticket


_profile = decoder_of(Profile)
_consent = decoder_of(Consent)


def consent_of(raw: bytes | None) -> Consent:
    return _consent(raw) if raw else Consent()
