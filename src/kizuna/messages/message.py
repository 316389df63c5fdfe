"""A message's life: its states, and what the fold asks to be written about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

NEVER = 1 << 62  # due when somebody says so: the instant of a message that is held back
CONFIRMATION = "consent"  # the purpose of what asks somebody to confirm their opt-in
TO = "to"  # the purpose of what is said to an address and not to a customer
TEST = "test"  # the purpose of what members look at before customers do
ANSWER = "answer"  # the purpose of what is said to STOP, START and HELP; its words come with it
ADDRESSED = (TO, TEST, ANSWER)  # purposes of what goes to the address it names, whoever has it
OPEN = ("planned", "claimed", "handed")
# later states win over earlier ones, whatever the order in which reports arrive
_BY_RANK = (
    "planned", "claimed", "handed", "unknown", "expired", "skipped", "rejected", "sent",
    "delivered", "opened", "clicked", "bounced", "unsubscribed", "complained",
)  # fmt: skip
RANK = {state: rank for rank, state in enumerate(_BY_RANK)}
# how a state is written in a row's history, for ever: a new state takes a new number, whatever its rank
NUMBER = {
    "planned": 0, "claimed": 1, "handed": 2, "unknown": 3, "expired": 4, "skipped": 5, "rejected": 6, "sent": 7,
    "delivered": 8, "opened": 9, "clicked": 10, "bounced": 11, "unsubscribed": 12, "complained": 13,
    "machine_opened": 14, "machine_clicked": 15, "unsure_opened": 16, "unsure_clicked": 17,
}  # fmt: skip
NUMBER_BITS = 5
_STATE = {number: state for state, number in NUMBER.items()}
UNSAID = ("rejected", "skipped", "expired")  # ends that give back what was reserved
ENGAGED = ("opened", "clicked")  # what a machine may do as well as a person
RESTATED = "restated"  # the report that a machine did what a person was thought to have done
REPORTED = ("delivered", "bounced", "opened", "clicked", "unsubscribed", "complained")  # said by others than the sender


def written_as(state: str, actor: str) -> str:
    """The word of a history for what somebody did: what no person did has a word of its own."""
    return f"{actor}_{state}" if actor in ("machine", "unsure") and state in ENGAGED else state


def read_word(word: str) -> tuple[str, str | None]:
    """(state, actor) of a history's word; the actor is said where a person may not have been it."""
    actor, _, state = word.partition("_")
    return (state, actor) if state in ENGAGED else (word, None)


def passed(state: str, at: int) -> int:
    """An entry of a row's history: that it came into a state at an instant."""
    return at << NUMBER_BITS | NUMBER[state]


def written_history(states: Iterable[tuple[str, int]]) -> str:
    """Entries of a row's history as PostgreSQL reads an array."""
    return f"{{{','.join(str(passed(state, at)) for state, at in states)}}}"


def read_passed(entry: int) -> tuple[str, int]:
    """(state, at)."""
    return _STATE[entry & (1 << NUMBER_BITS) - 1], entry >> NUMBER_BITS


class PlanMessage(Struct, frozen=True, kw_only=True):
    """A row of the ledger: a message granted, or one refused with its reason."""

    id: bytes
    profile: bytes
    state: str  # planned or skipped
    channel: str
    purpose: str  # journey:name:step, campaign:name, api, consent, to, test, answer
    occurrence: str  # the run, the launch
    template: str
    template_version: int
    journey: str | None
    run: str | None
    step: str | None
    campaign: str | None
    variant: str | None
    topic: str | None
    transactional: bool
    data: str  # JSON
    event: bytes | None  # JSON of the entry event
    at: int
    due_at: int
    expires_at: int
    root: int
    address: str | None
    reason: str | None
    caused_by: str
    provider: str | None = None  # of a web hook, which names its carrier


class CancelPlanned(Struct, frozen=True):
    """A run ended: what it planned and nobody claimed yet is not sent."""

    profile: bytes
    run: str
    at: int


class MovePlanned(Struct, frozen=True):
    """There is room under its caps now: a message that was held back may go at `due_at`."""

    id: bytes
    due_at: int


class EndPlanned(Struct, frozen=True):
    """A message that was held back is not sent after all."""

    id: bytes
    state: str  # skipped or expired
    reason: str
    at: int


class AdvanceMessage(Struct, frozen=True):
    """A report about a message that was sent; one of a machine's is noted and moves no state."""

    id: bytes
    state: str
    at: int
    reason: str | None
    actor: str = "human"


class RestateMessage(Struct, frozen=True):
    """What was noted as a person's was a machine's: (state, at) of each."""

    id: bytes
    acts: tuple[tuple[str, int], ...]


def restated(history: Sequence[int], acts: Iterable[tuple[str, int]]) -> tuple[list[int], str]:
    """A row's history with these acts as a machine's, and the state that remains."""
    entries = list(history)
    for state, at in acts:
        for actor in ("human", "unsure"):
            entry = passed(written_as(state, actor), at)
            if entry in entries:
                entries[entries.index(entry)] = passed(written_as(state, "machine"), at)
                break
    told = (read_word(read_passed(entry)[0]) for entry in entries)
    return entries, max((state for state, actor in told if actor != "machine"), key=RANK.__getitem__)


COMPLAINT, HARD_BOUNCE = "complaint", "hard_bounce"


class NoteHarm(Struct, frozen=True):
    """A complaint, a hard bounce, or a refusal that blames what was said or who said it (`blame`): too many of them
    pause a campaign, or all sending."""

    message: bytes
    what: str
    at: int


class Claimed(Struct, frozen=True):
    """A row of the ledger that is ours to deliver; fields in the order in which `store` reads them."""

    workspace: int
    id: bytes
    profile: bytes
    channel: str
    template: str
    template_version: int
    topic: str | None
    transactional: bool
    journey: str | None
    run: str | None
    step: str | None
    campaign: str | None
    variant: str | None
    data: dict[str, Any]
    event: bytes | None
    due_at: int
    expires_at: int
    root: int
    attempts: int
    fence: int
    reason: str | None  # set beforehand when its run left
    caused_by: str | None
    to: str | None = None  # it goes to this address, whoever has it
    is_test: bool = False
    is_answer: bool = False


class Said(Struct, frozen=True, kw_only=True):
    """What a row keeps of a message as it was said."""

    id: bytes
    address: str
    subject: str | None
    body: str
    links: list[str]
    unsubscribe: str | None  # address of the one-click header
    recipient: bytes | None = None  # the record it went to, where the one planned for was merged into it
    consent: str | None = None  # what allowed it
    proof: bytes | None = None  # the row that proves an opt-in
    page: bytes | None = None  # of what lies in a page: JSON of what is shown beside title and body


class Ending(Struct, frozen=True, kw_only=True):
    """What became of a claimed message: its new state, also `planned` when it is tried again."""

    id: bytes
    fence: int
    state: str
    reason: str | None = None
    provider: str | None = None
    address: str | None = None
    due_at: int | None = None
    trouble: str | None = None  # why this attempt was not taken
    attempt: int = 0  # -1 where the hand-over was counted and the network never touched
    history: Sequence[tuple[str, int]] = ()
