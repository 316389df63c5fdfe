"""A house with one workspace that says things by mail, in the words of a test."""

from __future__ import annotations

from typing import Any

from kizuna.testing.mail import TEMPLATE

BASE = "http://testserver.local"


class Shop:
    """A house with one workspace, its crew, and the words of a test."""

    def __init__(self, house: Any) -> None:
        self.house = house
        self.workspace = house.workspace()
        self.auth = house.bearer(self.workspace)
        self.last = self.put("/api/v1/templates/hello", TEMPLATE)

    def put(self, path: str, body: Any, status: int = 200) -> str:
        answer = self.house.client.put(path, json=body, headers=self.auth)
        assert answer.status_code == status, answer.text  # noqa: S101
        return answer.headers.get("kizuna-position", "")

    def get(self, path: str, after: str = "") -> Any:
        headers = self.auth | ({"Kizuna-After": after} if after else {})
        answer = self.house.client.get(path, params={"wait": "20s"} if after else None, headers=headers)
        assert answer.status_code == 200, answer.text  # noqa: S101
        return answer.json()

    def identify(self, user: str, **traits: Any) -> str:
        body = {"userId": user, "traits": {"email": f"{user}@example.com", "name": user.title(), **traits}}
        key = {"Authorization": f"Bearer {self.workspace['write_key']}"}
        answer = self.house.client.post("/v1/identify", json=body, headers=key)
        assert answer.status_code == 200, answer.text  # noqa: S101
        position = answer.headers["kizuna-position"]
        self.get(f"/api/v1/profiles/user:{user}", position)
        return position

    def say(self, user: str, **more: Any) -> dict[str, Any]:
        """Say hello, and the message once it came to its end."""
        body = {"profile": f"user:{user}", "channel": "email", "template": "hello", **more}
        answer = self.house.client.post("/api/v1/messages", json=body, headers=self.auth)
        assert answer.status_code == 202, answer.text  # noqa: S101
        return self.get(f"/api/v1/messages/{answer.json()['id']}", answer.headers["kizuna-position"])

    def mail(self) -> dict[str, Any]:
        return self.get("/api/v1/outbox")["items"][0]

    def path(self, url: str) -> str:
        assert url.startswith(BASE), url  # noqa: S101
        return url.removeprefix(BASE)

    def unsubscribe_path(self) -> str:
        return self.path(self.mail()["headers"]["List-Unsubscribe"].strip("<>"))

    def consent(self, user: str, **said: Any) -> Any:
        return self.house.client.put(f"/api/v1/profiles/user:{user}/consent", json=said, headers=self.auth)

    def facts(self, user: str) -> list[str]:
        rows = self.house.sql(
            "SELECT name, value::bigint FROM (SELECT name, sum(value) AS value FROM counter GROUP BY 1) c"
        )
        return [name for name, _ in rows]

    def count(self, counter: str) -> int:
        return self.house.sql("SELECT coalesce(sum(value), 0)::bigint FROM counter WHERE name = %s", counter)[0][0]
