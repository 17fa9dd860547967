"""A webhook is believed when it is signed, and has its effect once."""

import asyncio
import time
from base64 import b64encode
from typing import Annotated
from uuid import uuid4

import pytest
from chassis.wall.matrix import shape
from fastapi import APIRouter
from httpx2 import Response

from callers import Client, Suspend
from service.chassis.app import Service, create_app
from service.chassis.application.tenancy import Tenancy
from service.chassis.application.webhooks import Delivery, SigningSecrets, arrives_first
from service.chassis.contract.guards import Public, routes_of
from service.chassis.contract.webhooks import signed_webhook
from service.chassis.identity import TenantId
from service.chassis.settings import Settings

NEW, OLD, FOREIGN = ("whsec_" + b64encode(bytes([n]) * 32).decode() for n in (1, 2, 3))
SENDER, STRANGER = SigningSecrets.of(NEW), SigningSecrets.of(FOREIGN)
BODY = b'{"paid": "12.00"}'
effects: dict[TenantId, list[str]] = {}
unlucky: set[str] = set()
known: set[TenantId] = set()


async def secrets_of(tenancy: Tenancy) -> SigningSecrets | None:
    return SigningSecrets.of(NEW, OLD) if tenancy.caller.tenant_id in known else None


async def take_payment(tenancy: Tenancy, delivery: Delivery) -> None:
    async with tenancy.transaction() as session:
        if not await arrives_first(session, delivery):
            return
        if delivery.message_id in unlucky:
            unlucky.remove(delivery.message_id)
            raise RuntimeError("the process dies here")
        effects.setdefault(tenancy.caller.tenant_id, []).append(delivery.message_id)


router = APIRouter(prefix="/payments")
Signed = Annotated[Delivery, signed_webhook("payments", secrets_of, reason="signed by the bank")]


@router.post("/{tenant_id}", status_code=204)
async def payment(delivery: Signed) -> None:
    await take_payment(delivery.tenancy, delivery)


@pytest.fixture
def hooked(settings: Settings, app: Service) -> Service:
    hooked = create_app(settings, [router])
    hooked.state.given = app.state.given
    return hooked


@pytest.fixture
def bank(hooked: Service) -> Client:
    return Client(hooked, None)


@pytest.fixture
def tenant(acme: TenantId) -> TenantId:
    known.add(acme)
    effects[acme] = []
    return acme


async def send(
    bank: Client,
    tenant: object,
    *,
    message_id: str = "msg_1",
    body: bytes = BODY,
    by: SigningSecrets = SENDER,
    late: int = 0,
    **changes: str | None,
) -> Response:
    signed = by.signed(message_id, int(time.time()) - late, BODY)
    changed = {name.replace("_", "-"): value for name, value in changes.items()}
    headers = {name: value for name, value in (signed | changed).items() if value is not None}
    return await bank.post(f"/v1/payments/{tenant}", content=body, headers=headers)


async def test_it_is_taken_when_the_old_or_the_new_secret_signed_it(
    bank: Client, tenant: TenantId
) -> None:
    both = SigningSecrets.of(FOREIGN, OLD)
    for number, by in enumerate([SENDER, SigningSecrets.of(OLD), both]):
        assert (await send(bank, tenant, message_id=f"msg_{number}", by=by)).status_code == 204
    assert effects[tenant] == ["msg_0", "msg_1", "msg_2"]


REFUSED = {
    "another body": {"body": BODY + b" "},
    "another secret": {"by": STRANGER},
    "another id": {"webhook_id": "msg_2"},
    "another time": {"webhook_timestamp": str(int(time.time()) - 7)},
    "too old": {"late": 301},
    "ahead of its time": {"late": -302},
    "no id": {"webhook_id": None},
    "no time": {"webhook_timestamp": None},
    "no signature": {"webhook_signature": None},
    "an empty signature": {"webhook_signature": "v1,"},
    "another version": {"webhook_signature": "v1a," + "A" * 43 + "="},
    "letters as time": {"webhook_timestamp": "yesterday"},
    "a time without end": {"webhook_timestamp": "9" * 5000},
    "an id with a line in it": {"webhook_id": "msg 1"},
    "an id without end": {"webhook_id": "m" * 500},
    "the right signature, but as the eleventh": {
        "webhook_signature": "v1,AAAA " * 10 + SENDER.signed("msg_1", 0, BODY)["webhook-signature"]
    },
}


