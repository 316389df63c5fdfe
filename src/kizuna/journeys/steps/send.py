"""`send`: ask for a message; the messages slice grants or skips it, the run goes on either way."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from kizuna.channels import best_channels
from kizuna.core import exact_json
from kizuna.journeys.problems import Problems
from kizuna.journeys.run import Run
from kizuna.journeys.steps import Context, Next, Proceed, Step
from kizuna.messages.grant import SendRequest

FIELDS = ("channel", "template", "topic", "transactional", "expires", "data")


class Send(Step):
    name = "send"

    class Settings(Struct, frozen=True):
        channels: tuple[str, ...]  # the first reachable is taken
        template: str
        topic: str | None
        transactional: bool
        expires: str  # empty: as the channel has it
        data: dict[str, Any]

    def parse(self, raw: dict[str, Any], pointer: str, problems: Problems) -> Settings:
        here = f"{pointer}/send"
        document = problems.object(raw["send"], here, FIELDS)
        transactional = document.get("transactional", False)
        if not isinstance(transactional, bool):
            problems.note(f"{here}/transactional", "not_a_boolean", "write true or false")
        if "expires" in document:
            problems.duration(document["expires"], f"{here}/expires")
        topic = document.get("topic")
        return self.Settings(
            channels=_channels(document.get("channel"), f"{here}/channel", problems),
            template=problems.text(document.get("template"), f"{here}/template", "the template's name"),
            topic=problems.text(topic, f"{here}/topic", "the topic's name") if topic is not None else None,
            transactional=transactional is True,
            expires=str(document.get("expires", "")),
            data=problems.object(document.get("data", {}), f"{here}/data"),
        )

    def arrive(self, run: Run, settings: Settings, context: Context) -> Next:
        times = run.sent.get(context.node, 0)
        run.sent[context.node] = times + 1
        context.voice.request(
            context.scope,
            SendRequest(
                channels=settings.channels,
                purpose=f"journey:{run.journey}:{context.node}",
                occurrence=f"{run.name}.{times}" if times else run.name,  # a loop says it anew
                template=settings.template,
                topic=settings.topic,
                transactional=settings.transactional,
                expires=settings.expires,
                journey=run.journey,
                run=run.name,
                step=context.node,
                event=run.event,
                data=settings.data if run.data == b"{}" else {**exact_json.decode(run.data), **settings.data},
                holdout=run.holdout,
            ),
        )
        return Proceed()


def _channels(raw: Any, pointer: str, problems: Problems) -> tuple[str, ...]:
    if raw == "best":  # until there is evidence of engagement, the channels in their order
        return tuple(best_channels())
    if isinstance(raw, list):
        named = problems.items(raw, pointer, "channel")
        return tuple(problems.text(each, f"{pointer}/{index}", "a channel") for index, each in enumerate(named))
    return (problems.text(raw, pointer, "a channel, such as email"),)
