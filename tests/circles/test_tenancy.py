"""Every route of the app, asked by one workspace for what is another's: nothing is read, nothing is changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from litestar.routes import HTTPRoute

from kizuna.core import ids
from kizuna.paper import code

CANARY = "canary7f3a51"  # what only workspace A may read
NAME = "object-a"  # what everybody may guess: the name of A's objects
RAW_ID = b"\xa5" * 16
CODE = code.make(b"secret", 1, RAW_ID)

# Routes that take no key of a workspace. Each says here what protects it instead.
PUBLIC = {
    "GET /health/live": "says nothing",
    "GET /health/ready": "says nothing",
    "GET /metrics": "numbers by workspace id",
    "GET /api/openapi.json": "the API's description",
    "GET /api/openapi.json/{path:str}": "the API's description",
    "GET /api/openapi.json/openapi.json": "the API's description",
    "GET /api/console/state": "whether an owner exists",
    "POST /api/console/setup": "one-time token",
    "POST /api/console/sign-in": "password",
    "POST /api/console/sign-out": "ends the session it comes with",
    "POST /in-page/pull": "write key, and for known customers a token of the shop",
    "POST /in-page/acts": "write key, and a signed token for each act",
    "POST /v1/m": "taken and let go",
    "POST /m": "taken and let go",
}
TRACKING = ("track", "identify", "page", "screen", "group", "alias", "batch", "import", *"tipsgab")
PUBLIC |= {f"POST {prefix}/{word}": "write key" for prefix in ("", "/v1") for word in TRACKING}
PUBLIC |= {f"GET {prefix}/projects/{{write_key:str}}/settings": "write key" for prefix in ("", "/v1")}
PUBLIC |= {
    f"{method} {path}": "signed token"
    for method, path in [
        ("GET", "/u/{token:str}"),
        ("POST", "/u/{token:str}"),
        ("GET", "/p/{token:str}"),
        ("POST", "/p/{token:str}"),
        ("GET", "/c/{token:str}"),
        ("GET", "/t/{token:str}"),
        ("POST", "/d/{token:str}"),
        ("GET", "/o/{name:str}"),
        ("GET", "/v/{token:str}"),
        ("GET", "/q/{token:str}"),  # the code of a letter
        ("GET", "/y/{token:str}"),
        ("POST", "/y/{token:str}"),
        ("POST", "/reports/{name:str}/{token:str}"),
        ("GET", "/reports/{name:str}/{token:str}"),
    ]
}
PUBLIC["POST /f/{write_key:str}"] = "write key"
NAMES_NOTHING_OF_A = {
    "GET /api/v1/insight/{metric:str}": "a metric is everybody's",
    "GET /api/v1/profiles/{ref:str}/why": "wants one question, and is refused before it looks",
}
SESSION = {"GET /api/console/me", "GET /api/v1/workspaces", "POST /api/v1/workspaces"}  # a member, not a key

PROFILE = ids.show("prf", RAW_ID)
PARAMETERS: dict[str, list[str]] = {
    "ref": [PROFILE, f"email:{NAME}%40example.com"],
    "name": [NAME],
    "metric": ["revenue"],
    "model": ["aarrr"],
    "message": [ids.show("msg", RAW_ID)],
    "key_id": ["<key of A>"],
    "alarm": ["1", "alm_1"],
    "call": [ids.show("msg", RAW_ID)],
    "number": ["1"],
    "code": [CODE],
    "item": [NAME],
    "import_id": [ids.show("imp", RAW_ID)],
    "write_key": ["wk_none"],
    "token": ["none"],
    "path": ["none"],
}

RULE = {"trait": "secret", "exists": True}
EVENT = {"event": "Order Completed"}
SPAN = {"from": "2020-01-01T00:00:00Z", "to": "2030-01-01T00:00:00Z"}
BODIES: dict[str, Any] = {
    "POST /api/v1/keys": {"role": "analyst"},
    "POST /api/v1/workspaces": {"name": "third"},
    "POST /api/v1/clock": {"advance": "1d"},
    "POST /api/v1/rejected/replay": {},
    "PATCH /api/v1/profiles/{ref:str}": {"traits": {"plan": "x"}},
    "PUT /api/v1/profiles/{ref:str}/consent": {"channel": "email", "state": "opted_out", "source": "api"},
    "POST /api/v1/consent/import": {"items": [{"profile": PROFILE, "channel": "email", "state": "opted_in"}]},
    "PUT /api/v1/segments/{name:str}": {"where": RULE},
    "POST /api/v1/segments/preview": {"where": RULE},
    "PUT /api/v1/journeys/{name:str}": {
        "name": NAME, "entry": {"on": {"event": "E"}}, "steps": [{"id": "wait", "delay": "1d"}],
    },
    "POST /api/v1/plan": {"definitions": [{"kind": "segment", "name": NAME, "body": {"where": RULE}}]},
    "POST /api/v1/apply": {"definitions": [{"kind": "segment", "name": NAME, "body": {"where": RULE}}]},
    "POST /api/v1/journeys/{name:str}/publish": {},
    "POST /api/v1/journeys/{name:str}/pause": {},
    "POST /api/v1/journeys/{name:str}/resume": {},
    "POST /api/v1/journeys/{name:str}/stop": {},
    "POST /api/v1/journeys/{name:str}/reweigh": {},
    "POST /api/v1/journeys/{name:str}/enter": {"profile": PROFILE},
    "PUT /api/v1/campaigns/{name:str}": {
        "segment": NAME, "schedule": "now", "send": {"channel": "email", "template": NAME, "topic": "news"},
    },
    "POST /api/v1/campaigns/{name:str}/launch": {},
    "PUT /api/v1/templates/{name:str}": {"channel": "email", "subject": "s", "body": "b", "format": "liquid+text"},
    "POST /api/v1/templates/render": {"template": NAME, "profile": PROFILE},
    "PUT /api/v1/providers/{name:str}": {"kind": "outbox", "channel": "email", "settings": {}},
    "PUT /api/v1/feeds/{name:str}": {"to": {"kind": "files"}, "events": ["Order Completed"]},
    "POST /api/v1/feeds/{name:str}/resume": {},
    "POST /api/v1/feeds/{name:str}/rewind": {"to": "2026-01-01T00:00:00Z"},
    "PUT /api/v1/policy": {"caps": []},
    "PUT /api/v1/catalogs/{name:str}": {"items": [{"id": NAME}]},
    "POST /api/v1/catalogs/{name:str}/items": {"items": [{"id": NAME}]},
    "PUT /api/v1/catalogs/{name:str}/items/{item:str}": {"price": 1},
    "PATCH /api/v1/catalogs/{name:str}/items/{item:str}": {"price": 1},
    "PUT /api/v1/promotions/{name:str}": {"per_profile": 1},
    "POST /api/v1/promotions/{name:str}/codes": {"codes": [NAME]},
    "POST /api/v1/promotions/redeem": {"code": NAME},
    "PUT /api/v1/credentials/{name:str}": {"hosts": ["api.example.com"], "token": "t"},
    "PUT /api/v1/brand-voice": {"avoid": [{"word": "cheap"}]},
    "PUT /api/v1/topics/{name:str}": {"title": "News"},
    "PUT /api/v1/seed-lists/{name:str}": {"addresses": ["seed@example.com"]},
    "POST /api/v1/templates/{name:str}/test": {"to": ["seed@example.com"], "profile": PROFILE},
    "POST /api/v1/providers/{name:str}/check": {},
    "POST /api/v1/messages": {"profile": PROFILE, "channel": "email", "template": NAME, "transactional": True},
    "POST /api/v1/messages/{message:str}/resend": {},
    "POST /api/v1/segments/{name:str}/backtest": {"from": "2026-01-01", "definition": {"where": RULE}},
    "POST /api/v1/journeys/{name:str}/backtest": {"from": "2026-01-01"},
    "POST /api/v1/campaigns/{name:str}/backtest": {"from": "2026-01-01"},
    "POST /api/v1/insight/funnel": {"steps": [EVENT], "window": "1d", "order": "ordered", **SPAN},
    "POST /api/v1/insight/retention": {"start": EVENT, "return": EVENT, "unit": "month", "periods": 2, **SPAN},
    "POST /api/v1/insight/clv": {"event": "Order Completed", "until": "2030-01-01", "horizon": "90d"},
    "POST /api/v1/letters/batches/{number:int}/posted": {},
    "POST /api/v1/letters/returned": {"codes": [CODE]},
    "POST /api/v1/letters/codes/{code:str}/redeem": {},
    "POST /api/v1/calls/{call:str}/outcome": {"outcome": "reached"},
    "POST /api/v1/calls/export": {},
    "POST /api/v1/calls/next": {},
    "POST /api/v1/insight/sql": {"sql": "SELECT * FROM events"},
}  # fmt: skip


def endpoints(app: Any) -> list[tuple[str, str, Any]]:
    """Method, path template and handler of the whole route table."""
    found = [
        (str(getattr(method, "value", method)), route.path, handler)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in handler.http_methods
    ]
    order = ("GET", "DELETE", "PATCH", "POST", "PUT")  # what makes objects of the same names in B comes last
    return sorted((one for one in found if one[0] in order), key=lambda one: (order.index(one[0]), one[1]))


def addresses(template: str, key_of_a: str) -> Iterator[str]:
    """The paths that name A's objects; fails on a parameter nobody has thought of."""
    paths = [""]
    for part in template.strip("/").split("/"):
        if part.startswith("{"):
            name = part.strip("{}").partition(":")[0]
            assert name in PARAMETERS, f"say in PARAMETERS which of A's objects {{{name}}} of {template} may name"
            values = [key_of_a if value == "<key of A>" else value for value in PARAMETERS[name]]
            paths = [f"{path}/{value}" for path in paths for value in values]
        else:
            paths = [f"{path}/{part}" for path in paths]
    yield from paths


