"""A sign-in at an identity provider is on record once, whether it succeeds or is refused."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from chassis.application.acting import rows
from chassis.sign_in.browser import Browser
from chassis.sign_in.conftest import provider, serving
from chassis.sign_in.hostile import Hostile
from httpx2 import Response

from dev.people import signed_in
from service.chassis.contract.sign_in import join
from service.chassis.identity import Role, TenantId
from service.chassis.settings import Settings

NEW = """SELECT action, actor, detail, address, trace_id FROM audit_log
    WHERE number > :after ORDER BY number"""


@pytest.fixture
async def joining(settings: Settings, good: Hostile) -> AsyncGenerator[Browser]:
    providers = [provider("good", good.issuer, algorithm="ES256")]
    async with serving(settings, join, providers=providers) as app:
        browser = Browser(app)
        yield browser
        await browser.close()


async def signed(
    browser: Browser, at: Hostile, tenant: TenantId, after: int, **said: str
) -> tuple[Response, list[tuple[Any, ...]]]:
    """The answer, and what is on record of it."""
    address = await browser.address(tenant, "good")
    answer = await browser.come_back(at.approve(address, **said))
    return answer, await rows(browser.app, tenant, NEW, after=after)


async def test_a_sign_in_at_a_provider(joining: Browser, good: Hostile, acme: TenantId) -> None:
    given = joining.app.state.given
    known = await signed_in(
        given["database"], given["sessions"], acme, "mallory@example.com", Role.VIEWER
    )
    await rows(joining.app, acme, "UPDATE members SET state = 'invited'")
    answer, found = await signed(joining, good, acme, after=1)
    assert answer.status_code == 303, answer.text
    trace = answer.headers["x-trace-id"]
    assert found == [("session.opened", str(known.member_id), "oidc", "127.0.0.1", trace)]


async def test_a_stranger_at_a_provider(joining: Browser, good: Hostile, acme: TenantId) -> None:
    answer, found = await signed(joining, good, acme, after=0)
    assert answer.status_code == 403
    actor, trace = f"{good.issuer}#mallory", answer.headers["x-trace-id"]
    assert found == [("sign_in.refused", actor, "", "127.0.0.1", trace)]


@pytest.mark.parametrize(("said", "status"), [("access_denied", 403), ("invalid_scope", 400)])
async def test_a_sign_in_that_a_provider_refused(
    joining: Browser, good: Hostile, acme: TenantId, said: str, status: int
) -> None:
    answer, found = await signed(joining, good, acme, after=0, error=said)
    assert answer.status_code == status
    trace = answer.headers["x-trace-id"]
    assert found == [("sign_in.failed", "stranger", "oidc good", "127.0.0.1", trace)]


async def test_an_answer_that_was_forged(joining: Browser, good: Hostile, acme: TenantId) -> None:
    good.claims["nonce"] = "another"
    answer, found = await signed(joining, good, acme, after=0)
    assert answer.status_code == 400
    trace = answer.headers["x-trace-id"]
    assert found == [("sign_in.failed", "stranger", "oidc good", "127.0.0.1", trace)]
    assert "a-code" not in str(found)
