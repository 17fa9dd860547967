"""The interface document says everything that a caller can be answered."""

from typing import Any

import pytest
from fastapi import APIRouter

from callers import Client
from service.chassis.app import Service, create_app
from service.chassis.contract.guards import public
from service.chassis.contract.problems import CATALOGUE
from service.chassis.settings import Settings

router = APIRouter(prefix="/shelf", dependencies=[public("tests")])


@router.get("/{name}")
async def read(name: str) -> str:
    return name


@router.put("/{name}")
async def write(name: str) -> str:
    return name


@router.delete("/sale")
async def close() -> str:
    return "closed"


@pytest.fixture
async def document(app: Service) -> dict[str, Any]:
    return app.openapi()


def statuses(operation: dict[str, Any]) -> set[str]:
    return {status for status in operation["responses"] if int(status) >= 400}


async def test_every_refusal_is_documented_as_a_problem(document: dict[str, Any]) -> None:
    components = document["components"]
    assert set(components["responses"]) == {str(kind.status) for kind in CATALOGUE.values()}
    for response in components["responses"].values():
        assert list(response["content"]) == ["application/problem+json"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert {"400", "422", "500", "503"} <= statuses(operation), (method, path)
            for status in statuses(operation):
                reference = operation["responses"][status]
                assert reference == {"$ref": f"#/components/responses/{status}"}
    assert "HTTPValidationError" not in components["schemas"]


PUBLIC = ("/v1/sign-in/", "/v1/accounts/", "/v1/browser/refresh", "/v1/sessions/refresh")


async def test_the_document_says_who_may_call(document: dict[str, Any]) -> None:
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    for path, operations in document["paths"].items():
        for operation in operations.values():
            ours = path.startswith("/v1/")
            public = not ours or path.startswith(PUBLIC)
            assert operation["security"] == ([] if public else [{"bearer": []}]), path
            assert ("401" in operation["responses"]) == ours


async def test_versions_are_documented_where_they_are_asked_for(document: dict[str, Any]) -> None:
    versioned = [
        operation
        for operations in document["paths"].values()
        for operation in operations.values()
        if any(each["name"] == "if-match" for each in operation.get("parameters", ()))
    ]
    for operation in versioned:
        assert {"412", "428"} <= statuses(operation)
        assert "ETag" in operation["responses"]["200"]["headers"]
        needed = [each for each in operation["parameters"] if each["name"] != "Idempotency-Key"]
        assert all(each["required"] for each in needed)


async def test_a_wrong_method_is_told_all_the_right_ones(settings: Settings, app: Service) -> None:
    shelf = create_app(settings, [router])
    shelf.state.given = app.state.given
    client = Client(shelf, None)
    assert (await client.post("/v1/shelf/x")).headers["allow"] == "GET, PUT"
    assert (await client.post("/v1/shelf/sale")).headers["allow"] == "DELETE, GET, PUT"
    assert (await client.delete("/v1/shelf/sale")).json() == "closed"


async def test_a_router_may_say_its_version(settings: Settings, app: Service) -> None:
    second = APIRouter(prefix="/v2/shelf", dependencies=[public("tests")])
    second.add_api_route("/{name}", read)
    shelf = create_app(settings, [router, second])
    shelf.state.given = app.state.given
    client = Client(shelf, None)
    assert [(await client.get(f"/{v}/shelf/x")).status_code for v in ("v1", "v2", "v3")] == [
        *(200, 200, 404)
    ]
    known = [shelf.openapi()["paths"][f"/{v}/shelf/{{name}}"]["get"] for v in ("v1", "v2")]
    assert statuses(known[0]) == statuses(known[1]) > {"401", "404"}