# what A has ---------------------------------------------------------------------------------------------------------

OWN_ROWS = {"workspace", "api_key", "log_head", "member"}  # made by creating a workspace, or by people


def fill(house: Any, workspace: int) -> None:
    """A row of A in every table that has a workspace, whatever tables there are."""
    columns = house.sql("""
        SELECT c.table_name, c.column_name, c.data_type, c.is_identity = 'YES',
               EXISTS (SELECT 1 FROM information_schema.key_column_usage k
                       WHERE k.table_name = c.table_name AND k.column_name = c.column_name)
        FROM information_schema.columns c
        WHERE c.table_schema = 'public' AND c.table_name IN
              (SELECT table_name FROM information_schema.columns WHERE column_name = 'workspace')
        AND c.table_name IN (SELECT table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE')""")
    tables: dict[str, dict[str, Any]] = {}
    for table, column, kind, is_identity, is_key in columns:
        if table not in OWN_ROWS and not is_identity:
            tables.setdefault(table, {})[column] = value(table, column, kind, is_key=is_key)
    for table, row in tables.items():
        row["workspace"] = workspace
        kinds = KINDS if table in ("definition", "draft") else [None]
        for kind in kinds:
            if kind:
                row["kind"] = kind
            if table == "definition":
                row |= {"status": "active", "introduced": 1, "retired": None}
            names = ", ".join(f'"{column}"' for column in row)
            marks = ", ".join(["%s"] * len(row))
            house.sql(f"INSERT INTO {table} ({names}) VALUES ({marks})", *row.values())


