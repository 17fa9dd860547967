"""Keys of machines: as much as their scopes and role say, as long as they are good."""

import pytest
from httpx2 import Response
from sqlalchemy import text

from callers import Client, ClientFor
from service.chassis.application.api_keys import OVERLAP
from service.chassis.application.standing import KeySecret
from service.chassis.errors import Forbidden
from service.chassis.identity import Action, Caller, Permission, Role, TenantId

Key = dict[str, str]


@pytest.fixture
async def admin(client_for: ClientFor, acme: TenantId) -> Client:
    return await client_for(acme, Role.ADMIN).signed_in()


async def made(admin: Client, *scopes: str, role: str = "editor", days: int = 1) -> Key:
    asked = {"name": "robot", "role": role, "scopes": list(scopes), "days": days}
    response = await admin.post("/v1/api-keys", json=asked)
    assert response.status_code == 201, response.text
    key: Key = response.json()
    return key


async def used(admin: Client, key: str, method: str = "GET", path: str = "/v1/members") -> Response:
    """By a process that remembers nothing."""
    admin.me.app.state.given["credentials"]._remembered.clear()
    return await admin.request(method, path, headers={"authorization": f"Bearer {key}"})


async def told(admin: Client, sql: str, **values: object) -> list[tuple[object, ...]]:
    async with admin.me.app.state.given["database"].transaction(admin.me.tenant_id) as session:
        rows = await session.execute(text(sql), values)
        return [tuple(row) for row in rows] if rows.returns_rows else []


async def test_a_key_does_what_its_scope_says_and_nothing_else(admin: Client) -> None:
    reads, other = await made(admin, "members:read"), await made(admin, "notes:read")
    assert (await used(admin, reads["key"])).status_code == 200
    assert (await used(admin, other["key"])).status_code == 403


def test_a_scope_binds_in_the_use_case_too_and_never_widens_a_role() -> None:
    tenant = TenantId(KeySecret.parse(f"sk_{'0' * 32}_{'0' * 32}_{'a' * 43}").key_id)
    scopes = frozenset({"notes:read", "notes:write", "members:administer", "members:own"})
    key = Caller("key", tenant, Role.VIEWER, "standard", scopes)
    key.require(Permission("notes", Action.READ))
    for refused in ("notes:write", "members:read", "members:administer", "members:own"):
        feature, action = refused.split(":")
        with pytest.raises(Forbidden):
            key.require(Permission(feature, Action(action)))


@pytest.mark.case("Z-04")
async def test_no_key_administers_whatever_its_row_says(admin: Client) -> None:
    key = await made(admin, "members:read")
    everything = "UPDATE api_keys SET scopes = ARRAY['members:administer', 'api-keys:administer']"
    await told(admin, everything)
    for method, path in [("GET", "/v1/api-keys"), ("POST", "/v1/sessions/end-all")]:
        assert (await used(admin, key["key"], method, path)).status_code == 403
    machine = Caller("key", admin.me.tenant_id, Role.OWNER, "standard", None)
    for action in (Action.ADMINISTER, Action.OWN):
        with pytest.raises(Forbidden, match="Only a person"):
            machine.require(Permission("members", action))


@pytest.mark.parametrize(
    "change",
    [
        {"role": "admin"},
        {"role": "owner"},
        {"scopes": ["members:administer"]},
        {"scopes": ["*"]},
        {"scopes": []},
        {"days": 0},
        {"days": 366},
        {"name": ""},
    ],
    ids=str,
)
async def test_no_key_is_made_that_could_do_more(admin: Client, change: dict[str, object]) -> None:
    asked = {"name": "robot", "role": "viewer", "scopes": ["notes:read"], "days": 1, **change}
    assert (await admin.post("/v1/api-keys", json=asked)).status_code == 422


async def test_a_key_that_expired_or_was_revoked_is_nobodys(admin: Client) -> None:
    expires, revoked = [await made(admin, "members:read") for _ in range(2)]
    for key in (expires, revoked):
        assert (await used(admin, key["key"])).status_code == 200
    gone = "UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE id = :id"
    await told(admin, gone, id=expires["id"])
    assert (await admin.delete(f"/v1/api-keys/{revoked['id']}")).status_code == 204
    for key in (expires, revoked):
        assert (await used(admin, key["key"])).status_code == 401


async def test_a_rotated_key_works_on_for_a_day_beside_the_new_one(admin: Client) -> None:
    old = await made(admin, "members:read", days=30)
    new = (await admin.post(f"/v1/api-keys/{old['id']}/rotate")).json()
    assert new["id"] != old["id"]
    assert (new["name"], new["role"], new["scopes"]) == (old["name"], old["role"], old["scopes"])
    for key in (old, new):
        assert (await used(admin, key["key"])).status_code == 200
    left = "SELECT id = :old, expires_at - now() BETWEEN :less AND :most FROM api_keys"
    less, most = OVERLAP * 0.99, OVERLAP
    assert await told(admin, f"{left} ORDER BY 1", old=old["id"], less=less, most=most) == [
        (False, False),
        (True, True),
    ]
    acts = "SELECT action FROM audit_log WHERE action LIKE 'api_key.%' ORDER BY number"
    names = [row[0] for row in await told(admin, acts)]
    assert names == ["api_key.created", "api_key.rotated", "api_key.created"]


async def test_a_key_that_ended_is_not_rotated_back_to_life(admin: Client) -> None:
    key = await made(admin, "members:read")
    await admin.delete(f"/v1/api-keys/{key['id']}")
    assert (await admin.post(f"/v1/api-keys/{key['id']}/rotate")).status_code == 404
    assert len((await admin.get("/v1/api-keys")).json()) == 1


async def test_a_changed_key_is_nobodys(admin: Client, ben: Client) -> None:
    key = (await made(admin, "members:read"))["key"]
    kind, tenant, key_id, secret = key.split("_", 3)
    foreign = ben.me.tenant_id.hex
    for wrong in (
        f"{kind}_{tenant}_{key_id}_{secret[:-1]}{'A' if secret[-1] != 'A' else 'B'}",
        f"{kind}_{tenant}_{tenant}_{secret}",
        f"{kind}_{foreign}_{key_id}_{secret}",
        f"{kind}_{tenant}_{key_id}_",
        f"rt_{tenant}_{key_id}_{secret}",
        key.upper(),
        key + "\t",
    ):
        assert (await used(admin, wrong)).status_code == 401, wrong
    assert (await used(admin, key)).status_code == 200


async def test_a_key_is_shown_once_and_kept_as_a_hash(admin: Client) -> None:
    key = await made(admin, "members:read")
    secret = KeySecret.parse(key["key"]).secret
    listed = await admin.get("/v1/api-keys")
    assert secret not in listed.text
    stored = str(await told(admin, "SELECT to_jsonb(k)::text FROM api_keys k"))
    trail = str(await told(admin, "SELECT to_jsonb(l)::text FROM audit_log l"))
    assert "secret_hash" in stored
    assert secret not in stored + trail


async def test_it_shows_when_a_key_was_last_used(admin: Client) -> None:
    key = await made(admin, "members:read")
    assert key["used_at"] is None
    await used(admin, key["key"])
    first = (await admin.get("/v1/api-keys")).json()[0]["used_at"]
    assert first
    await used(admin, key["key"])
    assert (await admin.get("/v1/api-keys")).json()[0]["used_at"] == first, "once a minute"
    await told(admin, "UPDATE api_keys SET used_at = used_at - interval '61 seconds'")
    await used(admin, key["key"])
    assert (await admin.get("/v1/api-keys")).json()[0]["used_at"] > first
