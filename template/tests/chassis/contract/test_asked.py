"""A route is given what it asks for, and nothing else."""

from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict

from callers import Client
from service.chassis.app import Service, create_app
from service.chassis.contract.guards import public
from service.chassis.settings import Settings

OPEN = public("tests")
router = APIRouter(prefix="/asked")


class Callback(BaseModel):
    model_config = ConfigDict(extra="ignore")
    code: str


async def tag(tags: Annotated[list[str] | None, Query(alias="tag")] = None) -> list[str]:
    return tags or []


@router.get("/one", dependencies=[OPEN])
async def one(size: int = 1) -> int:
    return size


@router.get("/many", dependencies=[OPEN])
async def many(tags: Annotated[list[str], Depends(tag)]) -> list[str]:
    return tags


@router.get("/anything", dependencies=[OPEN])
async def anything(callback: Annotated[Callback, Query()]) -> str:
    return callback.code


@pytest.fixture
async def stranger(settings: Settings, app: Service) -> Client:
    asking = create_app(settings, [router])
    asking.state.given = app.state.given
    return Client(asking, None)


@pytest.mark.case("V-15")
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("sise=1", "query.sise"),
        ("size=1&admin=true", "query.admin"),
        ("size=1&size=2", "query.size"),
        ("size[]=1", "query.size[]"),
        ("=1", "query."),
    ],
)
async def test_what_was_not_asked_for_is_named(stranger: Client, query: str, field: str) -> None:
    assert (await stranger.get("/v1/asked/one?size=3")).json() == 3
    response = await stranger.get(f"/v1/asked/one?{query}")
    assert response.status_code == 422
    assert [each["field"] for each in response.json()["fields"]] == [field]


@pytest.mark.case("V-15")
async def test_a_list_comes_more_than_once_and_under_the_name_it_was_given(
    stranger: Client,
) -> None:
    assert (await stranger.get("/v1/asked/many?tag=a&tag=b")).json() == ["a", "b"]
    assert (await stranger.get("/v1/asked/many?tags=a")).status_code == 422


async def test_a_query_model_can_take_whatever_comes(stranger: Client) -> None:
    response = await stranger.get("/v1/asked/anything?code=7&session_state=others-invent-these")
    assert response.json() == "7"


@pytest.mark.example
@pytest.mark.case("V-15")
@pytest.mark.parametrize(
    "query", ["limit=1&limit=2", "limit=1&unknown=1", "cursor=%00", "a=1&" * 99]
)
async def test_a_guarded_list_refuses_them_too(ana: Client, query: str) -> None:
    assert (await ana.get("/v1/notes?limit=1")).status_code == 200
    assert (await ana.get(f"/v1/notes?{query}")).status_code in {400, 422}


@pytest.mark.example
async def test_a_stranger_learns_no_names(app: Service) -> None:
    assert (await Client(app, None).get("/v1/notes?unknown=1")).status_code == 401


async def test_so_many_parameters_are_not_taken_apart(stranger: Client) -> None:
    response = await stranger.get("/v1/asked/many?" + "&".join(["tag=a"] * 101))
    assert response.json()["code"] == "malformed"
    assert (await stranger.get("/v1/asked/many?" + "&".join(["tag=a"] * 100))).status_code == 200
