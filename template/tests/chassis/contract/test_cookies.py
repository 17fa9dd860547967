"""Cookies speak for our own pages only, and no script can read them."""

from collections.abc import AsyncGenerator, Mapping

import pytest
from httpx2 import Response

from callers import Client, Person
from service.chassis.app import Service
from service.chassis.contract.same_origin import ACCESS, REFRESH
from service.chassis.identity import Role, TenantId

OWN = {"sec-fetch-site": "same-origin"}
NOTE = {"name": "key", "role": "viewer", "scopes": ["notes:read"]}


@pytest.fixture
async def browser(app: Service, acme: TenantId) -> AsyncGenerator[Client]:
    """Signed in with cookies, as an owner; no Authorization header."""
    person = Person(app, acme, Role.OWNER)
    granted = await person.sign_in()
    async with Client(app, None, cookies={ACCESS: person.token}) as client:
        client.cookies.set(REFRESH, granted.refresh_token)
        client.headers["host"] = "service"
        yield client


async def make_key(browser: Client, headers: Mapping[str, str]) -> Response:
    return await browser.post("/v1/api-keys", json=NOTE, headers=headers)


@pytest.mark.case("A-19")
@pytest.mark.parametrize("headers", [OWN, {"origin": "http://service"}])
async def test_our_own_pages_may_ask_with_a_cookie(
    browser: Client, headers: Mapping[str, str]
) -> None:
    assert (await browser.get("/v1/members")).status_code == 200
    assert (await make_key(browser, headers)).status_code == 201


@pytest.mark.case("A-19")
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="nothing said"),
        pytest.param({"origin": "null"}, id="no origin"),
        pytest.param({"origin": "http://evil"}, id="another site"),
        pytest.param({"origin": "http://service.evil"}, id="our name in front"),
        pytest.param({"origin": "http://evilservice"}, id="our name behind"),
        pytest.param({"sec-fetch-site": "same-site", "origin": "http://service"}, id="a sibling"),
        pytest.param({"sec-fetch-site": "cross-site"}, id="cross-site"),
        pytest.param({"sec-fetch-site": "none", "origin": "http://service"}, id="typed by hand"),
    ],
)
async def test_another_site_cannot_use_the_cookie(
    browser: Client, headers: Mapping[str, str]
) -> None:
    assert (await make_key(browser, headers)).status_code == 403
    assert (await browser.post("/v1/browser/refresh", headers=headers)).status_code == 403


async def test_a_header_that_is_sent_counts_and_not_the_cookie(browser: Client) -> None:
    refused = await browser.get("/v1/members", headers={"authorization": "Bearer nothing"})
    assert refused.status_code == 401


@pytest.mark.case("A-19")
async def test_a_refresh_gives_new_cookies_that_scripts_and_siblings_cannot_touch(
    browser: Client,
) -> None:
    answer = await browser.post("/v1/browser/refresh", headers=OWN)
    assert answer.status_code == 204
    cookies = answer.headers.get_list("set-cookie")
    assert [cookie.partition("=")[0] for cookie in cookies] == [ACCESS, REFRESH]
    for cookie in cookies:
        wanted = {"httponly", "secure", "samesite=strict", "path=/"}
        assert wanted <= {part.strip().lower() for part in cookie.split(";")}
        assert "domain" not in cookie.lower()


async def test_signing_out_ends_the_session_and_takes_the_cookies_away(browser: Client) -> None:
    answer = await browser.post("/v1/browser/sign-out", headers=OWN)
    assert answer.status_code == 204
    assert all("max-age=0" in cookie.lower() for cookie in answer.headers.get_list("set-cookie"))
    assert answer.headers["clear-site-data"] == '"cache", "storage"'
    again = await browser.post("/v1/browser/refresh", headers=OWN)
    assert again.status_code == 401


async def test_without_a_cookie_there_is_nothing_to_refresh(app: Service) -> None:
    answer = await Client(app, None).post("/v1/browser/refresh", headers=OWN)
    assert answer.status_code == 401
