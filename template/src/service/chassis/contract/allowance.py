"""The quotas of this service, and what it means to be over one."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NoReturn

from limits import RateLimitItem

from service.chassis.application.local_counts import InFlight, Standing
from service.chassis.application.quotas import Key, Quota, Quotas
from service.chassis.contract.front import Visit
from service.chassis.errors import TooManyRequests
from service.chassis.identity import Caller
from service.chassis.limits_settings import LimitsSettings, plans

MINUTE, HOUR = 60, 3600


class Allowance:
    def __init__(self, settings: LimitsSettings, quotas: Quotas) -> None:
        self.quotas = quotas
        self.model = Quota("model", settings.model_calls_per_minute, MINUTE, guarded=True)
        # One account is tried by one address; by everyone who is new to it; all by one address.
        tries = settings.sign_ins_per_hour
        self.sign_in = Quota("sign-in", tries, HOUR, guarded=True)
        self.sign_in_account = Quota("sign-in-account", tries * 5, HOUR, guarded=True)
        self.sign_in_address = Quota("sign-in-address", tries * 10, HOUR, guarded=True)
        self._address = Quota("address", settings.address_per_minute, MINUTE)
        self._account = Quota("account", settings.account_per_minute, MINUTE)
        self._tenants: Mapping[str, Quota] = {
            plan: Quota("tenant", amount, MINUTE)
            for plan, amount in plans(settings.tenant_per_minute).items()
        }
        self._least = min(self._tenants.values(), key=lambda quota: quota.amount)
        self._in_flight = InFlight(settings.tenant_concurrency)
        self.declared = lru_cache(1024)(_declared)

    async def of_address(self, visit: Visit) -> None:
        await self.take(visit, self._address, (visit.address,))

    async def of_caller(self, visit: Visit, caller: Caller) -> None:
        """The account first, so that one of many cannot spend the quota of them all."""
        # The number in the UUID, because a UUID takes longer to hash than all else here.
        tenant = caller.tenant_id.int
        await self.take(visit, self._account, (tenant, caller.subject))
        await self.take(visit, self._tenants.get(caller.plan, self._least), (tenant,))
        if not self._in_flight.enter(tenant):
            raise TooManyRequests("Too many requests of this tenant are being served at once.")
        visit.entered = (self._in_flight, tenant)

    async def take(
        self, visit: Visit, quota: Quota, key: Key, cost: int = 1, words: str | None = None
    ) -> None:
        standing = await self.quotas.take(quota, key, cost)
        visit.standings.append((quota, standing))
        if not standing.admitted:
            _refuse(quota, standing, words)


def _refuse(quota: Quota, standing: Standing, words: str | None) -> NoReturn:
    words = words or f"This {quota.label} may ask {quota.amount} times in {quota.seconds} seconds."
    raise TooManyRequests(words, retry_after=standing.retry_after)


def _declared(scope: str, item: RateLimitItem) -> Quota:
    return Quota(scope, item.amount, item.get_expiry())
