"""What the templates of a batch draw from: each round answers what renderings miss, for all of them at once.

Catalogs and codes come from the database, within the claim's transaction. Other servers are asked outside of it: such
a message waits, and is claimed again when the answer is written down.
"""

from __future__ import annotations

import time
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from kizuna.catalogs import catalog as catalogs
from kizuna.catalogs import store as catalog_store
from kizuna.engine.slice import Workspace
from kizuna.fetches import store as fetch_store
from kizuna.fetches.request import MOST_REQUESTS, TOTAL_SECONDS, Answer, Request, failed
from kizuna.messages import sql_drawing
from kizuna.messages.claim import Refused
from kizuna.messages.compose import Composed
from kizuna.messages.draft import Draft
from kizuna.messages.fetching import Fetching, Waiting
from kizuna.promotions import promotion, sql_codes
from kizuna.templates.lookups import (
    MOST_LOOKUPS,
    Code,
    Found,
    Items,
    Lookups,
    Missing,
    Selection,
    Unsaid,
    Wanted,
)

MOST_SECONDS = 2.0  # that one message may be rendered for, in all rounds of a batch

Verdict = Composed | Refused


def in_rounds(
    drafts: Sequence[Draft], compose: Callable[[Draft, Lookups], Verdict], supply: Supply
) -> dict[bytes, Verdict]:
    """What each draft says. What renderings miss is had for all of them together, and they begin again. Those that
    wait for others have no verdict."""
    made: dict[bytes, Verdict] = {}
    spent: dict[bytes, float] = {}
    for _ in range(MOST_LOOKUPS):
        needs: list[Need] = []
        for each in drafts:
            began = time.monotonic()
            try:
                made[each.message.id] = compose(each, supply.lookups(each.message.id))
            except Missing as missing:
                spent[each.message.id] = spent.get(each.message.id, 0.0) + time.monotonic() - began
                if spent[each.message.id] < MOST_SECONDS:
                    needs.append(Need(each, missing.wanted))
                else:
                    made[each.message.id] = Refused("skipped", "template_error")
        if not needs:
            return made
        supply.answer(needs)
        drafts = [need.draft for need in needs if need.message not in supply.waiting]
    return made | {each.message.id: Refused("skipped", "template_error") for each in drafts}


class Need(Struct, frozen=True):
    """A draft that cannot go on without an answer."""

    draft: Draft
    wanted: Wanted

    @property
    def message(self) -> bytes:
        return self.draft.message.id

    @property
    def profile(self) -> bytes:
        return self.draft.person.id


