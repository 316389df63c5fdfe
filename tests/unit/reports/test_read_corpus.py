"""Mails as servers sent them, gathered by others who also published what they mean (sisimai, flufl.bounce)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kizuna.reports import amazon
from kizuna.reports.read import read
from kizuna.reports.result import BOUNCE, COMPLAINT, DELAYED, HARD, Result

DATA = Path(__file__).parents[4] / "shared" / "data"
SISIMAI, FLUFL = DATA / "bounces-sisimai", DATA / "bounces-flufl"
ENOUGH = 0.97

# their reasons in our words
OURS = {
    "userunknown": {"unknown_user"}, "hostunknown": {"unknown_host"}, "hasmoved": {"moved"},
    "notaccept": {"takes_no_mail"}, "mailboxfull": {"mailbox_full"}, "filtered": {"refused_by_recipient"},
    "suspend": {"suspended", "disabled"}, "rejected": {"sender_refused"}, "blocked": {"blocked"},
    "badreputation": {"blocked"}, "requireptr": {"blocked"}, "toomanyconn": {"rate_limited"},
    "mesgtoobig": {"too_large"}, "exceedlimit": {"too_large"}, "contenterror": {"refused_content"},
    "spamdetected": {"refused_content"}, "notcompliantrfc": {"refused_content"}, "virusdetected": {"refused_content"},
    "authfailure": {"authentication"}, "policyviolation": {"policy"}, "norelaying": {"policy"},
    "securityerror": {"policy"}, "mailererror": {"system"}, "systemerror": {"system"}, "syntaxerror": {"system"},
    "networkerror": {"network"}, "expired": {"expired"}, "onhold": {"other", "system"},
    "undefined": {"other", "system", "policy", "blocked", "network"},
}  # fmt: skip
KINDS = {"vacation": {"auto_reply"}, "delivered": {"delivered"}}
NOT_OF_A_PERSON = "auth-failure"  # a feedback report about a forged sender: no complaint


@pytest.mark.skipif(not SISIMAI.exists(), reason="the mails of sisimai are not here")
def test_sisimais_mails_mean_what_is_published() -> None:
    expected: dict[str, list[dict[str, Any]]] = json.loads((SISIMAI / "expected.json").read_text())
    assert len(expected) == 267
    wrong = {name: deviations for name in sorted(expected) if (deviations := _deviations(name, expected[name]))}
    for name, deviations in wrong.items():
        print(name, "; ".join(deviations))
    assert len(wrong) <= (1 - ENOUGH) * len(expected)


def _deviations(name: str, wanted: list[dict[str, Any]]) -> list[str]:
    found = read((SISIMAI / "mails" / name).read_bytes()).results
    if len(found) != len(wanted):
        return [f"{len(found)} results for {len(wanted)}"]
    return [each for one, other in zip(found, wanted, strict=True) for each in _compare(one, other)]


def _compare(found: Result, wanted: dict[str, Any]) -> list[str]:
    reason, status = wanted["reason"], wanted["status"]
    kinds = KINDS.get(reason, {BOUNCE, DELAYED})
    if reason == "feedback":
        kinds = {"other"} if wanted["feedback_type"] == NOT_OF_A_PERSON else {COMPLAINT}
    # x.0.9yz are codes of sisimai's own, for mails that hold none or a vague one
    is_made_up = status[2:5] == "0.9" and len(status) == 7
    statuses = {None, status[0] + ".0.0", "5.0.0"} if is_made_up else {status or None}
    is_disabled = reason == "suspend" and found.reason == "disabled"  # hard by our contract
    claims = {
        "kind": found.kind in kinds,
        "reason": reason not in OURS or found.reason in OURS[reason],
        "class": (found.hardness == HARD) == wanted["hard"] or is_disabled,
        "status": found.status in statuses,
        "reply code": (found.reply_code or "") == wanted["reply_code"],
        "address": found.address is not None or reason == "feedback",
    }
    return [f"{what}: {found} for {wanted}" for what, holds in claims.items() if not holds]


@pytest.mark.skipif(not SISIMAI.exists(), reason="the mails of sisimai are not here")
def test_no_mail_of_theirs_is_too_strange_and_one_that_is_no_bounce_is_none() -> None:
    for path in (SISIMAI / "mails").iterdir():
        assert read(path.read_bytes()).results
    (raw,) = [path.read_bytes() for path in (SISIMAI / "not_a_bounce").iterdir()]
    assert [each.kind for each in read(raw).results] == ["other"]


@pytest.mark.skipif(not FLUFL.exists(), reason="the mails of flufl.bounce are not here")
def test_flufls_mails_name_whom_they_are_said_to_name() -> None:
    expected: dict[str, list[dict[str, Any]]] = json.loads((FLUFL / "expected.json").read_text())
    wrong: list[str] = []
    for name, wanted in expected.items():
        found = read((FLUFL / "mails" / name).read_bytes()).results
        addresses = {each.lower() for one in wanted for each in one["addresses"]}
        kind = DELAYED if wanted[0]["temporary"] else BOUNCE
        if addresses and {(each.address or "").lower() for each in found} - addresses:
            wrong.append(f"{name}: {found}")
        elif len(found) < len(addresses) or {each.kind for each in found} != {kind}:
            wrong.append(f"{name}: {found} for {addresses}")
    for each in wrong:
        print(each)
    assert len(wrong) <= (1 - ENOUGH) * len(expected)


@pytest.mark.skipif(not SISIMAI.exists(), reason="the bodies of providers are not here")
def test_notifications_of_amazon_mean_the_same_words() -> None:
    found: dict[str, list[tuple[str, str | None]]] = {}
    for path in (SISIMAI / "esp_webhook_json").glob("json-amazonses-*.json"):
        results = amazon.read(json.loads(path.read_text())).results
        found[path.stem] = [(each.kind, each.reason) for each in results]
    assert found["json-amazonses-01"] == [("bounce", "unknown_user")]
    assert found["json-amazonses-03"] == [("complaint", "abuse")]
    assert found["json-amazonses-05"] == [("delivered", None)]
