"""What a role may not see of a member is in no answer, no order, no filter and no cursor."""

import itertools
from base64 import urlsafe_b64decode

import pytest
from chassis.application.acting import rows, tenancy_of
from httpx2 import Response

from callers import Client, ClientFor
from service.chassis.app import Service
from service.chassis.application import members
from service.chassis.identity import Role, TenantId

PATH = "/v1/members"
DIRECTORY = {"id", "name", "role", "created_at"}
RESTRICTED = {"email", "state"}
SEES_ALL = {Role.VIEWER: False, Role.EDITOR: False, Role.ADMIN: True, Role.OWNER: True}
# The other way round than they joined.
EMAILS = ["zoe@example.org", "mia@example.org", "abe@example.org"]
INVITE = "INSERT INTO members (email, name, role, created_at) VALUES (:e, :n, 'viewer', now())"


@pytest.fixture
async def colleagues(app: Service, acme: TenantId) -> list[str]:
    """In the order in which they came."""
    for number, email in enumerate(EMAILS):
        await rows(app, acme, INVITE, e=email, n=f"colleague {number}")
    return [f"colleague {number}" for number in range(len(EMAILS))]


@pytest.fixture(params=list(Role))
async def reader(
    request: pytest.FixtureRequest, client_for: ClientFor, acme: TenantId, colleagues: list[str]
) -> Client:
    assert colleagues
    return await client_for(acme, request.param).signed_in()


def test_every_role_is_decided_about() -> None:
    assert set(SEES_ALL) == set(Role)


@pytest.mark.case("Z-09")
async def test_a_restricted_field_is_shown_to_whom_it_is_meant_for_and_nobody_else(
    reader: Client,
) -> None:
    fields = DIRECTORY | (RESTRICTED if SEES_ALL[reader.me.role] else set())
    listed = await reader.get(PATH)
    shown = listed.json()["items"]
    assert len(shown) == len(EMAILS) + 1
    assert all(set(member) == fields for member in shown)
    one = await reader.get(f"{PATH}/{shown[0]['id']}")
    assert set(one.json()) == fields
    assert mentions(listed) == (EMAILS if SEES_ALL[reader.me.role] else [])
    assert mentions(one) == (EMAILS[:1] if SEES_ALL[reader.me.role] else [])


def mentions(answer: Response) -> list[str]:
    return [email for email in EMAILS if email in answer.text or email in str(answer.headers)]


@pytest.mark.case("Z-09")
async def test_a_key_of_an_administrator_sees_the_directory(
    client_for: ClientFor, acme: TenantId, colleagues: list[str]
) -> None:
    admin = await client_for(acme, Role.ADMIN).signed_in()
    asked = {"name": "robot", "role": "editor", "scopes": ["members:read"], "days": 1}
    key = (await admin.post("/v1/api-keys", json=asked)).json()["key"]
    robot = Client(admin.me.app, None, headers={"authorization": f"Bearer {key}"})
    listed = await robot.get(PATH)
    assert [member["name"] for member in listed.json()["items"]][:3] == colleagues
    assert mentions(listed) == []


WAYS = ("sort", "order_by", "order", "filter", "q", "fields", "include", "email", "state")


@pytest.mark.case("Z-09")
async def test_nobody_sorts_or_filters_by_a_restricted_field(reader: Client) -> None:
    for way, value in itertools.product(WAYS, (*RESTRICTED, EMAILS[0])):
        answer = await reader.get(PATH, params={way: value})
        assert answer.status_code == 422, (way, value)
        assert [found["field"] for found in answer.json()["fields"]] == [f"query.{way}"]
        assert mentions(answer) == []


@pytest.mark.case("Z-09")
async def test_neither_the_order_nor_a_cursor_tells_a_restricted_field(
    reader: Client, colleagues: list[str]
) -> None:
    cursor, names = None, []
    for _ in itertools.count():
        asked = {"limit": 1, **({"cursor": cursor} if cursor else {})}
        page = (await reader.get(PATH, params=asked)).json()
        names += [member["name"] for member in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        position = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        assert not any(email.encode() in position for email in EMAILS)
    assert names[:3] == colleagues


@pytest.mark.case("Z-09")
@pytest.mark.parametrize("role", list(Role))
async def test_what_is_not_shown_is_not_even_read(
    app: Service, acme: TenantId, colleagues: list[str], role: Role
) -> None:
    tenancy = await tenancy_of(app, acme, role)
    listed, _ = await members.list_members(tenancy, 10, None)
    one = await members.read_member(tenancy, listed[0].id)
    assert len(listed) > len(colleagues)
    for row in (listed[0], one):
        assert (set(row._fields) >= RESTRICTED) is SEES_ALL[role]
