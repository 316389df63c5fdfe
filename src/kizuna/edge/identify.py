"""From a request to its caller: a bearer key, or a session with the workspace it names."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from litestar import Request

from kizuna.accounts import members, workspaces
from kizuna.accounts.caller import Caller, Member
from kizuna.accounts.cookie import SessionCookie
from kizuna.accounts.keys import KeyRing
from kizuna.accounts.rights import right_for
from kizuna.core.errors import Invalid, NotAllowed, NotFound, NotSignedIn
from kizuna.edge import same_origin
from kizuna.edge.settle import Wait, settle
from kizuna.runtime.database import Database

_CHANGES_NOTHING = ("GET", "HEAD", "OPTIONS")


class Door:
    """Knows who is calling. One per server; keeps nothing of a request."""

    def __init__(self, database: Database, keys: KeyRing, cookie: SessionCookie, public_url: str, wait: Wait) -> None:
        self.database = database
        self.keys = keys
        self.cookie = cookie
        self.public_url = public_url
        self.wait = wait

    async def caller(self, request: Request[Any, Any, Any]) -> Caller:
        """Who calls, with the right this route asks for; a request that names `after` has waited for it.

        A write too: an upload finds the customers that its refs mean only once they are folded.
        """
        known = request.scope["state"].get("kizuna_caller")
        if known is not None:
            return known
        key = bearer(request.headers.get("authorization"))
        caller = await self.keys.caller(key) if key else await self._by_session(request)
        right = request.route_handler.opt.get("right") or right_for(request.method, request.scope["path_template"])
        caller.require(right)
        await settle(request, self.database, caller.workspace.id, self.wait)
        request.scope["state"]["kizuna_caller"] = caller
        return caller

    async def member(self, request: Request[Any, Any, Any]) -> Member:
        session = request.cookies.get(self.cookie.name)
        if not session:
            if request.headers.get("authorization"):
                raise NotAllowed("a key cannot do this; sign in to the console", code="needs_member")
            raise NotSignedIn("sign in, or send a key as `Authorization: Bearer <key>`")
        if request.method not in _CHANGES_NOTHING:
            self.check_origin(request, is_browser_known=True)
        return await members.of_session(self.database, session)

    def check_origin(self, request: Request[Any, Any, Any], *, is_browser_known: bool) -> None:
        same_origin.check(dict(request.headers), self.public_url, is_browser_known=is_browser_known)

    async def _by_session(self, request: Request[Any, Any, Any]) -> Caller:
        member = await self.member(request)
        # Frames and downloads cannot send headers, so a GET may name the workspace in its query.
        named = request.headers.get("kizuna-workspace") or (
            request.query_params.get("workspace") if request.method == "GET" else None
        )
        if not named:
            raise Invalid("say which workspace: header `Kizuna-Workspace: <id or name>`", code="workspace_required")
        workspace = await workspaces.find(self.database, unquote(named))
        if member.workspace is not None and member.workspace != workspace.id:
            raise NotFound(f"no workspace {unquote(named)!r} here")
        return Caller(workspace=workspace, role=member.role, member=member.email)


def bearer(authorization: str | None) -> str | None:
    """The key of a bearer header; None when there is no such header; raises on another scheme."""
    if not authorization:
        return None
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise NotSignedIn("send the key as `Authorization: Bearer <key>`", code="invalid_key")
    return key.strip()
