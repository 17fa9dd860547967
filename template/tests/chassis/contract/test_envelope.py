"""What surrounds every answer."""

import json

import pytest
from fastapi import APIRouter, Response

from callers import Client
from service.chassis.app import Service, create_app
from service.chassis.contract.guards import public
from service.chassis.settings import Settings

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


router = APIRouter(prefix="/answers", dependencies=[public("tests")])


@router.get("/empty", status_code=204)
async def empty() -> None: ...


@router.get("/unchanged")
async def unchanged() -> Response:
    return Response(status_code=304, headers={"etag": '"1"'})


@router.get("/talkative")
async def talkative() -> Response:
    said = {"server": "secret/1.0", "X-Powered-By": "secret", "X-Trace-Id": "forged"}
    return Response(headers={**said, "Cache-Control": "max-age=60"})


@router.get("/crash")
async def crash() -> None:
    raise RuntimeError


@router.post("/body")
async def body(sent: dict[str, str]) -> None: ...


@pytest.fixture
def answering(settings: Settings, app: Service) -> Client:
    answering = create_app(settings, [router])
    answering.state.given = app.state.given
    return Client(answering, None)


ANSWERS = [
    ("GET", "/livez", 200),
    ("GET", "/openapi.json", 200),
    ("GET", "/docs", 200),
    ("GET", "/v1/answers/empty", 204),
    ("GET", "/v1/answers/unchanged", 304),
    ("GET", "/v1/nothing", 404),
    ("DELETE", "/livez", 405),
    ("TRACE", "/livez", 405),
    ("POST", "/v1/answers/body", 413),
    ("GET", "/v1/answers/crash", 500),
]
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "x-permitted-cross-domain-policies": "none",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "cache-control": "no-store",
}


@pytest.mark.case("V-14")
@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
async def test_every_answer_carries_the_security_headers_once(
    answering: Client, method: str, path: str, status: int
) -> None:
    large = b"x" * 2_000_000 if status == 413 else None
    answer = await answering.request(method, path, content=large)
    assert answer.status_code == status
    for name, value in HEADERS.items():
        assert answer.headers[name] == value, name
    names = [name.lower() for name, _ in answer.headers.raw]
    assert len(names) == len(set(names))


@pytest.mark.case("V-14")
@pytest.mark.parametrize(("method", "path"), [answer[:2] for answer in ANSWERS])
async def test_no_answer_lets_a_browser_load_or_redirect_anything(
    answering: Client, method: str, path: str
) -> None:
    headers = (await answering.request(method, path)).headers
    said = [each.split() for each in headers["content-security-policy"].split("; ")]
    policy = {name: value for name, *value in said}
    # What does not fall back to default-src has to be said.
    for name in ("default-src", "object-src", "base-uri", "form-action", "frame-ancestors"):
        assert policy[name] == ["'none'"], name
    assert policy.keys() - {"style-src"} == {name for name in policy if policy[name] == ["'none'"]}


@pytest.mark.case("V-14")
async def test_a_route_cannot_say_what_it_is_made_of_but_may_choose_how_it_is_kept(
    answering: Client,
) -> None:
    headers = (await answering.get("/v1/answers/talkative")).headers
    assert "secret" not in str(headers)
    assert len(headers.get_list("x-trace-id", split_commas=True)) == 1
    assert headers["x-trace-id"] != "forged"
    assert headers.get_list("cache-control") == ["max-age=60"]


async def test_a_callers_trace_goes_on_and_a_forged_one_does_not(ana: Client) -> None:
    sent = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    assert (await ana.get("/livez", headers=sent)).headers["x-trace-id"] == TRACE
    for forged in ("nonsense", f"00-{'0' * 32}-00f067aa0ba902b7-01", TRACE + "\x7f"):
        answer = await ana.get("/livez", headers={"traceparent": forged})
        assert answer.headers["x-trace-id"] != TRACE
        assert len(answer.headers["x-trace-id"]) == 32


async def test_each_request_is_one_log_line_without_what_it_carried(
    ana: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = await ana.get("/v1/nothing?token=secret-in-a-query")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    served = [line for line in lines if line["event"] == "request_served"]
    assert [(line["method"], line["status"]) for line in served] == [("GET", 404)]
    assert served[0]["trace_id"] == answer.headers["x-trace-id"]
    assert "secret-in-a-query" not in str(lines)


async def test_a_slash_too_many_leads_nowhere(ana: Client) -> None:
    assert (await ana.get("/livez")).status_code == 200
    answer = await ana.get("/livez/", headers={"host": "elsewhere.example"})
    assert answer.status_code == 404
    assert "location" not in answer.headers
