"""Who is calling: a key of one workspace, or a member who signed in."""

from __future__ import annotations

from msgspec import Struct

from kizuna.accounts.rights import RIGHTS
from kizuna.core.errors import NotAllowed
from kizuna.engine.slice import Workspace


class Member(Struct, frozen=True):
    """A person who operates the console. `workspace` None means every workspace of the installation."""

    id: int
    email: str
    name: str
    role: str
    workspace: int | None

    @property
    def owns_installation(self) -> bool:
        return self.role == "owner" and self.workspace is None


class Caller(Struct, frozen=True):
    """One request's right to one workspace. `member` is the mail of a person, None for a key."""

    workspace: Workspace
    role: str
    member: str | None = None

    def may(self, right: str) -> bool:
        return right in RIGHTS[self.role]

    def require(self, right: str) -> None:
        if not self.may(right):
            raise NotAllowed(f"the role {self.role} may not do this; use a key or member with the right to {right}")
