"""One seed: tell its story to a house, let the crew and the sender work, then ask every invariant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from random import Random

from msgspec import Struct
from msgspec.structs import replace

from kizuna.core import exact_json, ids
from kizuna.engine.append import Row, rows_of
from kizuna.engine.moment import Item
from kizuna.engine.slice import Workspace
from kizuna.testing.simulation.check import AT_REST, CHECKS, Accepted, Look, Seen
from kizuna.testing.simulation.crew import Crew, Sizes
from kizuna.testing.simulation.historian import fill_next
from kizuna.testing.simulation.house import PARTITIONS, House, Veto
from kizuna.testing.simulation.line import READ, WRITING
from kizuna.testing.simulation.memory_house import MemoryHouse
from kizuna.testing.simulation.reference import Reference
from kizuna.testing.simulation.sender import Sender
from kizuna.testing.simulation.shop import SHOPS
from kizuna.testing.simulation.story import (
    AnyAct,
    Choose,
    Launch,
    Move,
    Publish,
    Reassign,
    Rest,
    Say,
    Story,
    change_of,
    write_story,
)

ROUNDS = 400  # to come to rest; more is a loop
DISTURBED = 12  # of these may be disturbed


class Verdict(Struct, frozen=True):
    """What a seed came to. `wrong` is empty when all is well."""

    seed: int
    wrong: list[str]
    items: int
    batches: int
    crashes: int
    fenced: int
    sent: int


def simulate(seed: int, house: House | None = None) -> Verdict:
    return tell(write_story(seed), house or MemoryHouse())


def tell(story: Story, house: House, pauses: Sequence[str] = (READ, WRITING), sizes: Sizes | None = None) -> Verdict:
    """`pauses` are the points at which a batch may be overtaken, `sizes` those of batches; else the seed draws them."""
    play = Play(story, house, pauses, sizes)
    try:
        play.run()
        wrong = play.judge()
    except Exception as error:  # a fold, or the simulated house, fell over: that is a finding too
        wrong = [f"{type(error).__name__}: {error}"]
    finally:
        play.crew.end()
    crew = play.crew
    items = sum(worker.engine.folded for worker in crew.workers)
    return Verdict(story.seed, wrong, items, crew.batches, crew.crashes, crew.fenced, len(play.sender.carried))


class Play:
    """A story being told."""

    def __init__(self, story: Story, house: House, pauses: Sequence[str], sizes: Sizes | None) -> None:
        self.story = story
        self.house = house
        self.chance = Random(story.seed)  # noqa: S311  # drawn anew for each act
        self.workspaces: dict[int, Workspace] = {}
        for tenant in story.tenants:
            house.open(tenant, SHOPS[tenant.shop].first)
            self.workspaces[tenant.id] = house.left(tenant.id).workspace
        self.crew = Crew(house, self.chance, pauses, sizes)
        self.sender = Sender(house, self.chance, self.workspaces)
        self.consents: list[Accepted] = []
        self.wrong: list[str] = []

    def run(self) -> None:
        for act in self.story.acts:
            self.chance.seed(f"{self.story.seed}:{act.number}")
            self.sender.instant += 1
            self.do(act)
            self.crew.work(self.chance.choice((0, 1, 2, 5)))
            if self.chance.random() < 0.4:
                self.sender.work(act.workspace)
            if self.chance.random() < 0.3:
                fill_next(self.house, act.workspace)
        self.chance.seed(f"{self.story.seed}:end")
        self.settle()

    def do(self, act: AnyAct) -> None:
        match act:
            case Say(items=items):
                self.say(act.workspace, items)
            case Choose(item=item):
                self.choose(act.workspace, item)
            case Move(to=to):
                if self.workspaces[act.workspace].clock == "test":
                    self.settle()  # as the server does: nothing may be overtaken by its own future
                self.house.move(act.workspace, to)
            case Publish():
                tenant = next(each for each in self.story.tenants if each.id == act.workspace)
                self.house.publish(act.workspace, change_of(tenant, act))
            case Launch(campaign=campaign):
                self.launch(act, campaign)
            case Reassign(silently=silently):
                self.crew.reassign(silently=silently)
            case Rest():
                self.settle()
                for workspace in self.workspaces:
                    look = Look(self.house.folds, self.house.left(workspace))
                    self.note(workspace, (found for check in AT_REST for found in check(look)))

    def say(self, workspace: int, items: Sequence[Item]) -> None:
        """In one commit, or one by one."""
        if self.chance.random() < 0.5:
            self.house.append(workspace, rows_of(items, PARTITIONS))
        else:
            for item in items:
                self.house.append(workspace, rows_of([item], PARTITIONS))

    def choose(self, workspace: int, item: Item) -> None:
        """Accepted for whom that id names now, as the server does."""
        item = replace(item, profile=self.sender.living(workspace, item.profile))
        said = Accepted(workspace, item, self.sender.instant)
        veto = None
        if b'"opted_out"' in item.properties:
            topic = "news" if b'"topic"' in item.properties else ""
            veto = Veto(item.profile, item.id, "email", topic)
        rows: list[Row] = rows_of([item], PARTITIONS)
        self.house.append(workspace, rows, veto)
        self.consents.append(said)

    def launch(self, act: AnyAct, campaign: str) -> None:
        """In chunks, as they are handed out; the same act is the same launch."""
        found = next((d for d in self.house.ruling(act.workspace, "campaign") if d.name == campaign), None)
        if found is None:
            return
        launch = ids.show("lch", ids.derive("launch", act.number))
        program = max(d.introduced for d in self.house.left(act.workspace).definitions)
        said = {"campaign": campaign, "launch": launch, "version": found.version, "program": program}
        now, properties = self.house.now(act.workspace), exact_json.encode(said)
        members = self.house.members(act.workspace, found.body["segment"])
        for start in range(0, len(members), 2):
            items = [
                Item(
                    profile, ids.show("evt", ids.derive("launch", launch, profile)), "launch", "campaign_launched",
                    timestamp=now, properties=properties, received_at=now,
                )
                for profile in members[start : start + 2]
            ]  # fmt: skip
            self.house.append(act.workspace, rows_of(items, PARTITIONS))

    def settle(self) -> None:
        """Everybody works until there is nothing left to do; after a while nobody is disturbed any more."""
        for number in range(ROUNDS):
            self.crew.is_calm = self.sender.is_calm = number >= DISTURBED
            if not self.round():
                break
        else:
            self.wrong.append(f"there is still something to do after {ROUNDS} rounds")
        self.crew.is_calm = self.sender.is_calm = False

    def round(self) -> bool:
        """One turn of everybody; says whether anything was left to do."""
        crew = self.crew
        before = crew.crashes + crew.fenced
        busy = [crew.turn(worker) for worker in crew.workers]
        if not any(busy):
            busy = [crew.rest(worker) for worker in crew.workers]
        for workspace in self.workspaces:
            busy.append(fill_next(self.house, workspace))
            busy.append(self.sender.work(workspace))
            busy.append(not self.house.is_read(workspace))
        return any(busy) or crew.crashes + crew.fenced > before

    def judge(self) -> list[str]:
        for workspace in self.workspaces:
            left = self.house.left(workspace)
            reference = Reference(self.house.folds, left)
            seen = Seen(self.house.folds, left, reference, self.sender.carried, self.consents)
            for check in CHECKS:
                self.note(workspace, check(seen), check.__name__)
        return self.wrong

    def note(self, workspace: int, found: Iterable[str], check: str = "at rest") -> None:
        self.wrong += [f"{check}: workspace {workspace}: {each}" for each in found]


def shrink(story: Story, making: Callable[[], House] = MemoryHouse, runs: int = 300) -> Story:
    """Leave out acts, many at once at first, as long as something stays wrong."""
    size = max(1, len(story.acts) // 2)
    while size:
        start, shorter = 0, False
        while start < len(story.acts) and runs > 0:
            runs -= 1
            without = story.without(start, size)
            if tell(without, making()).wrong:
                story, shorter = without, True
            else:
                start += size
        if not shorter or size > 1:
            size = size // 2 if size > 1 else 0
    return story
