"""Local time in SQL: each zone's instants are worked out here and put in by name, so both readings agree exactly."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import lru_cache
from itertools import pairwise

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
        self.were_asked = False

    @property
    def sql(self) -> str:
        return f"coalesce(nullif(p.zone, ''), {literal(self.own)})"

    def by_zone(self, tell: Callable[[str], str]) -> str:
        """What `tell` says of each profile's zone."""
        self.were_asked = True
        own = tell(self.own)
        told = {zone: tell(zone) for zone in self.others}
        cases = [f"WHEN {literal(zone)} THEN {said}" for zone, said in told.items() if said != own]
        return f"(CASE p.zone {' '.join(cases)} ELSE {own} END)" if cases else own

    def instant(self, text: str) -> str:
        """A time of the rule; without an offset it is the profile's local time."""
        return self.by_zone(lambda zone: str(clock.read_time(text, zone) or 0))

    def after(self, instant: str, length: Duration) -> str:
        """`instant + length`; calendar lengths of a known instant are worked out here."""
        if not length.months:
            return f"({instant} + {length.exact})"
        if instant.isdigit():
            return self.by_zone(lambda zone: str(clock.after(int(instant), length, zone)))
        local = f"timezone({self.sql}, make_timestamptz({instant}))"
        return _from_local(f"({local} + to_months({length.months}))", self)

    def still_within(self, timestamp: str, length: Duration, now: str) -> str:
        """That `timestamp + length` is later than now."""
        if not length.months:
            return f"{timestamp} > {now} - {length.exact}"
        if now.isdigit():
            return self.by_zone(lambda zone: _spans_sql(timestamp, inside_spans(length, int(now), zone)))
        return f"{self.after(timestamp, length)} > {now}"

    def day(self, instant: str) -> str:
        """The local date of an instant."""
        return f"CAST(timezone({self.sql}, make_timestamptz({instant})) AS DATE)"


@lru_cache(1024)
def inside_spans(length: Duration, now: int, zone: str) -> list[tuple[int, int | None]]:
    """The instants t with t + length > now: [from, to), the last one open; more than one where clocks turn back."""
    guess = clock.before(now, length, zone)
    edges = _edges(guess - guess % _CELL - 5 * DAY, length, zone)
    found: list[tuple[int, int | None]] = []
    begun: int | None = None
    before = False
    for cell, following in pairwise(edges):
        first, last = (clock.after(at, length, zone) > now for at in (cell, following - 1))
        if before and not first and begun is not None:
            found.append((begun, cell))
            begun = None
        if first and begun is None:
            begun = cell
        if last and not first:
            begun = _first_inside(cell, following - 1, length, now, zone)
        before = last
    return [*found, (begun if begun is not None else now, None)]


def _edges(start: int, length: Duration, zone: str) -> list[int]:
    """Ten days from `start`, cut where `t + length` may jump: at local midnights, or often where an offset changes."""
    days = range(start - DAY, start + 12 * DAY, DAY)
    offsets = {clock.offset(day, zone) for day in days}
    if len(offsets) > 1 or len({clock.offset(clock.after(day, length, zone), zone) for day in days}) > 1:
        return list(range(start, start + 10 * DAY + 1, _CELL))
    midnight = start - (start + offsets.pop()) % DAY
    return [start, *range(midnight + DAY, start + 10 * DAY, DAY), start + 10 * DAY]


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


def _from_local(text: str, zones: Zones) -> str:
    """RFC 5545: of two instants with the same wall-clock time the first; a gap takes the offset before it."""

    def first(local: str, later: str) -> str:
        earlier = [f"{later} - {shift}" for shift in (HOUR, HOUR // 2)]
        cases = [f"WHEN timezone({zones.sql}, make_timestamptz({at})) = {local} THEN {at}" for at in earlier]
        return f"CASE {' '.join(cases)} ELSE {later} END"

    return let(text, lambda local: let(f"epoch_us(timezone({zones.sql}, {local}))", lambda later: first(local, later)))


def anniversary_sql(text: str, length: Duration, now: str, zones: Zones) -> str:
    """That the day of a text, in its year or the next, is one of the local days from that of `now` on."""
    days = f"{length.exact // DAY}"

    def coming(born: str, today: str) -> str:
        end = zones.day(zones.after(now, length)) if length.months else f"{today} + {days}"

        def in_year(year: str) -> str:
            leap = f"({year} % 4 = 0 AND ({year} % 100 <> 0 OR {year} % 400 = 0))"
            late = f"month({born}) = 2 AND day({born}) = 29 AND NOT {leap}"
            day = f"make_date({year}, month({born}), CASE WHEN {late} THEN 28 ELSE day({born}) END)"
            return f"({day} >= {today} AND {day} < {end})"

        return f"({in_year(f'year({today})')} OR {in_year(f'(year({today}) + 1)')})"

    born = f"CAST(timezone({zones.sql}, make_timestamptz({time_sql(text, zones)})) AS DATE)"
    found = let(born, lambda each: let(zones.day(now), lambda today: coming(each, today)))
    return f"coalesce({found}, false)"


def month_day_sql(text: str, zones: Zones) -> str:
    """`MM-DD` of a time in the profile's zone, NULL when it is none."""
    return f"strftime(timezone({zones.sql}, make_timestamptz({time_sql(text, zones)})), '%m-%d')"
