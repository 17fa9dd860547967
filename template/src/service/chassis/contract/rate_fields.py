"""RateLimit-Policy and RateLimit, as in draft-ietf-httpapi-ratelimit-headers-11.

No partition key is sent: it would say something about the tenant or the address.
"""

from collections.abc import Sequence
from functools import lru_cache

from service.chassis.application.local_counts import Standing
from service.chassis.application.quotas import Quota

Standings = Sequence[tuple[Quota, Standing]]


def fields(standings: Standings) -> list[tuple[bytes, bytes]]:
    return [
        (b"ratelimit-policy", _policies(tuple([quota for quota, _ in standings]))),
        (
            b"ratelimit",
            ", ".join(
                [
                    f'"{quota.label}";r={standing.remaining};t={standing.seconds}'
                    for quota, standing in standings
                ]
            ).encode(),
        ),
    ]


@lru_cache(1024)
def _policies(quotas: tuple[Quota, ...]) -> bytes:
    return ", ".join(f'"{q.label}";q={q.amount};w={q.seconds}' for q in quotas).encode()
