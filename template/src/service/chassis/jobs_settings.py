"""What an operator may set about jobs."""

from pydantic import BaseModel, ConfigDict, Field


class JobsSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    concurrency: int = Field(4, ge=1, le=100, description="Jobs that one worker does at once.")
    lease_seconds: float = Field(
        30, ge=1, description="A worker that is silent for this long is dead; others do its jobs."
    )
    drain_seconds: float = Field(
        20, ge=0, description="How long a worker that is told to stop waits for jobs it has begun."
    )
    tenant_waiting: int = Field(
        10_000, ge=1, description="Jobs of one tenant that may wait; one more is a 503."
    )
    all_waiting: int = Field(
        50_000, ge=1, description="Jobs of all tenants that may wait; one more is a 503."
    )
    kept_days: int = Field(
        30, ge=1, description="How long a job that is over can be looked at; dead ones stay."
    )
