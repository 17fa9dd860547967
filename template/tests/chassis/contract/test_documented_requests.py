"""What the document says may be sent is read, and what it does not say is refused."""

import re
from typing import Any
from uuid import UUID, uuid4

import pytest

from callers import Client, ClientFor, Person
from service.chassis.app import Service
from service.chassis.contract.idempotency import read_key
from service.chassis.errors import Malformed
from service.chassis.identity import Role, TenantId

TENANT = "6F0C1B52-6c8e-4b5e-9a55-0a3a4d1c7e10"


@pytest.fixture
def document(app: Service) -> dict[str, Any]:
    return app.openapi()


def parameter(document: dict[str, Any], operation: tuple[str, str], name: str) -> dict[str, Any]:
    method, path = operation
    parameters = document["paths"][path][method]["parameters"]
    (schema,) = (each["schema"] for each in parameters if each["name"] == name)
    found: dict[str, Any] = schema
    return found


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/v1/sessions/end-all"),
        ("DELETE", "/v1/sessions/refresh"),
        ("DELETE", "/v1/account/passkeys/begin"),
        ("GET", "/v1/sign-in/passkey/begin"),
    ],
)
async def test_a_name_in_the_place_of_an_id_is_an_address_of_its_own(
    client_for: ClientFor, acme: TenantId, method: str, path: str
) -> None:
    owner = client_for(acme, Role.OWNER)
    answer = await owner.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    place = path.rpartition("/")[0] if method == "DELETE" else f"/v1/sign-in/{acme}"
    assert (await owner.request(method, f"{place}/{uuid4()}")).status_code == 404


KEYS = ["a", '"a b"', '"a\\"b"', "a+b:c", "a,b", "a;b", 'a"b', '""', "a b", "", "é", '"a', "a\\b"]


@pytest.mark.example
@pytest.mark.parametrize("key", [*KEYS, "x" * 255, "x" * 256])
def test_the_keys_of_the_document_are_those_that_are_read(
    document: dict[str, Any], key: str
) -> None:
    schema = parameter(document, ("post", "/v1/notes"), "Idempotency-Key")
    documented = bool(re.search(schema["pattern"], key)) and len(key) <= schema["maxLength"]
    try:
        read_key([key])
    except Malformed:
        assert not documented
    else:
        assert documented


async def test_a_tenant_is_named_as_the_document_says(
    app: Service, document: dict[str, Any]
) -> None:
    schema = document["components"]["schemas"]["ResetRequest"]["properties"]["tenant"]
    for tenant, status in [(TENANT, 204), ("", 422), ("acme", 422), (f"{TENANT}0", 422)]:
        body = {"tenant": tenant, "email": "ana@example.org"}
        answer = await Client(app, None).post("/v1/accounts/reset-letter", json=body)
        assert answer.status_code == status
        assert bool(re.search(schema["pattern"], tenant)) == (status == 204)


async def test_a_provider_is_named_as_the_document_says(
    app: Service, document: dict[str, Any]
) -> None:
    begin, back = "/v1/sign-in/{tenant_id}/{provider}", "/v1/sign-in/callback/{key}"
    for path, name in [(begin, "provider"), (back, "key")]:
        schema = parameter(document, ("get", path), name)
        for sent, status in [("nobody-9", 404), ("Nobody", 422), ("x" * 37, 422), ("a%20b", 422)]:
            url = path.replace("{tenant_id}", TENANT).replace(f"{{{name}}}", sent)
            assert (await Client(app, None).get(url)).status_code == status, url
            assert bool(re.search(schema["pattern"], sent)) == (status == 404)


def test_the_way_back_from_a_provider_leads_on(document: dict[str, Any]) -> None:
    answers = document["paths"]["/v1/sign-in/callback/{key}"]["get"]["responses"]
    assert [status for status in answers if status < "400"] == ["303"]


async def test_an_id_in_capitals_is_the_same_place_for_a_key(app: Service, acme: TenantId) -> None:
    person = Person(app, acme, Role.VIEWER)
    first, second = [(await person.sign_in()).session_id for _ in range(2)]
    client, key = Client(app, person), {"idempotency-key": uuid4().hex}
    ended = await client.delete(f"/v1/sessions/{str(first).upper()}", headers=key)
    assert ended.status_code == 204
    again = await client.delete(f"/v1/sessions/{UUID(str(second))}", headers=key)
    assert again.json()["code"] == "key-reused"


@pytest.mark.parametrize(
    ("days", "status"),
    [("2", 201), ("2.0", 201), ("2.5", 422), ("366.0", 422), ('"2"', 422), ("true", 422)],
)
async def test_a_whole_number_is_one_however_it_is_written(
    client_for: ClientFor, acme: TenantId, document: dict[str, Any], days: str, status: int
) -> None:
    body = f'{{"name": "a", "role": "viewer", "scopes": ["notes:read"], "days": {days}}}'
    json_sent = {"content-type": "application/json"}
    owner = client_for(acme, Role.OWNER)
    answer = await owner.post("/v1/api-keys", content=body, headers=json_sent)
    assert answer.status_code == status, answer.text
    shape = document["components"]["schemas"]["KeyRequest"]["properties"]["days"]
    assert (shape["type"], shape["minimum"], shape["maximum"]) == ("integer", 1, 365)