class Supply:
    """Lives as long as the batch. `waiting` are messages that others must be asked for first; with no request, they
    only let others finish."""

    def __init__(self, cursor: Any, workspace: Workspace, fetching: Fetching | None) -> None:
        self.cursor, self.workspace, self.fetching = cursor, workspace.id, fetching
        self.waiting: dict[bytes, Request | None] = {}
        self._shared: dict[Wanted, Found] = {}
        self._own: dict[bytes, dict[Wanted, Found]] = {}
        self._recorded: dict[bytes, dict[bytes, fetch_store.Recorded]] = {}

    def lookups(self, message: bytes) -> Lookups:
        return Lookups(ChainMap(self._own.get(message, {}), self._shared))

    def answer(self, needs: Sequence[Need]) -> None:
        """Have an answer for each, or a place in `waiting`."""
        items = [each.wanted for each in needs if isinstance(each.wanted, Items)]
        if items:
            self._find_items(items)
        selections = [each.wanted for each in needs if isinstance(each.wanted, Selection)]
        if selections:
            self._select(selections)
        codes = [each for each in needs if isinstance(each.wanted, Code)]
        for each in codes:
            if each.draft.message.is_test:  # nobody is given anything
                self._own.setdefault(each.message, {})[each.wanted] = promotion.DUMMY
        codes = [each for each in codes if not each.draft.message.is_test]
        if codes:
            self._reserve(codes)
        requests = [each for each in needs if isinstance(each.wanted, Request)]
        if requests:
            self._fetch(requests)

    # catalogs --------------------------------------------------------------------------------------------------------

    def _find_items(self, wanted: Sequence[Items]) -> None:
        known = self._catalogs(each.catalog for each in wanted)
        pairs = [(each.catalog, item) for each in wanted for item in each.ids]
        self.cursor.execute(*catalog_store.items_of(self.workspace, pairs))
        found = {(catalog, item): body for catalog, item, body in self.cursor.fetchall()}
        for each in wanted:
            there = [found[each.catalog, item] for item in each.ids if (each.catalog, item) in found]
            self._shared[each] = there if each.catalog in known else None

    def _select(self, wanted: Iterable[Selection]) -> None:
        known = self._catalogs(each.catalog for each in wanted)
        for each in wanted:
            declared = known.get(each.catalog)
            selection = declared.selection(each.name) if declared else None
            if each not in self._shared and selection is not None:
                self.cursor.execute(*catalog_store.selected(self.workspace, each.catalog, selection))
                self._shared[each] = [row[0] for row in self.cursor.fetchall()]
            self._shared.setdefault(each, None)

    def _catalogs(self, names: Iterable[str]) -> dict[str, catalogs.Catalog]:
        self.cursor.execute(*catalog_store.declared(self.workspace, sorted(set(names))))
        return {name: catalogs.read(body) for name, body in self.cursor.fetchall()}

    # codes -----------------------------------------------------------------------------------------------------------

    def _reserve(self, needs: Sequence[Need]) -> None:
        sql_codes.lock_owners(self.cursor, self.workspace, [each.profile for each in needs])
        names = sorted({each.wanted.promotion for each in needs if isinstance(each.wanted, Code)})
        declared = sql_codes.declared(self.cursor, self.workspace, names)
        holders = sql_drawing.holders(self.cursor, self.workspace, [each.message for each in needs])
        for name in names:
            of_this = [each for each in needs if each.wanted == Code(name)]
            rules = promotion.read(declared[name]) if name in declared else None
            may = [each for each in of_this if rules is not None and rules.is_open(each.draft.at)]
            over = [each for each in of_this if each not in may]
            asked = [sql_codes.Asked(each.message, each.profile, holders[each.message]) for each in may]
            most = rules.per_profile if rules else 0
            drawn = sql_codes.reserve(self.cursor, self.workspace, name, asked, most) if asked else None
            for each in may:
                self._give(each, name, drawn)
            kept = self._kept(over, name, holders) if over else None
            for each in over:
                self._give(each, name, kept if kept and each.message in kept.codes else None)

    def _kept(self, needs: Sequence[Need], name: str, holders: Mapping[bytes, bytes]) -> sql_codes.Drawn:
        """Codes of a promotion that is over, of messages that have them from an earlier try. Marketing is not sent with
        a code that is worth nothing any more; a receipt is."""
        asked = [
            sql_codes.Asked(each.message, each.profile, holders[each.message])
            for each in needs if each.draft.message.transactional
        ]  # fmt: skip
        return sql_codes.Drawn(sql_codes.held(self.cursor, self.workspace, name, asked) if asked else {})

    def _give(self, need: Need, name: str, drawn: sql_codes.Drawn | None) -> None:
        own = self._own.setdefault(need.message, {})
        if drawn is None:
            own[need.wanted] = Unsaid(promotion.OVER, f"promotion {name} is not open")
        elif need.message in drawn.codes:
            own[need.wanted] = drawn.codes[need.message]
        elif need.message in drawn.limited:
            own[need.wanted] = Unsaid(promotion.CODE_LIMIT, f"the customer has all codes of {name} that one may have")
        elif drawn.is_contended:  # the last ones are in others' hands, who may yet give them back
            self.waiting[need.message] = None
        else:
            own[need.wanted] = Unsaid(promotion.NO_CODE, f"no code of {name} is left")

    # other servers ---------------------------------------------------------------------------------------------------

    def _fetch(self, needs: Sequence[Need]) -> None:
        new = [each.message for each in needs if each.message not in self._recorded]
        self._recorded |= {message: {} for message in new}
        for row in fetch_store.recorded(self.cursor, self.workspace, new) if new else ():
            self._recorded[row.message][row.request] = row
        kept: dict[bytes, tuple[Answer, list[bytes]]] = {}
        for each in needs:
            assert isinstance(each.wanted, Request)  # noqa: S101  # as `answer` sorted them
            found = self._known(each.message, each.wanted)
            if found is None and (cached := self.fetching and self.fetching.kept(self.workspace, each.wanted)):
                kept.setdefault(each.wanted.key, (cached, []))[1].append(each.message)
                found = cached
            if found is not None:
                self._own.setdefault(each.message, {})[each.wanted] = found
            else:
                self.waiting[each.message] = each.wanted
        for key, (answer, messages) in kept.items():
            fetch_store.record(self.cursor, self.workspace, messages, key, answer)

    def _known(self, message: bytes, request: Request) -> Answer | None:
        """What is written down, or follows from it; None: it is to be asked for."""
        recorded = self._recorded[message]
        found = recorded.get(request.key)
        if found is not None and found.answer is not None:
            return found.answer
        if self.fetching is None:
            return failed("nobody asks other servers here")
        if found is not None and request.method != "GET":  # asked by one who vanished: it may have had its effect
            return failed("it was asked for, and the answer was lost")
        if len(recorded.keys() - {request.key}) >= MOST_REQUESTS:
            return failed(f"a message asks for {MOST_REQUESTS} answers at most")
        if sum(each.spent for each in recorded.values()) >= TOTAL_SECONDS * 1_000_000:
            return failed("the requests of this message took too long together")
        return None

    def release(self, messages: Sequence[bytes]) -> None:
        """These are not said after all."""
        sql_codes.release(self.cursor, self.workspace, messages)

    def let_wait(self, seconds: float) -> list[Waiting]:
        """Keep the messages that other servers are asked for from being claimed meanwhile."""
        asked = {message: request for message, request in self.waiting.items() if request is not None}
        if not asked:
            return []
        until = sql_drawing.wait(self.cursor, self.workspace, list(asked), seconds)
        return [Waiting(message, request, until) for message, request in asked.items()]
