"""What to look at before a mail is sent: its size, and links and images that lead nowhere."""

from __future__ import annotations

from kizuna.templates.markup import OPEN, attribute, pieces

CLIPPED_AT = 102_000  # bytes: Gmail shows the rest behind a link
LONGEST_SUBJECT = 255
_LEADS = ("http://", "https://", "mailto:", "tel:", "sms:", "line:")
_EXAMPLES = 5  # of each kind


def warnings_of(subject: str | None, body: str) -> list[str]:
    """In the order in which they matter."""
    said: dict[str, list[str]] = {}
    for kind, name, rest in pieces(body):
        if kind == OPEN and name == "a" and (found := _wrong_link(rest)) is not None:
            said.setdefault("link without an address that works", []).append(found)
        elif kind == OPEN and name == "img" and (found := _wrong_image(rest)) is not None:
            said.setdefault("image that mail programs cannot load", []).append(found)
    size = len(body.encode("utf-8", "surrogatepass"))
    general = (
        [f"the body has {size:,} bytes: Gmail clips mails of more than {CLIPPED_AT:,}"] if size > CLIPPED_AT else []
    )
    if subject is not None and len(subject) > LONGEST_SUBJECT:
        general.append(f"the subject has {len(subject):,} characters")
    if subject is not None and not subject.strip():
        general.append("the subject is empty")
    listed = [f"{what}: {each[:100] or '(empty)'}" for what, found in said.items() for each in found[:_EXAMPLES]]
    return general + listed


def _wrong_link(rest: str) -> str | None:
    address = attribute(rest, "href")
    has_name = " name=" in rest.lower() or " id=" in rest.lower()
    is_fine = address.lower().startswith(_LEADS) or (address.startswith("#") and len(address) != 1)
    return None if is_fine or address == "#" or (not address and has_name) else address


def _wrong_image(rest: str) -> str | None:
    source = attribute(rest, "src")
    return None if source.lower().startswith(("http://", "https://", "cid:", "data:image/")) else source
