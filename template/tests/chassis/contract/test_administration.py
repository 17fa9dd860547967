"""Administering a tenant over HTTP: who may, what is accepted, what a member sees of others."""

from uuid import uuid4

import pytest
from sqlalchemy import text

from callers import Client, ClientFor
from service.chassis.identity import FRESH_SECONDS, Role, TenantId

STALE = f"UPDATE sessions SET authenticated_at = now() - interval '{FRESH_SECONDS + 5} seconds'"


@pytest.fixture
async def admin(client_for: ClientFor, acme: TenantId) -> Client:
    return await client_for(acme, Role.ADMIN).signed_in()


async def invited(client: Client, **changes: object) -> dict[str, str]:
    body = {"email": f"{uuid4().hex}@example.org", "name": "New", "role": "viewer", **changes}
    response = await client.post("/v1/members", json=body)
    assert response.status_code == 201, response.text
    answer: dict[str, str] = response.json()
    assert response.headers["location"] == f"/v1/members/{answer['id']}"
    return answer


async def test_a_member_is_invited_changed_disabled_and_enabled(admin: Client) -> None:
    member = await invited(admin, email="ANA@Example.org")
    assert (member["state"], member["email"]) == ("invited", "ana@example.org")
    path = f"/v1/members/{member['id']}"
    changed = await admin.put(f"{path}/role", json={"role": "editor"})
    assert changed.json()["role"] == "editor"
    assert (await admin.post(f"{path}/disable")).json()["state"] == "disabled"
    assert (await admin.post(f"{path}/enable")).json()["state"] == "invited"
    assert (await admin.get(path)).json()["role"] == "editor"
    again = {"email": "ana@EXAMPLE.org", "name": "Ana"}
    assert (await admin.post("/v1/members", json=again)).status_code == 409


@pytest.mark.case("Z-08")
@pytest.mark.parametrize(
    "more",
    ["id", "state", "tenant_id", "created_at", "session_id", "plan", "scopes", "authenticated_at"],
)
async def test_what_is_not_asked_for_cannot_be_written(admin: Client, more: str) -> None:
    body = {"email": "x@example.org", "name": "x", "role": "viewer", more: str(uuid4())}
    assert (await admin.post("/v1/members", json=body)).status_code == 422
    key = {"name": "x", "role": "viewer", "scopes": ["notes:read"], more: "x"}
    if more != "scopes":
        assert (await admin.post("/v1/api-keys", json=key)).status_code == 422
    member = await invited(admin)
    changed = await admin.put(f"/v1/members/{member['id']}/role", json={"role": "editor", more: 1})
    assert changed.status_code == 422


@pytest.mark.case("Z-07")
async def test_an_administrator_makes_nobody_an_owner(admin: Client) -> None:
    body = {"email": "o@example.org", "name": "o", "role": "owner"}
    assert (await admin.post("/v1/members", json=body)).status_code == 403
    assert admin.me.granted
    own = f"/v1/members/{admin.me.granted.member_id}/role"
    assert (await admin.put(own, json={"role": "owner"})).status_code == 403
    assert (await admin.put(own, json={"role": "root"})).status_code == 422


async def test_members_are_listed_once_each_over_pages(admin: Client) -> None:
    made = [(await invited(admin))["id"] for _ in range(5)]
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        asked = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await admin.get("/v1/members", params=asked)).json()
        seen += [member["id"] for member in page["items"]]
        cursor = page["next_cursor"]
    assert len(seen) == len(set(seen)) == 6
    assert set(made) < set(seen)


@pytest.mark.case("Z-05")
async def test_a_member_lists_and_ends_only_their_own_sessions(
    client_for: ClientFor, acme: TenantId
) -> None:
    ana, eve = client_for(acme), client_for(acme)
    first, second, others = [await who.me.sign_in() for who in (ana, ana, eve)]
    listed = {row["id"] for row in (await ana.get("/v1/sessions")).json()}
    assert listed == {str(first.session_id), str(second.session_id)}
    foreign = await ana.delete(f"/v1/sessions/{others.session_id}")
    absent = await ana.delete(f"/v1/sessions/{uuid4()}")
    told = [{**answer.json(), "trace_id": ""} for answer in (foreign, absent)]
    assert foreign.status_code == absent.status_code == 404
    assert told[0] == told[1]
    assert (await eve.get("/v1/sessions")).status_code == 200, "and it goes on"
    assert (await ana.delete(f"/v1/sessions/{first.session_id}")).status_code == 204
    left = {row["id"] for row in (await ana.get("/v1/sessions")).json()}
    assert left == {str(second.session_id)}


async def test_a_stolen_session_does_not_end_the_others(
    client_for: ClientFor, acme: TenantId
) -> None:
    ana = client_for(acme)
    other, present = [await ana.me.sign_in() for _ in range(2)]
    async with ana.me.app.state.given["database"].transaction(acme) as session:
        await session.execute(text(STALE))
    refused = await ana.delete(f"/v1/sessions/{other.session_id}")
    assert refused.json()["code"] == "sign-in-again"
    assert len((await ana.get("/v1/sessions")).json()) == 2
    assert (await ana.delete(f"/v1/sessions/{present.session_id}")).status_code == 204


@pytest.mark.case("Z-05", "I-4")
async def test_a_key_learns_nothing_of_sessions(admin: Client) -> None:
    asked = {"name": "k", "role": "editor", "scopes": ["sessions:read"]}
    key = (await admin.post("/v1/api-keys", json=asked)).json()["key"]
    headers, granted = {"authorization": f"Bearer {key}"}, admin.me.granted
    assert granted
    for session_id in (granted.session_id, uuid4()):
        answer = await admin.delete(f"/v1/sessions/{session_id}", headers=headers)
        assert answer.status_code == 403
    assert (await admin.get("/v1/sessions", headers=headers)).status_code == 403


@pytest.mark.case("Z-04")
async def test_ending_somebody_elses_session_needs_a_recent_proof_too(
    admin: Client, client_for: ClientFor, acme: TenantId
) -> None:
    stale = client_for(acme, Role.ADMIN)
    granted = await client_for(acme).me.sign_in()
    await stale.me.sign_in()
    path = f"/v1/sessions/{granted.session_id}"
    database = stale.me.app.state.given["database"]
    assert stale.me.granted
    async with database.transaction(acme) as session:
        one = {"id": stale.me.granted.session_id}
        await session.execute(text(f"{STALE} WHERE id = :id"), one)
    refused = await stale.delete(path)
    assert refused.status_code == 401
    assert "insufficient_user_authentication" in refused.headers["www-authenticate"]
    own = await stale.delete(f"/v1/sessions/{stale.me.granted.session_id}")
    assert own.status_code == 204, "signing out needs no proof"
    assert (await admin.delete(path)).status_code == 204
