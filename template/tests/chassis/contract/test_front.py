"""Floods that reach no route are stopped at the door; nobody talks himself into another address."""

import asyncio
from collections.abc import Iterable

import pytest
from chassis.contract.limited import Limiting, admitted, assert_refused, fresh_address, statuses
from fastapi import APIRouter

from callers import Client
from service.chassis.contract.address import Addresses
from service.chassis.contract.guards import public

OPEN = "/v1/door/open"
router = APIRouter(prefix="/door", dependencies=[public("tests")])


@router.get("/open")
async def open_to_all() -> str:
    return "seen"


@pytest.fixture
def address() -> str:
    return fresh_address()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing/{}", 404), ("HEAD", OPEN, 405), ("PATCH", OPEN, 405), ("GET", "/v1", 404)],
)
async def test_a_flood_that_reaches_no_route_is_stopped(
    limiting: Limiting, address: str, method: str, path: str, status: int
) -> None:
    limited = await limiting(router, strays_per_minute=4)
    flood = limited.stranger(address)
    answers = [await flood.request(method, path.format(number)) for number in range(8)]
    assert [answer.status_code for answer in answers] == [status] * 4 + [429] * 4
    assert answers[-1].headers["content-type"] == "application/problem+json"
    assert answers[-1].headers["x-content-type-options"] == "nosniff"
    assert_refused(await flood.get(OPEN))
    assert (await flood.get("/readyz")).status_code == 200, "or the balancer drops the service"
    assert admitted(await statuses(limited.stranger(), OPEN, 3)) == 3


async def test_a_flood_of_bad_tokens_is_stopped(limiting: Limiting, address: str) -> None:
    limited = await limiting(router, strays_per_minute=4)
    forger = limited.stranger(address)
    forged = [
        await forger.get("/v1/members", headers={"authorization": f"Bearer {number}"})
        for number in range(8)
    ]
    assert [answer.status_code for answer in forged] == [401] * 4 + [429] * 4


async def test_requests_that_other_limits_count_are_no_strays(
    limiting: Limiting, address: str
) -> None:
    limited = await limiting(router, strays_per_minute=2)
    assert admitted(await statuses(limited.stranger(address), OPEN, 10)) == 10
    assert await statuses(limited.stranger(address), "/livez", 10) == [200] * 10


def forwarded(hops: str) -> dict[str, str]:
    return {"x-forwarded-for": hops}


async def hidden(client: Client, hops: Iterable[str]) -> list[int]:
    answers = await asyncio.gather(*(client.get(OPEN, headers=forwarded(hop)) for hop in hops))
    return [answer.status_code for answer in answers]


@pytest.mark.case("R-02", "V-13")
@pytest.mark.parametrize("proxies", ["", "192.0.2.0/24, 2001:db8::/32"])
async def test_a_forged_address_does_not_renew_a_quota(
    limiting: Limiting, address: str, proxies: str
) -> None:
    limited = await limiting(router, trusted_proxies=proxies, address_per_minute=3)
    forger = limited.stranger(address)
    assert admitted(await hidden(forger, [f"203.0.113.{number}" for number in range(9)])) == 3


@pytest.mark.case("R-02", "V-13")
async def test_behind_our_proxy_callers_are_told_apart_by_what_the_proxy_wrote(
    limiting: Limiting, address: str
) -> None:
    limited = await limiting(router, trusted_proxies="192.0.2.0/24", address_per_minute=3)
    proxy, other = limited.stranger("192.0.2.7"), fresh_address()
    forged = [f"203.0.113.{number}, {address}, 192.0.2.9" for number in range(9)]
    assert admitted(await hidden(proxy, forged)) == 3
    assert admitted(await hidden(proxy, [other] * 3)) == 3


PROXY = "192.0.2.1"


@pytest.mark.case("V-13")
@pytest.mark.parametrize(
    ("peer", "sent", "counted"),
    [
        ("198.51.100.1", ["203.0.113.1"], "198.51.100.1"),
        (PROXY, [], PROXY),
        (PROXY, ["203.0.113.1"], "203.0.113.1"),
        (PROXY, ["198.18.0.1, 203.0.113.1"], "203.0.113.1"),
        (PROXY, ["198.18.0.1", "203.0.113.1, 192.0.2.5"], "203.0.113.1"),
        (PROXY, ["192.0.2.3,192.0.2.4"], "192.0.2.3"),
        (PROXY, ["198.18.0.1, nonsense"], PROXY),
        (PROXY, ["198.18.0.1, "], PROXY),
        (PROXY, ["203.0.113.1:4711"], "203.0.113.1"),
        (PROXY, ["[2001:db8::1]:4711"], "2001:db8::/64"),
        ("::ffff:192.0.2.1", ["203.0.113.1"], "203.0.113.1"),
        ("2001:db8:0:1:a::1", [], "2001:db8:0:1::/64"),
        ("2001:db8:0:1:b::2", [], "2001:db8:0:1::/64"),
        ("2001:db8:0:2:b::2", [], "2001:db8:0:2::/64"),
        ("::ffff:198.51.100.1", [], "198.51.100.1"),
        ("fe80::1%eth0", [], "fe80::/64"),
        (None, ["203.0.113.1"], "unknown"),
    ],
)
def test_the_nearest_address_that_is_no_proxy_counts(
    peer: str | None, sent: list[str], counted: str
) -> None:
    headers = [(b"x-forwarded-for", value.encode()) for value in sent]
    scope = {"client": (peer, 1) if peer else None, "headers": headers}
    addresses = Addresses("192.0.2.0/24")
    assert addresses.counted(addresses.of(scope)) == counted
