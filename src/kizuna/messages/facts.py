"""What messages say on a timeline: the same words on every channel."""

from __future__ import annotations

from kizuna.engine.fact import Fact

_MESSAGE = {
    "message": "id of the message",
    "channel": "email, sms, ...",
    "template?": "its name",
    "journey?": "with `run` and `step`, where a journey said it",
    "campaign?": "with `variant`, where a campaign said it",
    "topic?": "what it is about",
}
_REASON = {"reason": "why, in one word"}
_ACTOR = {"actor?": "human, unsure or machine"}

FACTS = (
    Fact("message_planned", "A message was granted.", {**_MESSAGE, "due_at?": "when it goes, where that is later"}),
    Fact("message_skipped", "A message was not granted, or not sent after all.", {**_MESSAGE, **_REASON}),
    Fact("message_released", "A cap that held a message lets it go.", {**_MESSAGE, "due_at": "when it goes"}),
    Fact("message_expired", "A message that waited is past its time.", {**_MESSAGE, **_REASON}),
    Fact("message_deferred", "The sender put a message off.", {**_MESSAGE, "due_at": "when it goes"}, "report"),
    Fact("message_sent", "A provider took the message over.", _MESSAGE, "report"),
    Fact("message_rejected", "A provider will never take it.", {**_MESSAGE, **_REASON}, "report"),
    Fact("message_unknown", "It may have been taken over; nobody can say.", {**_MESSAGE, **_REASON}, "report"),
    Fact("message_delivered", "It arrived where the customer is.", _MESSAGE, "report"),
    Fact("message_opened", "It was looked at.", {**_MESSAGE, **_ACTOR}, "report"),
    Fact("message_clicked", "A link in it was followed.", {**_MESSAGE, "url": "where it leads", **_ACTOR}, "report"),
    Fact("message_dismissed", "A push was put away unread.", _MESSAGE, "report"),
    Fact("message_bounced", "It came back.", {**_MESSAGE, "class?": "hard or soft", **_REASON}, "report"),
    Fact("message_complained", "The customer called it spam.", _MESSAGE, "report"),
    Fact("message_unsubscribed", "The customer wants no more of it.", {**_MESSAGE, "source": "by what way"}, "report"),
    Fact(
        "message_replied",
        "The customer answered, or wrote of their own accord.",
        {
            "channel": "where",
            "source": "the provider",
            "address": "from where",
            "text?": "their words",
            "form?": "kind",
        },
        "report",
    ),
)
