"""Every answer of 400 and above is a problem, and none of them talks too much."""

import json
from collections.abc import AsyncGenerator
from typing import Annotated

import pytest
from fastapi import APIRouter, Query
from httpx2 import Response
from pydantic import Field
from starlette.exceptions import HTTPException

from callers import Client
from service.chassis import errors
from service.chassis.app import Service, create_app
from service.chassis.contract.guards import public
from service.chassis.contract.problems import CATALOGUE, Kind
from service.chassis.contract.shapes import Accepted
from service.chassis.contract.words import of_problem
from service.chassis.settings import Settings

SECRET = "hunter2-internal-db.example"
router = APIRouter(prefix="/problems", dependencies=[public("tests")])


class Password(Accepted):
    password: Annotated[str, Field(max_length=3)]
    number: int = 1


@router.post("/body")
async def body(password: Password) -> str:
    return password.password


@router.get("/query")
async def query(when: Annotated[int, Query()]) -> int:
    return when


@router.get("/raise/{code}")
async def raising(code: str) -> None:
    found = {error.code: error for error in errors.ServiceError.__subclasses__()}
    if code == "invalid":
        raise errors.Invalid("too long", field="body.title")
    raise found[code]("said to the caller")


@router.get("/crash")
async def crash() -> None:
    raise RuntimeError(f"SELECT * FROM secrets at {SECRET}")


@router.get("/teapot")
async def teapot() -> None:
    raise HTTPException(418, detail=SECRET)


@pytest.fixture
async def stranger(settings: Settings, app: Service) -> Client:
    probing = create_app(settings, [router])
    probing.state.given = app.state.given
    return Client(probing, None)


def assert_problem(response: Response, status: int, code: str) -> None:
    body = response.json()
    assert response.status_code == status, body
    assert response.headers["content-type"] == "application/problem+json"
    assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:problem:{code}")
    assert body["title"] == of_problem(code).title
    assert body["trace_id"] == response.headers["x-trace-id"]
    assert SECRET not in response.text


def every_error(of: type[errors.ServiceError]) -> set[str]:
    return {of.code}.union(*(every_error(child) for child in of.__subclasses__()))


def test_the_catalogue_and_the_errors_of_the_code_are_the_same() -> None:
    framework_only = {"method-not-allowed"}
    assert every_error(errors.ServiceError) == set(CATALOGUE) - framework_only


@pytest.mark.parametrize("code", sorted(every_error(errors.ServiceError) - {"internal"}))
async def test_a_service_error_has_its_status_and_its_words(stranger: Client, code: str) -> None:
    kind: Kind = CATALOGUE[code]
    response = await stranger.get(f"/v1/problems/raise/{code}")
    assert_problem(response, kind.status, code)
    for name, value in kind.headers:
        assert response.headers[name] == value


async def test_an_unknown_path_is_a_problem(stranger: Client) -> None:
    assert_problem(await stranger.get("/nothing/here"), 404, "not-found")


async def test_a_wrong_method_is_a_problem_that_names_the_right_ones(stranger: Client) -> None:
    response = await stranger.delete("/livez")
    assert_problem(response, 405, "method-not-allowed")
    assert response.headers["allow"] == "GET"


async def test_a_crash_tells_the_caller_nothing(stranger: Client) -> None:
    response = await stranger.get("/v1/problems/crash")
    assert_problem(response, 500, "internal")
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_a_crash_is_logged_with_its_trace(
    stranger: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    response = await stranger.get("/v1/problems/crash")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (crashed,) = [line for line in lines if line["event"] == "request_crashed"]
    assert crashed["level"] == "error"
    assert crashed["trace_id"] == response.headers["x-trace-id"]
    assert "RuntimeError" in crashed["exception"]


async def test_a_status_outside_the_catalogue_becomes_the_nearest_in_it(stranger: Client) -> None:
    assert_problem(await stranger.get("/v1/problems/teapot"), 400, "malformed")


async def test_a_large_body_is_refused_whether_or_not_it_says_its_length(
    stranger: Client, settings: Settings
) -> None:
    size = settings.http.max_body_bytes + 1

    async def chunks() -> AsyncGenerator[bytes]:
        for _ in range(size // 1000 + 1):
            yield b"x" * 1000

    told = await stranger.post("/v1/problems/body", content=b"x" * size)
    untold = await stranger.post("/v1/problems/body", content=chunks())
    assert_problem(told, 413, "too-large")
    assert_problem(untold, 413, "too-large")


@pytest.mark.parametrize("content", [b"{bad", b"", b'{"password": "a"', b"\xff\xfe"])
async def test_a_body_that_is_not_json_is_refused(stranger: Client, content: bytes) -> None:
    response = await stranger.post(
        "/v1/problems/body", content=content, headers={"content-type": "application/json"}
    )
    assert response.status_code in {400, 422}
    assert_problem(response, response.status_code, response.json()["code"])


async def test_wrong_fields_are_named_and_what_was_sent_is_not_repeated(stranger: Client) -> None:
    response = await stranger.post(
        "/v1/problems/body", json={"password": SECRET, "number": "1", "unknown": SECRET}
    )
    assert_problem(response, 422, "invalid")
    fields = {field["field"] for field in response.json()["fields"]}
    assert fields == {"body.password", "body.number", "body.unknown"}


async def test_a_parser_does_not_repeat_what_was_sent(stranger: Client) -> None:
    response = await stranger.get("/v1/problems/query", params={"when": SECRET})
    assert_problem(response, 422, "invalid")