@pytest.mark.case("C-07")
@pytest.mark.parametrize("name", REFUSED)
async def test_anything_else_is_refused_and_has_no_effect(
    bank: Client, tenant: TenantId, name: str
) -> None:
    answer = await send(bank, tenant, **REFUSED[name])  # type: ignore[arg-type]
    assert answer.status_code == 401
    assert answer.json()["code"] == "signature-refused"
    assert answer.headers["www-authenticate"] == "Webhook-Signature"
    assert effects[tenant] == []
    assert (await send(bank, tenant)).status_code == 204


@pytest.mark.parametrize("late", [-290, 290])
async def test_a_clock_may_be_wrong_a_little(bank: Client, tenant: TenantId, late: int) -> None:
    assert (await send(bank, tenant, late=late)).status_code == 204


async def test_who_cannot_sign_does_not_learn_which_tenants_there_are(
    bank: Client, tenant: TenantId, rival: TenantId
) -> None:
    said = set()
    for who in (tenant, rival, uuid4(), "no-uuid"):
        answer = (await send(bank, who, by=STRANGER)).json()
        said.add((answer["status"], answer["code"]))
    assert said == {(401, "signature-refused")}


async def test_the_secret_of_one_tenant_opens_no_other(
    bank: Client, tenant: TenantId, rival: TenantId
) -> None:
    assert (await send(bank, rival)).status_code == 401
    assert rival not in effects


@pytest.mark.case("C-07")
async def test_for_a_suspended_tenant_it_is_refused_like_a_wrong_signature(
    bank: Client, tenant: TenantId, suspend: Suspend
) -> None:
    await suspend(tenant)
    refused, wrong = [await send(bank, tenant, by=by) for by in (SENDER, STRANGER)]
    assert refused.status_code == 401
    assert shape(refused) == shape(wrong)
    assert effects[tenant] == []
    await suspend(tenant, back=True)
    assert (await send(bank, tenant)).status_code == 204
    assert effects[tenant] == ["msg_1"]


@pytest.mark.case("C-07")
async def test_delivered_many_times_it_has_its_effect_once(bank: Client, tenant: TenantId) -> None:
    answers = await asyncio.gather(*(send(bank, tenant) for _ in range(20)))
    again = await send(bank, tenant, late=10)
    assert {answer.status_code for answer in [*answers, again]} == {204}
    assert effects[tenant] == ["msg_1"]


@pytest.mark.case("C-07")
async def test_out_of_order_each_has_its_effect(bank: Client, tenant: TenantId) -> None:
    for message_id, late in (("msg_3", 0), ("msg_1", 200), ("msg_2", 100), ("msg_1", 0)):
        answer = await send(bank, tenant, message_id=message_id, late=late)
        assert answer.status_code == 204
    assert effects[tenant] == ["msg_3", "msg_1", "msg_2"]


@pytest.mark.case("C-07")
async def test_one_that_failed_half_way_may_come_again(bank: Client, tenant: TenantId) -> None:
    unlucky.add("msg_1")
    assert (await send(bank, tenant)).status_code == 500
    assert effects[tenant] == []
    assert (await send(bank, tenant)).status_code == 204
    assert effects[tenant] == ["msg_1"]


@pytest.mark.case("C-07")
async def test_two_tenants_may_get_the_same_id(
    bank: Client, tenant: TenantId, rival: TenantId
) -> None:
    known.add(rival)
    for who in (tenant, rival):
        assert (await send(bank, who)).status_code == 204
    assert effects[tenant] == effects[rival] == ["msg_1"]


def test_the_route_is_declared_as_open_with_its_reason(hooked: Service) -> None:
    found = {route.path: route.access for route in routes_of(hooked)}
    access = found["/v1/payments/{tenant_id}"]
    assert isinstance(access, Public)
    assert access.reason == "signed by the bank"
