"""Sessions that cannot see another tenant's rows."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import Session, SessionTransaction

from service.chassis.application.capability import CapabilityKey
from service.chassis.application.connection import WalledConnection
from service.chassis.errors import Conflict, Unauthenticated, Unavailable
from service.chassis.identity import TenantId
from service.chassis.sections import DatabaseSettings

SERIALIZATION_FAILURE, DEADLOCK, NO_SUCH_ROW = "40001", "40P01", "23503"
# Statement and lock time-outs, too many connections, and a server that starts or stops.
BUSY = frozenset({"57014", "55P03", "53300", "57P01", "57P02", "57P03"})


def driver_url(url: str) -> URL:
    """`sslmode`, as everybody else spells it, is `ssl` to this driver."""
    parsed = make_url(url).set(drivername="postgresql+asyncpg")
    mode = parsed.query.get("sslmode")
    plain = parsed.difference_update_query(["sslmode"])
    return plain.update_query_dict({"ssl": mode}) if mode else plain


def create_engine(settings: DatabaseSettings, url: str) -> AsyncEngine:
    statement_ms = int(settings.statement_timeout_seconds * 1000)
    return create_async_engine(
        driver_url(url),
        pool_size=settings.pool_size,
        max_overflow=0,
        # Whatever a statement set for its session does not outlive this.
        pool_recycle=1800,
        pool_timeout=settings.pool_timeout_seconds,
        hide_parameters=True,
        connect_args={
            "async_creator_fn": _connect,
            "connection_class": WalledConnection,
            "timeout": 5,
            "command_timeout": settings.statement_timeout_seconds + 1,
            "server_settings": {
                "statement_timeout": str(statement_ms),
                "lock_timeout": str(statement_ms),
                "idle_in_transaction_session_timeout": str(statement_ms * 2),
            },
        },
    )


async def _connect(*args: Any, **kwargs: Any) -> Any:
    """Connecting fails with whatever the network says; none of it is for the caller."""
    try:
        return await asyncpg.connect(*args, **kwargs)
    except OSError as error:
        raise Unavailable("The database cannot be reached right now.") from error


class WalledSession(Session):
    """Binds the tenant in `info` to each transaction as it begins."""


@event.listens_for(WalledSession, "after_begin")
def _bind(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    if transaction.nested:
        return
    driver = connection.connection.driver_connection
    assert isinstance(driver, WalledConnection)
    key: CapabilityKey = session.info["key"]
    driver.capability = key.capability(session.info["tenant_id"], driver.get_server_pid())


def _refuse_unclean(dbapi_connection: Any, _record: Any, _proxy: Any) -> None:
    """At checkout: a dead or half-used connection is replaced before anyone works on it."""
    driver: WalledConnection = dbapi_connection.driver_connection
    driver.capability = None
    if driver.is_closed() or driver.is_in_transaction():
        raise DisconnectionError("the connection is closed or still in a transaction")


class Database:
    def __init__(self, settings: DatabaseSettings, key: CapabilityKey) -> None:
        self.engine = create_engine(settings, settings.url.get_secret_value())
        event.listen(self.engine.sync_engine, "checkout", _refuse_unclean)
        self._key = key
        self._sessions = async_sessionmaker(
            self.engine, sync_session_class=WalledSession, expire_on_commit=False
        )

    @asynccontextmanager
    async def transaction(self, tenant_id: TenantId) -> AsyncGenerator[AsyncSession]:
        binding = {"key": self._key, "tenant_id": tenant_id}
        with typed_failures():
            async with self._sessions(info=binding) as session, session.begin():
                yield session

    async def ping(self) -> None:
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))


@contextmanager
def typed_failures() -> Iterator[None]:
    """What the database refuses becomes an error that a caller understands."""
    try:
        yield
    except (PoolExhausted, TimeoutError) as error:
        raise Unavailable("The database is busy right now.") from error
    except DBAPIError as error:
        code = getattr(error.orig, "sqlstate", None)
        if code in (SERIALIZATION_FAILURE, DEADLOCK):
            raise Conflict("This was changed at the same time; try again.") from error
        if code == NO_SUCH_ROW and _names_the_tenant(error):
            raise Unauthenticated("The tenant of this token is not known here.") from error
        if error.connection_invalidated or code in BUSY:
            raise Unavailable("The database did not answer in time.") from error
        raise


def _names_the_tenant(error: DBAPIError) -> bool:
    cause: Any = getattr(error.orig, "__cause__", None)
    constraint = getattr(cause, "constraint_name", None)
    return constraint is not None and constraint == f"{cause.table_name}_tenant_id_fkey"
