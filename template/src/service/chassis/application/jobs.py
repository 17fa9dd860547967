"""Work that is done later, by a worker: asked for in the transaction of what needs it.

    class ExportNotes(Work, kind="notes.export"):
        format: Literal["csv", "json"]

    JOBS = [Job(ExportNotes, export_notes)]                              # its handler
    await jobs.put(tenancy, session, ExportNotes(format="csv"))          # in a use case

What a handler does in its blocks and that the job succeeded become true together, once.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import SystemRandom
from typing import Any, ClassVar, Generic, NewType, Protocol, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from service.chassis.application.tenancy import Tenancy
from service.chassis.identity import Permission

JobId = NewType("JobId", UUID)
chance = SystemRandom()
# Who caused a job that nobody asked for.
BY_ITSELF = "periodic:"


class State(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    # Refused for good, by a rule: to repeat it would change nothing.
    FAILED = "failed"
    # Given up, or not to be understood: an operator may replay it.
    DEAD = "dead"
    CANCELLED = "cancelled"


OVER = frozenset({State.SUCCEEDED, State.FAILED, State.DEAD, State.CANCELLED})


class Work(BaseModel):
    """What a job is asked to do. A change that older work does not fit takes a new `version`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: ClassVar[str]
    version: ClassVar[int]

    def __init_subclass__(cls, *, kind: str = "", version: int = 1, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.kind, cls.version = kind, version


W = TypeVar("W", bound=Work)
Handler = Callable[[Tenancy, W], Awaitable[BaseModel | None]]
Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Job(Generic[W]):
    """One kind of work, who does it, and how patiently.

    `from_previous` makes the fields of this version from those of the one before.
    """

    work: type[W]
    handler: Handler[W]
    timeout_seconds: float = 60
    attempts: int = 5
    first_wait_seconds: float = 5
    longest_wait_seconds: float = 3600
    from_previous: Callable[[Fields], Fields] | None = None

    def wait_after(self, attempt: int) -> timedelta:
        """Anywhere up to the bound, so that what failed together does not return together."""
        longest = min(self.longest_wait_seconds, self.first_wait_seconds * 2 ** (attempt - 1))
        return timedelta(seconds=chance.uniform(0, longest))


@dataclass(frozen=True)
class Periodic(Generic[W]):
    """Work that the service does by itself in every tenant, when `cron` (in UTC) says so.

    Nobody asked for it, so `may` is all that it may do.
    """

    work: W
    cron: str
    may: frozenset[Permission]


class Unreadable(Exception):
    """Nobody here can do this work; the message is the reason on record."""


class Declared:
    """The jobs of a service, by their kind."""

    def __init__(self, jobs: Iterable[Job[Any]], periodic: Iterable[Periodic[Any]] = ()) -> None:
        listed = list(jobs)
        self.by_kind = {job.work.kind: job for job in listed}
        self.periodic = {each.work.kind: each for each in periodic}
        if len(self.by_kind) < len(listed) or "" in self.by_kind:
            raise ValueError("every job needs a kind of its own")
        if unknown := self.periodic.keys() - self.by_kind.keys():
            raise ValueError(f"periodic, but no job: {', '.join(sorted(unknown))}")

    def understood(self, kind: str, version: int, fields: Fields) -> tuple[Job[Any], Work]:
        """This version's work and the one's before; everything else is unreadable."""
        job = self.by_kind.get(kind)
        if job is None:
            raise Unreadable("unknown-kind")
        try:
            if version == job.work.version - 1 and job.from_previous is not None:
                fields = job.from_previous(fields)
            elif version != job.work.version:
                raise Unreadable("unknown-version")
            return job, job.work.model_validate(fields)
        except (ValidationError, LookupError, TypeError, ValueError):
            raise Unreadable("invalid-work") from None


NO_JOBS = Declared(())


@dataclass(frozen=True)
class JobSeen:
    """A job as its tenant sees it."""

    id: JobId
    kind: str
    state: State
    attempts: int
    reason: str | None
    result: dict[str, Any] | None
    created_at: datetime
    finished_at: datetime | None

    @property
    def over(self) -> bool:
        return self.state in OVER


class Jobs(Protocol):
    """What use cases ask for; `tests/chassis/jobs` holds whoever implements it to its promises."""

    async def put(
        self,
        tenancy: Tenancy,
        session: AsyncSession,
        work: Work,
        *,
        after: timedelta = timedelta(),
        key: str | None = None,
    ) -> JobId:
        """It will be done if, and only if, this transaction commits; once for each `key`."""

    async def look(self, session: AsyncSession, job_id: JobId) -> JobSeen:
        """What became of it so far; another tenant's job is not there."""

    async def cancel(self, session: AsyncSession, job_id: JobId) -> bool:
        """Whatever it has not yet committed will never be; false if it was over already."""

    async def replay(self, session: AsyncSession, job_id: JobId) -> bool:
        """A dead job starts anew; false if it is not dead."""