KINDS = ["segment", "journey", "campaign", "template", "provider", "topic", "policy", "catalog", "promotion"]
NAMES = {"name", "segment", "journey", "campaign", "template", "purpose", "id", "key"}


def value(table: str, column: str, kind: str, *, is_key: bool) -> Any:
    """Something the column takes: guessable in names and keys, the canary everywhere else."""
    if (table, column) == ("message", "state"):
        return "planned"
    if (table, column) == ("letter", "code"):
        return CODE
    match kind:
        case "text":
            return NAME if is_key or column in NAMES else CANARY
        case "jsonb" if column in ("history", "links"):
            return json.dumps([{"state": CANARY, "at": 1, "url": CANARY}])
        case "jsonb":
            return json.dumps({"secret": CANARY, "email": f"{NAME}@example.com"})
        case "bytea":
            is_section = table == "profile" and column not in ("id", "merged_into")
            if is_section or (table, column) == ("profile", "merged_into"):
                return None
            return RAW_ID if is_key or column in ("profile", "message") else CANARY.encode()
        case "boolean":
            return False
        case "date":
            return "2026-01-01"
        case "ARRAY":
            return [1]
        case _:
            return 1


def everything(house: Any, workspace: int) -> dict[str, str]:
    """A digest of all rows of a workspace, by table."""
    tables = house.sql("""
        SELECT table_name FROM information_schema.columns
        WHERE table_schema = 'public' AND column_name = 'workspace'""")
    digest = "SELECT '{0}', md5(string_agg(t::text, '' ORDER BY t::text)) FROM {0} t WHERE workspace = {1}"
    parts = [digest.format(table, workspace) for (table,) in tables]
    parts.append(f"SELECT 'workspace', md5(string_agg(w::text, '')) FROM workspace w WHERE id = {workspace}")
    return dict(house.sql(" UNION ALL ".join(parts)))


@pytest.fixture
def two(house: Any) -> dict[str, Any]:
    """Workspace A with an object of every kind, and B with none."""
    a, b = house.workspace("a", clock="test"), house.workspace("b")
    number = int(a["id"].removeprefix("wsp_"))
    fill(house, number)
    [(key_of_a,)] = house.sql("SELECT id FROM api_key WHERE workspace = %s AND role = 'ingest'", number)
    return {"a": a, "b": b, "number": number, "key_of_a": key_of_a}


