"""One meaning for every request: heads, hosts, paths, encodings."""

import gzip
import json

import httpx2
import pytest

from callers import Client, ClientFor
from service.chassis.app import Service, create_app
from service.chassis.identity import TenantId
from service.chassis.settings import Settings
from service.product import FEATURES

DRAFT = {"title": "Groceries", "body": "Bread"}
JSON = "application/json"


def refused(response: httpx2.Response, status: int) -> bool:
    return response.status_code == status and (
        response.headers["content-type"] == "application/problem+json"
    )


@pytest.mark.example
@pytest.mark.case("V-15")
@pytest.mark.parametrize("name", ["authorization", "host", "idempotency-key", "if-match"])
async def test_a_header_that_decides_is_there_once(ana: Client, name: str) -> None:
    bearer = (await ana.credentials())["authorization"]
    value = bearer if name == "authorization" else "service"
    once = {"accept": "*/*", "authorization": bearer, name: value}
    assert (await ana.get("/v1/notes", headers=once)).status_code == 200
    twice = [*once.items(), (name, value)]
    assert refused(await ana.get("/v1/notes", headers=twice), 400)


@pytest.mark.example
@pytest.mark.case("V-05")
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, gzip"])
async def test_a_bomb_is_not_unpacked(ana: Client, encoding: str) -> None:
    bomb = gzip.compress(b"0" * 10_000_000)
    headers = {"content-type": JSON, "content-encoding": encoding}
    assert refused(await ana.post("/v1/notes", content=bomb, headers=headers), 415)
    plain = {"content-type": JSON, "content-encoding": "identity"}
    response = await ana.post("/v1/notes", content=json.dumps(DRAFT), headers=plain)
    assert response.status_code == 201


@pytest.mark.example
@pytest.mark.case("V-06")
@pytest.mark.parametrize(
    "sent",
    [
        None,
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "application/json, text/plain",
        "application/(comment)json",
        "json",
        'application/json; charset="utf-8',
    ],
)
async def test_a_json_route_reads_json_only(ana: Client, sent: str | None) -> None:
    headers = {"content-type": sent} if sent else {}
    response = await ana.post("/v1/notes", content=json.dumps(DRAFT).encode(), headers=headers)
    assert refused(response, 415), response.text


@pytest.mark.example
@pytest.mark.case("V-06")
@pytest.mark.parametrize(
    "sent", [JSON, "Application/JSON", 'application/json; charset="UTF-8"', "application/a.b+json"]
)
async def test_every_name_of_json_is_read_and_read_strictly(ana: Client, sent: str) -> None:
    headers = {"content-type": sent}
    good = await ana.post("/v1/notes", content=json.dumps(DRAFT), headers=headers)
    assert good.status_code == 201
    twice = b'{"title": "a", "title": "b", "body": ""}'
    assert refused(await ana.post("/v1/notes", content=twice, headers=headers), 400)


@pytest.mark.example
async def test_a_request_without_a_body_needs_no_content_type(ana: Client) -> None:
    response = await ana.post("/v1/notes")
    assert refused(response, 422), "the body is missing, its kind is not wrong"


@pytest.mark.example
@pytest.mark.case("Z-03")
@pytest.mark.parametrize(
    "path",
    [
        "/v1/notes/",
        "//v1/notes",
        "/v1//notes",
        "/V1/notes",
        "/v1/Notes",
        "/v1%2fnotes",
        "/v1%5Cnotes",
        "/v1/%2e%2e/v1/notes",
        "/livez%2f..%2fv1/notes",
        "/v1/notes%00",
        "/v1/notes;a=b",
        "/v1/notes%20",
        "/livez/",
    ],
)
async def test_another_spelling_of_a_path_reaches_no_route(
    app: Service, ana: Client, path: str
) -> None:
    """For strangers and members alike; `ana` could read the list under its own name."""
    for client in (ana, Client(app, None)):
        response = await client.get(httpx2.URL("http://service", raw_path=path.encode()))
        assert response.status_code in {400, 404}, response.text
        assert response.headers["content-type"] == "application/problem+json"
    assert (await ana.get("/v1/notes")).status_code == 200


@pytest.mark.example
@pytest.mark.case("Z-03")
async def test_no_header_and_no_other_method_stands_for_a_method(ana: Client) -> None:
    note = (await ana.post("/v1/notes", json=DRAFT)).json()
    url = f"/v1/notes/{note['id']}"
    for name in ("x-http-method-override", "x-http-method", "x-method-override"):
        read = await ana.get(url, headers={name: "PUT", "x-original-url": "/v1/notes"})
        assert read.json() == note
        assert refused(await ana.post(url, json=DRAFT, headers={name: "PUT"}), 405)
    for method in ("HEAD", "OPTIONS", "TRACE", "PATCH", "DELETE", "PROPFIND"):
        response = await ana.request(method, url, json=DRAFT)
        assert response.status_code == 405, method
        assert response.headers["allow"] == "GET, PUT"


@pytest.mark.example
@pytest.mark.case("V-13")
async def test_only_the_hosts_that_are_named_are_served(
    app: Service, ana: Client, settings: Settings
) -> None:
    http = settings.http.model_copy(update={"allowed_hosts": "api.example.com, [::1]"})
    named = create_app(settings.model_copy(update={"http": http}), FEATURES)
    named.state.given = app.state.given
    client = Client(named, None)
    client.headers.update(await ana.credentials())
    for host in ("api.example.com", "API.example.com:443", "[::1]:8000"):
        assert (await client.get("/v1/notes", headers={"host": host})).status_code == 200
    for host in ("evil.example", "api.example.com.evil.example", "api.example.com:x", "10.0.0.7"):
        forged = {"host": host, "x-forwarded-host": "api.example.com"}
        assert refused(await client.get("/v1/notes", headers=forged), 400)
        assert (await client.get("/livez", headers=forged)).status_code == 200, "by address"


@pytest.mark.example
@pytest.mark.case("V-13")
async def test_a_forged_host_is_in_no_answer(client_for: ClientFor, acme: TenantId) -> None:
    client = client_for(acme)
    forged = {"host": "evil.example", "x-forwarded-host": "evil.example", "forwarded": "host=evil"}
    for path in ("/v1/notes", "/v1/notes/", "/v1/nothing"):
        response = await client.get(path, headers=forged)
        assert "evil" not in response.text + str(response.headers)
    made = await client.post("/v1/notes", json=DRAFT, headers=forged)
    assert made.headers["location"].startswith("/v1/notes/")
