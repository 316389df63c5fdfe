"""What a report says of one address, in one vocabulary for all who report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from msgspec import Struct

from kizuna.core.mail_codes import OF_NO_ADDRESS
from kizuna.messages.blame import OF_THE_MESSAGE, OF_US

Kind = Literal["bounce", "complaint", "auto_reply", "delivered", "delayed", "other"]
BOUNCE, COMPLAINT, AUTO_REPLY, DELIVERED, DELAYED, OTHER = (
    "bounce", "complaint", "auto_reply", "delivered", "delayed", "other",
)  # fmt: skip
HARD, SOFT = "hard", "soft"

# why a mail was not delivered, beside `OF_NO_ADDRESS`:
# the address may work another time: five of these in a row, and no more is sent
OF_THE_MAILBOX: Final = (
    "mailbox_full", "suspended", "refused_by_recipient", "rate_limited", "expired", "network", "system", "other",
)  # fmt: skip
# and about what was said, or who said it: nothing against the address
BOUNCE_REASONS: Final = (*OF_NO_ADDRESS, *OF_THE_MAILBOX, *OF_THE_MESSAGE, *OF_US)
# what a complaint is about
FEEDBACK: Final = ("abuse", "fraud", "virus", "opt_out", "authentication_failure", "not_spam", "other_feedback")


class Result(Struct, frozen=True):
    """One address of a report. `status` and `reply_code` are as the mail says them; None where it says none."""

    address: str | None
    kind: str
    reason: str | None = None
    status: str | None = None
    reply_code: str | None = None

    @property
    def hardness(self) -> str | None:
        """`hard`: the address or host does not exist, moved, is disabled or takes no mail."""
        if self.kind == BOUNCE:
            return HARD if self.reason in OF_NO_ADDRESS else SOFT
        return SOFT if self.kind == DELAYED else None

    @property
    def counts_against_address(self) -> bool:
        return self.kind == BOUNCE and self.reason in (*OF_NO_ADDRESS, *OF_THE_MAILBOX)


class Report(Struct, frozen=True):
    """What one mail reports, and the Message-IDs of the mail it is about."""

    results: Sequence[Result]
    about: Sequence[str] = ()
