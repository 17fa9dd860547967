"""An answer that the interface document does not allow fails the test that gets it."""

from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

import httpx2
import pytest
from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse

from agreed import Agreed
from callers import Client
from service.chassis.app import Service, create_app
from service.chassis.contract.guards import public
from service.chassis.contract.shapes import Shown
from service.chassis.settings import Settings

router = APIRouter(prefix="/claims", dependencies=[public("tests")])
ANSWERS: dict[str, Any] = {
    "right": JSONResponse({"number": 1, "at": "2030-01-01T00:00:00Z"}),
    "field": JSONResponse({"number": "one", "at": "2030-01-01T00:00:00Z"}),
    "missing": JSONResponse({"number": 1}),
    "format": JSONResponse({"number": 1, "at": "yesterday"}),
    "status": JSONResponse({"number": 1, "at": "2030-01-01T00:00:00Z"}, 202),
    "media": PlainTextResponse("1"),
    "refusal": JSONResponse({"detail": "no"}, 409),
}


class Claim(Shown):
    number: int
    at: datetime


def answering(name: str) -> None:
    @router.get(f"/{name}", response_model=Claim, responses={"404": {"model": Claim}})
    async def answer() -> Any:
        return ANSWERS[name]


for each in ANSWERS:
    answering(each)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("right", []),
        ("field", ['200 number: "one" is not of type "integer"']),
        ("missing", ['200 : "at" is a required property']),
        ("format", ['200 at: "yesterday" is not a "date-time"']),
        ("status", ["202 is in no document"]),
        ("media", ["text/plain is in no document"]),
        ("refusal", ["409: application/json is in no document"]),
    ],
)
async def test_what_is_not_in_the_document_is_named(
    settings: Settings, app: Service, name: str, said: list[str]
) -> None:
    claims = create_app(settings, [router])
    claims.state.given = app.state.given
    agreed = Agreed()
    agreed.learn(claims.openapi())
    found = list(agreed.differences(await Client(claims, None).get(f"/v1/claims/{name}")))
    assert len(found) == len(said), found
    assert all(each in whole for each, whole in zip(said, found, strict=True)), found


async def test_every_test_is_told(app: Service) -> None:
    assert (await Client(app, None).get("/livez")).status_code == 200

    async def otherwise(scope: Any, receive: Any, send: Any) -> None:
        await JSONResponse({"mood": "fine"})(scope, receive, send)

    otherwise.state = SimpleNamespace(given={})  # type: ignore[attr-defined]
    with pytest.raises(AssertionError, match="not what the interface document says"):
        await Client(cast("Service", otherwise), None).get("/livez")
    async with Client(cast("Service", otherwise), None).stream("GET", "/livez") as streamed:
        assert isinstance(streamed, httpx2.Response)
