"""Every route has limits without asking for them."""

import asyncio
import re
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import pytest
from chassis.contract.limited import Limiting, admitted, assert_refused, statuses
from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from callers import Client
from service.chassis.application.tenancy import Tenancy
from service.chassis.contract.allowance import Allowance
from service.chassis.contract.front import Visit
from service.chassis.contract.guards import allow, public
from service.chassis.contract.limits import ServiceLimiter
from service.chassis.errors import NotFound, TooManyRequests
from service.chassis.identity import Action, Caller, Role, TenantId

CanRead = Annotated[Tenancy, allow("things", Action.READ)]
ITEM = r'"[a-z-]+"(?:;[a-z]+=\d+)+'
FIELD = re.compile(rf"{ITEM}(?:, {ITEM})*")

inner = APIRouter(prefix="/inner")
router = APIRouter(prefix="/things")
gate, arrived = asyncio.Event(), asyncio.Semaphore(0)


@inner.get("/open", dependencies=[public("tests")])
async def open_to_all() -> str:
    return "seen"


@router.get("/mine")
async def mine(tenancy: CanRead) -> str:
    return tenancy.caller.subject


@router.get("/absent")
async def absent(tenancy: CanRead) -> None:
    raise NotFound("There is no such thing.")


@router.get("/slow")
async def slow(tenancy: CanRead) -> str:
    arrived.release()
    await gate.wait()
    return "done"


@router.get("/crash")
async def crash(tenancy: CanRead) -> None:
    raise RuntimeError


@router.get("/stream")
async def stream(tenancy: CanRead) -> StreamingResponse:
    async def events() -> AsyncGenerator[str]:
        for number in range(5):
            await asyncio.sleep(0.01)
            yield f"data: {number}\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


router.include_router(inner)


@pytest.fixture
def tenant(acme: TenantId) -> TenantId:
    return acme


async def test_an_undecorated_nested_route_answers_429_after_its_default(
    limiting: Limiting,
) -> None:
    limited = await limiting(router, address_per_minute=3)
    stranger = limited.stranger()
    assert await statuses(stranger, "/v1/things/inner/open", 5) == [200] * 3 + [429] * 2
    assert_refused(await stranger.get("/v1/things/inner/open"))
    assert admitted(await statuses(limited.stranger(), "/v1/things/inner/open", 3)) == 3


async def test_an_account_has_its_own_share_wherever_it_comes_from(
    limiting: Limiting, tenant: TenantId, rival: TenantId
) -> None:
    limited = await limiting(router, account_per_minute=3)
    one, again = limited.member(tenant, "one"), limited.member(tenant, "one")
    assert admitted(await statuses(one, "/v1/things/mine", 2)) == 2
    assert await statuses(again, "/v1/things/mine", 2) == [200, 429]
    assert admitted(await statuses(limited.member(tenant, "two"), "/v1/things/mine", 3)) == 3
    elsewhere = limited.member(rival, "one")
    assert admitted(await statuses(elsewhere, "/v1/things/mine", 3)) == 3


@pytest.mark.case("R-02")
async def test_new_accounts_and_addresses_do_not_renew_a_tenant(
    limiting: Limiting, tenant: TenantId
) -> None:
    limited = await limiting(router, tenant_per_minute="standard=8")
    answers = [(await limited.member(tenant).get("/v1/things/mine")).status_code for _ in range(20)]
    assert admitted(answers) == 8


async def test_a_plan_has_its_quota_and_an_unknown_one_the_least(
    limiting: Limiting, tenant: TenantId
) -> None:
    limited = await limiting(router, tenant_per_minute="free=2, standard=4")
    allowance: Allowance = limited.app.state.given["allowance"]
    for plan, quota in {"free": 2, "standard": 4, "unheard-of": 2}.items():
        caller = Caller("member", TenantId(uuid4()), Role.OWNER, plan)
        for _ in range(quota):
            await allowance.of_caller(Visit("10.0.0.1"), caller)
        with pytest.raises(TooManyRequests):
            await allowance.of_caller(Visit("10.0.0.1"), caller)


