"""A cancelled request never leaves its tenant on the connection that the next one gets."""

import asyncio
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest
from chassis.wall.fuzz import CANCELLED_REQUESTS, Fuzz, Mode, Request, Tally
from sqlalchemy import text

from service.chassis.application.capability import CapabilityKey
from service.chassis.application.database import Database
from service.chassis.identity import TenantId
from service.chassis.sections import DatabaseSettings

FOR_THE_SESSION = text("SELECT set_config('wall.capability', :capability, false)")
MODES = pytest.mark.parametrize("mode", ["edge", "level"])


def fuzzed(
    settings: DatabaseSettings, key: CapabilityKey, fuzz: Fuzz, enough: int, held: int = 0
) -> Tally:
    """In a loop of its own, as anyio's makes each turn dearer; `held` connections are missing."""

    async def run() -> Tally:
        database = Database(settings, key)
        async with AsyncExitStack() as lent:
            for _ in range(held):
                await lent.enter_async_context(database.engine.connect())
            await fuzz.run(database, enough)
        await database.engine.dispose()
        # What was terminated is closed a few turns later.
        await asyncio.sleep(0.1)
        return fuzz.tally

    tally = asyncio.run(run())
    print(fuzz, tally)  # noqa: T201 - pytest shows it when a test fails
    return tally


@pytest.mark.timeout(600)
@MODES
def test_a_cancelled_request_leaves_nothing_behind(
    probe_settings: DatabaseSettings, key: CapabilityKey, mode: Mode
) -> None:
    tally = fuzzed(probe_settings, key, Fuzz(mode), CANCELLED_REQUESTS)
    assert tally.clean
    assert tally.cancelled >= CANCELLED_REQUESTS
    assert tally.served > CANCELLED_REQUESTS / 20, "nobody was left to meet a residue"


async def bind_the_session(database: Database, tenant: TenantId) -> object:
    async with database.engine.connect() as connection:
        await connection.execute(FOR_THE_SESSION, {"capability": str(tenant)})
        await connection.commit()
    return tenant


async def serve_anyone(_database: Database, _tenant: TenantId) -> object:
    return uuid4()


@MODES
@pytest.mark.parametrize(
    ("careless", "symptom"), [(bind_the_session, "residue"), (serve_anyone, "wrong_tenant")]
)
def test_the_same_harness_catches_a_careless_service(
    probe_settings: DatabaseSettings,
    key: CapabilityKey,
    mode: Mode,
    careless: Request,
    symptom: str,
) -> None:
    assert getattr(fuzzed(probe_settings, key, Fuzz(mode, careless), 200), symptom)


@MODES
def test_the_same_harness_misses_connections_that_never_come_back(
    probe_settings: DatabaseSettings, key: CapabilityKey, mode: Mode
) -> None:
    impatient = probe_settings.model_copy(update={"pool_timeout_seconds": 0.01})
    tally = fuzzed(impatient, key, Fuzz(mode), 100, held=probe_settings.pool_size)
    assert tally.never_returned == probe_settings.pool_size
    assert "QueuePool limit" in str(tally.failures)
