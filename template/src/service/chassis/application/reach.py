"""Which addresses are of the public internet, and which lead inside."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network

# Called global by the registries of addresses, and yet a way inside: multicast, relays, a cloud's
# own metadata server, all of IPv6 but its public unicast, and what carries an IPv4 address there.
LEADS_INSIDE = tuple(
    map(
        ip_network,
        (
            *("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "224.0.0.0/4"),
            *("::/3", "4000::/2", "8000::/1", "2001::/23", "2002::/16", "3fff::/20"),
        ),
    )
)


@dataclass(frozen=True)
class Reach:
    """Where calls may go. No setting widens it: only code that makes an `Outbound` does."""

    schemes: frozenset[str] = frozenset({"https"})
    ports: frozenset[int] = frozenset({443})
    also: tuple[Network, ...] = ()

    def covers(self, given: str) -> bool:
        try:
            address = ip_address(given.partition("%")[0])
        except ValueError:
            return False
        if any(address in network for network in self.also):
            return True
        return address.is_global and not any(address in network for network in LEADS_INSIDE)
