"""HTTP of the tenants: set-up, sign-in, keys, workspaces."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, Response, delete, get, post
from litestar.params import Parameter
from msgspec import Struct

from kizuna.accounts import keys as key_verbs
from kizuna.accounts import members, workspaces
from kizuna.accounts.caller import Caller, Member
from kizuna.accounts.cookie import SessionCookie
from kizuna.accounts.keys import KeyRing
from kizuna.core.errors import NotAllowed
from kizuna.runtime.database import Database

Limit = Annotated[int, Parameter(ge=1, le=1000)]


class Setup(Struct, forbid_unknown_fields=True):
    token: str
    name: str
    email: str
    password: str


class SignIn(Struct, forbid_unknown_fields=True):
    email: str
    password: str


class NewKey(Struct, forbid_unknown_fields=True):
    role: str


class NewWorkspace(Struct, forbid_unknown_fields=True):
    name: str
    clock: str = "live"
    start: str | None = None
    zone: str = "UTC"
    currency: str = "USD"
    consent: str = "opt_out"


@get("/api/console/state")
async def console_state(request: Request[Any, Any, Any], database: Database, cookie: SessionCookie) -> dict[str, bool]:
    """Whether the installation has an owner yet, so that the console knows which page to show."""
    session = request.cookies.get(cookie.name)
    return {
        "needs_setup": await members.needs_setup(database),
        "signed_in": session is not None and await members.is_signed_in(database, session),
    }


@post("/api/console/setup", status_code=200, opt={"browser": True})
async def console_setup(data: Setup, database: Database, cookie: SessionCookie) -> Response[dict[str, bool]]:
    """Make the first owner by the one-time token of the set-up link, and sign them in."""
    session = await members.setup(database, token=data.token, name=data.name, email=data.email, password=data.password)
    return Response({"ok": True}, headers={"Set-Cookie": cookie.given(session)})


@post("/api/console/sign-in", status_code=200, opt={"browser": True})
async def console_sign_in(
    data: SignIn, request: Request[Any, Any, Any], database: Database, cookie: SessionCookie
) -> Response[dict[str, bool]]:
    """Begin a session by mail address and password; guesses are slowed."""
    session = await members.sign_in(
        database,
        email=data.email,
        password=data.password,
        address=request.client.host if request.client else "",
        replaces=request.cookies.get(cookie.name),
    )
    return Response({"ok": True}, headers={"Set-Cookie": cookie.given(session)})


@post("/api/console/sign-out", status_code=200, opt={"browser": True})
async def console_sign_out(
    request: Request[Any, Any, Any], database: Database, cookie: SessionCookie
) -> Response[dict[str, bool]]:
    """End the session this request came with."""
    if session := request.cookies.get(cookie.name):
        await members.sign_out(database, session)
    return Response({"ok": True}, headers={"Set-Cookie": cookie.taken()})


@get("/api/console/me")
async def console_me(member: Member, database: Database) -> dict[str, Any]:
    """Who is signed in, and the workspaces they may look at."""
    return {
        "name": member.name,
        "email": member.email,
        "role": member.role,
        "workspaces": await workspaces.visible(database, member.workspace),
    }


@get("/api/v1/workspace")
async def get_workspace(caller: Caller, database: Database) -> dict[str, Any]:
    """The workspace of the caller: its clock, zone, currency and default of consent."""
    return await workspaces.described(database, caller.workspace)


@get("/api/v1/workspaces")
async def list_workspaces(member: Member, database: Database) -> dict[str, Any]:
    """Every workspace the signed-in member may see."""
    return {"items": await workspaces.visible(database, member.workspace), "next_cursor": None}


@post("/api/v1/workspaces")
async def create_workspace(data: NewWorkspace, member: Member, database: Database) -> dict[str, str]:
    """Make a workspace; the answer shows its first keys this once."""
    if not member.owns_installation:
        raise NotAllowed("only an owner of the installation makes workspaces")
    return await workspaces.create(
        database,
        data.name,
        clock=data.clock,
        start=data.start,
        zone=data.zone,
        currency=data.currency,
        consent=data.consent,
    )


@get("/api/v1/keys")
async def list_keys(caller: Caller, database: Database, limit: Limit = 100, cursor: str = "") -> dict[str, Any]:
    """The keys of the workspace with their roles; never the keys themselves."""
    items = await key_verbs.listed(database, caller.workspace.id, cursor, limit)
    return {"items": items, "next_cursor": items[-1]["id"] if len(items) == limit else None}


@post("/api/v1/keys", opt={"shown_once": ("key",)})
async def create_key(data: NewKey, caller: Caller, database: Database) -> dict[str, str]:
    """Make a key with a role; the answer shows it this once."""
    return await key_verbs.create(database, caller.workspace.id, data.role)


@delete("/api/v1/keys/{key_id:str}")
async def revoke_key(key_id: str, caller: Caller, keys: KeyRing) -> None:
    """Take a key back; it opens nothing from now on."""
    await keys.revoke(caller.workspace.id, key_id)


ROUTES = [
    console_state,
    console_setup,
    console_sign_in,
    console_sign_out,
    console_me,
    get_workspace,
    list_workspaces,
    create_workspace,
    list_keys,
    create_key,
    revoke_key,
]
