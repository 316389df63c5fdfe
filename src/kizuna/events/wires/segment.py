"""Segment HTTP tracking API: bodies to items (reference: segment.com/docs HTTP tracking API and Spec)."""

from __future__ import annotations

import uuid
from hashlib import blake2b
from typing import Any

import msgspec
import re2
from msgspec import Raw, Struct

from kizuna.core import clock, exact_json, ids
from kizuna.core.errors import Invalid
from kizuna.engine.moment import BACKFILL, CLOCK_AHEAD, Item
from kizuna.events.wires import Decoded, Refused, problem
from kizuna.events.wires.brackets import batches

PATHS = {
    "track": "track", "t": "track", "identify": "identify", "i": "identify", "page": "page", "p": "page",
    "screen": "screen", "s": "screen", "group": "group", "g": "group", "alias": "alias", "a": "alias",
    "batch": "batch", "b": "batch", "import": "batch",
}  # fmt: skip
TYPES = frozenset(("track", "identify", "page", "screen", "group", "alias"))
NAMES = {"page": "Page Viewed", "screen": "Screen Viewed"}
AHEAD = 5 * clock.MINUTE
MAX_ID = 255
MAX_NAME = 512
MOST_ITEMS = 250_000  # of one request
MOST_COMMAS = 3_000_000  # each may part two items: bounds the memory of finding out
MOST_SHARED = 64 << 20  # bytes of a batch's own context, counted once for each item that gets it
AT_ONCE = 1 << 20  # bytes of a request decoded in one go; nothing else runs meanwhile

Id = str | int | float | None
Time = str | int | float | None

_ABSENT = Raw()


class Event(Struct, gc=False, rename="camel"):
    """One event as clients send it; unknown fields are let be."""

    type: str | None = None
    message_id: str | None = None
    user_id: Id = None
    anonymous_id: Id = None
    previous_id: Id = None
    group_id: Id = None
    event: str | None = None
    name: str | None = None
    category: str | None = None
    timestamp: Time = None
    original_timestamp: Time = None
    sent_at: Time = None
    write_key: str | None = None
    properties: Raw = _ABSENT
    traits: Raw = _ABSENT
    context: Raw = _ABSENT
    integrations: Raw = _ABSENT


class Envelope(Struct, rename="camel"):
    """What `batch` and `import` say beside their events."""

    sent_at: Time = None
    write_key: str | None = None
    context: Raw = _ABSENT
    integrations: Raw = _ABSENT


class Batch(Envelope, kw_only=True):
    """A request with its events unread."""

    batch: list[Raw]


class WholeBatch(Envelope, kw_only=True):
    """A request with its events read."""

    batch: list[Event]


_decode_event = msgspec.json.Decoder(Event).decode
_decode_batch = msgspec.json.Decoder(Batch).decode
_decode_whole = msgspec.json.Decoder(WholeBatch).decode
_BYTES = re2.Options()
_BYTES.encoding = re2.Options.Encoding.LATIN1
# A number that may be beyond a 64-bit float. RE2 looks at a byte once; `re` took a third of the reading.
_HUGE = re2.compile(rb"\d[eE][+-]?\d{3,}\s*[,}\]]|\d{200}", _BYTES)


class Shared(Struct):
    """What a batch says of all its items."""

    sent_at: Time = None
    context: dict[str, Any] = {}
    backfill: bool | None = None