@pytest.mark.case("R-06")
async def test_a_noisy_neighbour_is_heard_by_nobody_else(
    limiting: Limiting, acme: TenantId, rival: TenantId
) -> None:
    limited = await limiting(router, tenant_per_minute="standard=20")
    loud, quiet = acme, rival

    async def often(client: Client, times: int) -> list[int]:
        return await statuses(client, "/v1/things/mine", times)

    noise = [often(limited.member(loud), 100) for _ in range(4)]
    *loudly, calm = await asyncio.gather(*noise, often(limited.member(quiet), 20))
    assert calm == [200] * 20
    assert sum(map(admitted, loudly)) == 20


@pytest.mark.case("R-03")
async def test_so_many_of_a_tenant_are_served_at_once(
    limiting: Limiting, tenant: TenantId, rival: TenantId
) -> None:
    limited = await limiting(router, tenant_concurrency=2)
    gate.clear()
    member = limited.member(tenant)
    waiting = [asyncio.create_task(member.get("/v1/things/slow")) for _ in range(2)]
    for _ in waiting:
        await arrived.acquire()
    assert_refused(await member.get("/v1/things/mine"))
    assert (await limited.member(rival).get("/v1/things/mine")).status_code == 200
    gate.set()
    assert [answer.status_code for answer in await asyncio.gather(*waiting)] == [200, 200]
    assert admitted(await statuses(member, "/v1/things/mine", 3)) == 3


@pytest.mark.case("R-03")
@pytest.mark.parametrize("path", ["crash", "absent", "stream", "mine"])
async def test_however_a_request_ends_its_place_is_free_again(
    limiting: Limiting, tenant: TenantId, path: str
) -> None:
    limited = await limiting(router, tenant_concurrency=1)
    member = limited.member(tenant)
    for _ in range(3):
        assert (await member.get(f"/v1/things/{path}")).status_code != 429


async def test_a_stream_survives_and_says_its_limits(limiting: Limiting, tenant: TenantId) -> None:
    limited = await limiting(router)
    answer = await limited.member(tenant).get("/v1/things/stream")
    assert answer.text == "".join(f"data: {number}\n\n" for number in range(5))
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert FIELD.fullmatch(answer.headers["ratelimit"])


@pytest.mark.parametrize("path", ["mine", "absent", "inner/open"])
async def test_answers_say_the_limits_as_structured_fields(
    limiting: Limiting, tenant: TenantId, path: str
) -> None:
    limited = await limiting(router, account_per_minute=7)
    answer = await limited.member(tenant).get(f"/v1/things/{path}")
    policy, state = answer.headers["ratelimit-policy"], answer.headers["ratelimit"]
    assert FIELD.fullmatch(policy)
    assert FIELD.fullmatch(state)
    assert '"account";q=7;w=60' in policy
    assert re.search(r'"account";r=6;t=\d+', state)
    names = [re.findall(r'"([a-z-]+)"', field) for field in (policy, state)]
    assert names[0] == names[1] == ["address", "account", "tenant"]


async def test_a_refusal_names_neither_tenant_nor_account_nor_address(
    limiting: Limiting, tenant: TenantId
) -> None:
    limited = await limiting(router, tenant_per_minute="standard=1")
    member = limited.member(tenant, "a-subject", "10.99.98.97")
    await member.get("/v1/things/mine")
    refused = await member.get("/v1/things/mine")
    assert_refused(refused)
    said = f"{refused.headers} {refused.text}"
    for secret in (str(tenant), tenant.hex, str(tenant.int), "a-subject", "10.99.98.97"):
        assert secret not in said


async def test_the_environment_does_not_switch_limits_off(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    off = {"RATELIMIT_ENABLED": "false", "RATELIMIT_HEADERS_ENABLED": "true"}
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in off.items()))
    monkeypatch.chdir(tmp_path)
    for enabled_by in ("file", "environment"):
        limiter = ServiceLimiter()
        assert (limiter.enabled, limiter._headers_enabled) == (True, False), enabled_by
        for name, value in off.items():
            monkeypatch.setenv(name, value)


async def test_a_stale_token_closes_no_public_route(limiting: Limiting) -> None:
    limited = await limiting(router)
    stranger = limited.stranger()
    headers = {"authorization": "Bearer stale"}
    assert (await stranger.get("/v1/things/inner/open", headers=headers)).status_code == 200
    assert (await stranger.get("/v1/things/mine", headers=headers)).status_code == 401
