"""The one door to a model."""

import pytest

from service.chassis.app import Service
from service.chassis.application.tenancy import Tenancy
from service.chassis.identity import Caller, Role, TenantId
from service.chassis.intelligence.gateway import ModelCalledInTransaction, Prompt

PROMPT = Prompt("tests.echo", version=1, instructions="Repeat.")


def tenancy(app: Service, tenant: TenantId) -> Tenancy:
    given = app.state.given
    return Tenancy(Caller("ana", tenant, Role.EDITOR), given["intelligence"], given["database"])


async def test_a_model_call_inside_a_transaction_is_refused(app: Service, acme: TenantId) -> None:
    at_work = tenancy(app, acme)
    async with at_work.transaction():
        with pytest.raises(ModelCalledInTransaction, match=r"tests\.echo"):
            await at_work.intelligence.ask(PROMPT, "hello")


async def test_the_door_opens_again_after_the_transaction_even_a_failed_one(
    app: Service, acme: TenantId
) -> None:
    at_work = tenancy(app, acme)
    with pytest.raises(ZeroDivisionError):
        async with at_work.transaction():
            raise ZeroDivisionError
    assert await at_work.intelligence.ask(PROMPT, "Hello. World.") == "Hello"