# the tests ----------------------------------------------------------------------------------------------------------


def test_every_route_is_public_on_purpose_or_takes_a_caller(house: Any) -> None:
    for method, template, handler in endpoints(house.client.app):
        parameters = handler.parsed_fn_signature.parameters
        if f"{method} {template}" in PUBLIC:
            continue
        wanted = "member" if f"{method} {template}" in SESSION else "caller"
        assert wanted in parameters, f"{method} {template} asks for no {wanted}: is it public? Then say so in PUBLIC"


def test_without_a_key_nothing_answers(house: Any) -> None:
    for method, template, _ in endpoints(house.client.app):
        if f"{method} {template}" in PUBLIC:
            continue
        for path in addresses(template, "kid_none"):
            answer = house.client.request(method, path, json=BODIES.get(f"{method} {template}", {}))
            assert answer.status_code == 401, f"{method} {path}: {answer.status_code} {answer.text}"


def test_a_write_key_reads_nothing(house: Any, two: dict[str, Any]) -> None:
    key = {"Authorization": f"Bearer {two['a']['write_key']}"}
    for method, template, _ in endpoints(house.client.app):
        if f"{method} {template}" in PUBLIC:
            continue
        for path in addresses(template, two["key_of_a"]):
            answer = house.client.request(method, path, json=BODIES.get(f"{method} {template}", {}), headers=key)
            assert answer.status_code == 403, f"{method} {path}: {answer.status_code} {answer.text}"


def test_another_workspaces_key_reads_and_changes_nothing(house: Any, two: dict[str, Any]) -> None:
    before = everything(house, two["number"])
    for method, template, handler in endpoints(house.client.app):
        name = f"{method} {template}"
        if "data" in handler.parsed_fn_signature.parameters and name not in PUBLIC:
            assert name in BODIES, f"say in BODIES what a good request to {name} looks like"
        for path in addresses(template, two["key_of_a"]):
            for query in ("", f"?search={NAME}&segment={NAME}&profile={PROFILE}&campaign={NAME}&journey={NAME}"):
                body = BODIES.get(name) if method not in ("GET", "DELETE") else None
                answer = house.client.request(
                    method, path + query, json=body, headers=house.bearer(two["b"]), follow_redirects=False
                )
                assert CANARY not in answer.text, f"{name}: {answer.text}"
                assert answer.status_code < 500, f"{name}: {answer.text}"
                if "{" in template and method in ("GET", "DELETE") and name not in NAMES_NOTHING_OF_A:
                    assert answer.status_code in (401, 403, 404), f"{name}: {answer.status_code} {answer.text}"
        assert everything(house, two["number"]) == before, f"{name} changed another workspace"


def test_the_canary_is_there_to_be_found(house: Any, two: dict[str, Any]) -> None:
    """A's own key reads what B's key did not: else the test above proves nothing."""
    found = set()
    for method, template, _ in endpoints(house.client.app):
        if method == "GET" and f"{method} {template}" not in PUBLIC:
            for path in addresses(template, two["key_of_a"]):
                answer = house.client.get(path, headers=house.bearer(two["a"]))
                if CANARY in answer.text:
                    found.add(template)
    assert {"/api/v1/rejected", "/api/v1/profiles/{ref:str}", "/api/v1/messages/{message:str}"} <= found
    assert "/api/v1/definitions" in found
    assert "/api/v1/letters/batches/{number:int}/letters.csv" in found
    assert {f"/api/v1/{kind}/{{name:str}}" for kind in ("templates", "journeys", "campaigns")} <= found


def test_a_member_of_one_workspace_does_not_see_another(house: Any, two: dict[str, Any]) -> None:
    house.own()
    [(b,)] = house.sql("SELECT id FROM workspace WHERE name = 'b'")
    house.sql("UPDATE member SET workspace = %s", b)
    assert [found["name"] for found in house.client.get("/api/console/me").json()["workspaces"]] == ["b"]
    assert house.client.get("/api/v1/workspace", headers={"Kizuna-Workspace": "b"}).status_code == 200
    for named in ("a", two["a"]["id"]):
        assert house.client.get("/api/v1/workspace", headers={"Kizuna-Workspace": named}).status_code == 404
    headers = {"Origin": "http://testserver.local"}
    assert house.client.post("/api/v1/workspaces", json={"name": "c"}, headers=headers).status_code == 403
