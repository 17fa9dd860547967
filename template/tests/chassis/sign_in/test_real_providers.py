"""The whole flow, against providers that nobody here wrote."""

from uuid import uuid4

import httpx2
import pytest
from chassis.sign_in.browser import HOME, Browser, parameters

from service.chassis.app import Service
from service.chassis.application.founding import found
from service.chassis.contract.external_tokens import ExternalTokens
from service.chassis.contract.same_origin import ACCESS, REFRESH
from service.chassis.errors import Unauthenticated
from service.chassis.identity import TenantId
from service.chassis.settings import Settings

pytestmark = pytest.mark.full

ANA = {"login": "ana", "password": "a-password-of-ana", "answer": "accept"}


async def test_a_person_signs_in_at_oidc_provider(
    browser: Browser, oidc_provider: str, acme: TenantId
) -> None:
    response = await browser.sign_in(acme, "panva", **ANA)
    assert response.status_code == 200, response.text
    said = response.json()
    assert said == {
        "tenant_id": str(acme),
        "issuer": oidc_provider,
        "subject": "ana",
        "email": "ana@example.com",
        "email_verified": True,
        "name": "Ana",
        "auth_time": said["auth_time"],
        "amr": [],
    }


async def test_behind_it_a_session_begins_in_cookies_if_somebody_was_invited(
    joined: Browser, settings: Settings
) -> None:
    tenant = await found(settings, "signed in", "ana@example.com")
    back = await joined.sign_in(tenant, "panva", **ANA)
    assert (back.status_code, back.headers["location"]) == (303, "/")
    assert {ACCESS, REFRESH} <= set(joined.service.cookies)
    members = await joined.service.get("/v1/members")
    assert [(each["email"], each["state"]) for each in members.json()["items"]] == [
        ("ana@example.com", "active")
    ]
    again = await joined.service.post(
        "/v1/browser/refresh", headers={"sec-fetch-site": "same-origin"}
    )
    assert again.status_code == 204


async def test_whom_nobody_invited_gets_no_session(joined: Browser, acme: TenantId) -> None:
    back = await joined.sign_in(acme, "panva", **ANA)
    assert (back.status_code, back.json()["code"]) == (403, "forbidden")
    assert ACCESS not in joined.service.cookies


async def test_a_person_signs_in_at_canaille(
    browser: Browser, canaille: str, acme: TenantId
) -> None:
    response = await browser.sign_in(acme, "canaille", **ANA)
    assert response.status_code == 200, response.text
    said = response.json()
    assert (said["issuer"], said["subject"]) == (canaille, "ana")
    assert (said["email"], said["email_verified"]) == ("ana@example.com", False)


async def test_an_address_that_the_provider_has_not_verified_counts_only_where_that_is_allowed(
    browser: Browser, acme: TenantId
) -> None:
    eve = {**ANA, "login": "eve"}
    refused = await browser.sign_in(acme, "panva", **eve)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert (await browser.sign_in(acme, "canaille-strict", **ANA)).status_code == 403
    lenient = await browser.sign_in(acme, "panva-lenient", **eve)
    assert (lenient.json()["subject"], lenient.json()["email_verified"]) == ("eve", False)


@pytest.mark.parametrize("name", ["panva", "canaille"])
async def test_the_question_carries_a_challenge_and_secrets_of_its_own(
    browser: Browser, acme: TenantId, name: str
) -> None:
    first, second = [parameters(await browser.address(acme, name)) for _ in range(2)]
    assert first["code_challenge_method"] == "S256"
    assert first["redirect_uri"] == f"{HOME}/v1/sign-in/callback/{name}"
    assert (first["response_type"], first["client_id"]) == ("code", "service")
    for secret in ("state", "nonce", "code_challenge"):
        assert len(first[secret]) >= 43
        assert first[secret] != second[secret]


@pytest.mark.case("A-19")
async def test_a_code_of_another_sign_in_buys_nothing(
    trusting: Service, browser: Browser, acme: TenantId
) -> None:
    """Injection: the victim's code in the attacker's own callback.

    Not at Canaille: kept in memory, it takes any code of the client for the one that was sent.
    """
    victims = parameters(await browser.answered(await browser.address(acme, "panva"), **ANA))
    attacker = Browser(trusting)
    own = await attacker.answered(await attacker.address(acme, "panva"), **ANA)
    injected = str(httpx2.URL(own).copy_set_param("code", victims["code"]))
    response = await attacker.come_back(injected)
    assert (response.status_code, response.json()["code"]) == (400, "sign-in-failed")
    await attacker.close()


@pytest.mark.case("A-04")
async def test_a_machine_of_oidc_provider_is_known_by_its_access_token(
    trusting: Service, oidc_provider: str
) -> None:
    tokens: ExternalTokens = trusting.state.given["external_tokens"]
    async with httpx2.AsyncClient(trust_env=False) as machine:
        answer = await machine.post(
            f"{oidc_provider}/token",
            auth=("machine", "secret-of-the-machine"),
            data={
                "grant_type": "client_credentials",
                "resource": "urn:service",
                "scope": "notes:read",
            },
        )
    said = await tokens.claims(answer.json()["access_token"])
    assert (said.issuer, said.subject, said.client_id) == (oidc_provider, "machine", "machine")
    assert said.scopes == {"notes:read"}
    with pytest.raises(Unauthenticated):
        await tokens.claims(answer.json()["access_token"][:-6] + "AAAAAA")


async def test_nothing_tells_a_tenant_without_a_provider_from_no_tenant(
    browser: Browser, acme: TenantId
) -> None:
    known, unknown = await browser.begin(acme, "nowhere"), await browser.begin(uuid4(), "nowhere")
    assert known.status_code == unknown.status_code == 404
    assert known.json()["detail"] == unknown.json()["detail"]
