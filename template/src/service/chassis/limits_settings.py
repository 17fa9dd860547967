"""What an operator may set about limits: part of `settings.py`."""

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def networks(listed: str) -> list[IPv4Network | IPv6Network]:
    return [ip_network(part.strip()) for part in listed.split(",") if part.strip()]


def plans(listed: str) -> Mapping[str, int]:
    """`free=600, standard=6000`: requests a minute by plan."""
    pairs = (part.partition("=") for part in listed.split(","))
    amounts = {name.strip(): int(amount) for name, _, amount in pairs}
    if "" in amounts or min(amounts.values()) < 1:
        raise ValueError("each plan needs a name and at least 1")
    return amounts


def _list_of_networks(listed: str) -> str:
    networks(listed)
    return listed


def _list_of_plans(listed: str) -> str:
    plans(listed)
    return listed


Networks = Annotated[str, AfterValidator(_list_of_networks)]
Plans = Annotated[str, AfterValidator(_list_of_plans)]


class LimitsSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    address_per_minute: int = Field(
        3000, ge=1, description="Requests from one address (of IPv6, from one /64)."
    )
    account_per_minute: int = Field(1200, ge=1, description="Requests of one account.")
    tenant_per_minute: Plans = Field(
        "standard=6000",
        description="Requests of one tenant by its plan: free=600, standard=6000. A plan that is "
        "not named gets the least of them.",
    )
    tenant_concurrency: int = Field(
        50, ge=1, description="Requests of one tenant that one process serves at once."
    )
    strays_per_minute: int = Field(
        300, ge=1, description="Requests from one address that reach no route or nobody's account."
    )
    sign_ins_per_hour: int = Field(
        20, ge=1, description="Attempts from one address to sign in to one account."
    )
    model_calls_per_minute: int = Field(
        60, ge=1, description="Requests of one account to routes that ask a model."
    )
