"""Everything an operator may set, as one frozen tree.

`DATABASE_POOL_SIZE=5` sets `database.pool_size`; a file of that name in `SECRETS_DIR` does too.
"""

import os
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from service.chassis.jobs_settings import JobsSettings
from service.chassis.limits_settings import LimitsSettings
from service.chassis.sections import (
    AccountsSettings,
    DatabaseSettings,
    HttpSettings,
    IdentitySettings,
    ServiceSettings,
    TelemetrySettings,
    TenancySettings,
    ValkeySettings,
    origins_in,
)

# Keys that stand in public code, this template's tests included.
PUBLISHED = ("0123456789abcdef0123", "abcdefghijklmnop")


class SettingsRefused(Exception):
    """The service will not start like this; the message names each variable and the fix."""


class About(BaseModel):
    """Who this service is, as it was generated: `about.toml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    description: str
    owner: str
    contact: str
    accounts: bool = True


@cache
def about() -> About:
    return About(**tomllib.loads((files("service") / "about.toml").read_text("utf-8")))


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
    limits: LimitsSettings = LimitsSettings()
    tenancy: TenancySettings
    identity: IdentitySettings
    accounts: AccountsSettings = AccountsSettings()
    jobs: JobsSettings = JobsSettings()
    telemetry: TelemetrySettings = TelemetrySettings()

    @property
    def production(self) -> bool:
        return self.service.environment == "production"

    @property
    def offers_accounts(self) -> bool:
        enabled = self.accounts.enabled
        return about().accounts if enabled is None else enabled

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
    }
    keys = {
        "TENANCY_KEY": settings.tenancy.key,
        "HTTP_CURSOR_KEY": settings.http.cursor_key,
        "IDENTITY_SIGNING_KEY": settings.identity.signing_key,
        "IDENTITY_SEALING_KEY": settings.identity.sealing_key,
    }
    unfit["HTTP_CORS_ORIGINS: a page without https is whoever sits in between; remove http://"] = (
        any(origin.startswith("http:") for origin in origins_in(settings.http.cors_origins))
    )
    unfit["HTTP_ALLOWED_HOSTS: name the hosts, or * if a proxy in front refuses the others"] = (
        settings.http.allowed_hosts is None
    )
    plain = {name: key.get_secret_value() for name, key in keys.items() if key}
    for name, key in plain.items():
        unfit[f"{name}: this key is public; make one with: openssl rand -hex 32"] = any(
            known in key for known in PUBLISHED
        )
    first = {key: name for name, key in reversed(plain.items())}
    for name, key in plain.items():
        unfit[f"{name}: the same as {first[key]}; each needs its own"] = first[key] != name
    return [complaint for complaint, found in unfit.items() if found]