class Reader:
    """Decodes requests of one workspace that arrive at one instant. `seed` makes the ids that senders left out."""

    def __init__(self, workspace: int, now: int, zone: str, max_event: int, seed: bytes = b"") -> None:
        self.workspace = workspace
        self.now = now
        self.zone = zone
        self.max_event = max_event
        self.seed = seed
        self._of_user, self._of_anonymous = ids.profile_ids(workspace, "user"), ids.profile_ids(workspace, "anon")
        self.is_suspect = False  # something in the request must be looked at closely

    def read(self, path: str, body: bytes) -> Decoded:
        """All items of a request; raises `Invalid` only when the body as a whole cannot be read."""
        body = body.removeprefix(b"\xef\xbb\xbf").strip()
        if not body.startswith(b"{"):
            raise Invalid("the body must be a JSON object", code="invalid_json")
        self.is_suspect = (b"\\" in body and b"\\u0000" in body) or _HUGE.search(body) is not None
        decoded = Decoded([], [], set())
        if PATHS[path] != "batch":
            self._take(0, body, PATHS[path], Shared(), decoded, alone=True)
            return decoded
        return self.at_once(body) or self._one_by_one(body, decoded)

    def at_once(self, body: bytes) -> Decoded | None:
        """All items in one pass, when there is nothing about any of them; None leaves them to `_one_by_one`."""
        if self.is_suspect or len(body) > min(self.max_event, AT_ONCE) or b"\x00" in body:
            return None
        try:
            body.decode()
            request = _decode_whole(body)
            shared, keys = self._shared(request, len(request.batch))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, Invalid):
            return None
        items: list[Item] = []
        elsewhere = _brackets(body) - _brackets(request.context) - len(request.batch)
        for index, event in enumerate(request.batch):
            item = self._build(index, b"", event.type, event, shared)
            within = 0
            for section in (event.properties, event.traits, event.context, event.integrations):
                if section is not _ABSENT:
                    within += _brackets(section)
            if within >= exact_json.MAX_DEPTH or isinstance(item, Refused):
                return None
            elsewhere -= within
            items.append(item)
            if event.write_key:
                keys.add(event.write_key)
        return Decoded(items, [], keys) if elsewhere < exact_json.MAX_DEPTH else None

    def _one_by_one(self, body: bytes, decoded: Decoded) -> Decoded:
        """Each item by itself, so that what is wrong with one costs no other."""
        envelope = self._envelope(body)
        shared, keys = self._shared(envelope, len(envelope.batch))
        decoded.write_keys |= keys
        for index, raw in enumerate(envelope.batch):
            self._take(index, bytes(raw), None, shared, decoded)
        return decoded

    def read_again(self, body: bytes, kind: str | None) -> Decoded:
        """One item that was refused before; `kind` where its path said it."""
        self.is_suspect = True
        decoded = Decoded([], [], set())
        self._take(0, body, kind, Shared(), decoded)
        return decoded

    def _shared(self, envelope: Envelope, count: int) -> tuple[Shared, set[str]]:
        if count > MOST_ITEMS or count * len(bytes(envelope.context)) > MOST_SHARED:
            raise Invalid(f"{count} events are too many for one request: send fewer at once", code="too_large")
        keys = {envelope.write_key} if envelope.write_key else set[str]()
        return Shared(envelope.sent_at, _decoded(envelope.context), _backfill(envelope.integrations)), keys

    def _envelope(self, body: bytes) -> Batch:
        """The request with its items unread; found by brackets when an item spoils the whole."""
        if body.count(b",") > MOST_COMMAS:
            raise Invalid("the body has too many parts: send fewer events at once", code="too_large")
        try:
            if b"\x00" not in body:
                body.decode()
            return _decode_batch(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            for elements, rest in batches(body):
                try:
                    envelope = _decode_batch(rest)
                except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                    continue
                envelope.batch = [Raw(element) for element in elements]
                return envelope
        raise Invalid("the body is not JSON with a `batch` list", code="invalid_json")

    def _take(
        self, index: int, raw: bytes, kind: str | None, shared: Shared, into: Decoded, *, alone: bool = False
    ) -> None:
        found = self._item(index, raw, kind, shared, into)
        if isinstance(found, Item):
            into.items.append(found)
        elif alone and found.code == "invalid_json":
            raise Invalid(found.message, code=found.code)
        else:
            into.refused.append(found)

    def _item(self, index: int, raw: bytes, kind: str | None, shared: Shared, into: Decoded) -> Item | Refused:
        if len(raw) > self.max_event:
            return problem(index, "too_large", f"the event is over {self.max_event} bytes: send less with it", raw)
        try:
            raw.decode()
            event = _decode_event(raw)
            if self.is_suspect or _brackets(raw) > exact_json.MAX_DEPTH:
                exact_json.decode_checked(raw)
        except Invalid as error:
            return problem(index, error.code, str(error), raw)
        except msgspec.ValidationError as error:
            return problem(index, "invalid_item", f"a field has the wrong type: {error}", raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return problem(index, "invalid_json", f"the event is not JSON that can be kept: {error}", raw)
        if event.write_key:
            into.write_keys.add(event.write_key)
        return self._build(index, raw, kind or event.type, event, shared)

    def _build(self, index: int, raw: bytes, kind: str | None, event: Event, shared: Shared) -> Item | Refused:
        if kind not in TYPES:
            return problem(index, "invalid_type", f"type must be one of {', '.join(sorted(TYPES))}", raw)
        user, anonymous = _id_text(event.user_id), _id_text(event.anonymous_id)
        if not user and not anonymous:
            return problem(index, "no_identity", "send a userId or an anonymousId", raw)
        name = _name(kind, event)
        if not name and kind in ("track", "alias", "group"):
            field = {"track": "event", "alias": "previousId", "group": "groupId"}[kind]
            return problem(index, f"no_{field.lower()}", f"{kind} needs `{field}`", raw)
        message = event.message_id or self._new_id(index)
        if len(message) > MAX_ID or len(user) > MAX_ID or len(anonymous) > MAX_ID or len(name) > MAX_NAME:
            return problem(index, "too_long", f"ids hold {MAX_ID} characters at most, names {MAX_NAME}", raw)
        try:
            properties = _object(event.traits if kind in ("identify", "group") else event.properties)
            context = _merged(shared.context, event.context)
            said = _backfill(event.integrations)
            flags = BACKFILL if (shared.backfill if said is None else said) else 0
        except Invalid as error:
            return problem(index, error.code, str(error), raw)
        if kind in NAMES and (event.name or event.category):
            properties = _with_page(properties, event)
        at = self._when(event, shared)
        if at > self.now + AHEAD:
            flags |= CLOCK_AHEAD
        profile = self._of_user(user) if user else self._of_anonymous(anonymous)
        return Item(
            profile, message, kind, name, at, properties, context, user, anonymous, self.now, flags,
        )  # fmt: skip

    def _when(self, event: Event, shared: Shared) -> int:
        """When it happened by our clock: received_at - (sent_at - original_timestamp)."""
        said = event.timestamp if event.original_timestamp is None else event.original_timestamp
        original = None if said is None else self._time(said)
        if original is None:
            return self.now
        said = shared.sent_at if event.sent_at is None else event.sent_at
        sent = None if said is None else self._time(said)
        return original if sent is None else self.now - (sent - original)

    def _new_id(self, index: int) -> str:
        """For an event without a messageId: the same again when the request is repeated under its Idempotency-Key."""
        if not self.seed:
            return uuid.uuid4().hex
        return blake2b(self.seed + index.to_bytes(8, "big"), digest_size=16).hexdigest()

    def _time(self, value: Time) -> int | None:
        if isinstance(value, str):
            return clock.read_time(value, self.zone)
        if isinstance(value, (int, float)) and 0 < value < 1e14:
            return int(value * (1_000 if value > 1e11 else clock.SECOND))
        return None


def _id_text(value: Id) -> str:
    if isinstance(value, str):
        return value.strip()
    return "" if value is None else str(int(value) if value == int(value) else value)


def _name(kind: str, event: Event) -> str:
    match kind:
        case "track":
            return event.event or ""
        case "alias":
            return _id_text(event.previous_id)
        case "group":
            return _id_text(event.group_id)
        case _:
            return NAMES.get(kind, "")


def _brackets(raw: bytes | Raw) -> int:
    """No value is nested deeper than it has opening brackets; those in texts count too."""
    body = bytes(raw)
    return body.count(b"{") + body.count(b"[")


def _object(raw: Raw) -> bytes:
    if raw is _ABSENT:
        return b"{}"
    body = bytes(raw).strip()
    if not body or body == b"null":
        return b"{}"
    if not body.startswith(b"{"):
        raise Invalid("properties, traits and context must be objects", code="invalid_item")
    return body


def _decoded(raw: Raw) -> dict[str, Any]:
    body = _object(raw)
    return {} if body == b"{}" else exact_json.decode_checked(body)


def _merged(shared: dict[str, Any], own: Raw) -> bytes:
    """Batch-level context merged shallowly into the item's; the item wins."""
    if not shared and own is _ABSENT:
        return b""
    body = _object(own)
    if not shared:
        return b"" if body == b"{}" else body
    return exact_json.encode({**shared, **exact_json.decode(body)})


def _backfill(raw: Raw) -> bool | None:
    """Whether `integrations` asks to record only; None when it does not speak of us."""
    if raw is _ABSENT or b"Kizuna" not in bytes(raw):
        return None
    settings: Any = exact_json.decode_checked(bytes(raw))
    own = settings.get("Kizuna") if isinstance(settings, dict) else None
    return None if own is None else isinstance(own, dict) and own.get("backfill") is True


def _with_page(properties: bytes, event: Event) -> bytes:
    """A page's name and category are properties to us, unless it has some of that name."""
    own = {key: value for key, value in (("name", event.name), ("category", event.category)) if value}
    return exact_json.encode({**own, **exact_json.decode(properties)})
