"""The sections of the settings: each variable's name, bounds and meaning."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from service.chassis.limits_settings import Networks
from service.chassis.trust import TrustedIssuers, TrustedProviders

PLACEHOLDERS = ("changeme", "placeholder", "examplesecret", "replacethis", "replaceme", "<")


def _no_placeholder(secret: SecretStr) -> SecretStr:
    plain = re.sub(r"[-_ ]|%20", "", secret.get_secret_value().lower())
    if any(word in plain for word in PLACEHOLDERS):
        raise ValueError("still holds a placeholder; put the real value there")
    return secret


def _strong(secret: SecretStr) -> SecretStr:
    value = secret.get_secret_value()
    if len(value) < 32 or len(set(value)) < 10:
        raise ValueError("too weak for a key; make one with: openssl rand -hex 32")
    return secret


Secret = Annotated[SecretStr, AfterValidator(_no_placeholder)]
Key = Annotated[Secret, AfterValidator(_strong)]


# As a browser sends it: in small letters, without the usual port, without a path.
ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:(?!443$|80$)[0-9]{1,5})?")


def _exact_origins(listed: str) -> str:
    if not all(ORIGIN.fullmatch(origin) for origin in origins_in(listed)):
        raise ValueError("list whole origins, like https://app.example.com; no *, null or path")
    return listed


def origins_in(listed: str | None) -> tuple[str, ...]:
    return tuple(origin.strip() for origin in (listed or "").split(",") if origin.strip())


Origins = Annotated[str, AfterValidator(_exact_origins)]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ServiceSettings(Section):
    environment: Literal["production", "development"] = Field(
        "production", description="Production refuses everything that is only fit for a laptop."
    )
    debug: bool = Field(False, description="Log at debug level. Refused in production.")


class HttpSettings(Section):
    host: str = Field("127.0.0.1", description="Address to listen on; a container needs 0.0.0.0.")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on.")
    max_body_bytes: int = Field(1_000_000, ge=1, description="A larger request body is a 413.")
    max_json_parts: int = Field(
        8000, ge=100, description="More strings, commas and brackets in a JSON body are a 400."
    )
    allowed_hosts: str | None = Field(
        None,
        pattern=r"^(\*|[A-Za-z0-9\[][A-Za-z0-9.:\[\], -]*)$",
        description="Host names to answer to, with commas; probes answer to any. Production needs "
        "them, or * to say that a proxy in front refuses the others.",
    )
    drain_seconds: float = Field(
        5, ge=0, description="How long /readyz says no before the server stops on SIGTERM."
    )
    cursor_key: Key = Field(description="Signs page cursors.")
    idempotency_hours: int = Field(
        24, ge=1, le=8760, description="How long an Idempotency-Key is remembered."
    )
    idempotency_keys: int = Field(
        10_000, ge=1, description="Keys remembered for one caller; one more is a 429."
    )
    cors_origins: Origins | None = Field(
        None, description="Web pages that may call from a browser: https://a.example, https://…"
    )
    trusted_proxies: Networks = Field(
        "",
        description="Networks (10.0.0.0/8, ...) of the proxies in front, whose X-Forwarded-For is "
        "believed. Behind a proxy that is not named here all callers share one address.",
    )
    public_url: str = Field(
        "http://127.0.0.1:8000",
        pattern=r"^https?://[^/?#\s]+$",
        description=("Where browsers reach this service; identity providers send them back there."),
    )


class DatabaseSettings(Section):
    url: Secret = Field(description="postgresql:// URL of the role service_app, never an owner.")
    system_url: Secret | None = Field(
        None,
        description="URL of the role service_system: commands across tenants, sending webhooks.",
    )
    queue_url: Secret | None = Field(
        None,
        description="URL of the role service_worker: a worker's queue of jobs. Postgres itself, "
        "or a pooler in session mode: it listens there.",
    )
    pool_size: int = Field(10, ge=1, description="Connections per process.")
    pool_timeout_seconds: float = Field(2, gt=0, description="Wait for a connection, then 503.")
    statement_timeout_seconds: float = Field(
        5, ge=0.1, le=3600, description="A slower statement is ended."
    )


class ValkeySettings(Section):
    url: Secret = Field(description="redis:// URL of the Valkey that all processes share.")


class TenancySettings(Section):
    key: Key = Field(description="Signs tenant capabilities; `make migrate` installs it.")
    key_id: str = Field(
        "k1", pattern=r"^[a-z0-9-]{1,32}$", description="Name of the key; new key, new name."
    )
    capability_seconds: int = Field(
        60, ge=5, le=3600, description="No transaction can read a tenant for longer than this."
    )


class IdentitySettings(Section):
    signing_key: Key = Field(description="Signs access tokens and makes refresh tokens.")
    previous_signing_key: Key | None = Field(
        None, description="The key before: its access tokens are good until they expire."
    )
    access_token_seconds: int = Field(
        600, ge=30, le=600, description="How long an access token is good."
    )
    revocation_seconds: float = Field(
        5, ge=0, le=60, description="An ended session, role or key works on for at most this long."
    )
    refresh_idle_days: int = Field(7, ge=1, le=30, description="An unused session ends.")
    session_days: int = Field(30, ge=1, le=90, description="A used session ends, too.")
    refresh_grace_seconds: float = Field(
        5, ge=0, le=60, description="A refresh token whose answer was lost gives the same again."
    )
    sealing_key: Key | None = Field(None, description="Encrypts sign-ins and client secrets.")
    providers: TrustedProviders = Field(
        (), description='OpenID: `[{"name", "issuer", "client_id", "client_secret"}]`, as JSON.'
    )
    issuers: TrustedIssuers = Field(
        (), description='Whose access tokens are good here: `[{"issuer", "audience"}]`, as JSON.'
    )

    @model_validator(mode="after")
    def _can_seal(self) -> Self:
        if self.providers and self.sealing_key is None:
            raise ValueError("providers need a sealing_key; make one: openssl rand -hex 32")
        return self


class AccountsSettings(Section):
    enabled: bool | None = Field(
        None, description="Passwords and passkeys of our own; `about.toml` says so where unset."
    )
    key: Key | None = Field(
        None, description="Encrypts second factors. Without it the signing key does, on a laptop."
    )
    mail_url: Secret = Field(
        SecretStr("file:.dev/outbox"),
        description="smtps://user:password@host, smtp://… with STARTTLS; file:… on a laptop.",
    )
    mail_from: str = Field("service@localhost", description="Sender of the letters to people.")


class TelemetrySettings(Section):
    log_format: Literal["json", "console"] = Field("json", description="How logs are written.")
