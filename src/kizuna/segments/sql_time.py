"""Local time in SQL: each zone's instants are worked out here and put in by name, so both readings agree exactly."""

from __future__ import annotations

from collections.abc import Callable, Collection

from kizuna.core import clock
from kizuna.core.clock import DAY, HOUR, MINUTE, Duration
from kizuna.segments.sql_text import let, literal

_CELL = 15 * MINUTE  # zones change their offset on such a boundary
_DATE = r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
_CLOCK = r"[Tt ][0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9}[0-9]*)?)?"
_OFFSET = r"[Zz]|[+-][0-9]{2}:?[0-9]{2}"
TIME = rf"{_DATE}({_CLOCK}\s*({_OFFSET})?)?$"


class Zones:
    """The workspace's zone and those of the profiles; a profile without one has the workspace's."""

    def __init__(self, own: str, others: Collection[str]) -> None:
        self.own = own
        self.others = sorted(set(others) - {own, ""})

    @property
    def sql(self) -> str:
        return f"coalesce(nullif(p.zone, ''), {literal(self.own)})"

    def by_zone(self, tell: Callable[[str], str]) -> str:
        """What `tell` says of each profile's zone."""
        own = tell(self.own)
        told = {zone: tell(zone) for zone in self.others}
        cases = [f"WHEN {literal(zone)} THEN {said}" for zone, said in told.items() if said != own]
        return f"(CASE p.zone {' '.join(cases)} ELSE {own} END)" if cases else own

    def instant(self, text: str) -> str:
        """A time of the rule; without an offset it is the profile's local time."""
        return self.by_zone(lambda zone: str(clock.read_time(text, zone) or 0))

    def after_now(self, length: Duration, now: int) -> str:
        return self.by_zone(lambda zone: str(clock.after(now, length, zone)))

    def still_within(self, timestamp: str, length: Duration, now: int) -> str:
        """That `timestamp + length` is later than now, for calendar lengths."""
        return self.by_zone(lambda zone: _spans_sql(timestamp, inside_spans(length, now, zone)))


def inside_spans(length: Duration, now: int, zone: str) -> list[tuple[int, int | None]]:
    """The instants t with t + length > now: [from, to), the last one open; more than one where clocks turn back."""
    guess = clock.before(now, length, zone)
    start = guess - guess % _CELL - 5 * DAY
    found: list[tuple[int, int | None]] = []
    begun: int | None = None
    before = False
    for cell in range(start, guess + 5 * DAY, _CELL):
        first, last = (clock.after(at, length, zone) > now for at in (cell, cell + _CELL - 1))
        if before and not first and begun is not None:
            found.append((begun, cell))
            begun = None
        if first and begun is None:
            begun = cell
        if last and not first:
            begun = _first_inside(cell, cell + _CELL - 1, length, now, zone)
        before = last
    return [*found, (begun if begun is not None else now, None)]


def _first_inside(low: int, high: int, length: Duration, now: int, zone: str) -> int:
    while high - low > 1:
        middle = (low + high) // 2
        if clock.after(middle, length, zone) > now:
            high = middle
        else:
            low = middle
    return high


def _spans_sql(timestamp: str, spans: list[tuple[int, int | None]]) -> str:
    parts = [
        f"{timestamp} >= {start}" if end is None else f"({timestamp} >= {start} AND {timestamp} < {end})"
        for start, end in spans
    ]
    return f"({' OR '.join(parts)})"


def time_sql(text: str, zones: Zones) -> str:
    """The instant that a text names, NULL when it names none."""
    return let(text, lambda bound: _time_sql(bound, zones))


def _time_sql(text: str, zones: Zones) -> str:
    day = (
        f"concat(regexp_extract({text}, '^([0-9]{{4}})-', 1), '-',"
        f" lpad(regexp_extract({text}, '^[0-9]{{4}}-([0-9]{{1,2}})-', 1), 2, '0'), '-',"
        f" lpad(regexp_extract({text}, '^[0-9]{{4}}-[0-9]{{1,2}}-([0-9]{{1,2}})', 1), 2, '0'))"
    )
    hour = f"lpad(regexp_extract({text}, '[Tt ]([0-9]{{1,2}}):', 1), 2, '0')"
    minute = f"regexp_extract({text}, '[Tt ][0-9]{{1,2}}:([0-9]{{2}})', 1)"
    second = f"regexp_extract({text}, '[Tt ][0-9]{{1,2}}:[0-9]{{2}}:([0-9]{{2}})', 1)"
    fraction = f"rpad(substr(regexp_extract({text}, '[.,]([0-9]+)', 1), 1, 6), 6, '0')"
    offset = f"regexp_extract({text}, '({_OFFSET})$', 1)"
    has_clock = f"regexp_matches({text}, '[Tt ]')"
    whole = f"CAST(coalesce(nullif({second}, ''), '0') AS BIGINT)"
    time = f"CASE WHEN {has_clock} THEN concat(' ', {hour}, ':', {minute}, ':00') ELSE ' 00:00:00' END"
    rest = (
        f"(least({whole}, 59) * 1000000 + CAST({fraction} AS BIGINT) + CASE WHEN {whole} = 60 THEN 1000000 ELSE 0 END)"
    )
    hours, minutes = f"CAST(substr({offset}, 2, 2) AS BIGINT)", f"CAST(right({offset}, 2) AS BIGINT)"
    sign = f"(CASE WHEN left({offset}, 1) = '-' THEN -1 ELSE 1 END)"
    shift = f"{sign} * ({hours} * 60 + {minutes}) * 60000000"

    def at(local: str) -> str:
        return (
            f"(CASE WHEN NOT ({has_clock} AND {offset} <> '') THEN {_from_local(local, zones)} + {rest}"
            f" WHEN {offset} IN ('Z', 'z') THEN epoch_us({local}) + {rest}"
            f" WHEN {hours} > 23 OR {minutes} > 59 THEN NULL ELSE epoch_us({local}) + {rest} - {shift} END)"
        )

    bound = let(f"try_cast(concat({day}, {time}) AS TIMESTAMP)", at)
    return f"(CASE WHEN regexp_matches({text}, '{TIME}') AND length({text}) <= 64 AND {whole} <= 60 THEN {bound} END)"


def _from_local(local: str, zones: Zones) -> str:
    """RFC 5545: of two instants with the same wall-clock time the first; a gap takes the offset before it."""

    def first(later: str) -> str:
        earlier = [f"{later} - {shift}" for shift in (HOUR, HOUR // 2)]
        cases = [f"WHEN timezone({zones.sql}, make_timestamptz({at})) = {local} THEN {at}" for at in earlier]
        return f"CASE {' '.join(cases)} ELSE {later} END"

    return let(f"epoch_us(timezone({zones.sql}, {local}))", first)


def month_day_sql(text: str, zones: Zones) -> str:
    """`MM-DD` of a time in the profile's zone, NULL when it is none."""
    return f"strftime(timezone({zones.sql}, make_timestamptz({time_sql(text, zones)})), '%m-%d')"
