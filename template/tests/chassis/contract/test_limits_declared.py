"""Stricter limits that a route declares go on top of those that all routes have."""

from uuid import uuid4

import pytest
from chassis.contract.limited import Limiting, admitted, assert_refused, statuses
from fastapi import APIRouter, Request
from httpx2 import Response

from callers import Client
from service.chassis.contract.attempts import MODEL_CALLS, begin_attempt
from service.chassis.contract.guards import public
from service.chassis.contract.limits import limiter

router = APIRouter(prefix="/declared", dependencies=[public("tests")])


@router.get("/by-id/{number}")
@limiter.limit("3/minute")
async def by_id(request: Request, number: int) -> int:
    return number


@router.get("/sync")
@limiter.limit("3/minute;100/hour")
def in_a_thread(request: Request) -> str:
    return "seen"


@router.get("/dynamic")
@limiter.limit(lambda: "2/minute")
async def dynamic(request: Request) -> str:
    return "seen"


@router.get("/dear")
@limiter.limit("10/minute", cost=4)
async def dear(request: Request) -> str:
    return "seen"


@router.get("/spared")
@limiter.limit("1/minute", exempt_when=lambda request: "x-spare" in request.headers)
async def spared(request: Request) -> str:
    return "seen"


@router.api_route("/methods", methods=["GET", "POST"])
@limiter.limit("1/minute", methods=["POST"], error_message="Too often posted.")
async def methods(request: Request) -> str:
    return "seen"


@router.api_route("/each-method", methods=["GET", "POST"])
@limiter.limit("1/minute", per_method=True)
async def each_method(request: Request) -> str:
    return "seen"


shared = limiter.shared_limit("3/minute", scope="family")


@router.get("/one")
@shared
async def one(request: Request) -> str:
    return "seen"


@router.get("/other")
@shared
async def other(request: Request) -> str:
    return "seen"


@router.get("/exempt")
@limiter.exempt
async def free() -> str:
    return "seen"


@router.get("/namesake")
async def namesake() -> str:
    return "seen"


namesake.__name__ = "free"


@router.get("/model", dependencies=[MODEL_CALLS])
async def model() -> str:
    return "seen"


@router.post("/sign-in")
async def sign_in(request: Request, account: str, password: str) -> str:
    attempt = await begin_attempt(request, account)
    if password == "right":
        await attempt.succeeded()
    return "seen"


async def counted(client: Client, path: str, times: int) -> int:
    return admitted(await statuses(client, f"/v1/declared/{path}", times))


