"""Finds the profile that spoils a batch, so that the rest can be folded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

Trial = Callable[[Mapping[bytes, str]], tuple[bool, Sequence[bytes]]]  # without these: is it refused, and who is in it


class PoisonError(Exception):
    """A profile whose fold raised; the batch is folded again without it."""

    def __init__(self, profile: bytes, error: Exception) -> None:
        super().__init__(str(error))
        self.profile = profile
        said = f"{type(error).__name__}: {error}"  # may quote what a customer sent
        self.error = said.replace("\0", "\\0").encode(errors="backslashreplace").decode()


def find_refused(attempt: Trial, known: Mapping[bytes, str]) -> bytes:
    """The profile that the state refuses, by halving; `attempt` keeps nothing of its trials."""
    suspects = attempt(known)[1]
    held = dict(known)
    while len(suspects) > 1:
        half, rest = suspects[: len(suspects) // 2], suspects[len(suspects) // 2 :]
        is_refused, _ = attempt(held | dict.fromkeys(rest, "held"))
        if is_refused:
            held.update(dict.fromkeys(rest, "held"))  # there may be another among them
        suspects = half if is_refused else rest
    if not suspects:
        raise RuntimeError("the database refuses a batch without profiles")
    return suspects[0]
