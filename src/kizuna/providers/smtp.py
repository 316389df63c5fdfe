"""SMTP (RFC 5321). Connections are kept and used again; replies are read as section 4.2 means them."""

from __future__ import annotations

import select
import smtplib
import ssl
import threading
import time
from contextlib import suppress
from typing import Any, ClassVar, Literal

from msgspec import Struct

from kizuna.core.errors import FieldError, Invalid
from kizuna.core.mail_codes import OF_NO_ADDRESS, by_reply, by_status
from kizuna.providers import Accepted, Ambiguous, Checked, Delivery, Outcome, Rejected, Unavailable, dkim_key
from kizuna.providers.dkim import signed
from kizuna.providers.dkim_key import DkimKey, signer
from kizuna.providers.header import mailbox, split_mailbox, wire_address
from kizuna.providers.mime import build

CONNECT_SECONDS = 5.0
LONGEST_ANSWER = 50  # seconds: a message must not be given up by its sender while it is being handed over
IDLE_SECONDS = 30.0
FRESH_SECONDS = 2.0
PER_CONNECTION = 100
GO_AHEAD = 354


class Settings(Struct, frozen=True, rename={"sender": "from"}):
    """Where to hand mail over, and in whose name."""

    host: str
    sender: str
    port: int = 587
    tls: Literal["none", "starttls", "tls"] = "starttls"
    username: str = ""
    password: str = ""
    timeout: float = 30  # seconds to wait for an answer
    hello: str = ""  # the name to say in EHLO; empty: this machine's
    dkim: list[DkimKey] = []  # each signs every mail


class SmtpProvider:
    name: ClassVar[str] = "smtp"
    channel: ClassVar[str | None] = "email"
    settings: ClassVar[type[Struct]] = Settings
    secrets: ClassVar[frozenset[str]] = frozenset({"password", "dkim"})
    is_local: ClassVar[bool] = False

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[Any, list[Held]] = {}

    def check(self, settings: Settings) -> Checked:
        try:
            mailbox(*split_mailbox(settings.sender))
            problems: list[FieldError] = []
        except Invalid as error:
            problems = [FieldError("/from", error.code, "write an address, or a name and <address>")]
        if not 1 <= settings.timeout <= LONGEST_ANSWER:
            problems.append(FieldError("/timeout", "invalid", f"seconds, from 1 to {LONGEST_ANSWER}"))
        problems += _at("/dkim", dkim_key.problems(settings.dkim))
        if problems:
            return Checked(problems=problems)
        warnings = _at("/dkim", dkim_key.doubts(settings.dkim, split_mailbox(settings.sender)[1]))
        return Checked(warnings=warnings, dns=[signer(key).record() for key in settings.dkim])

    def deliver(self, delivery: Delivery, settings: Settings) -> Outcome:
        try:
            signers = [signer(key) for key in settings.dkim]
        except Invalid as error:
            return Unavailable(str(error))  # never unsigned, where it was to be signed
        try:
            raw = signed(build(delivery, settings.sender), signers, int(delivery.at))
        except Invalid as error:
            reason = error.code if error.code == "invalid_address" else "template_error"
            return Rejected(f"{reason}: {error}")
        try:
            held = self._take(settings)
        except smtplib.SMTPResponseException as error:
            return Unavailable(_reply(error.smtp_code, error.smtp_error))
        except (OSError, smtplib.SMTPException) as error:
            return Unavailable(f"{type(error).__name__}: {error}")
        return self._hand_over(held, delivery, settings, raw)

    def _hand_over(self, held: Held, delivery: Delivery, settings: Settings, raw: bytes) -> Outcome:
        """Nothing is taken over before the server answers the end of DATA; after its begin we cannot know."""
        connection, is_handed = held.connection, False
        try:
            sender, address = wire_address(split_mailbox(settings.sender)[1]), wire_address(delivery.address)
            if not (sender + address).isascii() and not connection.has_extn("smtputf8"):
                self._put(settings, held)
                return Rejected("invalid_address: the server takes no address with such letters")
            code, reply = _announce(connection, sender, address)
            if code == GO_AHEAD:
                is_handed = True
                connection.send(_dotted(raw))
                code, reply = connection.getreply()
        except (OSError, smtplib.SMTPException) as error:
            connection.close()
            reason = f"{type(error).__name__}: {error}"
            return Ambiguous(reason) if is_handed else Unavailable(reason)
        if code < 400 or _begins_anew(connection):
            self._put(settings, held)
        return Accepted(_reply(code, reply)) if code < 400 else _refused(code, reply)

    def _take(self, settings: Settings) -> Held:
        """An idle connection that still serves, else a new one; it is the caller's alone until `_put`."""
        while True:
            with self._lock:
                idle = self._idle.get(_key(settings))
                held = idle.pop() if idle else None
            if held is None:
                return Held(_connect(settings))
            if held.times < PER_CONNECTION and _still_serves(held):
                return held
            held.connection.close()

    def _put(self, settings: Settings, held: Held) -> None:
        held.used_at, held.times = time.monotonic(), held.times + 1
        with self._lock:
            self._idle.setdefault(_key(settings), []).append(held)

    def close(self) -> None:
        """Let go of all idle connections."""
        with self._lock:
            idle, self._idle = self._idle, {}
        for held in (held for group in idle.values() for held in group):
            held.connection.close()


