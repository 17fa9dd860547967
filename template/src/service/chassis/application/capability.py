"""Signed tenant capabilities: what `wall.tenant()` in the database accepts, and nothing else.

A plain setting would be a claim: injected SQL could set it to any tenant. A capability is
signed with a key that no role of the service can read, expires, and is good for one backend
process only, so that a copy seen in `pg_stat_activity` is worthless in another session.
"""

import hashlib
import hmac
import time
from dataclasses import dataclass

from service.chassis.identity import TenantId
from service.chassis.sections import TenancySettings

BLOCK = 64


@dataclass(frozen=True)
class CapabilityKey:
    key_id: str
    secret: bytes
    lifetime_seconds: int

    @classmethod
    def of(cls, settings: TenancySettings) -> "CapabilityKey":
        secret = settings.key.get_secret_value().encode()
        return cls(settings.key_id, secret, settings.capability_seconds)

    def capability(self, tenant_id: TenantId, backend_pid: int) -> str:
        expires = int(time.time()) + self.lifetime_seconds
        claim = f"{self.key_id}|{tenant_id}|{expires}|{backend_pid}"
        return f"{claim}|{hmac.digest(self.secret, claim.encode(), 'sha256').hex()}"

    def pads(self) -> tuple[bytes, bytes]:
        """The two halves of HMAC-SHA256, because core Postgres has sha256() but no hmac()."""
        key = self.secret if len(self.secret) <= BLOCK else hashlib.sha256(self.secret).digest()
        padded = key.ljust(BLOCK, b"\0")
        return bytes(b ^ 0x36 for b in padded), bytes(b ^ 0x5C for b in padded)
