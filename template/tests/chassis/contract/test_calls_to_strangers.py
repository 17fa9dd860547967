"""A route that calls what a user gave gets the client that calls no place of ours."""

import pytest
from fastapi import APIRouter

from callers import Client
from service.chassis.app import Service, create_app
from service.chassis.contract.guards import public
from service.chassis.contract.webhooks import CallsStrangers
from service.chassis.settings import Settings
from strangers import Names, outbound, stranger

router = APIRouter(prefix="/previews", dependencies=[public("tests")])


@router.get("")
async def preview(strangers: CallsStrangers, of: str) -> int:
    return (await strangers.get(of)).status


@pytest.fixture
def previewing(settings: Settings, app: Service) -> Service:
    previewing = create_app(settings, [router])
    previewing.state.given = dict(app.state.given)
    return previewing


@pytest.mark.case("V-09")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "169.254.169.254", "[::1]"])
async def test_a_route_that_calls_for_a_user_reaches_nothing_of_ours(
    previewing: Service, host: str
) -> None:
    user = Client(previewing, None)
    refused = await user.get("/v1/previews", params={"of": f"https://{host}/"})
    assert (refused.status_code, refused.json()["code"]) == (422, "address-refused")


async def test_it_reaches_what_is_public(previewing: Service) -> None:
    names = Names(hook_test=[["127.0.0.1"]])
    async with stranger() as server, outbound(names, server.port) as client:
        previewing.state.given["outbound"] = client
        of = f"http://hook.test:{server.port}/"
        answer = await Client(previewing, None).get("/v1/previews", params={"of": of})
    assert (answer.status_code, answer.json()) == (200, 200)
