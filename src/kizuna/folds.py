"""The slices in the order in which they take part in the fold: the architecture in one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from kizuna.campaigns.fold import CampaignSlice
from kizuna.consent.fold import ConsentSlice
from kizuna.consent.show import show_consent
from kizuna.engine import store
from kizuna.engine.engine import Engine
from kizuna.engine.folder import Folder
from kizuna.engine.moment import ONCE, message_key
from kizuna.engine.program import Programs
from kizuna.engine.record import decoder_of
from kizuna.engine.slice import Slice
from kizuna.insight.backtest.tested import rules_of_test
from kizuna.journeys.fold import JourneySlice
from kizuna.journeys.program import rules_in
from kizuna.journeys.show import show_runs
from kizuna.messages.fold import MessagesSlice
from kizuna.profiles.fold import ProfileSlice, public
from kizuna.profiles.gate import ProfileGate
from kizuna.profiles.show import ProfileViews
from kizuna.runtime.doctor import Question, deep
from kizuna.segments import agree, audit
from kizuna.segments.fold import SegmentSlice

FOLDS: list[Slice] = [
    ProfileSlice(),
    ConsentSlice(),
    SegmentSlice(guests=[rules_in]),
    JourneySlice(),
    CampaignSlice(),
    MessagesSlice(),
]

SECTIONS = {part.name: part.section for part in FOLDS}

EARLY = frozenset(("profiles", "segments"))  # state as of an instant is settled before what happens at it


def new_folder(folds: Sequence[Slice] = FOLDS) -> Folder:
    return Folder(folds, ProfileGate({part.name: part.section for part in folds}), EARLY)


def new_engine(connection: Connection[Any], *, cached: int = 20_000) -> Engine:
    """An engine over the installation's partitions that keeps `cached` records in memory."""
    return Engine(new_folder(), Programs(FOLDS, store.partitions(connection)), public, cached=cached)


def memory_engine(partitions: int) -> Engine:
    """An engine over a state in memory, for history folded again; it also keeps what the rules of a test ask."""
    folds = [SegmentSlice([*part.guests, rules_of_test]) if isinstance(part, SegmentSlice) else part for part in FOLDS]
    return Engine(
        new_folder(folds), Programs(folds, partitions), public, rows=256, cached=5_000, state_of=lambda state, _: state
    )


def deep_questions() -> list[Question]:
    """What doctor asks of records and items, told what they mean."""
    inside = deep.questions(
        {name: decoder_of(kind) for name, kind in SECTIONS.items()},
        lambda sections: "profiles" in sections and bool(sections["profiles"].waiting_for),
        lambda item: item.type in ONCE,
        message_key,
    )
    return [*inside, agree.question(), audit.question()]


def profile_views() -> ProfileViews:
    """How profiles look from outside."""
    shows = {
        "consent": show_consent,
        "segments": lambda section: sorted(section.member_of),
        "journeys": show_runs,
    }
    return ProfileViews(SECTIONS, shows)
