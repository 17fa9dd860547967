"""Which web pages may call from a browser."""

from collections.abc import Mapping

import pytest
from httpx2 import Response

from callers import Client
from service.chassis.app import Service, create_app
from service.chassis.settings import Settings

KNOWN, OTHER = "https://app.example.com", "http://localhost:5173"
STRANGE = [
    *("null", "*", "", "https://app.example.com.evil.test", "https://evilapp.example.com"),
    *("https://app.example.com:8443", "https://app.example.com:443", "https://app.example.co"),
    *("http://app.example.com", "https://APP.example.com", "HTTPS://app.example.com"),
    *("https://example.com", "https://x.app.example.com", "https://app.example.com/"),
    *("https://app.example.com, https://evil.test", "https://app-example.com", "app.example.com"),
    *("https://app.example.com@evil.test", "https://evil.test#https://app.example.com"),
]


def client(settings: Settings, app: Service, origins: str | None) -> Client:
    http = settings.http.model_copy(update={"cors_origins": origins})
    made = create_app(settings.model_copy(update={"http": http}), [])
    made.state.given = app.state.given
    return Client(made, None)


@pytest.fixture
def open_to_pages(settings: Settings, app: Service) -> Client:
    return client(settings, app, f"{KNOWN}, {OTHER}")


async def preflight(caller: Client, origin: str, **asked: str) -> Response:
    wanted = {"method": "PUT", "headers": "authorization, if-match", **asked}
    return await caller.options(
        "/livez",
        headers={
            "origin": origin,
            **{f"access-control-request-{name}": value for name, value in wanted.items()},
        },
    )


def allowed(headers: Mapping[str, str]) -> list[str]:
    return [name for name in headers if name.startswith("access-control-allow")]


@pytest.mark.case("A-19")
@pytest.mark.parametrize("origin", [KNOWN, OTHER])
async def test_a_listed_page_may_call_and_read(open_to_pages: Client, origin: str) -> None:
    asked = await preflight(open_to_pages, origin)
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == origin
    assert "PUT" in asked.headers["access-control-allow-methods"]
    for path in ("/livez", "/nothing"):
        answer = await open_to_pages.get(path, headers={"origin": origin})
        assert answer.headers["access-control-allow-origin"] == origin
        assert "x-trace-id" in answer.headers["access-control-expose-headers"]
        assert "Origin" in answer.headers["vary"]
        assert "access-control-allow-credentials" not in answer.headers
        assert answer.headers["x-frame-options"] == "DENY"


@pytest.mark.case("A-19")
@pytest.mark.parametrize("origin", STRANGE)
async def test_any_other_page_may_not(open_to_pages: Client, origin: str) -> None:
    answer = await open_to_pages.get("/livez", headers={"origin": origin})
    assert allowed(answer.headers) == []
    asked = await preflight(open_to_pages, origin)
    assert asked.status_code == 403
    assert allowed(asked.headers) == []
    assert asked.json()["code"] == "forbidden"
    assert asked.headers["x-content-type-options"] == "nosniff"


@pytest.mark.case("A-19")
@pytest.mark.parametrize(
    "asked", [{"method": "TRACE"}, {"headers": "cookie"}, {"private-network": "true"}]
)
async def test_a_listed_page_may_not_do_everything(
    open_to_pages: Client, asked: dict[str, str]
) -> None:
    answer = await preflight(open_to_pages, KNOWN, **asked)
    assert answer.status_code == 403
    assert allowed(answer.headers) == []


@pytest.mark.case("A-19")
async def test_without_a_list_no_page_may(settings: Settings, app: Service) -> None:
    closed = client(settings, app, None)
    assert allowed((await closed.get("/livez", headers={"origin": KNOWN})).headers) == []
    asked = await preflight(closed, KNOWN)
    assert asked.status_code == 405
    assert allowed(asked.headers) == []


async def test_a_refusal_can_be_read_by_the_page_that_caused_it(settings: Settings) -> None:
    http = settings.http.model_copy(update={"cors_origins": KNOWN})
    crashing = create_app(settings.model_copy(update={"http": http}), [])
    crashing.state.given = {}
    answer = await Client(crashing, None).get("/readyz", headers={"origin": KNOWN})
    assert answer.status_code == 500
    assert answer.headers["access-control-allow-origin"] == KNOWN
