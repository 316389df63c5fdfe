"""Opt-ins that a file cannot make: of people who opted out, and without a proof. Their rows are listed as rejected."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection

from kizuna.consent import store as consents
from kizuna.consent.choose import needs_proof
from kizuna.consent.decide import OPTED_OUT, state
from kizuna.consent.section import Consent
from kizuna.engine.record import decoder_of
from kizuna.imports.piece import Agreed, Piece, reject
from kizuna.profiles import store as profiles

_section = decoder_of(Consent)


async def refuse(conn: AsyncConnection[Any], workspace: int, piece: Piece) -> None:
    """Take them out of a piece: what else the row says is taken. An opt-out of the piece counts for what follows it."""
    if not any(needs_proof(each.choice) for each in piece.agreed):
        return
    asked = sorted({each.item.profile for each in piece.agreed})
    living = await profiles.survivors(conn, workspace, asked)
    known = list({*asked, *living.values()})
    vetoes = await consents.vetoes_among(
        conn, workspace, known
    )  # before the records: the fold moves one into the other
    sections = {id_: _section(raw) for id_, raw in (await consents.sections(conn, workspace, known)).items()}
    out: set[tuple[bytes, str, str]] = set()
    refused: list[Agreed] = []
    for each in piece.agreed:
        profile = living.get(each.item.profile, each.item.profile)
        key = (profile, each.choice.channel, each.choice.topic or "")
        if each.choice.state == OPTED_OUT:
            out.add(key)
        elif needs_proof(each.choice):
            section = sections.get(profile)
            is_out = section is not None and state(section, *key[1:]) == OPTED_OUT
            if is_out or key in out or key in vetoes or (each.item.profile, *key[1:]) in vetoes:
                refused.append(each)
    ids = {each.item.id for each in refused}
    piece.items = [item for item in piece.items if item.id not in ids]
    piece.agreed = [each for each in piece.agreed if each.item.id not in ids]
    why = "they opted out: only an opt-in with its proof changes that; what else the row says is taken"
    piece.rejected = sorted(
        [*piece.rejected, *(reject(each.row, "opted_out", why) for each in refused)], key=lambda each: each.line
    )
