"""Installing and retiring the keys that sign tenant capabilities; the migrator does it."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from service.chassis.application.capability import CapabilityKey
from service.chassis.application.database import driver_url


def _engine(migrator_url: str) -> AsyncEngine:
    return create_async_engine(driver_url(migrator_url), poolclass=NullPool, hide_parameters=True)


async def install_key(migrator_url: str, key: CapabilityKey) -> None:
    """Safe to repeat. Install the new key, deploy with it, then retire the old one."""
    inner, outer = key.pads()
    async with _engine(migrator_url).begin() as connection:
        await connection.execute(
            text("SELECT wall.install_key(:id, :inner, :outer)"),
            {"id": key.key_id, "inner": inner, "outer": outer},
        )


async def retire_key(migrator_url: str, key_id: str) -> None:
    async with _engine(migrator_url).begin() as connection:
        await connection.execute(text("SELECT wall.retire_key(:id)"), {"id": key_id})
