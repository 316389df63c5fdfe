"""Takes what customers write back into the log: STOP opts out of the channel at once, START opts in with its proof.

A reply is of everybody whom we wrote to at the number, and of whoever has it as the trait `phone`. STOP is the number's
word and holds for all of them; START only for those whose number it still is. All else is a report `message_replied`.
"""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection
from psycopg.errors import UniqueViolation

from kizuna.accounts import store as accounts
from kizuna.channels import all_channels
from kizuna.consent.accept import Veto, accept
from kizuna.core import exact_json, ids
from kizuna.core.clock import SECOND
from kizuna.engine.moment import Item
from kizuna.events.log import Log
from kizuna.messages import sql_acts as sql
from kizuna.messages import sql_told
from kizuna.messages.keyword import START, STOP, keyword_of
from kizuna.messages.report import new_id, of_customer
from kizuna.profiles import store as profiles
from kizuna.providers.report import Reply
from kizuna.runtime.database import Database

CHANNEL = "sms"
MOST_TEXT = 2_000  # characters that are kept

People = dict[bytes, dict[str, Any]]  # by profile: the latest message to them, empty where there was none


async def take_reply(database: Database, log: Log, workspace: int, provider: str, reply: Reply) -> int | None:
    """Its position; None where it was told before, or nobody here has the number."""
    channel = all_channels()[CHANNEL]
    address = channel.address({"phone": reply.address}) or ""
    key = ids.derive("reply", workspace, provider, reply.id)
    async with database.connection() as conn:
        if not channel.is_valid(address) or await sql_told.known(conn, workspace, [key]):
            return None
        at = await _at(conn, workspace, reply)
        people = await _people(conn, workspace, address)
        traits = await sql.traits_of(conn, workspace, list(people))
    keyword = keyword_of(reply.text)
    said = {"channel": CHANNEL, "address": address, "source": provider}
    items: list[Item] = []
    vetoes: list[Veto] = []
    for profile, message in people.items():
        about = said | _about(message)
        more = {"text": reply.text[:MOST_TEXT]} | ({"keyword": keyword} if keyword else {})
        items.append(of_customer(profile, "replied", at, about | more))
        if keyword == STOP:
            item = of_customer(profile, "unsubscribed", at, about | {"source": "reply"}, new_id())
            items.append(item)
            vetoes.append(Veto(profile, item.id, CHANNEL))
        elif keyword == START and channel.address(traits.get(profile, {})) == address:
            items.append(_opt_in(profile, at, said | {"reply": reply.text[:MOST_TEXT], "id": reply.id}))
    if not items:
        return None
    try:
        return await accept(database, log, workspace, items, vetoes, [sql_told.once(workspace, key, at)])
    except UniqueViolation:  # told again this very moment
        return None


async def _at(conn: AsyncConnection[Any], workspace: int, reply: Reply) -> int:
    """Real time means nothing to a clock that stands still."""
    now, found = await accounts.now(conn, workspace), await accounts.workspace(conn, workspace)
    is_live = found is not None and found.clock != "test"
    return min(int(reply.at * SECOND), now) if reply.at > 0 and is_live else now


async def _people(conn: AsyncConnection[Any], workspace: int, address: str) -> People:
    rows = {row["profile"]: row for row in await sql.written_to(conn, workspace, address)}
    living = await profiles.survivors(conn, workspace, list(rows))
    people: People = {profile: rows[asked] for asked, profile in living.items()}
    for profile in await profiles.by_trait(conn, workspace, "phone", address, sql.MOST_PEOPLE):
        people.setdefault(profile, {})
    return people


def _about(message: dict[str, Any]) -> dict[str, Any]:
    """Not its topic: an answer is about the channel."""
    if not message:
        return {}
    names = ("template", "journey", "run", "step", "campaign", "variant")
    return {"message": ids.show("msg", message["id"]), **{name: message[name] for name in names if message[name]}}


def _opt_in(profile: bytes, at: int, proof: dict[str, Any]) -> Item:
    said = {"channel": CHANNEL, "state": "opted_in", "source": "reply", "proof": proof}
    return Item(
        profile=profile, id=new_id(), type="consent", timestamp=at, properties=exact_json.encode(said), received_at=at
    )  # fmt: skip
