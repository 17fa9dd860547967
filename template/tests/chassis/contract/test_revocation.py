"""What ended stops working in every process within the stated bound, and not before."""

import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass

import httpx2
import pytest
from sqlalchemy import text

from callers import Client, ClientFor, Suspend
from service.chassis.application.database import Database
from service.chassis.identity import Role, TenantId
from service.chassis.sections import IdentitySettings
from serving import start, wait_for

pytestmark = pytest.mark.full

PROCESSES, BOUND = 2, 1.0


@pytest.fixture(scope="module")
def urls(environment: Mapping[str, str]) -> Generator[list[str]]:
    """Processes of the service, on one database."""
    shorter = {"IDENTITY_REVOCATION_SECONDS": str(BOUND), "DATABASE_POOL_SIZE": "2"}
    started = [start(environment, **shorter) for _ in range(PROCESSES)]
    try:
        for _, url in started:
            wait_for(f"{url}/readyz", 200, 100)
        yield [url for _, url in started]
    finally:
        for process, _ in started:
            process.kill()
            process.communicate()


@dataclass(frozen=True)
class Everywhere:
    """One credential, and one question that is put to every process."""

    urls: list[str]
    credential: str
    method: str = "GET"
    path: str = "/v1/members"

    def statuses(self) -> list[int]:
        headers = {"authorization": f"Bearer {self.credential}"}
        asked = [httpx2.request(self.method, u + self.path, headers=headers) for u in self.urls]
        return [answer.status_code for answer in asked]

    def becomes(self, status: int, since: float) -> None:
        """Each answer that was asked for after the bound; in between, either may come."""
        while time.monotonic() < since + BOUND:
            self.statuses()
        assert self.statuses() == [status] * len(self.urls)


@pytest.fixture
async def admin(client_for: ClientFor, acme: TenantId) -> Client:
    return await client_for(acme, Role.OWNER).signed_in()


@pytest.fixture
async def token(ana: Client) -> str:
    await ana.signed_in()
    return ana.me.token


def test_the_bound_is_five_seconds_unless_stated_otherwise() -> None:
    assert IdentitySettings.model_fields["revocation_seconds"].default <= 5


@pytest.mark.case("A-08")
@pytest.mark.parametrize("how", ["own", "administrator", "everybody"])
async def test_an_ended_session(
    urls: list[str], admin: Client, ana: Client, token: str, how: str
) -> None:
    everywhere = Everywhere(urls, token)
    assert everywhere.statuses() == [200] * PROCESSES
    assert ana.me.granted
    if how == "own":
        ended = await ana.delete(f"/v1/sessions/{ana.me.granted.session_id}")
    elif how == "administrator":
        ended = await admin.post(f"/v1/members/{ana.me.granted.member_id}/sign-out")
    else:
        ended = await admin.post("/v1/sessions/end-all")
    assert ended.status_code == 204
    everywhere.becomes(401, time.monotonic())


@pytest.mark.case("A-08")
async def test_a_removed_role(urls: list[str], admin: Client, ana: Client, token: str) -> None:
    everywhere = Everywhere(urls, admin.me.token, "GET", "/v1/audit")
    assert everywhere.statuses() == [200] * PROCESSES
    await ana.signed_in()
    assert ana.me.granted
    assert admin.me.granted
    made = f"/v1/members/{ana.me.granted.member_id}/role"
    assert (await admin.put(made, json={"role": "owner"})).status_code == 200
    own = f"/v1/members/{admin.me.granted.member_id}/role"
    assert (await admin.put(own, json={"role": "editor"})).status_code == 200
    everywhere.becomes(403, time.monotonic())
    assert Everywhere(urls, token, "GET", "/v1/audit").statuses() == [200] * PROCESSES


@pytest.mark.case("A-08")
async def test_a_disabled_member(urls: list[str], admin: Client, ana: Client, token: str) -> None:
    everywhere = Everywhere(urls, token)
    assert everywhere.statuses() == [200] * PROCESSES
    assert ana.me.granted
    disabled = await admin.post(f"/v1/members/{ana.me.granted.member_id}/disable")
    assert disabled.status_code == 200
    everywhere.becomes(401, time.monotonic())


@pytest.mark.case("A-08")
async def test_a_removed_membership(
    urls: list[str], database: Database, ana: Client, token: str
) -> None:
    everywhere = Everywhere(urls, token)
    assert everywhere.statuses() == [200] * PROCESSES
    assert ana.me.granted
    async with database.transaction(ana.me.tenant_id) as session:
        gone = text("DELETE FROM members WHERE id = :id")
        await session.execute(gone, {"id": ana.me.granted.member_id})
    everywhere.becomes(401, time.monotonic())


async def test_a_revoked_key(urls: list[str], admin: Client) -> None:
    asked = {"name": "k", "role": "viewer", "scopes": ["members:read"], "days": 1}
    key = (await admin.post("/v1/api-keys", json=asked)).json()
    everywhere = Everywhere(urls, key["key"])
    assert everywhere.statuses() == [200] * PROCESSES
    assert (await admin.delete(f"/v1/api-keys/{key['id']}")).status_code == 204
    everywhere.becomes(401, time.monotonic())


async def test_a_suspended_tenant(
    urls: list[str], suspend: Suspend, acme: TenantId, token: str
) -> None:
    everywhere = Everywhere(urls, token)
    assert everywhere.statuses() == [200] * PROCESSES
    await suspend(acme)
    everywhere.becomes(401, time.monotonic())
    await suspend(acme, back=True)
    assert everywhere.statuses() == [200] * PROCESSES