async def test_other_ids_in_a_path_are_no_other_bucket(limiting: Limiting) -> None:
    stranger = (await limiting(router)).stranger()
    answers = [await stranger.get(f"/v1/declared/by-id/{number}") for number in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 3 + [429] * 2
    assert_refused(answers[-1])
    assert '"route";q=3;w=60' in answers[0].headers["ratelimit-policy"]


@pytest.mark.parametrize(
    ("path", "quota"), [("sync", 3), ("dynamic", 2), ("dear", 2), ("spared", 1)]
)
async def test_what_is_declared_binds(limiting: Limiting, path: str, quota: int) -> None:
    limited = await limiting(router)
    assert await counted(limited.stranger(), path, quota + 3) == quota
    assert await counted(limited.stranger(), path, quota) == quota


async def test_a_declaration_may_spare_requests_and_choose_methods(limiting: Limiting) -> None:
    stranger = (await limiting(router)).stranger()
    spared = await statuses(stranger, "/v1/declared/spared", 3, headers={"x-spare": "1"})
    assert spared == [200] * 3
    assert await counted(stranger, "methods", 3) == 3
    posts = [await stranger.post("/v1/declared/methods") for _ in range(2)]
    assert [answer.status_code for answer in posts] == [200, 429]
    assert posts[1].json()["detail"] == "Too often posted."
    assert await counted(stranger, "each-method", 2) == 1
    assert (await stranger.post("/v1/declared/each-method")).status_code == 200


async def test_a_shared_limit_is_one_for_all_its_routes(limiting: Limiting) -> None:
    stranger = (await limiting(router)).stranger()
    assert await counted(stranger, "one", 2) == 2
    assert await counted(stranger, "other", 3) == 1


async def test_only_the_exempt_function_is_exempt(limiting: Limiting) -> None:
    stranger = (await limiting(router, address_per_minute=2)).stranger()
    assert await counted(stranger, "exempt", 6) == 6
    assert await counted(stranger, "namesake", 6) == 2


@pytest.mark.parametrize("unreadable", ["5 per minuet", "many", ""])
def test_a_limit_that_cannot_be_read_is_an_error_and_not_no_limit(unreadable: str) -> None:
    with pytest.raises(ValueError, match=r"parse|granularity"):
        limiter.limit(unreadable)
    with pytest.raises(ValueError, match=r"parse|granularity"):
        limiter.shared_limit(unreadable, scope="family")
    with pytest.raises(ValueError, match="scope"):
        limiter.shared_limit("5/minute", scope='a "name", or two')


async def test_a_model_route_has_its_own_limit(limiting: Limiting) -> None:
    limited = await limiting(router, model_calls_per_minute=2)
    stranger = limited.stranger()
    assert await counted(stranger, "model", 4) == 2
    assert await counted(stranger, "one", 1) == 1


async def tried(client: Client, account: str, word: str = "guess") -> Response:
    path = f"/v1/declared/sign-in?account={account}&password={word}"
    return await client.post(path)


async def test_an_address_tries_an_account_so_often(limiting: Limiting) -> None:
    limited = await limiting(router, sign_ins_per_hour=3)
    stranger = limited.stranger()
    answers = [await tried(stranger, account) for account in ("Ana", "ana", " ANA ", "ana")]
    assert [answer.status_code for answer in answers] == [200] * 3 + [429]
    assert_refused(answers[-1])
    assert "ana" not in f"{answers[-1].text}{answers[-1].headers}".lower()
    assert (await tried(stranger, "someone-else")).status_code == 200


@pytest.mark.case("R-08")
async def test_an_address_tries_so_many_accounts(limiting: Limiting) -> None:
    limited = await limiting(router, sign_ins_per_hour=3)
    stranger = limited.stranger()
    answers = [(await tried(stranger, f"account-{number}")).status_code for number in range(1000)]
    assert admitted(answers) == 30


async def test_many_addresses_do_not_lock_out_who_was_here_before(limiting: Limiting) -> None:
    limited = await limiting(router, sign_ins_per_hour=3)
    home, account = limited.stranger(), f"victim-{uuid4()}"
    assert (await tried(home, account, "right")).status_code == 200
    strangers = [(await tried(limited.stranger(), account)).status_code for _ in range(40)]
    assert admitted(strangers) == 14, "five times three, of which one was at home"
    assert (await tried(home, account, "right")).status_code == 200


@pytest.mark.case("R-04")
async def test_without_valkey_routes_answer_and_the_costly_ones_stay_nearly_shut(
    limiting: Limiting,
) -> None:
    limited = await limiting(
        router,
        valkey_url="redis://127.0.0.1:1/0",
        address_per_minute=80,
        model_calls_per_minute=30,
        sign_ins_per_hour=20,
    )
    assert await counted(limited.stranger(), "exempt", 30) == 30
    assert await counted(limited.stranger(), "namesake", 30) == 20
    assert await counted(limited.stranger(), "model", 10) == 3
    stranger = limited.stranger()
    guesses = [(await tried(stranger, f"{uuid4()}")).status_code for _ in range(30)]
    assert admitted(guesses) == 20, "as many as the address may ask at all"
    stranger, account = limited.stranger(), f"{uuid4()}"
    again = [(await tried(stranger, account)).status_code for _ in range(5)]
    assert admitted(again) == 2
