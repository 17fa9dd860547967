"""How often somebody tried: after a few times each further one has to wait, and longer.

An attempt is counted before it is made, so that a hundred at once are no way around it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from ipaddress import IPv6Address, ip_address

from sqlalchemy import Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from service.chassis.application.tables import Table, TenantOwned
from service.chassis.errors import TooManyRequests

LONGEST_WAIT_SECONDS = 900
SLOW_DOWN = "Too many attempts; wait, and try again."


class Attempts(TenantOwned, Table):
    """One row for what is counted: an account, an address, or both together."""

    __tablename__ = "account_attempts"
    __table_args__ = (
        UniqueConstraint("tenant_id", "subject"),
        Index(None, "tenant_id", "counted_at"),
    )

    subject: Mapped[bytes] = mapped_column(LargeBinary)
    free: Mapped[int]
    failures: Mapped[int]
    counted_at: Mapped[datetime]
    opens_at: Mapped[datetime]


@dataclass(frozen=True)
class Bucket:
    """Attempts that count together; the first `free` of a day do not wait."""

    name: str
    free: int

    @property
    def subject(self) -> bytes:
        return sha256(self.name.encode()).digest()


# By the clock, not by the transaction's: who waited for the row must see what it says now.
COUNT = text(f"""
    INSERT INTO account_attempts AS tried (subject, free, failures, counted_at, opens_at)
    SELECT subject, free, 1, clock_timestamp(), 'epoch'
    FROM unnest(CAST(:subjects AS bytea[]), CAST(:free AS bigint[])) AS asked (subject, free)
    ON CONFLICT (tenant_id, subject) DO UPDATE SET
        failures = CASE WHEN tried.counted_at < clock_timestamp() - interval '1 day' THEN 1
                        ELSE tried.failures + 1 END,
        counted_at = clock_timestamp(),
        opens_at = CASE
            WHEN tried.counted_at < clock_timestamp() - interval '1 day'
                OR tried.failures + 1 < tried.free THEN 'epoch'
            ELSE clock_timestamp() + make_interval(secs =>
                least({LONGEST_WAIT_SECONDS}, 2 ^ least(tried.failures + 1 - tried.free, 20)))
            END
        WHERE tried.opens_at <= clock_timestamp()
    RETURNING subject
""")  # noqa: S608  a number of ours
LEFT = text("""
    SELECT coalesce(max(extract(epoch FROM opens_at - clock_timestamp())), 0)
    FROM account_attempts WHERE subject = ANY(CAST(:subjects AS bytea[]))
""")
FORGIVE = text("""
    UPDATE account_attempts SET
        failures = CASE WHEN subject = :own THEN 0 ELSE greatest(failures - 1, 0) END,
        opens_at = CASE WHEN subject = :own THEN 'epoch' ELSE opens_at END
    WHERE subject = ANY(CAST(:subjects AS bytea[]))
""")
FORGET = text("""
    DELETE FROM account_attempts WHERE (tenant_id, id) IN (
        SELECT tenant_id, id FROM account_attempts
        WHERE counted_at < clock_timestamp() - interval '2 days' LIMIT 100 FOR UPDATE SKIP LOCKED)
""")


async def count(session: AsyncSession, buckets: Sequence[Bucket]) -> None:
    """Counts in all of them, or raises and counts in none."""
    # In one order, so that two attempts that share buckets wait for each other.
    ordered = sorted(buckets, key=lambda bucket: bucket.subject)
    subjects = [bucket.subject for bucket in ordered]
    asked = {"subjects": subjects, "free": [bucket.free for bucket in ordered]}
    if len((await session.execute(COUNT, asked)).all()) < len(ordered):
        left = float(await session.scalar(LEFT, {"subjects": subjects}) or 0)
        raise TooManyRequests(SLOW_DOWN, retry_after=max(1, math.ceil(left)))
    # Where nobody ever succeeds, too. Last, so that it waits for nobody with rows in hand.
    await session.execute(FORGET)


async def forgive(session: AsyncSession, buckets: Sequence[Bucket]) -> None:
    """It was no failure: the first bucket starts anew, the others have one less."""
    subjects = [bucket.subject for bucket in buckets]
    await session.execute(FORGIVE, {"own": subjects[0], "subjects": subjects})


def neighbourhood(address: str) -> str:
    """A customer's whole IPv6 network is one address: it has more than anyone can count."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or int(parsed) >> 64)
    return str(parsed)
