"""What the codes of a mail server's refusal say: RFC 3463 with its registry, and the older ones of RFC 5321. Pure.

One reading for those who hear a server themselves (`providers.smtp`) and those who read what others heard (`reports`).
"""

from __future__ import annotations

from typing import Final

# reasons for which the address will never work
OF_NO_ADDRESS: Final = ("unknown_user", "unknown_host", "moved", "disabled", "takes_no_mail")

# by class-less status; the longest beginning that fits
_BY_STATUS: Final = {
    "1.1": "unknown_user", "1.2": "unknown_host", "1.3": "unknown_user", "1.6": "moved", "1.7": "sender_refused",
    "1.8": "sender_refused", "1.9": "expired", "1.10": "takes_no_mail", "1.0": "other", "2.0": "refused_by_recipient",
    "2.1": "disabled", "2.2": "mailbox_full", "2.3": "too_large", "3.2": "system", "3.4": "too_large", "3.": "system",
    "4.1": "expired", "4.2": "network", "4.3": "network", "4.4": "unknown_host", "4.6": "network", "4.7": "expired",
    "4.": "network", "5.2": "system", "5.3": "rate_limited", "5.": "system", "6.": "refused_content",
    "7.1": "policy", "7.9": "policy", "7.13": "disabled", "7.17": "unknown_user", "7.18": "unknown_host",
    "7.20": "authentication", "7.21": "authentication", "7.22": "authentication", "7.23": "authentication",
    "7.24": "authentication", "7.25": "blocked", "7.26": "authentication", "7.27": "takes_no_mail",
    "7.28": "rate_limited", "7.30": "policy", "7.57": "policy", "7.60": "blocked", "7.606": "blocked", "7.": "policy",
}  # fmt: skip
SURE: Final = ("1.1", "1.2", "1.3", "1.6", "1.10", "2.2", "2.3", "3.4")  # those that nobody says by habit
_BY_REPLY: Final = {
    "421": "system", "450": "system", "451": "system", "452": "mailbox_full", "550": "unknown_user", "551": "moved",
    "552": "mailbox_full", "553": "unknown_user", "554": "policy", "521": "takes_no_mail", "556": "takes_no_mail",
    "530": "policy", "535": "policy",
}  # fmt: skip


def by_status(status: str | None) -> str | None:
    if is_vague(status) or status is None:
        return None
    detail = status[2:]
    reason = _BY_STATUS.get(detail) or _BY_STATUS.get(f"{detail.partition('.')[0]}.")
    return "system" if status[0] == "4" and reason in OF_NO_ADDRESS else reason  # for now is not for good


def by_reply(reply: str | None) -> str | None:
    return _BY_REPLY.get(reply or "")


def is_vague(status: str | None) -> bool:
    """5.0.0 says no more than the first digit does."""
    return status is None or status.endswith(".0.0") or status == "5.0"
