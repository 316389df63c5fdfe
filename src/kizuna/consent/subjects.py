"""What an act of consent may be about: a misspelt channel would keep an opt-out where nobody looks for it."""

from __future__ import annotations

from msgspec import Struct

from kizuna.core.errors import FieldError, Unprocessable

CODE = "unknown_channel"


class Subjects(Struct, frozen=True):
    """The names, told where the product is put together: channels lie above consent. With none, every name is one."""

    names: tuple[str, ...] = ()

    def check(self, channel: str) -> None:
        """Raises `Unprocessable` with the names."""
        if wrong := self.misfit(channel):
            error = FieldError("/channel", CODE, wrong)
            raise Unprocessable(f"no channel {channel[:60]!r}: {wrong}", code=CODE, errors=[error])

    def misfit(self, channel: str) -> str | None:
        """What it should have been; None where it is one of them."""
        return None if not self.names or channel in self.names else f"one of {', '.join(self.names)}"


ANY = Subjects()
