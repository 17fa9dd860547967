"""Two at work on the same note: neither overwrites what the other wrote and has not seen."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from callers import Client, Person
from dev.database import Server
from service.chassis.app import Service, create_app
from service.chassis.application.system import SystemDoor, create_tenant
from service.chassis.identity import Role
from service.chassis.settings import Settings
from service.product import FEATURES

LEVELS = ("read committed", "repeatable read", "serializable")
DRAFT = {"title": "Shared", "body": "0"}


@pytest.fixture(params=LEVELS)
async def service(
    request: pytest.FixtureRequest, server: Server, settings: Settings, worker: str
) -> AsyncGenerator[Service]:
    """A service whose database isolates transactions by default like that."""
    name = f"isolated_{worker}"
    await server.clone("service_template", name)
    administrator = await asyncpg.connect(server.admin_url)
    await administrator.execute(
        f"ALTER DATABASE \"{name}\" SET default_transaction_isolation = '{request.param}'"
    )
    urls = {
        "url": server.url("service_app", name),
        "system_url": server.url("service_system", name),
    }
    section = type(settings.database).model_validate({**urls, "pool_timeout_seconds": 60})
    app = create_app(settings.model_copy(update={"database": section}), FEATURES)
    async with app.router.lifespan_context(app) as state:
        app.state.given = {**(state or {}), "settings": section}
        yield app
    await administrator.close()
    await server.drop(name)


@pytest.fixture
async def two(service: Service) -> tuple[Client, Client]:
    """Two editors of one tenant."""
    door = SystemDoor(service.state.given["settings"])
    tenant = await create_tenant(door, actor="tests", name="acme")
    await door.close()
    ana, bob = (Client(service, Person(service, tenant, Role.EDITOR)) for _ in range(2))
    return await ana.signed_in(), await bob.signed_in()


async def increased(client: Client, url: str, *, keyed: bool) -> bool:
    """Reads the number in the note and writes the next one."""
    read = await client.get(url)
    head = {"if-match": read.headers["etag"]}
    if keyed:
        head["idempotency-key"] = str(uuid4())
    change = {**DRAFT, "body": str(int(read.json()["body"]) + 1)}
    answer = await client.put(url, json=change, headers=head)
    assert answer.status_code in {200, 409, 412}, answer.text
    return answer.status_code == 200


@pytest.mark.case("C-06")
@pytest.mark.parametrize("keyed", [False, True])
async def test_no_update_is_lost(two: tuple[Client, Client], *, keyed: bool) -> None:
    url = (await two[0].post("/v1/notes", json=DRAFT)).headers["location"]
    succeeded = 0
    for _ in range(10):
        crowd = [increased(client, url, keyed=keyed) for client in two for _ in range(3)]
        succeeded += sum(await asyncio.gather(*crowd))
    note: dict[str, Any] = (await two[0].get(url)).json()
    assert int(note["body"]) == note["version"] - 1 == succeeded
    assert succeeded >= 10, "nobody got through"


@pytest.mark.case("C-06")
async def test_what_was_archived_meanwhile_is_not_changed_unseen(
    two: tuple[Client, Client],
) -> None:
    """The skew between two operations: each reads the state that the other one ends."""
    ana, bob = two
    for _ in range(10):
        url = (await ana.post("/v1/notes", json=DRAFT)).headers["location"]
        changed, archived = await asyncio.gather(
            ana.put(url, json=DRAFT, headers={"if-match": '"1"'}), bob.post(f"{url}/archive")
        )
        note = (await ana.get(url)).json()
        codes = (changed.status_code, archived.status_code)
        assert set(codes) <= {200, 409, 412}, codes
        assert note["version"] == 1 + sum(code == 200 for code in codes)
        assert note["archived"] is (archived.status_code == 200)
        stale = await ana.put(url, json=DRAFT, headers={"if-match": '"1"'})
        assert stale.status_code == (412 if note["version"] > 1 else 200)
