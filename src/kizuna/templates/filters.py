"""Filters of our own, and guards of those of the library that swell or stall."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import urllib.parse
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from html.parser import HTMLParser
from typing import Any

import msgspec
from dateutil import parser as dates
from liquid import Markup
from liquid.builtin.filters import string
from liquid.exceptions import FilterArgumentError, ResourceLimitError
from liquid.filter import liquid_filter, sequence_filter, string_filter, with_context
from liquid.undefined import is_undefined

from kizuna.core import clock
from kizuna.templates.budget import VALUE_CHARACTERS, Budget, measure

LONGEST_DATE = 100


def _guard_replace(budget: Budget, left: object, args: tuple[object, ...]) -> None:
    """Each occurrence is replaced: the result may be as long as the two multiplied."""
    text, old, new = str(left), str(args[0]) if args else "", str(args[1]) if len(args) > 1 else ""
    found = text.count(old) if old else len(text) + 1
    _fits(budget, len(text) + found * len(new))


def _guard_join(budget: Budget, left: object, args: tuple[object, ...]) -> None:
    separator = str(args[0]) if args else " "
    items = len(left) if isinstance(left, (list, tuple, range)) else 1
    _fits(budget, measure(left) + items * len(separator))


def _guard_range(budget: Budget, left: object, args: tuple[object, ...]) -> None:
    _fits(budget, 10 * measure(left))


def _fits(budget: Budget, size: int) -> None:
    if size > VALUE_CHARACTERS:
        raise ResourceLimitError("a value would become too long", token=None)
    budget.charge(size)


Guard = Callable[[Budget, object, tuple[object, ...]], None]
GUARDS: dict[str, Guard] = {"replace": _guard_replace, "join": _guard_join, "url_encode": _guard_range}


@with_context
@liquid_filter
def date(moment: object, fmt: object, *, context: Any) -> object:
    """`now` and `today` are the instant of the rendering; numbers are seconds since 1970 in UTC."""
    return show_date(moment, fmt, context.budget, context.env.autoescape)


def show_date(moment: object, fmt: object, budget: Budget, escapes: bool) -> object:
    if is_undefined(moment) or moment is None:
        return ""
    if is_undefined(fmt) or fmt is None or fmt == "":
        return moment
    found = _read_date(moment, budget)
    if found is None:
        return moment
    if len(str(fmt)) > LONGEST_DATE:
        raise FilterArgumentError("date: the format is too long", token=None)
    try:
        shown = found.strftime(_zone_with_colon(_unpadded(str(fmt)), found))
    except (ValueError, UnicodeError) as error:
        raise FilterArgumentError(f"date: {error}", token=None) from None
    return Markup(shown) if escapes and isinstance(fmt, Markup) else shown


def _unpadded(fmt: str) -> str:
    """A width in a format (`%500000d`) is kept to what can be meant."""
    return _WIDE.sub(r"%\1", fmt)


_WIDE = re.compile(r"%([-_0^#]*)(\d{3,})")


_WHOLE_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d|$)")
# what names its day does not depend on today, by which the parser fills in the rest
_parse_whole = lru_cache(4_096)(dates.parse)


def _zone_with_colon(fmt: str, moment: datetime) -> str:
    """`%:z`, which not every platform knows."""
    if "%:z" not in fmt:
        return fmt
    offset = moment.strftime("%z") or "+0000"
    return fmt.replace("%:z", f"{offset[:3]}:{offset[3:5]}")


def _read_date(moment: object, budget: Budget) -> datetime | None:
    if isinstance(moment, datetime):
        return moment
    if isinstance(moment, str) and moment.strip().lower() in ("now", "today"):
        instant = budget.now
        now = datetime.now(UTC) if instant is None else clock.to_datetime(instant)
        return now.astimezone(clock.zone_info(budget.zone))
    try:
        if isinstance(moment, (int, float)) and not isinstance(moment, bool):
            return datetime.fromtimestamp(moment, UTC)
        if not isinstance(moment, str) or not moment.strip() or len(moment) > LONGEST_DATE:
            return None
        if moment.isdigit():
            return datetime.fromtimestamp(int(moment), UTC)
        return _parse_whole(moment) if _WHOLE_DATE.match(moment) else dates.parse(moment)
    except (ValueError, OverflowError, OSError):
        return None


@sequence_filter
def uniq(items: Any, key: object = None) -> list[object]:
    """The first of each; hashed where the value can be, so that long lists stay linear."""
    seen: set[Any] = set()
    unhashable: list[object] = []
    result: list[object] = []
    for item in items:
        value = item if key is None or is_undefined(key) else _property(item, key)
        try:
            if value in seen:
                continue
            seen.add(value)
        except TypeError:
            if value in unhashable:
                continue
            if len(unhashable) >= 1_000:
                raise ResourceLimitError("uniq: too many different objects", token=None) from None
            unhashable.append(value)
        result.append(item)
    return result


def _property(item: object, key: object) -> object:
    if isinstance(item, dict):
        return item.get(key)
    raise FilterArgumentError(f"can't read property '{key}'", token=None)


class _TextOnly(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.kept: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("script", "style") and self.hidden > 0

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.kept.append(data)

    def handle_entityref(self, name: str) -> None:
        self.handle_data(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.handle_data(f"&#{name};")


LONGEST_MARKUP = 20_000  # the standard parser is quadratic in unclosed tags


def text_of_html(html: str) -> str:
    """The text of a piece of HTML; beyond a size tags are cut out without being understood."""
    if "<" not in html or ">" not in html:
        return html
    if len(html) > LONGEST_MARKUP:
        return re.sub(r"<[^<>]*>", "", html)
    parser = _TextOnly()
    parser.feed(html)
    parser.close()
    return "".join(parser.kept)


@with_context
@string_filter
def strip_html(value: str, *, context: Any) -> str:
    stripped = text_of_html(value)
    return Markup(stripped) if context.env.autoescape and isinstance(value, Markup) else stripped


@liquid_filter
def json_text(value: object) -> str:
    """JSON, safe within a script element too; escaped on output like any text."""
    if is_undefined(value):
        value = None
    return msgspec.json.encode(value, enc_hook=str).decode().replace("</", "<\\/")


@string_filter
def number_with_delimiter(value: str, delimiter: object = ",") -> str:
    """A whole or decimal number with a sign between each three digits."""
    whole, dot, rest = value.partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    if not digits.isdigit():
        return value
    groups = [digits[max(0, end - 3) : end] for end in range(len(digits), 0, -3)]
    return sign + str(delimiter).join(reversed(groups)) + dot + rest


def _digest(name: str) -> Any:
    @string_filter
    def apply(value: str) -> str:
        return hashlib.new(name, value.encode(), usedforsecurity=False).hexdigest()

    apply.__doc__ = f"The {name} digest of a text, in hexadecimal."
    return apply


def _hmac(name: str, *, is_base64: bool = False) -> Any:
    @string_filter
    def apply(value: str, key: object = "") -> str:
        made = hmac.new(str(key).encode(), value.encode(), name)
        return base64.b64encode(made.digest()).decode() if is_base64 else made.hexdigest()

    apply.__doc__ = f"The HMAC of a text with a key by {name}, in {'base 64' if is_base64 else 'hexadecimal'}."
    return apply


@string_filter
def url_param_escape(value: str) -> str:
    """A text as it stands in one parameter of a URL."""
    return urllib.parse.quote(value, safe="")


@string_filter
def url_escape(value: str) -> str:
    """What may not stand in a URL; its own signs stay."""
    return urllib.parse.quote(value, safe=";/?:@&=+$,#!~*'()")


@string_filter
def json_escape(value: str) -> str:
    """A text as it stands between the quotes of a JSON string."""
    return msgspec.json.encode(value).decode()[1:-1].replace("</", "<\\/")


@liquid_filter
def property_accessor(value: object, key: object = None) -> object:
    """The value an object has under a key."""
    return value.get(str(key)) if isinstance(value, dict) else None


def _kept(decode: Callable[..., str]) -> Callable[..., str]:
    """Of what a text decodes to, all that a database keeps: no NUL, which anybody may bring in a link."""

    def decoded(value: object) -> str:
        return decode(value).replace("\x00", "")

    return decoded


REPLACED: dict[str, Any] = {
    "base64_decode": _kept(string.base64_decode),
    "base64_url_safe_decode": _kept(string.base64_url_safe_decode),
    "url_decode": _kept(string.url_decode),
    "date": date,
    "uniq": uniq,
    "strip_html": strip_html,
    "json": json_text,
    "as_json_string": json_text,
    "number_with_delimiter": number_with_delimiter,
    "md5": _digest("md5"),
    "sha1": _digest("sha1"),
    "sha2": _digest("sha256"),
    "sha256": _digest("sha256"),
    "hmac_sha1_hex": _hmac("sha1"),
    "hmac_sha256_hex": _hmac("sha256"),
    "sha512": _digest("sha512"),
    "hmac_sha256": _hmac("sha256"),
    "hmac_sha1_base64": _hmac("sha1", is_base64=True),
    "hmac_sha256_base64": _hmac("sha256", is_base64=True),
    "url_param_escape": url_param_escape,
    "url_escape": url_escape,
    "json_escape": json_escape,
    "property_accessor": property_accessor,
}
