"""Each act over HTTP is on record once, with who did it, from where and in which trace."""

import asyncio

import pytest
from httpx2 import Response
from sqlalchemy import text

from callers import Client, ClientFor
from service.chassis.application import audit
from service.chassis.application.audit import Denials
from service.chassis.identity import Action, Caller, Permission, Role, TenantId

ADDRESS = "127.0.0.1"
Lines = list[tuple[str, ...]]


@pytest.fixture
async def owner(client_for: ClientFor, acme: TenantId) -> Client:
    return await client_for(acme, Role.OWNER).signed_in()


async def lines(client: Client, *actions: str) -> Lines:
    shown = "SELECT action, actor, target, address, trace_id, detail FROM audit_log"
    async with client.me.app.state.given["database"].transaction(client.me.tenant_id) as session:
        found = await session.execute(text(f"{shown} ORDER BY number"))
        return [tuple(row) for row in found if not actions or row.action in actions]


async def done(client: Client, method: str, path: str, body: object = None) -> Response:
    response = await client.request(method, path, json=body)
    assert response.is_success, response.text
    return response


async def test_every_administrative_act_is_on_record_exactly_once(
    owner: Client, client_for: ClientFor, acme: TenantId
) -> None:
    eve = await client_for(acme).me.sign_in()
    invitation = {"email": "new@example.org", "name": "New"}
    invited = await done(owner, "POST", "/v1/members", invitation)
    member = f"/v1/members/{invited.json()['id']}"
    asked = {"name": "robot", "role": "viewer", "scopes": ["notes:read"], "days": 1}
    made = await done(owner, "POST", "/v1/api-keys", asked)
    key = f"/v1/api-keys/{made.json()['id']}"
    while not await lines(owner, "invitation.sent"):  # noqa: ASYNC110 - the letter comes later
        await asyncio.sleep(0.01)
    before = len(await lines(owner))
    acts = [
        ("member.role_changed", "PUT", f"{member}/role", {"role": "editor"}),
        ("member.disabled", "POST", f"{member}/disable", None),
        ("member.enabled", "POST", f"{member}/enable", None),
        ("member.signed_out", "POST", f"/v1/members/{eve.member_id}/sign-out", None),
        ("api_key.revoked", "DELETE", key, None),
        ("tenant.signed_out", "POST", "/v1/sessions/end-all", None),
    ]
    assert owner.me.granted
    me = str(owner.me.granted.member_id)
    for number, (action, method, path, body) in enumerate(acts):
        response = await done(owner, method, path, body)
        on_record = (await lines(owner))[before + number :]
        assert [line[0] for line in on_record] == [action]
        assert on_record[0][1] == me
        assert on_record[0][3:5] == (ADDRESS, response.headers["x-trace-id"])


async def test_signing_in_and_out_is_on_record(ana: Client) -> None:
    granted = await ana.me.sign_in()
    await done(ana, "DELETE", f"/v1/sessions/{granted.session_id}")
    on_record = await lines(ana, "session.opened", "session.ended")
    target = str(granted.session_id)
    assert [line[0] for line in on_record] == ["session.opened", "session.ended"]
    assert {line[2] for line in on_record} == {target}
    assert {line[1] for line in on_record} == {str(granted.member_id)}


async def test_what_was_refused_is_on_record_once_a_minute_with_its_count(
    ana: Client, client_for: ClientFor, acme: TenantId
) -> None:
    ana.me.app.state.given["denials"]._seen.clear()
    answers = [await ana.get("/v1/api-keys") for _ in range(5)]
    assert {answer.status_code for answer in answers} == {403}
    assert ana.me.granted
    me, first = str(ana.me.granted.member_id), answers[0].headers["x-trace-id"]
    row = ("authorization.denied", me, "api-keys:administer", ADDRESS, first, "")
    assert await lines(ana, "authorization.denied") == [row]
    await ana.get("/v1/audit")
    await client_for(acme).get("/v1/api-keys")
    assert len(await lines(ana, "authorization.denied")) == 3, "another permission, another caller"
    seen = ana.me.app.state.given["denials"]._seen
    # A minute later, for each.
    seen.update({of: (0.0, suppressed) for of, (_, suppressed) in seen.items()})
    await ana.get("/v1/api-keys")
    assert (await lines(ana, "authorization.denied"))[-1][-1] == "and 4 more before"


async def test_what_is_allowed_is_no_refusal(owner: Client) -> None:
    assert (await owner.get("/v1/api-keys")).status_code == 200
    assert await lines(owner, "authorization.denied") == []


async def test_what_is_remembered_of_refusals_is_bounded(
    ana: Client, acme: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "REMEMBERED", 5)
    denials = Denials(ana.me.app.state.given["database"])
    for number in range(12):
        caller = Caller(f"robot {number}", acme, Role.VIEWER)
        await denials.record(caller, Permission("notes", Action.WRITE), "")
        assert len(denials._seen) <= 5
    assert len(await lines(ana, "authorization.denied")) == 12


async def test_the_tenant_reads_its_own_record_and_no_other(owner: Client, ben: Client) -> None:
    await ben.signed_in()
    page = (await owner.get("/v1/audit")).json()
    assert [line["action"] for line in page["items"]] == ["session.opened"]
    verdict = (await owner.get("/v1/audit/verdict")).json()
    assert (verdict["lines"], verdict["broken_at"]) == (1, None)
