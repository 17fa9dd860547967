"""Whatever order attempts, losses and crashes come in, a key never takes effect twice."""

import asyncio
import random
from collections import Counter
from typing import Any
from uuid import uuid4

import pytest
from chassis.idempotency import deeds

from callers import Client, Person
from service.chassis.app import create_app
from service.chassis.application.system import SystemDoor, create_tenant
from service.chassis.application.tenancy import Tenancy
from service.chassis.identity import Caller, Role
from service.chassis.settings import Settings

pytestmark = pytest.mark.full

EFFECTS = {"": 1, "/twice": 2, "/waiting": 1, "/asked": 2, "/read-and-asked": 1}
REFUSED = ("/crashed", "/refused")
ATTEMPTS, SEEDS = 12, 12


class Crowd:
    """Attempts at one request, some of which are cut off on their way."""

    def __init__(self, seed: int, client: Client, route: str) -> None:
        self.random = random.Random(seed)  # noqa: S311
        self.client, self.url, self.what = client, f"/v1/deeds{route}", f"crowd-{uuid4()}"
        self.told: Counter[tuple[int, str]] = Counter()
        self.effects = 0

    async def attempt(self) -> None:
        await asyncio.sleep(self.random.random() * 0.03)
        request = asyncio.create_task(self.client.post(self.url, json={"what": self.what}))
        if self.random.random() < 0.4:
            await asyncio.sleep(self.random.random() * 0.03)
            request.cancel()
        try:
            answer = await request
        except asyncio.CancelledError:
            return
        self.told[answer.status_code, answer.text if answer.is_success else ""] += 1

    async def run(self) -> None:
        attempts = [asyncio.create_task(self.attempt()) for _ in range(ATTEMPTS)]
        await asyncio.sleep(self.random.random() * 0.04)
        deeds.GATES[self.what].set()
        await asyncio.gather(*attempts)


async def crowds(settings: Settings, route: str, *, keyed: bool) -> list[Crowd]:
    """In a loop and a service of their own: a connection that is cut off is closed later."""
    app = create_app(settings, [deeds.router])
    door = SystemDoor(settings.database)
    tenant = await create_tenant(door, actor="tests", name="crowded")
    await door.close()
    ran = []
    async with app.router.lifespan_context(app) as state:
        app.state.given = state or {}
        ana = Person(app, tenant, Role.EDITOR)
        await ana.sign_in()
        caller = Caller("counter", tenant, Role.VIEWER)
        tenancy = Tenancy(caller, app.state.given["intelligence"], app.state.given["database"])
        for seed in range(SEEDS):
            crowd = Crowd(seed, Client(app, Person(app, ana.tenant_id, Role.EDITOR)), route)
            await crowd.client.signed_in()
            if keyed:
                crowd.client.headers["idempotency-key"] = crowd.what
            await crowd.run()
            crowd.effects = await deeds.done(tenancy, crowd.what)
            ran.append(crowd)
        pool: Any = app.state.given["database"].engine.pool
        await asyncio.sleep(0.1)
        assert pool.checkedout() == 0, "a connection never came back"
    return ran


@pytest.mark.case("C-01", "C-04")
@pytest.mark.parametrize("route", [*EFFECTS, *REFUSED])
def test_a_key_takes_effect_once_or_not_at_all(deeds_settings: Settings, route: str) -> None:
    whole = EFFECTS.get(route, 0)
    # What was committed before a model was asked stays, when the rest is cut off.
    possible = {0, whole, whole // 2} if route == "/asked" else {0, whole}
    ran = asyncio.run(crowds(deeds_settings, route, keyed=True))
    for seed, crowd in enumerate(ran):
        successes = {text for status, text in crowd.told if status < 400}
        assert crowd.effects in possible, (seed, crowd.told)
        assert len(successes) <= 1, (seed, crowd.told)
        assert not successes or crowd.effects == whole, (seed, crowd.told)
        assert {status for status, _ in crowd.told} <= {200, 201, 409, 500}, crowd.told
    succeeded = [crowd for crowd in ran if any(status < 400 for status, _ in crowd.told)]
    assert bool(succeeded) is (route not in REFUSED)


def test_the_same_crowds_without_a_key_do_it_again_and_again(deeds_settings: Settings) -> None:
    ran = asyncio.run(crowds(deeds_settings, "", keyed=False))
    assert all(crowd.effects > 1 for crowd in ran)
