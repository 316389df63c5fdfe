"""People: the first owner by a one-time token, signing in and out, and whose session this is."""

from __future__ import annotations

import re
import unicodedata
from ipaddress import IPv6Address, ip_address

from kizuna.accounts import store
from kizuna.accounts.caller import Member
from kizuna.accounts.secrets import password_hash, password_matches, token_hash
from kizuna.core import ids
from kizuna.core.clock import DAY, HOUR
from kizuna.core.errors import Conflict, FieldError, Invalid, NotAllowed, NotSignedIn, TooMany
from kizuna.runtime.database import Database

IDLE = 12 * HOUR
ABSOLUTE = 7 * DAY
ATTEMPTS = 20
ATTEMPT_WINDOW = HOUR
PASSWORD_MIN, PASSWORD_MAX = 15, 1024

_MAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,190}\Z")


async def needs_setup(database: Database) -> bool:
    async with database.connection() as conn:
        return not await store.has_owner(conn)


async def setup(database: Database, *, token: str, name: str, email: str, password: str) -> str:
    """Make the installation's owner and sign in; gives the session token."""
    email, name, password = email.strip().lower(), name.strip(), _one_form(password)
    _check(name, email, password)
    kept = await password_hash(password)
    session = ids.secret("session")
    async with database.connection() as conn:
        if await store.has_owner(conn):
            raise Conflict("the first owner is set up already; sign in", code="already_set_up")
        if not await store.use_setup_hash(conn, token_hash(token)):
            raise NotAllowed("this set-up link is not the newest one; `kizuna up` prints it", code="invalid_token")
        member = await store.insert_member(conn, email, name, kept, "owner")
        await store.insert_session(conn, token_hash(session), member)
    return session


def _check(name: str, email: str, password: str) -> None:
    errors: list[FieldError] = []
    if not 1 <= len(name) <= 200:
        errors.append(FieldError("/name", "invalid_name", "1 to 200 characters"))
    if not _MAIL.match(email):
        errors.append(FieldError("/email", "invalid_email", "a mail address such as ada@example.com"))
    if len(password) < PASSWORD_MIN:
        message = f"at least {PASSWORD_MIN} characters; several words are easy to keep in mind"
        errors.append(FieldError("/password", "password_too_short", message))
    elif len(password) > PASSWORD_MAX:
        errors.append(FieldError("/password", "password_too_long", f"at most {PASSWORD_MAX} characters"))
    elif len(set(password)) < 5 or email.partition("@")[0] == password.lower():
        errors.append(FieldError("/password", "password_too_simple", "too easy to guess; use several words"))
    if errors:
        raise Invalid(errors[0].message, code=errors[0].code, errors=errors)


def _one_form(password: str) -> str:
    """Keyboards spell the same text in several ways (NIST 800-63B, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


async def sign_in(database: Database, *, email: str, password: str, address: str, replaces: str | None) -> str:
    """A new session token; the session the browser came with ends."""
    email, password = email.strip().lower()[:254], _one_form(password[:PASSWORD_MAX])
    account, origin = f"account:{email}", f"address:{_network(address)}"
    async with database.connection() as conn:
        wait = await store.count_attempt(conn, [account, origin], ATTEMPTS, ATTEMPT_WINDOW)
    if wait:
        raise TooMany("too many attempts to sign in; wait and try again", code="too_many_attempts", retry_after=wait)
    async with database.connection() as conn:
        found = await store.password_of(conn, email)
    if not await password_matches(found[1] if found else None, password) or found is None:
        raise NotSignedIn("mail and password do not belong together", code="wrong_password")
    session = ids.secret("session")
    async with database.connection() as conn:
        await store.forgive_attempts(conn, account, origin)
        await store.delete_old_sessions(conn, IDLE, ABSOLUTE)
        if replaces:
            await store.delete_session(conn, token_hash(replaces))
        await store.insert_session(conn, token_hash(session), found[0])
    return session


def _network(address: str) -> str:
    """One subscriber holds a /64 of IPv6 addresses, so they count as one."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if found.version == 6 and found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return f"{IPv6Address(int(found) >> 64 << 64)}/64" if found.version == 6 else str(found)


async def sign_out(database: Database, session: str) -> None:
    async with database.connection() as conn:
        await store.delete_session(conn, token_hash(session))


async def of_session(database: Database, session: str) -> Member:
    """Raises `NotSignedIn` when the session is unknown, idle for 12 h or older than 7 d."""
    async with database.connection() as conn:
        member = await store.member_of_session(conn, token_hash(session), IDLE, ABSOLUTE)
    if member is None:
        raise NotSignedIn("the session has ended; sign in again", code="session_ended")
    return member


async def is_signed_in(database: Database, session: str) -> bool:
    """Whether a session still holds; for those who would rather not be refused."""
    try:
        await of_session(database, session)
    except NotSignedIn:
        return False
    return True
