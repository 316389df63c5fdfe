"""The fields of a policy, with what each means; `[]` stands for each of a list."""

from __future__ import annotations

FIELDS = {
    "caps": "how many messages one customer gets at most; a list",
    "caps[].channel": "of this channel; all where it is left out",
    "caps[].topic": "about this topic; all where it is left out",
    "caps[].max": "so many",
    "caps[].per": "within this duration, such as `1d`",
    "caps[].window": "`sliding` (the default) counts back from now, `calendar` from the customer's local midnight",
    "caps[].then": "`skip` (the default), `hold` until there is room, or `next_channel`",
    "caps[].hold_for": "how long a held message waits (48h)",
    "daily_ceiling": "so many a local day over all channels: a number, or an object",
    "daily_ceiling.max": "so many",
    "daily_ceiling.then": "`skip` or `hold`",
    "daily_ceiling.hold_for": "how long a held message waits (48h)",
    "quiet_hours": "when nothing is said but transactional messages, in the customer's zone",
    "quiet_hours.from": "local time, such as `21:00`",
    "quiet_hours.to": "local time, such as `08:00`",
    "quiet_hours.then": "`hold` (the default) until they end, or `skip`",
    "quiet_hours.by": "hours of a channel or country; the first that fits counts before the general ones; a list",
    "quiet_hours.by[].channel": "of this channel; all where it is left out",
    "quiet_hours.by[].country": "of customers in this country, as two letters; all where it is left out",
    "quiet_hours.by[].from": "local time, such as `21:00`",
    "quiet_hours.by[].to": "local time, such as `08:00`",
    "quiet_hours.by[].then": "`hold` (the default) until they end, or `skip`",
    "law": "the law whose rules hold where no other is named: `custom`, `jp`, `gdpr`, `can_spam`, `casl` or `tcpa`",
    "laws": "other laws for some countries, channels or topics; a list",
    "laws[].law": "one of the same",
    "laws[].country": "of customers in this country, as two letters; all where it is left out",
    "laws[].channel": "of this channel; all where it is left out",
    "laws[].topic": "about this topic; all where it is left out",
    "sender": "who writes, as laws want it shown: an object; templates see it as `workspace.sender`",
    "sender.name": "the name of the company",
    "sender.address": "its postal address",
    "sender.contact": "where complaints and questions go",
    "double_opt_in": "how opt-ins are confirmed: an object",
    "double_opt_in.template": "the template of the mail that asks; it holds `message.confirm_url`",
    "double_opt_in.expires": "how long the link can be used, such as `7d`",
    "double_opt_in.most": "how often a customer is asked at most in thirty days (3)",
    "keep_ip": "whether proofs keep the address of the device that confirmed (no)",
    "utm": "parameters such as `source`, `medium` and `campaign` for links of mails, Liquid in their values: an object",
    "answers": "what is said to `STOP`, `START` and `HELP` by SMS; what is left out is as usual: an object",
    "answers.help": "to `HELP`: a text, one for each language (`{en, ja}`), or `false` for no answer",
    "answers.stop": "the same, to `STOP`: once for an opt-out",
    "answers.start": "the same, to `START`",
    "scanners": "further networks, such as `192.0.2.0/24`, whose opens and clicks are machines' (at most 500); a list",
    "holdout": "per cent of all profiles that receive nothing but transactional messages",
    "limits": "when harm pauses a channel",
    "limits.complaints": "complaints among what was delivered: an object",
    "limits.complaints.pause": "share from which marketing is paused (0.001)",
    "limits.complaints.stop": "share from which everything is stopped (0.0025)",
    "limits.complaints.over": "so many delivered at least; fewer say nothing (1000)",
    "limits.hard_bounces": "hard bounces among what was tried: an object",
    "limits.hard_bounces.pause": "share from which marketing is paused (0.05)",
    "limits.hard_bounces.over": "so many tried at least (100)",
    "limits.within": "over this duration (24h)",
}


def below(outer: str = "") -> tuple[str, ...]:
    """The names directly within a field; of the whole policy without one."""
    inner = (
        name.removeprefix(f"{outer}." if outer else "")
        for name in FIELDS
        if name.startswith(f"{outer}." if outer else "")
    )
    return tuple(name for name in inner if "." not in name and "[]" not in name)
