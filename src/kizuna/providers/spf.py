"""Sender Policy Framework (RFC 7208), as far as it says whether a host may send for a domain."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address, ip_network

from msgspec import Struct

from kizuna.providers.names import Said

MOST_LOOKUPS = 10  # RFC 7208 section 4.6.4: more, and receivers take it for an error
Ask = Callable[[str, str], Said]


class Finding(Struct, frozen=True):
    """`problem` is a code of advice: what a receiver would not like."""

    record: str | None
    problem: str | None


def look(domain: str, ask: Ask, host: str | None = None) -> Finding:
    """The domain's policy; with `host`, an address or the domain of an `include`, whether that may send."""
    said = ask(domain, "TXT")
    found = [each for each in said.values if _is_spf(each)]
    if said.trouble or not found:
        return Finding(None, "dns_failed" if said.trouble else "spf_missing")
    record = found[0]
    if len(found) > 1:
        return Finding(record, "spf_twice")
    walk = _Walk(ask, host)
    try:
        passes = walk.passes(domain, record)
    except _TooMany:
        return Finding(record, "spf_too_many_lookups")
    if host is not None and not passes:
        return Finding(record, "spf_host_missing")
    is_open = record.lower().split()[-1] in ("+all", "all", "?all")
    return Finding(record, "spf_open" if is_open else None)


class _TooMany(Exception):
    pass


class _Walk:
    """Through the policies that a policy includes; loops end with the lookups."""

    def __init__(self, ask: Ask, host: str | None) -> None:
        self.ask, self.host, self.lookups = ask, (host or "").lower().rstrip("."), 0
        try:
            self.address = ip_address(self.host)
        except ValueError:
            self.address = None

    def passes(self, domain: str, record: str) -> bool:
        """All of it is walked, that too many lookups are seen whatever comes first."""
        passed = False
        for term in record.split()[1:]:
            kind, _, value = term.lstrip("+").partition("=" if term.lower().startswith("redirect=") else ":")
            passed = self._meets(kind.lower(), value, domain) or passed
        return passed

    def _meets(self, kind: str, value: str, domain: str) -> bool:
        if kind in ("include", "redirect"):
            self._count()
            name = value.lower().rstrip(".")
            nested = next((each for each in self.ask(name, "TXT").values if _is_spf(each)), None)
            within = nested is not None and self.passes(name, nested)
            return within or (kind == "include" and self.host == name and nested is not None)
        if kind in ("ip4", "ip6"):
            return self._is_in(value)
        name, _, length = (value or domain).partition("/")
        if kind == "a":
            self._count()
            return name.lower() == self.host or self._is_at(name, length)
        if kind == "mx":
            self._count()
            hosts = self.ask(name, "MX").values[:MOST_LOOKUPS]
            return any(each.lower() == self.host or self._is_at(each, length) for each in hosts)
        if kind in ("exists", "ptr"):
            self._count()
        return False

    def _is_at(self, name: str, length: str) -> bool:
        if self.address is None:
            return False
        kind = "A" if self.address.version == 4 else "AAAA"
        suffix = f"/{length}" if length.isdigit() else ""
        return any(self._is_in(each + suffix) for each in self.ask(name, kind).values)

    def _is_in(self, network: str) -> bool:
        try:
            return self.address is not None and self.address in ip_network(network, strict=False)
        except ValueError:
            return False

    def _count(self) -> None:
        self.lookups += 1
        if self.lookups > MOST_LOOKUPS:
            raise _TooMany


def _is_spf(text: str) -> bool:
    return text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")
