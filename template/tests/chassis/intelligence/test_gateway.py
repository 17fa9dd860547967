"""The one door to a model."""

import pytest

from service.chassis.app import Service
from service.chassis.application.tenancy import Tenancy
from service.chassis.identity import Caller, Role, TenantId
from service.chassis.intelligence.citations import Source
from service.chassis.intelligence.gateway import (
    Intelligence,
    LocalModel,
    ModelCalledInTransaction,
    ModelKnown,
    Prompt,
    Question,
)

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


async def test_the_local_model_cites_what_its_first_sentence_names() -> None:
    kept, other = Source("a-1", "The first"), Source("a-2", "The second")
    question = Question(PROMPT, "[a-1] Bread [made-up] and butter. [a-2] Jam.", [kept, other])
    said = [piece async for piece in Intelligence(LocalModel()).stream(question)]
    assert said == ["Bread ", "and ", "butter", kept]


class Unnamed:
    async def answer(self, _prompt: Prompt, text: str) -> str:
        return text


def test_a_model_says_which_it_is_or_what_kind() -> None:
    assert Intelligence(LocalModel()).model_for(PROMPT) == ModelKnown("local", "1")
    assert Intelligence(Unnamed()).model_for(PROMPT) == ModelKnown("Unnamed", None)
