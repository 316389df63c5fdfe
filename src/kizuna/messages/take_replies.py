"""Takes what customers write back into the log: STOP opts out of the channel at once, START opts in with its proof.

A reply is of everybody whom we wrote to at the number, and of whoever has it as the trait `phone`. STOP is the number's
word and holds for all of them, however many, and for those whose number, written without its country, it may be; START
only for those whose number it still is. All else is a report `message_replied`.
Each of the words, and HELP, is answered, unless the provider does it: the fold says whether it still is.
"""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection
from psycopg.errors import UniqueViolation

from kizuna.accounts import store as accounts
from kizuna.channels import all_channels
from kizuna.consent import store as consents
from kizuna.consent.accept import Veto, accept
from kizuna.core import exact_json, ids
from kizuna.core.clock import SECOND
from kizuna.engine.append import Statement
from kizuna.engine.moment import Item
from kizuna.events.log import Log
from kizuna.messages import sql_acts as sql
from kizuna.messages import sql_told
from kizuna.messages.answer import text_of
from kizuna.messages.fold import SAY
from kizuna.messages.keyword import HELP, START, STOP, keyword_of, language_of
from kizuna.messages.message import ANSWER, TO
from kizuna.messages.policy import parse
from kizuna.messages.report import new_id, of_customer
from kizuna.profiles import store as profiles
from kizuna.profiles.everybody import STEP, everybody
from kizuna.providers.report import Act
from kizuna.runtime.database import Database

CHANNEL = "sms"
MOST_TEXT = 2_000  # characters that are kept

People = dict[bytes, dict[str, Any]]  # by profile: the latest message to them, empty where there was none


async def take_reply(database: Database, log: Log, workspace: int, provider: str, reply: Act) -> int | None:
    """Its position; None where it was told before, or says nothing to us: nobody here has the number."""
    channel = all_channels()[CHANNEL]
    address = channel.address({"phone": reply.address}) or ""
    key = ids.derive("reply", workspace, provider, reply.id)
    keyword = keyword_of(reply.text)
    async with database.connection() as conn:
        if not channel.is_valid(address) or await sql_told.known(conn, workspace, [key]):
            return None
        at = await _at(conn, workspace, reply)
        people = await (_everybody if keyword == STOP else _people)(conn, workspace, address)
        traits = await sql.traits_of(conn, workspace, list(people))
        wording = await _wording(conn, workspace, keyword, reply) if keyword and not reply.is_answered else None
    said = {"channel": CHANNEL, "address": address, "source": provider}
    items: list[Item] = []
    vetoes: list[Veto] = []
    own = [each for each in people if channel.address(traits.get(each, {})) == address]
    for profile, message in people.items():
        about = said | _about(message)
        more = {"text": reply.text[:MOST_TEXT]} | ({"keyword": keyword} if keyword else {})
        items.append(of_customer(profile, "replied", at, about | more))
        if keyword == STOP:
            item = of_customer(profile, "unsubscribed", at, about | {"source": "reply"}, _id_of_stop(key, profile))
            items.append(item)
            vetoes.append(Veto(profile, item.id, CHANNEL))
        elif keyword == START and profile in own:
            items.append(_opt_in(profile, at, said | {"reply": reply.text[:MOST_TEXT], "id": reply.id}))
    if wording and (asker := _asker(workspace, keyword, own, people, address)):
        cause = next((each.id for each in items if each.profile == asker), "")
        items.append(_answer(asker, at, {"answers": keyword, "to": address, "body": wording}, key, cause))
    if not items:
        return None
    once = [sql_told.once(workspace, key, at)]
    try:
        return await _in_steps(database, log, workspace, items, vetoes, once)
    except UniqueViolation:  # told again this very moment
        return None


async def _in_steps(
    database: Database, log: Log, workspace: int, items: list[Item], vetoes: list[Veto], once: list[Statement]
) -> int:
    """A number that very many have is written in several commits. The last one says that it was taken: what breaks
    off before is told, and taken, again."""
    out = {each.item: each for each in vetoes}
    while len(items) > STEP:
        step, items = items[:STEP], items[STEP:]
        await accept(database, log, workspace, step, [out[each.id] for each in step if each.id in out])
    return await accept(database, log, workspace, items, [out[each.id] for each in items if each.id in out], once)


async def _wording(conn: AsyncConnection[Any], workspace: int, keyword: str, reply: Act) -> str | None:
    """What is said to a word, in its language."""
    policy = parse(await consents.policy(conn, workspace))
    shop, sender = await accounts.workspace(conn, workspace), policy.terms.sender
    name = sender.name or (shop.name if shop else "")
    return text_of(policy.answers, keyword, language_of(reply.text), name, sender.contact)


def _asker(workspace: int, keyword: str | None, own: list[bytes], people: People, address: str) -> bytes | None:
    """On whose record a word is answered, once for a number that several have: of whose it is, else of whom we wrote to
    there. Also a number that nobody has may ask for help."""
    if keyword == START:
        return min(own, default=None)
    stranger = ids.profile_id(workspace, TO, f"{CHANNEL}:{address}") if keyword == HELP else None
    return min(own or people, default=stranger)


def _answer(profile: bytes, at: int, said: dict[str, Any], key: bytes, cause: str) -> Item:
    return Item(
        profile=profile, id=ids.show("evt", ids.derive(ANSWER, key)), type=SAY, timestamp=at,
        properties=exact_json.encode({"channel": CHANNEL, **said}), received_at=at, caused_by=cause,
    )  # fmt: skip


async def _at(conn: AsyncConnection[Any], workspace: int, reply: Act) -> int:
    """Real time means nothing to a clock that stands still."""
    now, found = await accounts.now(conn, workspace), await accounts.workspace(conn, workspace)
    is_live = found is not None and found.clock != "test"
    return min(int(reply.at * SECOND), now) if reply.at > 0 and is_live else now


async def _people(conn: AsyncConnection[Any], workspace: int, address: str) -> People:
    """The first of those whom a reply is of."""
    people = await _written_to(conn, workspace, await sql.written_to(conn, workspace, address))
    for profile in await profiles.by_trait(conn, workspace, "phone", address, sql.MOST_PEOPLE):
        people.setdefault(profile, {})
    return people


async def _everybody(conn: AsyncConnection[Any], workspace: int, address: str) -> People:
    """All of them, also where the number is written as it is at home: whose it may be is not written to there."""
    people: People = {}
    last = b""
    while page := await sql.written_to(conn, workspace, address, STEP, last):
        people |= await _written_to(conn, workspace, page)
        last = page[-1]["profile"]
    for profile in await everybody(conn, workspace, "phone", address):
        people.setdefault(profile, {})
    return people


async def _written_to(conn: AsyncConnection[Any], workspace: int, rows: list[dict[str, Any]]) -> People:
    of_record = {row["profile"]: row for row in rows}
    living = await profiles.survivors(conn, workspace, list(of_record))
    return {profile: of_record[asked] for asked, profile in living.items()}


def _id_of_stop(key: bytes, profile: bytes) -> str:
    """The same when it is told again."""
    return ids.show("evt", ids.derive("stop", key, profile))


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
