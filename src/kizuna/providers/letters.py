"""Letters on paper: they gather here, to be printed in batches by us or by a printing house."""

from __future__ import annotations

import re
from typing import ClassVar, Literal

from msgspec import Struct

from kizuna.core.errors import FieldError
from kizuna.paper.address import of_text
from kizuna.paper.sheet import SHEETS, Sheet
from kizuna.providers import Accepted, Checked, Delivery, Outcome, Rejected, Unavailable

MOST_IN_BATCH = 10_000
TOO_LONG = "does_not_fit"
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]\Z")


class Settings(Struct, frozen=True):
    """A batch closes daily at `close_at` (local time of the workspace), when it has `close_count` letters, or by hand.
    `sender` is the return address in one line; `imprint` stands at the foot and says how to stop letters."""

    paper: Literal["a4", "postcard"] = "a4"
    window: Literal["din", "jp"] = "din"
    country: str = ""  # of the sender, in two letters: not named in addresses
    sender: str = ""
    imprint: str = ""
    close_at: str = ""
    close_count: int = 0

    @property
    def sheet(self) -> Sheet:
        return SHEETS["postcard" if self.paper == "postcard" else f"a4-{self.window}"]


class LettersProvider:
    name: ClassVar[str] = "letters"
    channel: ClassVar[str | None] = "letter"
    settings: ClassVar[type[Struct]] = Settings
    secrets: ClassVar[frozenset[str]] = frozenset()
    is_local: ClassVar[bool] = True
    hands_to_people: ClassVar[bool] = True

    def check(self, settings: Settings) -> Checked:
        from kizuna.paper import fonts  # heavy, and few workspaces print

        problems: list[FieldError] = []
        if settings.close_at and not _TIME.match(settings.close_at):
            problems.append(FieldError("/close_at", "invalid", "a local time such as 17:00"))
        if not 0 <= settings.close_count <= MOST_IN_BATCH:
            problems.append(FieldError("/close_count", "invalid", f"0 (by hand) to {MOST_IN_BATCH}"))
        warnings: list[FieldError] = []
        if lacking := fonts.missing(settings.sender + settings.imprint + ("様" if settings.window == "jp" else "")):
            warnings.append(FieldError("/sender", "no_font", f"no font here has {lacking}: {fonts.ADVICE}"))
        if not settings.sender:
            warnings.append(FieldError("/sender", "missing", "without a return address no letter comes back"))
        if not settings.imprint:
            warnings.append(FieldError("/imprint", "missing", "say who writes, and how to get no more letters"))
        return Checked(problems=problems, warnings=warnings)

    def deliver(self, delivery: Delivery, settings: Settings) -> Outcome:
        """Whether it can be printed as it is."""
        from kizuna.paper import draw, fonts

        printed = "".join((delivery.address, delivery.subject or "", delivery.text))
        if lacking := fonts.missing(printed + "".join(of_text(delivery.address).lines())):
            return Unavailable(f"no_font: no font here has {lacking[:20]}; {fonts.ADVICE}", of_one=True)
        if draw.pages_of(delivery.subject, delivery.text, settings.sheet) is None:
            return Rejected(TOO_LONG)
        return Accepted()

    def close(self) -> None:
        """Nothing is held."""


provider = LettersProvider()
