"""Random rules and histories, drawn by a seed: what may be asked, and what a few customers do meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Any

from msgspec import Struct

from kizuna.core import clock
from kizuna.core.clock import DAY, HOUR, MINUTE

Raw = dict[str, Any]

# few names, values and lengths, so that rules are often just true or just false
EVENTS = ("Order Completed", "App Opened", "it's")
NUMBERS: tuple[Any, ...] = (0, 1, 2, 10, -1, Decimal("0.1"), Decimal("2.50"), Decimal("1e1"))
NUMERIC_TEXTS = ("1", "2.5", "10.0", "1e1", "01", " 1", "", "-0", "1.")
TEXTS = ("gold", "Gold", "ＧＯＬＤ", "go", "ガ", "ｶﾞ", "İ", 'it\'s "x"', "a\nb", "ß", "SS", "Σίς", "null", "絆", "%_")
LENGTHS = ("1h", "90m", "12h", "1d", "3d", "1w")
MONTHS = ("1mo", "2mo", "1y")
DAYS = ("1d", "3d", "7d", "2w", "1mo")
PATTERNS = ("^go", "ld$", "a.b", "(?i)GOLD", "[0-9]+", "ß|x", "", "^.$")
ZONES = (
    "America/New_York", "Asia/Tokyo", "Europe/London", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "UTC",
)  # fmt: skip
STARTS = (  # before clocks change, months end, and a leap day comes
    "2026-02-20T00:00:00Z", "2026-10-23T00:00:00Z", "2024-02-26T05:00:00Z", "2025-12-29T17:00:00Z",
    "2026-04-03T00:00:00Z",
)  # fmt: skip
PATHS = {  # to what is mostly found there
    "total": "number", "plan": "text", "due": "time", "products.*.sku": "text", "products.*.n": "number",
    "in.to": "any", "products": "text", "plan.*": "text", "nothing": "any",
}  # fmt: skip
REPORTS = ("message_sent", "message_opened", "message_clicked", "message_replied")
STATES = ("opted_in", "opted_out", "neutral", "pending")


class Happening(Struct, frozen=True):
    """Something said at `said_at`; `timestamp` may be earlier (late) or later (dated ahead)."""

    who: str
    said_at: int
    timestamp: int
    type: str  # track page screen report identify consent
    name: str
    body: Raw
    zone: str = ""  # of an identify


class Draw:
    """Draws rules and histories; the same seed draws the same."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)  # noqa: S311  # a test, not a secret
        self.start = clock.read_time(self.one(STARTS)) or 0
        self.zone: str = self.one(ZONES)
        self.asked: list[str] = []  # lengths in rules: what happened leaves them that much later

    def one(self, of: Sequence[Any]) -> Any:
        return of[int(self.chance.random() * len(of))]

    def is_likely(self, share: float) -> bool:
        return self.chance.random() < share

    # rules -----------------------------------------------------------------------------------------------------------

    def rules(self, count: int) -> dict[str, Raw]:
        """By name; a rule may ask for those before it."""
        named: dict[str, Raw] = {}
        for number in range(count):
            named[f"r{number:02d}"] = self.rule(list(named))
        return named

    def rule(self, others: Sequence[str], depth: int = 0) -> Raw:
        if depth < 3 and self.is_likely(0.25):
            form = self.one(("all", "any", "not"))
            if form == "not":
                return {"not": self.rule(others, depth + 1)}
            return {form: [self.rule(others, depth + 1) for _ in range(self.one((0, 1, 2, 2, 3)))]}
        if others and self.is_likely(0.06):
            return {"in_segment": self.one(others)}
        return self.one(self._LEAVES)(self)

    def did(self) -> Raw:
        count = self.one(({}, {}, {"gte": 2}, {"lt": 2}, {"is": 1}, {"lte": 1}, {"gt": 1, "lt": 4}, {"gte": 0}))
        return {"did": self.one(EVENTS), **({"count": count} if count else {}), **self.window(), **self.where()}

    def did_not(self) -> Raw:
        return {"did_not": self.one(EVENTS), **self.window(), **self.where()}

    def aggregate(self) -> Raw:
        form = self.one(("sum", "avg", "min", "max", "distinct"))
        path = self.one(("total", "total", "products.*.n", "plan", "products.*.sku", "products", "due"))
        measured = {"event": self.one(EVENTS), "property": path}
        bound = self.one(("is", "gt", "gte", "lt", "lte", "is_not", "between"))
        window = self.window()
        if bound == "between" and "between" not in window:
            return {form: measured, "between": self.one(([1, 10], [0, "2.5"], [2, 1])), **window, **self.where()}
        op = "gte" if bound == "between" else bound
        return {form: measured, op: self.one((*NUMBERS, 3, "2.5")), **window, **self.where()}

    def pick(self) -> Raw:
        path = self.one(tuple(PATHS))
        form = self.one(("last", "first"))
        length = self.one(("", self.length(), self.length()))
        within = {"within": length} if length else {}
        return {form: {"event": self.one(EVENTS), "property": path}, **self.tests(path), **within, **self.where()}

    def sequence(self) -> Raw:
        steps: list[Raw] = [{"did": self.one(EVENTS), **self.where()} for _ in range(self.one((2, 2, 3)))]
        for step in steps[1:]:
            if self.is_likely(0.5):
                step["within"] = self.asking(self.one(LENGTHS))
        return {"sequence": steps, **self.window()}

    def trait(self) -> Raw:
        path = self.one(tuple(PATHS))
        return {"trait": path, **self.tests(path)}

    def anniversary(self) -> Raw:
        return {"trait": self.one(("due", "born")), "anniversary": {"within_next": self.one(DAYS)}}

    def consent(self) -> Raw:
        about = self.one(({"channel": "email"}, {"channel": "email", "topic": "news"}, {"channel": "sms"}))
        op = self.one(("is", "is_not", "in", "not_in"))
        states = [self.one(STATES) for _ in range(self.one((0, 1, 2)))]
        return {"consent": about, op: states if op in ("in", "not_in") else self.one(STATES)}

    def engagement(self) -> Raw:
        about = self.one(({"channel": "email"}, {"channel": "email", "campaign": "spring"}, {"campaign": "spring"}, {}))
        count = self.one(({}, {"gte": 2}, {"is": 0}, {"lt": 2}))
        form = self.one(("received", "opened", "clicked", "replied"))
        return {form: about, **({"count": count} if count else {}), **self.window()}

    def bucket(self) -> Raw:
        start, end = sorted((self.chance.randrange(10_001), self.chance.randrange(10_001)))
        return {"bucket": {"salt": self.one(("x", "y'")), "from": start, "to": end}}

    _LEAVES = (
        did, did, did, did_not, aggregate, aggregate, aggregate, pick, pick, sequence, sequence, trait, trait,
        anniversary, consent, engagement, bucket,
    )  # fmt: skip

    def window(self) -> Raw:
        kind = self.chance.random()
        if kind < 0.3:
            return {}
        if kind < 0.85:
            return {"within": self.length()}
        day = [clock.show(self.start + n * DAY)[:10] for n in range(5)]
        mixed = [f"{day[0]}T22:00:00Z", f"{day[2]}T02:00:00"]
        return {"between": self.one(([day[1], day[3]], mixed, [day[3], day[1]]))}

    def where(self) -> Raw:
        if self.is_likely(0.7):
            return {}
        listed: list[Raw] = []
        for _ in range(self.one((1, 1, 2))):
            path = self.one(tuple(PATHS))
            listed.append({"property": path, **self.tests(path)})
        return {"where": listed}

    def tests(self, path: str) -> Raw:
        found = self.test(PATHS[path])
        if self.is_likely(0.2):
            found = {**self.test(PATHS[path]), **found}
        if self.is_likely(0.2):
            found["fold"] = True
        return found

    def test(self, kind: str) -> Raw:
        """One operator with a constant that suits the kind of values."""
        if kind == "any":
            kind = self.one(("number", "text", "time"))
        if self.is_likely(0.1):
            return {"exists": self.is_likely(0.5)}
        value = self.amount() if kind == "number" else self.value(0)
        if kind == "time":
            op = self.one(("before", "after", "between", "within_last", "within_next", "anniversary", "is"))
            if op == "between":
                return {op: sorted((self.time(), self.time()))}
            if op in ("within_last", "within_next"):
                return {op: self.length()}
            return {op: {"within_next": self.one(DAYS)} if op == "anniversary" else self.time()}
        if self.is_likely(0.4):
            op = self.one(("is", "is_not", "in", "not_in"))
            return {op: [value, self.scalar()] if op in ("in", "not_in") else value}
        if kind == "number":
            op = self.one(("gt", "gte", "lt", "lte", "between"))
            return {op: [0, self.one(NUMBERS)] if op == "between" else self.one((*NUMBERS, "2.5"))}
        op = self.one(("contains", "not_contains", "starts_with", "ends_with", "matches"))
        return {op: self.one(PATTERNS) if op == "matches" else self.one(TEXTS)}

    def length(self) -> str:
        return self.asking(self.one(MONTHS) if self.is_likely(0.3) else self.one(LENGTHS))

    def asking(self, length: str) -> str:
        self.asked.append(length)
        return length

    # values ----------------------------------------------------------------------------------------------------------

    def amount(self) -> Any:
        return self.one(NUMERIC_TEXTS) if self.is_likely(0.25) else self.one(NUMBERS)

    def scalar(self) -> Any:
        return self.one((self.amount, lambda: self.one(TEXTS), self.time, lambda: self.one((True, False))))()

    def value(self, depth: int = 1) -> Any:
        if depth and self.is_likely(0.15):
            return [self.value(depth - 1) for _ in range(self.one((0, 1, 2)))]
        if depth and self.is_likely(0.1):
            return {key: self.value(depth - 1) for key in self.one(((), ("a",), ("b.c", "a")))}
        return self.one(TEXTS) if self.is_likely(0.6) else self.scalar()

    def time(self) -> str:
        """Near the history: local or with an offset, dates, and a few odd spellings."""
        at = clock.show(self.start + self.one((-30, -1, 0, 1, 2, 3, 9, 31)) * DAY + self.one((0, 90)) * MINUTE)
        ending = self.one(("", "Z", "+09:00", ".5Z", "-0330"))
        return self.one((at[:10], at[:10], at[:19] + ending, "2026-11-01T01:30:00", "2026-2-21", "2024-02-29"))

    def said(self) -> Raw:
        """Properties of an event, or traits."""
        body: Raw = {
            "total": self.amount() if self.is_likely(0.9) else self.one((None, "much", True)),
            "plan": self.value(2),
            "due": self.time(),
        }
        if self.is_likely(0.4):
            line: Any = lambda: {"sku": self.one((*TEXTS[:4], None)), "n": self.amount()}  # noqa: E731
            body["products"] = [line() for _ in range(self.one((0, 1, 2)))]
        if self.is_likely(0.3):
            body["in"] = {"to": self.scalar()}
        if self.is_likely(0.1):
            body["born"] = self.one(("1990-03-01", "1992-02-29", "2000-01-01", "1985-11-01"))
        return body

    # histories -------------------------------------------------------------------------------------------------------

    def zones(self, people: Sequence[str]) -> dict[str, str]:
        """Half have the workspace's."""
        return {who: self.one(ZONES) if self.is_likely(0.5) else "" for who in people}

    def history(self, people: Sequence[str], each: int) -> list[Happening]:
        """What they did, in the order in which it was said."""
        found = [self.happening(who) for who in people for _ in range(self.chance.randrange(each * 2))]
        return sorted(found, key=lambda one: one.said_at)

    def happening(self, who: str) -> Happening:
        said_at = self.start + self.chance.randrange(40) * 3 * HOUR  # often two at one instant
        kind = self.chance.random()
        if kind < 0.1:
            return Happening(who, said_at, said_at - self.one((0, 0, 30)) * HOUR, "identify", "", self.said())
        if kind < 0.2:
            choice = {"channel": self.one(("email", "sms")), "state": self.one(STATES), "proof": {"by": "hand"}}
            topic = {"topic": "news"} if self.is_likely(0.4) else {}
            return Happening(who, said_at, said_at, "consent", "", {**choice, **topic})
        late = self.one((0, 0, 0, 0, 1, 12, 24, 72)) * HOUR
        if kind < 0.4:
            body = {"message": self.one(("m1", "m2", "m3")), "channel": self.one(("email", "email", "sms"))}
            body |= {"campaign": "spring"} if self.is_likely(0.5) else {}
            body |= {"actor": self.one(("human", "machine", "unsure"))} if self.is_likely(0.5) else {}
            return Happening(who, said_at, said_at - late, "report", self.one(REPORTS), body)
        ahead = self.one((0, 0, 0, 0, 0, 0, 1, 30)) * HOUR
        name, kind_ = self.one(EVENTS), self.one(("track", "track", "track", "page", "screen"))
        return Happening(who, said_at, said_at + (ahead or -late), kind_, name, self.said())

    def edges(self, history: Sequence[Happening], count: int) -> list[int]:
        """Instants at which something leaves a window, and those a microsecond beside them."""
        lengths = self.asked or ["1d"]
        found: set[int] = set()
        for _ in range(count):
            when = self.one(history).timestamp if history else self.start
            length = clock.duration(self.one(lengths))
            found.add(clock.after(when, length, self.one((self.zone, self.zone, *ZONES))) + self.one((-1, 0, 0)))
        return sorted(found)
