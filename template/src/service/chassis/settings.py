"""Everything an operator may set, as one frozen tree.

`DATABASE_POOL_SIZE=5` sets `database.pool_size`; a file of that name in `SECRETS_DIR` does too.
"""

import os
import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

PLACEHOLDERS = ("changeme", "placeholder", "examplesecret", "replacethis", "replaceme", "<")
# Keys that stand in public code, this template's tests included.
PUBLISHED = ("0123456789abcdef0123", "abcdefghijklmnop")


class SettingsRefused(Exception):
    """The service will not start like this; the message names each variable and the fix."""


class About(BaseModel):
    """Who this service is, from `about.toml`; not for an operator to change."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    description: str
    owner: str
    contact: str


@cache
def about() -> About:
    return About(**tomllib.loads((files("service") / "about.toml").read_text("utf-8")))


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
    drain_seconds: float = Field(
        5, ge=0, description="How long /readyz says no before the server stops on SIGTERM."
    )
    cursor_key: Key = Field(description="Signs page cursors.")


class DatabaseSettings(Section):
    url: Secret = Field(description="postgresql:// URL of the role service_app, never an owner.")
    system_url: Secret | None = Field(
        None, description="URL of the role service_system, for commands that work across tenants."
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
    development_key: Key | None = Field(
        None, description="Signs `make token`. Refused in production."
    )


class TelemetrySettings(Section):
    log_format: Literal["json", "console"] = Field("json", description="How logs are written.")


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_file=".env",
        env_nested_delimiter="_",
        env_nested_max_split=1,
        secrets_dir_missing="ok",
        secrets_nested_delimiter="_",
    )

    service: ServiceSettings = ServiceSettings()
    http: HttpSettings
    database: DatabaseSettings
    valkey: ValkeySettings
    tenancy: TenancySettings
    identity: IdentitySettings = IdentitySettings()
    telemetry: TelemetrySettings = TelemetrySettings()

    @property
    def production(self) -> bool:
        return self.service.environment == "production"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        files = NestedSecretsSettingsSource(file_secret_settings)
        sources = (init_settings, env_settings, files)
        # A file that lies about must not turn a production service into a development one.
        developing = os.environ.get("SERVICE_ENVIRONMENT") == "development"
        return (*sources, dotenv_settings) if developing else sources


def load_settings() -> Settings:
    """Reads the environment once; raises `SettingsRefused` naming every variable that is wrong."""
    try:
        settings = Settings(_secrets_dir=os.environ.get("SECRETS_DIR", "/run/secrets"))
    except ValidationError as error:
        raise SettingsRefused(_as_lines(_complaints(error))) from None
    except (SettingsError, UnicodeDecodeError) as error:
        # Only the first line: the rest of what a parser says may quote a secret.
        said = str(error).partition("\n")[0] if isinstance(error, SettingsError) else "not text"
        raise SettingsRefused(_as_lines([said])) from None
    if unfit := _unfit_for_production(settings):
        raise SettingsRefused(_as_lines(unfit))
    return settings


def _as_lines(complaints: list[str]) -> str:
    return "\n".join(["The settings are refused:", *(f"  {line}" for line in complaints)])


def _complaints(error: ValidationError) -> list[str]:
    return [line for problem in error.errors() for line in _complaint(problem["loc"], problem)]


def _complaint(place: tuple[int | str, ...], problem: Any) -> list[str]:
    if problem["type"] == "missing" and len(place) == 1:
        section = Settings.model_fields[str(place[0])].annotation
        required = [name for name, f in section.model_fields.items() if f.is_required()]  # type: ignore[union-attr]
        return [line for name in required for line in _complaint((*place, name), problem)]
    variable = "_".join(str(part) for part in place).upper()
    # Never the value: it may be a secret.
    advice = {
        "missing": "missing; `.env.example` describes it",
        "extra_forbidden": "unknown; remove it or correct its name (see `.env.example`)",
    }
    return [
        f"{variable}: {advice.get(problem['type'], problem['msg'].removeprefix('Value error, '))}"
    ]


def _unfit_for_production(settings: Settings) -> list[str]:
    if not settings.production:
        return []
    unfit = {
        "SERVICE_DEBUG: debug logs may hold customer data; unset it": settings.service.debug,
        "IDENTITY_DEVELOPMENT_KEY: anyone who holds it can be anyone; unset it": (
            settings.identity.development_key is not None
        ),
    }
    keys = {"TENANCY_KEY": settings.tenancy.key, "HTTP_CURSOR_KEY": settings.http.cursor_key}
    plain = {name: key.get_secret_value() for name, key in keys.items()}
    for name, key in plain.items():
        unfit[f"{name}: this key is public; make one with: openssl rand -hex 32"] = any(
            known in key for known in PUBLISHED
        )
    unfit["HTTP_CURSOR_KEY: the same as TENANCY_KEY; each needs its own"] = len(
        set(plain.values())
    ) < len(plain)
    return [complaint for complaint, found in unfit.items() if found]
