"""What lives as long as the process, and is handed to each request."""

from asyncio import create_task
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from service.chassis.application.account_letters import tell_invited, tell_nobody
from service.chassis.application.accounts import Accounts
from service.chassis.application.background import Background
from service.chassis.application.capability import CapabilityKey
from service.chassis.application.database import Database
from service.chassis.application.denials import Denials
from service.chassis.application.issuers import Issuers
from service.chassis.application.jobs import NO_JOBS, Declared
from service.chassis.application.joining import Joining
from service.chassis.application.once import Once
from service.chassis.application.outbound import Bounds, Outbound
from service.chassis.application.outgoing import (
    MESSAGES_AT_ONCE,
    SENDER,
    TENANTS_AT_ONCE,
    EndpointOf,
    Outgoing,
)
from service.chassis.application.posture import refuse_unsafe_database
from service.chassis.application.providers import Providers
from service.chassis.application.put_jobs import PutJobs
from service.chassis.application.quotas import Quotas
from service.chassis.application.runs import Runs
from service.chassis.application.sessions import Sessions
from service.chassis.application.standing import Standing
from service.chassis.application.strangers import StrangersTransport
from service.chassis.application.system import SystemDoor, tenants_at_work
from service.chassis.contract.access_tokens import AccessTokens
from service.chassis.contract.allowance import Allowance
from service.chassis.contract.credentials import Credentials
from service.chassis.contract.external_tokens import ExternalTokens
from service.chassis.contract.guards import refuse_undeclared, routes_of
from service.chassis.contract.pages import Cursors
from service.chassis.contract.sign_in import SignIn
from service.chassis.contract.under_way import Attempts
from service.chassis.intelligence.gateway import Intelligence, Model
from service.chassis.settings import Settings
from service.chassis.telemetry.health import Health

if TYPE_CHECKING:
    from redis.asyncio import Redis

Parts = dict[str, Any]


def living(
    settings: Settings,
    model: Model,
    issuers: Issuers | None = None,
    endpoint_of: EndpointOf | None = None,
    jobs: Declared = NO_JOBS,
) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[Parts]:
        # At start-up and not in the factory, so that what `main.py` added is covered too.
        refuse_undeclared(routes_of(app))
        # Whatever was opened is closed, the last first, and whatever fails in between.
        async with AsyncExitStack() as closing:
            parts = await _opened(closing, settings, issuers)
            health: Health = parts["health"]
            app.state.health = health
            await refuse_unsafe_database(parts["database"], production=settings.production)
            parts["intelligence"] = Intelligence(model)
            parts["runs"] = Runs(parts["database"], parts["intelligence"])
            closing.push_async_callback(parts["runs"].stop)
            parts["jobs"] = PutJobs(jobs, settings.jobs)
            parts["outgoing"] = await _sending(closing, settings, parts, endpoint_of)
            health.started = True
            closing.callback(setattr, health, "draining", True)
            yield parts

    return lifespan


async def _opened(closing: AsyncExitStack, settings: Settings, issuers: Issuers | None) -> Parts:
    database = Database(settings.database, CapabilityKey.of(settings.tenancy))
    closing.push_async_callback(database.engine.dispose)
    # Connections of its own for each: what hangs in one place holds up no other.
    valkey, outbound, to_issuers = _valkey(settings), Outbound(), Outbound()
    closing.push_async_callback(valkey.aclose)
    closing.push_async_callback(outbound.close)
    closing.push_async_callback(to_issuers.close)
    quotas = Quotas(settings.valkey.url.get_secret_value())
    closing.push_async_callback(quotas.shared.close)
    await quotas.shared.greet()
    asked = issuers or Issuers(
        production=settings.production, guarded=StrangersTransport(to_issuers)
    )
    closing.push_async_callback(asked.aclose)
    closing.callback(create_task(asked.keep_fresh()).cancel)
    kept = {
        "outbound": outbound,
        "health": Health({"database": database.ping}, {"valkey": valkey.ping}),
        "allowance": Allowance(settings.limits, quotas),
    }
    people = _identity(settings, database, asked) | _signing_in(settings, database, asked, valkey)
    return kept | people | _accounts(closing, settings, database)


async def _sending(
    closing: AsyncExitStack, settings: Settings, parts: Parts, endpoint_of: EndpointOf | None
) -> Outgoing | None:
    """Only a service that says where its webhooks go sends any."""
    if endpoint_of is None:
        return None
    door = SystemDoor(settings.database)
    closing.push_async_callback(door.close)
    outbound = Outbound(bounds=Bounds(connections=TENANTS_AT_ONCE * MESSAGES_AT_ONCE))
    closing.push_async_callback(outbound.close)
    outgoing = Outgoing(
        parts["database"],
        outbound,
        parts["intelligence"],
        endpoint_of,
        partial(tenants_at_work, door, actor=SENDER),
    )
    await closing.enter_async_context(outgoing.running())
    return outgoing


def _accounts(closing: AsyncExitStack, settings: Settings, database: Database) -> Parts:
    if not settings.offers_accounts:
        return {"tell_invited": tell_nobody}
    letters = Background()
    closing.push_async_callback(letters.drain)
    accounts = Accounts.of(settings, database, letters)
    return {"accounts": accounts, "tell_invited": partial(tell_invited, accounts)}


def _signing_in(settings: Settings, database: Database, issuers: Issuers, valkey: "Redis") -> Parts:
    sealing = settings.identity.sealing_key
    attempts = Attempts(sealing.get_secret_value(), Once(valkey)) if sealing else None
    providers = Providers(settings.identity, database, issuers)
    sign_in = SignIn(providers, attempts, settings.http.public_url)
    return {"providers": providers, "sign_in": sign_in}


def _identity(settings: Settings, database: Database, issuers: Issuers) -> Parts:
    tokens = AccessTokens(settings.identity)
    external = ExternalTokens(settings.identity.issuers, issuers)
    sessions = Sessions(database, settings.identity)
    return {
        "database": database,
        "denials": Denials(database),
        "access_tokens": tokens,
        "credentials": Credentials(Standing(database), tokens, external, settings.identity),
        "external_tokens": external,
        "sessions": sessions,
        "joining": Joining(database, sessions),
        "cursors": Cursors(settings.http.cursor_key.get_secret_value()),
    }


def _valkey(settings: Settings) -> "Redis":
    # A tenth of a second that no command should pay which only imports the application.
    from redis.asyncio import Redis  # noqa: PLC0415

    return Redis.from_url(settings.valkey.url.get_secret_value())
