"""Whose request is it, as far as the network can tell?"""

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.types import Scope

from service.chassis.limits_settings import networks

IPV6_PREFIX = 64
UNKNOWN = "unknown"


class Addresses:
    """X-Forwarded-For is believed as far as trusted proxies wrote it, and no further."""

    def __init__(self, trusted_proxies: str) -> None:
        self._trusted = tuple(networks(trusted_proxies))

    def counted(self, address: str) -> str:
        """As limits count it: of IPv6 the network of one customer."""
        return _counted(address)

    def of(self, scope: Scope) -> str:
        """The nearest address that is no proxy of ours."""
        address = (scope.get("client") or (UNKNOWN,))[0]
        if self._trusted and _within(address, self._trusted):
            for hop in reversed(_forwarded_for(scope)):
                if not _is_address(hop := _without_port(hop)):
                    break
                address = hop
                if not _within(hop, self._trusted):
                    break
        return address


def _forwarded_for(scope: Scope) -> list[str]:
    sent = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return b",".join(sent).decode("latin-1").split(",")


def _without_port(hop: str) -> str:
    hop = hop.strip()
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


@lru_cache(4096)
def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@lru_cache(4096)
def _within(text: str, trusted: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    if not _is_address(text):
        return False
    address = ip_address(text)
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in network for network in trusted)


@lru_cache(4096)
def _counted(text: str) -> str:
    if ":" not in text or not _is_address(text):
        return text
    address = IPv6Address(text)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), IPV6_PREFIX), strict=False))
