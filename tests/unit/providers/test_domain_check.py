from __future__ import annotations

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from kizuna.providers.dkim_key import Signer, signer
from kizuna.providers.domain_advice import ADVICE
from kizuna.providers.domain_check import check_domain
from kizuna.providers.names import Names
from kizuna.testing.dns_server import DnsServer
from kizuna.testing.keys import both_kinds

DOMAIN = "shop.example"
KEYS = both_kinds(DOMAIN)


def signers() -> list[Signer]:
    return [signer(each) for each in KEYS]


def quoted(text: str) -> str:
    return " ".join(f'"{text[at : at + 200]}"' for at in range(0, len(text), 200))


def zone(**changed: list[str]) -> dict[tuple[str, str], list[str]]:
    found = {
        (DOMAIN, "TXT"): ['"v=spf1 ip4:192.0.2.0/24 include:_spf.carrier.example -all"', '"other=1"'],
        ("_spf.carrier.example", "TXT"): ['"v=spf1 ip4:198.51.100.7 ~all"'],
        (f"_dmarc.{DOMAIN}", "TXT"): ['"v=DMARC1; p=quarantine; rua=mailto:d@shop.example"'],
        (DOMAIN, "MX"): ["10 mx.shop.example."],
    }
    found |= {(each.record()["name"], "TXT"): [quoted(each.record()["value"])] for each in signers()}
    names = {
        "spf": (DOMAIN, "TXT"), "dmarc": (f"_dmarc.{DOMAIN}", "TXT"), "mx": (DOMAIN, "MX"),
        "included": ("_spf.carrier.example", "TXT"),
    } | {f"dkim{at}": (each.record()["name"], "TXT") for at, each in enumerate(signers())}  # fmt: skip
    for name, records in changed.items():
        found[names[name]] = records
    return {key: records for key, records in found.items() if records}


def codes(host: str | None = None, domain: str = DOMAIN, **changed: list[str]) -> dict[str, str | None]:
    with DnsServer(zone(**changed)) as server:
        found = check_domain(domain, signers(), Names([server.address]).ask, host)
    kinds = ("spf", "dkim0", "dkim1", "dmarc", "mx")
    return {kind: each.advice["code"] if each.advice else None for kind, each in zip(kinds, found, strict=True)}


WELL = {"spf": None, "dkim0": None, "dkim1": None, "dmarc": None, "mx": None}


@pytest.mark.parametrize("host", [None, "192.0.2.9", "198.51.100.7", "_spf.carrier.example"])
def test_a_domain_that_is_set_up(host: str | None) -> None:
    assert codes(host) == WELL


EMPTY: list[str] = []


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"spf": EMPTY}, {"spf": "spf_missing"}),
        ({"spf": ['"v=spf1 -all"', '"v=spf1 ~all"']}, {"spf": "spf_twice"}),
        ({"spf": ['"v=spf1 +all"']}, {"spf": "spf_open"}),
        ({"dkim0": EMPTY}, {"dkim0": "dkim_missing"}),
        ({"dkim0": ['"v=DKIM1; k=rsa; p="']}, {"dkim0": "dkim_revoked"}),
        (
            {"dkim1": ['"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="']},
            {"dkim1": "dkim_other_key"},
        ),
        ({"dkim0": ['"v=DKIM1; k=rsa; p=AAAA"']}, {"dkim0": "dkim_other_key"}),
        ({"dmarc": EMPTY}, {"dmarc": "dmarc_missing"}),
        ({"dmarc": ['"v=DMARC1; p=none"']}, {"dmarc": "dmarc_only_watches"}),
        ({"dmarc": ['"v=DMARC1; p=perhaps"']}, {"dmarc": "dmarc_unreadable"}),
        ({"dmarc": ['"v=DMARC1; p=none"', '"v=DMARC1; p=reject"']}, {"dmarc": "dmarc_twice"}),
        ({"mx": EMPTY}, {"mx": "mx_missing"}),
        ({"mx": ["0 ."]}, {"mx": "mx_takes_none"}),
    ],
)
def test_what_is_wrong_is_said(changed: dict[str, list[str]], wrong: dict[str, str]) -> None:
    assert codes(**changed) == {**WELL, **wrong}


def test_a_host_that_may_not_send() -> None:
    assert codes("203.0.113.1") == {**WELL, "spf": "spf_host_missing"}
    assert codes("_spf.other.example") == {**WELL, "spf": "spf_host_missing"}


def test_an_rsa_key_may_be_published_in_its_older_form() -> None:
    key = next(each for each in KEYS if each.algorithm.startswith("rsa"))
    private = load_pem_private_key(key.private_key.encode(), None)
    assert isinstance(private, RSAPrivateKey)
    older = b64encode(private.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)).decode()
    at = f"dkim{KEYS.index(key)}"
    assert codes(**{at: [quoted(f"v=DKIM1; p={older}")]}) == WELL


def test_a_policy_above_the_domain_rules_it_and_strict_alignment_counts() -> None:
    found = codes(domain=f"mail.{DOMAIN}")
    assert found["dmarc"] is None
    strict = codes(domain=f"mail.{DOMAIN}", dmarc=['"v=DMARC1; p=reject; adkim=s"'])
    assert strict["dmarc"] == "dmarc_not_aligned"


def test_policies_that_include_each_other_come_to_an_end() -> None:
    loop = ['"v=spf1 include:_spf.carrier.example -all"']
    assert codes(spf=loop, included=loop)["spf"] == "spf_too_many_lookups"


def test_every_code_has_advice_in_both_languages() -> None:
    assert all(each["en"] and each["ja"] for each in ADVICE.values())


def test_nothing_is_asked_twice() -> None:
    with DnsServer(zone()) as server:
        names = Names([server.address])
        answers = [names.ask(DOMAIN, "TXT") for _ in range(3)]
    assert answers[0] == answers[2]
    assert server.asked == 1
