"""`webhook`: hand JSON about this customer to a system of your own; texts may be Liquid. The run goes on at once."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from kizuna.core import exact_json
from kizuna.core.errors import Invalid
from kizuna.journeys.problems import Problems
from kizuna.journeys.run import Run
from kizuna.journeys.steps import Context, Next, Proceed, Step
from kizuna.journeys.wording import check_wording, worded
from kizuna.messages.grant import WEBHOOK, SendRequest


class Webhook(Step):
    name = "webhook"

    class Settings(Struct, frozen=True):
        provider: str
        body: Any
        expires: str

    def parse(self, raw: dict[str, Any], pointer: str, problems: Problems) -> Settings:
        here = f"{pointer}/webhook"
        document = problems.object(raw["webhook"], here, ("provider", "body", "expires"))
        if "expires" in document:
            problems.duration(document["expires"], f"{here}/expires")
        return self.Settings(
            provider=problems.text(document.get("provider"), f"{here}/provider", "the name of a provider"),
            body=_body(document.get("body", {}), f"{here}/body", problems),
            expires=str(document.get("expires", "72h")),
        )

    def arrive(self, run: Run, settings: Settings, context: Context) -> Next:
        """Worded now: what a receiver reads is what was true when the run came here, however often it is tried."""
        times = run.sent.get(context.node, 0)
        run.sent[context.node] = times + 1
        refused, body = None, ""
        try:
            said = worded({"body": settings.body}, run, context.scope)["body"]
            exact_json.check(said)
            body = exact_json.encode(said).decode()
        except Invalid:
            refused = "template_error"
        context.voice.request(
            context.scope,
            SendRequest(
                channels=(WEBHOOK,),
                provider=settings.provider,
                template="",
                purpose=f"journey:{run.journey}:{context.node}",
                occurrence=f"{run.name}.{times}" if times else run.name,  # a loop says it anew
                transactional=True,  # it reaches no person: no consent, cap or quiet hour is asked
                refused=refused,
                expires=settings.expires,
                journey=run.journey,
                run=run.name,
                step=context.node,
                event=run.event,
                data={"body": body},
                holdout=run.holdout,
            ),
        )
        return Proceed()


def _body(raw: Any, pointer: str, problems: Problems) -> Any:
    """An object or a list, or JSON as a text."""
    if isinstance(raw, str):
        try:
            raw = exact_json.decode(raw.encode())
        except msgspec.DecodeError as error:
            problems.note(pointer, "invalid_json", f"a text must be JSON, with Liquid inside its strings: {error}")
            return {}
    if not isinstance(raw, dict | list):
        problems.note(pointer, "not_an_object", "write the JSON to send: an object or a list")
        return {}
    check_wording(raw, pointer, problems)
    return raw
