"""What became of an `unknown` message is not known: it is listed, and a member may decide that it is sent again."""

from __future__ import annotations

from collections.abc import Callable

from kizuna.core import ids
from kizuna.testing.mail_server import DOT, DROPS, Act, MailServer
from kizuna.testing.shop import Shop


def test_an_unknown_message_is_sent_again_under_its_id_when_a_member_says_so(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(clock="live")
    with MailServer(lambda recipient, times: Act(DOT, DROPS) if times == 1 else None) as server:
        shop.template("hello", "Hello")
        shop.identify("ada", email="ada@example.com")
        shop.profile("ada")
        shop.ask("PUT", "/api/v1/providers/mail", {"kind": "smtp", "channel": "email", "settings": server.settings})
        said = {"profile": "user:ada", "channel": "email", "template": "hello"}
        message = shop.ask("POST", "/api/v1/messages", said, expect=202)["id"]
        path = f"/api/v1/messages/{message}"
        while shop.get(path)["state"] in ("planned", "claimed", "handed"):
            pass
        assert [each["id"] for each in shop.get("/api/v1/messages", state="unknown")["items"]] == [message]
        assert server.taken == []
        assert shop.ask("POST", f"{path}/resend", expect=202) == {"id": message}
        while shop.get(path)["state"] in ("planned", "claimed", "handed"):
            pass
        assert [state["state"] for state in shop.get(path)["history"]] == [
            "planned", "claimed", "handed", "unknown", "planned", "claimed", "handed", "sent",
        ]  # fmt: skip
        assert [each.message_id.partition("@")[0] for each in server.taken] == [message]
        assert shop.ask("POST", f"{path}/resend", expect=409)["code"] == "not_unknown"
        assert shop.ask("POST", f"/api/v1/messages/{ids.show('msg', bytes(16))}/resend", expect=404)
        assert "message_resent" in [each["event"] for each in shop.timeline("ada")]
