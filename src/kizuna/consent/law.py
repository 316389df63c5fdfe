"""Laws on commercial messages as sets of engineering rules, each visible: what no choice means, what a mail must show,
when implied consent runs out, at what hours nobody is texted. They are no legal advice."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from kizuna.consent.decide import OPT_IN, OPT_OUT
from kizuna.core.clock import Duration, duration

SENDER, ADDRESS, CONTACT, WAY_OUT = "sender", "address", "contact", "opt_out"
EXPRESS, PURCHASE, INQUIRY = "express", "purchase", "inquiry"
BASES = (EXPRESS, PURCHASE, INQUIRY)  # on which an opt-in rests
CUSTOM = "custom"


class Law(Struct, frozen=True, kw_only=True):
    """`neutral` is what no choice means at most; `display` what a commercial mail must show; `implied` how long an
    opt-in lasts that rests on a basis; `quiet` local hours [from, to) in which nobody is texted."""

    statute: str
    neutral: str = OPT_OUT
    display: tuple[str, ...] = ()
    implied: dict[str, str] = field(default_factory=dict)
    quiet: tuple[str, str] | None = None

    def lasts(self, basis: str) -> Duration | None:
        said = self.implied.get(basis)
        return duration(said) if said else None


LAWS: dict[str, Law] = {
    CUSTOM: Law(statute=""),
    "jp": Law(
        statute="Act on Regulation of Transmission of Specified Electronic Mail (Act No. 26 of 2002), articles 3 and 4",
        neutral=OPT_IN,
        display=(SENDER, ADDRESS, CONTACT, WAY_OUT),
    ),
    "gdpr": Law(
        statute="Regulation (EU) 2016/679, articles 6, 7 and 21; Directive 2002/58/EC, article 13",
        neutral=OPT_IN,
        display=(SENDER, WAY_OUT),
    ),
    "can_spam": Law(
        statute="CAN-SPAM Act of 2003, 15 U.S.C. 7701-7713; 16 CFR part 316", display=(SENDER, ADDRESS, WAY_OUT)
    ),
    "casl": Law(
        statute="Canada's Anti-Spam Legislation, S.C. 2010, c. 23, sections 6, 10 and 11; SOR/2012-36",
        neutral=OPT_IN,
        display=(SENDER, ADDRESS, CONTACT, WAY_OUT),
        implied={PURCHASE: "24mo", INQUIRY: "6mo"},
    ),
    "tcpa": Law(
        statute="Telephone Consumer Protection Act, 47 U.S.C. 227; 47 CFR 64.1200",
        neutral=OPT_IN,
        quiet=("21:00", "08:00"),
    ),
}


def show_law(name: str) -> dict[str, Any]:
    law = LAWS[name]
    quiet = {"from": law.quiet[0], "to": law.quiet[1]} if law.quiet else None
    return {
        "law": name, "statute": law.statute or None, "neutral": law.neutral, "display": list(law.display),
        "implied": law.implied, "quiet_hours": quiet,
    }  # fmt: skip
