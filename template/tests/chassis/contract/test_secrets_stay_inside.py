"""No credential that was sent or given shows anywhere but in the answer that gives it."""

import re
from uuid import uuid4

import pytest
from httpx2 import Response

from callers import Client, ClientFor
from service.chassis.app import Service
from service.chassis.contract.guards import routes_of
from service.chassis.identity import Role, TenantId

GIVES = re.compile(r'"(access_token|refresh_token|key)":"[^"]*"')


def shown(answer: Response) -> str:
    """All of an answer but the fields that are there to hand a credential over."""
    return GIVES.sub("", answer.text) + repr(answer.headers)


@pytest.fixture
async def admin(client_for: ClientFor, acme: TenantId) -> Client:
    return await client_for(acme, Role.OWNER).signed_in()


@pytest.mark.case("A-20")
async def test_no_credential_shows_in_logs_errors_or_headers(
    app: Service, admin: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    assert admin.me.granted
    asked = {"name": "robot", "role": "editor", "scopes": ["notes:read"], "days": 1}
    key = (await admin.post("/v1/api-keys", json=asked)).json()["key"]
    old = admin.me.granted.refresh_token
    given = (await admin.post("/v1/sessions/refresh", json={"refresh_token": old})).json()
    secrets = [key, old, admin.me.token, given["access_token"], given["refresh_token"]]
    answers: list[Response] = []
    body: dict[str, object]
    for secret in secrets:
        headers = {"authorization": f"Bearer {secret}", "traceparent": secret}
        for more in ({}, {"x": secret}, {"refresh_token": [secret]}):
            body = {"refresh_token": secret, **more}
            answers += [await admin.post("/v1/sessions/refresh", json=body, headers=headers)]
        broken = {"authorization": f"Bearer {secret}x"}
        for route in routes_of(app):
            url = re.sub(r"{\w+}", str(uuid4()), route.path)
            body = {"x": secret}
            answers += [await admin.request(route.method, url, json=body, headers=broken)]
        answers.append(await admin.get(f"/v1/{secret}", headers=headers))
        answers.append(await admin.get("/v1/members", params={"cursor": secret}))
    written = "".join(capsys.readouterr()) + "".join(shown(answer) for answer in answers)
    assert written.count("request_served") >= 100, "the log was really captured"
    assert any(answer.status_code == 422 for answer in answers)
    for secret in secrets:
        assert secret not in written
        assert secret[-20:] not in written


@pytest.mark.case("A-20")
async def test_the_scan_would_see_a_credential(
    admin: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    print(admin.me.token)  # noqa: T201
    assert admin.me.token in "".join(capsys.readouterr())