class Held:
    """A connection between two mails."""

    __slots__ = ("connection", "times", "used_at")

    def __init__(self, connection: smtplib.SMTP) -> None:
        self.connection = connection
        self.used_at = time.monotonic()
        self.times = 0


def _at(place: str, found: list[FieldError]) -> list[FieldError]:
    return [FieldError(f"{place}{each.pointer}", each.code, each.message) for each in found]


def _still_serves(held: Held) -> bool:
    """Asked by NOOP after a while; right after a mail it is enough that the server has not hung up since."""
    rested, waiting = time.monotonic() - held.used_at, held.connection.sock
    if rested > IDLE_SECONDS or waiting is None:
        return False
    try:
        if rested < FRESH_SECONDS:
            return not select.select([waiting], [], [], 0)[0]  # what comes unasked is a farewell
        return held.connection.noop()[0] == 250
    except (OSError, ValueError, smtplib.SMTPException):
        return False


def _begins_anew(connection: smtplib.SMTP) -> bool:
    """Whether the connection serves after a refusal. Many hang up with it: what they said stands all the same."""
    try:
        connection.rset()
    except (OSError, smtplib.SMTPException):
        connection.close()
        return False
    return True


def _announce(connection: smtplib.SMTP, sender: str, address: str) -> tuple[int, bytes]:
    """MAIL, RCPT and DATA: 354 when the mail may follow, else the first refusal.

    In one write where the server takes that (RFC 2920), for each answer that is waited for costs a way there and back.
    Addresses hold no brackets, spaces or line breaks: the mail's headers would have refused them.
    """
    is_ascii = (sender + address).isascii()
    connection.command_encoding = "ascii" if is_ascii else "utf-8"
    wide = "" if is_ascii else " SMTPUTF8"
    commands = (f"MAIL FROM:<{sender}>{wide}\r\n", f"RCPT TO:<{address}>\r\n", "DATA\r\n")
    replies: list[tuple[int, bytes]] = []
    if not connection.has_extn("pipelining"):
        for command in commands:
            connection.send(command)
            replies.append(connection.getreply())
            if replies[-1][0] >= 400:
                break
        return _checked(*replies[-1])
    connection.send("".join(commands))
    refusals: list[tuple[int, bytes]] = []
    for _ in commands:
        try:
            replies.append(connection.getreply())
        except (OSError, smtplib.SMTPException):
            if not refusals:
                raise
            return refusals[0]  # they hung up with it
        refusals += replies[-1:] if replies[-1][0] >= 400 else []
    if refusals and replies[-1][0] == GO_AHEAD:  # it would take a mail for nobody: give it an empty one (section 3.1)
        with suppress(OSError, smtplib.SMTPException):
            connection.send(".\r\n")
            connection.getreply()
    return _checked(*(refusals or replies[-1:])[0])


def _dotted(raw: bytes) -> bytes:
    """A mail with its end (RFC 5321 section 4.5.2). A header's line may begin with a dot; bodies are base64."""
    gap = raw.find(b"\r\n\r\n")
    return b"".join((raw[:gap].replace(b"\n.", b"\n.."), raw[gap:], b".\r\n"))


def _checked(code: int, reply: bytes) -> tuple[int, bytes]:
    """An answer that no server may give means that we no longer know what it is talking about."""
    if code < 400 and code != GO_AHEAD:
        raise smtplib.SMTPResponseException(code, reply)
    return code, reply


def _key(settings: Settings) -> tuple[Any, ...]:
    named = settings.host, settings.port, settings.tls, settings.username, settings.password, settings.hello
    return *named, settings.timeout


def _connect(settings: Settings) -> smtplib.SMTP:
    hello = settings.hello or None
    if settings.tls == "tls":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            settings.host, settings.port, hello, timeout=CONNECT_SECONDS, context=ssl.create_default_context()
        )
    else:
        connection = smtplib.SMTP(settings.host, settings.port, hello, timeout=CONNECT_SECONDS)
    try:
        if connection.sock is not None:
            connection.sock.settimeout(settings.timeout)
        connection.ehlo_or_helo_if_needed()
        if settings.tls == "starttls":
            connection.starttls(context=ssl.create_default_context())
            connection.ehlo()
        if settings.username:
            connection.login(settings.username, settings.password)
    except BaseException:
        connection.close()
        raise
    return connection


OF_US = "5.7."  # security and policy: to a server that we talk to ourselves this is about who talks


def _refused(code: int, reply: bytes | str) -> Outcome:
    """4yz comes back later; 5yz never does, and blames the address only where the reply says so."""
    text = _reply(code, reply)
    status = text.split(" ")[1] if " " in text else ""
    if code < 500:
        return Unavailable(text, of_one=status.startswith(("4.1.", "4.2.")))
    reason = by_status(status) if status.startswith("5.") else by_reply(str(code))
    if reason in OF_NO_ADDRESS and not status.startswith(OF_US):
        return Rejected(text, bounce="hard")
    return Rejected(text, bounce="soft" if status.startswith("5.2.") else None)


def _reply(code: int, reply: bytes | str) -> str:
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else str(reply)
    return f"{code} {' '.join(text.replace(chr(0), ' ').split())}"[:500]


provider = SmtpProvider()
