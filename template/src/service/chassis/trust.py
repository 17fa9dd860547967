"""Whom this service trusts to say who somebody is; operators set it, tenants may add to it."""

from collections.abc import Callable
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

# One per issuer, and no other is accepted from it.
Algorithm = Literal["RS256", "PS256", "ES256", "Ed25519"]
# Plain http is refused when it is used, in production and beyond this machine.
IssuerUrl = Annotated[str, Field(pattern=r"^https?://[^\s?#]{1,300}$")]


class _Trusted(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: IssuerUrl
    algorithm: Algorithm = "RS256"


class TrustedProvider(_Trusted):
    """An OpenID provider where people sign in: those of one tenant, or of all."""

    # Shorter than a UUID, so that no name is the id of a tenant's own provider.
    name: str = Field(pattern=r"^[a-z0-9-]{1,32}$")
    client_id: str = Field(min_length=1, max_length=300)
    client_secret: SecretStr = Field(min_length=8, max_length=1000)
    tenant: UUID | None = None
    verified_email_only: bool = True


class TrustedIssuer(_Trusted):
    """An issuer whose access tokens open this service: for one tenant, or for the one they name."""

    audience: str = Field(min_length=1)
    tenant: UUID | None = None
    tenant_claim: str = "tenant_id"
    longest_seconds: int = Field(600, ge=1, le=3600)


def _once(field: str) -> Callable[[Any], Any]:
    def check(given: tuple[_Trusted, ...]) -> tuple[_Trusted, ...]:
        if len({getattr(one, field) for one in given}) < len(given):
            raise ValueError(f"two have the same {field}")
        return given

    return check


TrustedProviders = Annotated[tuple[TrustedProvider, ...], AfterValidator(_once("name"))]
TrustedIssuers = Annotated[tuple[TrustedIssuer, ...], AfterValidator(_once("issuer"))]
