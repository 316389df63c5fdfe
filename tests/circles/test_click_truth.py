"""Who opened and clicked: people count, machines are kept apart, and what was taken for a person's is said anew."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from kizuna.config import Config
from kizuna.testing.crew import Crew
from kizuna.testing.mail_shop import BASE, Shop

PERSON = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"}
LETTER = {
    "channel": "email", "subject": "Three", "format": "liquid+html",
    "body": "".join(f'<a href="https://shop.example/{n}">{n}</a>' for n in range(3)),
}  # fmt: skip


@pytest.fixture
def shop(open_house: Callable[..., Any], database_url: str) -> Iterator[Shop]:
    house = open_house(public_url=BASE)
    with Crew(Config(database_url=database_url, public_url=BASE)):
        made = Shop(house)
        made.put("/api/v1/templates/three", LETTER)
        yield made


class Mail:
    """One message with its addresses."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        shop.identify("ada")
        self.id = shop.say("ada", template="three")["id"]
        body = shop.mail()["body"]
        self.links = [shop.path(each) for each in re.findall(r'href="([^"]+/c/[^"]+)"', body)]
        self.trap = shop.path(re.findall(r'href="([^"]+/t/[^"]+)"', body)[0])
        self.pixel = shop.path(re.findall(r'src="([^"]+/o/[^"]+)"', body)[0])

    def ask(self, path: str, method: str = "GET", agent: dict[str, str] = PERSON) -> str:
        answer = self.shop.house.client.request(method, path, headers=agent, follow_redirects=False)
        assert answer.status_code in (200, 204, 302), answer.text
        return answer.headers["kizuna-position"]

    def shown(self, position: str) -> tuple[str, list[tuple[str, str]]]:
        """Its state, and what was done to it by whom."""
        found = self.shop.get(f"/api/v1/messages/{self.id}", position)
        acts = [each for each in found["history"] if each["state"] in ("opened", "clicked")]
        return found["state"], [(each["state"], each.get("actor", "human")) for each in acts]


def test_a_link_followed_without_end_leads_on_and_is_written_a_hundred_times(shop: Shop) -> None:
    mail = Mail(shop)

    def follow(path: str) -> Any:
        return shop.house.client.get(path, headers=PERSON, follow_redirects=False)

    with ThreadPoolExecutor(8) as many:
        answers = list(many.map(follow, [mail.links[0]] * 108))
        pixels = list(many.map(follow, [mail.pixel] * 103))
    assert {(each.status_code, each.headers["location"]) for each in answers} == {(302, "https://shop.example/0")}
    assert {each.status_code for each in pixels} == {200}
    written = shop.house.sql("SELECT state, count(*)::integer FROM touch GROUP BY state ORDER BY state")
    assert written == [("clicked", 100), ("opened", 100)]
    assert "kizuna-position" not in follow(mail.links[0]).headers


def test_a_person_clicks_and_counts(shop: Shop) -> None:
    mail = Mail(shop)
    mail.ask(mail.links[0])
    assert mail.shown(mail.ask(mail.links[1])) == ("clicked", [("clicked", "human")] * 2)


def test_heads_agents_and_proxies_change_no_state(shop: Shop) -> None:
    mail = Mail(shop)
    mail.ask(mail.links[0], "HEAD")
    mail.ask(mail.pixel, "HEAD")
    mail.ask(mail.pixel, agent={"User-Agent": "Mozilla/5.0"})
    position = mail.ask(mail.links[1], agent={"User-Agent": "BarracudaCentral/1.0"})
    acts = [("clicked", "machine"), ("opened", "machine"), ("opened", "machine"), ("clicked", "machine")]
    assert mail.shown(position) == ("sent", acts)


def test_a_burst_takes_back_what_was_said_before_it_was_known(shop: Shop) -> None:
    mail = Mail(shop)
    mail.ask(mail.pixel)
    for link in mail.links[:2]:
        position = mail.ask(link)
    assert mail.shown(position) == ("clicked", [("opened", "human")] + [("clicked", "human")] * 2)
    shop.house.sql("UPDATE touch SET at = real_now()")  # whatever a busy machine took until here
    position = mail.ask(mail.links[2])
    assert mail.shown(position) == ("sent", [("opened", "machine")] + [("clicked", "machine")] * 3)
    later = mail.ask(mail.links[0])
    assert mail.shown(later)[1][-1] == ("clicked", "machine")
    told = [
        each for each in shop.get("/api/v1/profiles/user:ada/timeline", later)["items"] if "restated" in each["event"]
    ]
    assert [len(each["properties"]["items"]) for each in told] == [4]


def test_clicks_that_come_at_the_same_time_are_restated_once_each(shop: Shop) -> None:
    mail = Mail(shop)
    with ThreadPoolExecutor(6) as crowd:
        positions = list(crowd.map(mail.ask, mail.links * 4))
    state, acts = mail.shown(max(positions, key=int))
    assert (state, acts) == ("sent", [("clicked", "machine")] * 12)
    assert shop.house.sql("SELECT count(*)::integer FROM touch WHERE actor <> 'machine'") == [(0,)]


def test_who_follows_the_hidden_link_is_a_machine_and_unsubscribes_nobody(shop: Shop) -> None:
    mail = Mail(shop)
    mail.ask(mail.links[0])
    state, acts = mail.shown(mail.ask(mail.trap))
    assert (state, acts) == ("sent", [("clicked", "machine")] * 2)
    assert shop.say("ada")["state"] == "sent"


def test_a_click_leads_to_its_own_link_with_its_parameters_and_nowhere_else(shop: Shop) -> None:
    shop.put("/api/v1/policy", {"utm": {"source": "kizuna", "content": "{{ profile.traits.name }}"}})
    mail = Mail(shop)
    client = shop.house.client
    wanted = "https://shop.example/0?utm_source=kizuna&utm_content=Ada"
    attacks = (
        "",
        "?url=https://evil.example",
        "?to=//evil.example",
        "?%0d%0aLocation:https://evil.example",
        "#@evil.example",
    )
    for attack in attacks:
        answer = client.get(mail.links[0] + attack, headers=PERSON, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (302, wanted)
    for forged in (
        "/c/https://evil.example",
        "/c/%2F%2Fevil.example",
        mail.trap.replace("/t/", "/c/"),
        mail.links[0] + "/x",
    ):
        answer = client.get(forged, headers=PERSON, follow_redirects=False)
        assert answer.status_code == 404
        assert "location" not in answer.headers


def test_a_click_leads_to_addresses_of_any_letters(shop: Shop) -> None:
    links = "".join(f'<a href="{url}">x</a>' for url in ("https://shop.example/茶?q=é#😀", "https://例え.jp/"))
    shop.put("/api/v1/templates/three", {**LETTER, "body": links})
    client = shop.house.client
    led = [client.get(each, headers=PERSON, follow_redirects=False) for each in Mail(shop).links]
    assert [(each.status_code, each.headers["location"]) for each in led] == [
        (302, "https://shop.example/%E8%8C%B6?q=%C3%A9#%F0%9F%98%80"),
        (302, "https://xn--r8jz45g.jp/"),
    ]
