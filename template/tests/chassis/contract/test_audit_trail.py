"""Each act over HTTP is on record once, with who did it, from where and in which trace."""

from collections.abc import AsyncGenerator
from uuid import uuid4

import pytest
from httpx2 import Response
from pydantic import SecretStr
from sqlalchemy import text

from callers import Client, ClientFor
from service.chassis.application import denials as application
from service.chassis.application.audit import Actor
from service.chassis.application.capability import CapabilityKey
from service.chassis.application.database import Database
from service.chassis.application.denials import Denials
from service.chassis.application.standing import Standing
from service.chassis.errors import Unauthenticated, Unavailable
from service.chassis.identity import Role, TenantId
from service.chassis.settings import Settings

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
    # The letter is on record, too, whenever it leaves.
    await owner.me.app.state.given["accounts"].background.drain()
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
    monkeypatch.setattr(application, "REMEMBERED", 5)
    denials = Denials(ana.me.app.state.given["database"])
    for number in range(12):
        await denials.record(acme, Actor(f"robot {number}"), "authorization.denied", "notes:write")
        assert len(denials._seen) <= 5
    assert len(await lines(ana, "authorization.denied")) == 12


async def test_the_tenant_reads_its_own_record_and_no_other(owner: Client, ben: Client) -> None:
    await ben.signed_in()
    page = (await owner.get("/v1/audit")).json()
    assert [line["action"] for line in page["items"]] == ["session.opened"]
    verdict = (await owner.get("/v1/audit/verdict")).json()
    assert (verdict["lines"], verdict["broken_at"]) == (1, None)


async def test_refusals_from_everywhere_share_a_row_when_there_are_too_many(
    ana: Client, acme: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "MOST_ROWS", 5)
    denials = Denials(ana.me.app.state.given["database"])
    for number in range(40):
        robot = Actor(f"robot {number % 20}", f"192.0.2.{number}")
        await denials.record(acme, robot, "sign_in.failed")
    assert len(found := await lines(ana, "sign_in.failed")) == 6
    assert found[-1][1:] == ("stranger", "", "", found[-1][4], "from many at once")
    await denials.record(acme, Actor("robot 0", "192.0.2.0"), "session.refused")
    assert len(await lines(ana, "session.refused")) == 1, "of another kind"


async def test_a_tenant_that_never_was_is_on_no_record(ana: Client) -> None:
    denials = Denials(ana.me.app.state.given["database"])
    nobodys = TenantId(uuid4())
    await denials.record(nobodys, Actor("stranger"), "session.refresh_refused")
    async with ana.me.app.state.given["database"].transaction(nobodys) as session:
        assert await session.scalar(text("SELECT count(*) FROM audit_log")) == 0


async def test_a_person_whom_only_a_provider_knows(ana: Client, acme: TenantId) -> None:
    standing = Standing(ana.me.app.state.given["database"])
    with pytest.raises(Unauthenticated):
        await standing.with_identity(acme, "https://idp.example", "eve", None, ADDRESS)
    (found,) = await lines(ana, "identity.refused")
    assert found[:4] == ("identity.refused", "https://idp.example#eve", "", ADDRESS)


@pytest.mark.example
async def test_a_bad_credential_is_looked_at_once_in_a_request(ana: Client, owner: Client) -> None:
    asked = {"name": "robot", "role": "viewer", "scopes": ["notes:read"], "days": 1}
    key = (await done(owner, "POST", "/v1/api-keys", asked)).json()["key"]
    wrong = {"authorization": f"Bearer {key[:-43]}{'x' * 43}"}
    for status in (401, 401):
        assert (
            await Client(ana.me.app, None).get("/v1/notes", headers=wrong)
        ).status_code == status
    standing = ana.me.app.state.given["credentials"]._standing
    place = next(of for of in standing._denials._seen if of[0][0] == owner.me.tenant_id)
    assert standing._denials._seen[place][1] == 1, "the second request, once"


@pytest.fixture
async def nowhere(settings: Settings) -> AsyncGenerator[Database]:
    """A database that cannot be reached."""
    url = SecretStr("postgresql://service_app:x@127.0.0.1:1/none")
    database = Database(
        settings.database.model_copy(update={"url": url}), CapabilityKey.of(settings.tenancy)
    )
    yield database
    await database.engine.dispose()


async def test_a_refusal_that_cannot_be_recorded_is_a_refusal(
    ana: Client,
    nowhere: Database,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(ana.me.app.state.given, "denials", Denials(nowhere))
    refused = await ana.get("/v1/api-keys")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert "denial_unrecorded" in capsys.readouterr().out


async def test_what_could_not_be_recorded_is_told_by_the_next_row(
    ana: Client, acme: TenantId, nowhere: Database
) -> None:
    denials = Denials(nowhere)
    robot = Actor("robot", ADDRESS)
    for _ in range(3):
        with pytest.raises(Unavailable):
            await denials.record(acme, robot, "authorization.denied", "notes:write")
    denials._database = ana.me.app.state.given["database"]
    for _ in range(2):
        await denials.record(acme, robot, "authorization.denied", "notes:write")
    (found,) = await lines(ana, "authorization.denied")
    assert found[-1] == "and 3 more before"
