"""Passwords: what is a good one, and hashing that never holds up other requests."""

import os
import re
import unicodedata
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from anyio import CapacityLimiter, to_thread
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import ForeignKeyConstraint, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from service.chassis.application.tables import Table, TenantOwned
from service.chassis.errors import Invalid, Unavailable
from service.chassis.settings import about

SHORTEST, LONGEST = 12, 200
# What OWASP names as the least: 19 MiB, two passes, one lane.
MEMORY_KIB, PASSES, LANES = 19_456, 2, 1
# More than half of the processors would starve the event loop of its own.
AT_ONCE = max(1, (os.cpu_count() or 2) // 2)
WAITING = 100
Result = TypeVar("Result")


class Password(TenantOwned, Table):
    __tablename__ = "passwords"
    __table_args__ = (
        UniqueConstraint("tenant_id", "member_id"),
        ForeignKeyConstraint(
            ["tenant_id", "member_id"], ["members.tenant_id", "members.id"], ondelete="CASCADE"
        ),
    )

    member_id: Mapped[UUID]
    hash: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


def normal(password: str) -> str:
    """The same letters typed on another keyboard are the same password."""
    return unicodedata.normalize("NFKC", password)


def require_strength(password: str, personal: tuple[str, ...], field: str = "password") -> None:
    """Long, and neither a pattern nor made of what everybody knows about its owner."""
    plain = normal(password).casefold()
    if not SHORTEST <= len(plain) <= LONGEST:
        raise Invalid(f"Use {SHORTEST} to {LONGEST} characters.", field=field)
    words = {word for text in (*personal, about().name) for word in _words(text.casefold())}
    rest = plain
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, "")
    if len(rest) < SHORTEST - 4:
        raise Invalid("Do not make it of your address or the service's name.", field=field)
    if len(set(plain)) < 5 or _repeats(plain) or _steps(rest) > len(rest) // 2:
        raise Invalid("It repeats itself, or follows the keyboard or the alphabet.", field=field)


def _words(text: str) -> set[str]:
    return {word for word in (text, *re.split(r"[\W_]+", text)) if len(word) >= 4}


def _repeats(plain: str) -> bool:
    """One piece over and over, such as `abcabcabcabc`."""
    return plain in (plain + plain)[1:-1]


ROWS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")
NEIGHBOURS = {
    row[i : i + 2] for line in ROWS for row in (line, line[::-1]) for i in range(len(row))
}


def _steps(plain: str) -> int:
    pairs = (plain[at : at + 2] for at in range(len(plain) - 1))
    return sum(pair in NEIGHBOURS or pair[0] == pair[1] for pair in pairs)


class Passwords:
    """Each hash takes some 20 ms of a processor and 19 MiB, so that only a few run at once."""

    def __init__(self, passes: int = PASSES) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=MEMORY_KIB, parallelism=LANES)
        self._limiter = CapacityLimiter(AT_ONCE)
        self._in_line = 0
        # Nobody's: compared with when there is no account, so that both take as long.
        self._nobodys = self._hasher.hash(os.urandom(16).hex())

    async def hash(self, password: str) -> str:
        return await self._in_turn(password, self._hasher.hash)

    async def matches(self, known: str | None, password: str) -> bool:
        """Takes as long without a known hash as with a wrong password."""
        stored = known or self._nobodys

        def verify(plain: str) -> bool:
            try:
                return self._hasher.verify(stored, plain)
            except (VerificationError, InvalidHashError):
                return False

        return await self._in_turn(password, verify) and known is not None

    def outdated(self, known: str) -> bool:
        return self._hasher.check_needs_rehash(known)

    async def _in_turn(self, password: str, work: Callable[[str], Result]) -> Result:
        if self._in_line >= WAITING:
            raise Unavailable("Too many people sign in right now.")
        self._in_line += 1
        try:
            return await to_thread.run_sync(work, normal(password), limiter=self._limiter)
        finally:
            self._in_line -= 1
