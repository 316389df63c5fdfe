from __future__ import annotations

import pytest

from kizuna.accounts.rights import ACT, DEFINE, MANAGE, READ, RIGHTS, right_for


@pytest.mark.parametrize(
    ("method", "template", "right"),
    [
        ("GET", "/api/v1/profiles", READ),
        ("PATCH", "/api/v1/profiles/{ref:str}", ACT),
        ("DELETE", "/api/v1/profiles/{ref:str}", DEFINE),
        ("POST", "/api/v1/segments/preview", READ),
        ("PUT", "/api/v1/segments/{name:str}", DEFINE),
        ("POST", "/api/v1/insight/funnel", READ),
        ("POST", "/api/v1/journeys/{name:str}/enter", ACT),
        ("POST", "/api/v1/journeys/{name:str}/publish", DEFINE),
        ("POST", "/api/v1/messages", ACT),
        ("POST", "/api/v1/clock", DEFINE),
        ("GET", "/api/v1/keys", MANAGE),
        ("DELETE", "/api/v1/keys/{key_id:str}", MANAGE),
    ],
)
def test_a_route_needs_the_right_of_its_kind(method: str, template: str, right: str) -> None:
    assert right_for(method, template) == right


def test_an_ingest_key_reads_nothing() -> None:
    assert RIGHTS["ingest"] == {"ingest"}


def test_only_owners_manage() -> None:
    assert [role for role, rights in RIGHTS.items() if MANAGE in rights] == ["owner"]
