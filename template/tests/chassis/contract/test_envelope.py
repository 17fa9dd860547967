"""What surrounds every answer."""

import json

import pytest

from callers import Client
from service.chassis.app import create_app
from service.chassis.settings import Settings

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize("path", ["/livez", "/v1/nothing", "/v1/notes", "/openapi.json"])
async def test_every_answer_carries_the_security_headers(ana: Client, path: str) -> None:
    headers = (await ana.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["cache-control"] == "no-store"
    assert headers["strict-transport-security"]
    assert headers["referrer-policy"] == "no-referrer"
    assert "server" not in headers


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


def test_production_shows_strangers_no_map(settings: Settings) -> None:
    service = settings.service.model_copy(update={"environment": "production"})
    app = create_app(settings.model_copy(update={"service": service}), [])
    assert app.openapi_url is None
    assert app.docs_url is None
