"""A route that will end says so with each answer and in the document, and may go afterwards."""

from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated

import pytest
from fastapi import APIRouter, Query

from callers import Client, ClientFor, Person
from dev.differ import breaks
from service.chassis.app import Service, create_app
from service.chassis.application.tenancy import Tenancy
from service.chassis.contract.deprecation import Deprecation, deprecated
from service.chassis.contract.guards import allow, public
from service.chassis.errors import NotFound
from service.chassis.identity import Action, Role, TenantId
from service.chassis.settings import Settings

CanRead = Annotated[Tenancy, allow("members", Action.READ)]
SINCE, SUNSET = date(2030, 1, 1), date(2030, 6, 30)
ENDING = deprecated(since=SINCE, sunset=SUNSET, instead="/v1/crates", guide="https://a.example/b")
router = APIRouter()


@router.get("/boxes", dependencies=[ENDING, public("tests")])
async def boxes(number: Annotated[int, Query()] = 0) -> list[str]:
    """All of them."""
    if number:
        raise NotFound("box")
    return []


@router.get("/owned", dependencies=[ENDING])
async def owned(tenancy: CanRead) -> list[str]:
    return [tenancy.caller.role]


@router.get("/crates", dependencies=[public("tests")])
async def crates() -> list[str]:
    return []


@pytest.fixture
def shelf(settings: Settings, app: Service) -> Service:
    shelf = create_app(settings, [router])
    shelf.state.given = app.state.given
    return shelf


@pytest.mark.parametrize(
    ("path", "status"),
    [("boxes", 200), ("boxes?number=1", 404), ("boxes?number=one", 422), ("owned", 401)],
)
async def test_each_answer_of_the_route_says_when_it_ends(
    shelf: Service, path: str, status: int
) -> None:
    answer = await Client(shelf, None).get(f"/v1/{path}")
    assert answer.status_code == status
    since = answer.headers["deprecation"]
    assert since[0] == "@"
    assert datetime.fromtimestamp(int(since[1:]), UTC) == datetime(2030, 1, 1, tzinfo=UTC)
    assert parsedate_to_datetime(answer.headers["sunset"]) == datetime(2030, 7, 1, tzinfo=UTC)
    assert answer.headers.get_list("link") == [
        '</v1/crates>; rel="successor-version"',
        '<https://a.example/b>; rel="deprecation"',
    ]


async def test_who_may_not_is_told_too(shelf: Service, acme: TenantId) -> None:
    answer = await Client(shelf, Person(shelf, acme, Role.OWNER)).get("/v1/owned")
    assert (answer.status_code, "sunset" in answer.headers) == (200, True)


async def test_no_other_route_says_so(shelf: Service, client_for: ClientFor) -> None:
    answer = await Client(shelf, None).get("/v1/crates")
    assert answer.status_code == 200
    assert not {"deprecation", "sunset", "link"} & answer.headers.keys()


def test_the_document_says_so_as_well(shelf: Service) -> None:
    paths = shelf.openapi()["paths"]
    operation = paths["/v1/boxes"]["get"]
    assert operation["deprecated"] is True
    assert (operation["x-deprecated-since"], operation["x-sunset"]) == ("2030-01-01", "2030-06-30")
    assert operation["description"] == (
        "All of them.\n\nDeprecated since 2030-01-01; answers until 2030-06-30. "
        "Use /v1/crates instead."
    )
    assert "deprecated" not in paths["/v1/crates"]["get"]


def test_it_may_go_when_its_last_day_is_past(settings: Settings, shelf: Service) -> None:
    before, after = shelf.openapi(), create_app(settings, []).openapi()
    known = {"/v1/boxes", "/v1/owned", "/v1/crates"}
    for today, gone in [(SUNSET, known), (date(2030, 7, 1), {"/v1/crates"})]:
        found = breaks(before, after, today)
        assert {each.place for each in found if each.code == "path-removed"} == gone


@pytest.mark.parametrize(
    ("sunset", "instead"),
    [
        (date(2030, 3, 31), "/v1/crates"),
        (SUNSET, "crates"),
        (SUNSET, 'https://a.example/>; rel="self'),
    ],
)
def test_too_short_a_notice_and_an_address_that_is_none_stop_the_start(
    sunset: date, instead: str
) -> None:
    with pytest.raises(ValueError, match=r"at least 90 days|is no path"):
        Deprecation(SINCE, sunset, instead)
    assert Deprecation(SINCE, date(2030, 4, 1), "/v1/crates")
