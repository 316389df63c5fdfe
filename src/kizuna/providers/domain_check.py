"""What the DNS says of a sender's domain against what receivers want to find there: SPF, DKIM, DMARC, MX. Pure, but for
the questions it asks through `ask`."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from msgspec import Struct

from kizuna.providers import spf
from kizuna.providers.dkim_key import Signer, is_aligned
from kizuna.providers.domain_advice import ADVICE
from kizuna.providers.names import Said
from kizuna.providers.spf import Ask


class Record(Struct, frozen=True):
    """One thing that was looked for. `advice` is what to do: {code, en, ja}; also of what is well enough."""

    name: str
    type: str
    expected: str
    found: str | None
    ok: bool
    advice: dict[str, str] | None


GOOD_ENOUGH = frozenset({"dmarc_only_watches", "dkim_testing", "mx_by_address"})


def check_domain(domain: str, signers: Sequence[Signer], ask: Ask, host: str | None = None) -> list[Record]:
    """Of mail from `domain`, which is its bounces' domain too. `host`: an address, or a domain to be included, that
    sends it."""
    domain = domain.lower().rstrip(".")
    return [
        _spf(domain, ask, host),
        *(_dkim(signer, ask) for signer in signers),
        _dmarc(domain, signers, ask),
        _mx(domain, ask),
    ]


def _record(name: str, kind: str, expected: str, found: str | None, problem: str | None) -> Record:
    advice = None if problem is None else {"code": problem, **ADVICE[problem]}
    return Record(name, kind, expected, found, problem is None or problem in GOOD_ENOUGH, advice)


def _spf(domain: str, ask: Ask, host: str | None) -> Record:
    finding = spf.look(domain, ask, host)
    expected = "v=spf1 ... -all" if host is None else f"v=spf1 ... that lets {host} send"
    return _record(domain, "TXT", expected, finding.record, finding.problem)


def _dkim(signer: Signer, ask: Ask) -> Record:
    wanted = signer.record()
    said = ask(wanted["name"], "TXT")
    found = [each for each in said.values if "p=" in each.replace(" ", "")]
    return _record(
        wanted["name"], "TXT", wanted["value"], found[0] if found else None, _dkim_problem(signer, said, found)
    )


def _dkim_problem(signer: Signer, said: Said, found: Sequence[str]) -> str | None:
    if said.trouble:
        return "dns_failed"
    if not found:
        return "dkim_missing"
    if len(found) > 1:
        return "dkim_twice"
    tags = _tags(found[0])
    public = "".join(tags.get("p", "").split())
    if not public:
        return "dkim_revoked"
    if tags.get("k", "rsa") != signer.algorithm.partition("-")[0] or not _is_same_key(public, signer.public):
        return "dkim_other_key"
    return "dkim_testing" if "y" in tags.get("t", "").split(":") else None


def _is_same_key(published: str, ours: str) -> bool:
    """RSA keys are published in either of two forms."""
    if published == ours:
        return True
    try:
        key = load_der_public_key(b64decode(published, validate=True))
    except (ValueError, TypeError):
        return _pkcs1(ours) is not None and published == _pkcs1(ours)
    return isinstance(key, RSAPublicKey) and _der(key) == b64decode(ours)


def _pkcs1(ours: str) -> str | None:
    try:
        key = load_der_public_key(b64decode(ours))
    except ValueError:
        return None
    return (
        b64encode(key.public_bytes(Encoding.DER, PublicFormat.PKCS1)).decode()
        if isinstance(key, RSAPublicKey)
        else None
    )


def _der(key: RSAPublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _dmarc(domain: str, signers: Sequence[Signer], ask: Ask) -> Record:
    """The domain's own policy, else that of a domain above it (a walk up the tree, as receivers make it)."""
    labels = domain.split(".")
    above = [".".join(labels[at:]) for at in range(min(1, len(labels)), len(labels) - 1)][-4:]
    for name in (domain, *above):
        said = ask(f"_dmarc.{name}", "TXT")
        if said.trouble:
            return _record(f"_dmarc.{name}", "TXT", _WANTED, None, "dns_failed")
        found = [each for each in said.values if each.replace(" ", "").lower().startswith("v=dmarc1")]
        if found:
            return _record(f"_dmarc.{name}", "TXT", _WANTED, found[0], _dmarc_problem(domain, signers, found))
    return _record(f"_dmarc.{domain}", "TXT", _WANTED, None, "dmarc_missing")


_WANTED = "v=DMARC1; p=quarantine"


def _dmarc_problem(domain: str, signers: Sequence[Signer], found: Sequence[str]) -> str | None:
    if len(found) > 1:
        return "dmarc_twice"
    tags = _tags(found[0])
    if tags.get("p", "").lower() not in ("none", "quarantine", "reject"):
        return "dmarc_unreadable"
    is_strict = tags.get("adkim", "r").lower() == "s"
    vouches = [each.domain.lower() == domain if is_strict else is_aligned(each.domain, domain) for each in signers]
    if signers and not any(vouches):
        return "dmarc_not_aligned"
    return "dmarc_only_watches" if tags["p"].lower() == "none" else None


def _mx(domain: str, ask: Ask) -> Record:
    said = ask(domain, "MX")
    if said.trouble:
        return _record(domain, "MX", "a host that takes mail", None, "dns_failed")
    if said.values == ("",):
        return _record(domain, "MX", "a host that takes mail", ".", "mx_takes_none")
    if said.values:
        return _record(domain, "MX", "a host that takes mail", ", ".join(said.values), None)
    has_address = any(ask(domain, kind).values for kind in ("A", "AAAA"))
    return _record(domain, "MX", "a host that takes mail", None, "mx_by_address" if has_address else "mx_missing")


def _tags(record: str) -> dict[str, str]:
    """`a=b; c=d` as RFC 6376 section 3.2 writes it."""
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): value.strip() for name, sign, value in pairs if sign}
