"""How long an answer takes does not tell whether there is an account."""

import os
import random
import time
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest
from chassis.accounts.people import OTHER, PASSWORD, World
from httpx2 import Response

# In each of the two classes; `TIMING_ROUNDS=2000` looks closer.
ROUNDS = int(os.environ.get("TIMING_ROUNDS", "400"))
SEPARABLE = 0.55
pytestmark = pytest.mark.timeout(900)


def auc(ones: list[float], others: list[float]) -> float:
    """How often a random one took longer than a random other; 0.5 tells nothing."""
    ranked = sorted([(took, 1) for took in ones] + [(took, 0) for took in others])
    ranks = sum(rank for rank, (_, one) in enumerate(ranked, 1) if one)
    area = (ranks - len(ones) * (len(ones) + 1) / 2) / (len(ones) * len(others))
    return max(area, 1 - area)


async def measured(
    world: World, ask: Callable[[str], Awaitable[Response]], known: list[str], rounds: int = ROUNDS
) -> tuple[list[float], list[float]]:
    """Both kinds in random order, each address a few times and from everywhere."""
    took: dict[bool, list[float]] = {True: [], False: []}
    unknown = [f"{uuid4().hex}@example.org" for _ in known]
    asked = [(True, email) for email in known] + [(False, email) for email in unknown]
    asked *= -(-rounds // len(known))
    random.Random(7).shuffle(asked)  # noqa: S311  an order, no secret
    for exists, email in asked:
        began = time.perf_counter()
        answer = await ask(email)
        took[exists].append(time.perf_counter() - began)
        assert answer.status_code in {204, 401}
    return took[True], took[False]


async def separability(world: World, ask: Callable[[str], Awaitable[Response]]) -> float:
    """Of 400 of each by chance alone one look in 70 is above the bound; a leak is in every look."""
    found = 1.0
    for _ in range(3):
        found = min(found, auc(*await measured(world, ask, await some(world))))
        if found <= SEPARABLE:
            break
    return found


async def some(world: World) -> list[str]:
    hashed = await world.accounts.passwords.hash(PASSWORD)
    # Five attempts each: more of them would be told to wait.
    return [await world.member(hashed=hashed) for _ in range(max(80, ROUNDS // 5))]


@pytest.mark.case("A-17")
@pytest.mark.full
async def test_signing_in_takes_as_long_without_an_account(world: World) -> None:
    assert await separability(world, lambda email: world.sign_in(email, OTHER)) <= SEPARABLE


@pytest.mark.case("A-17")
@pytest.mark.full
async def test_asking_for_a_reset_takes_as_long_without_an_account(world: World) -> None:
    async def ask(email: str) -> Response:
        asked = {"tenant": str(world.tenant), "email": email}
        return await world.post("/accounts/reset-letter", asked)

    assert await separability(world, ask) <= SEPARABLE


async def test_the_measure_sees_half_of_what_a_hash_takes(world: World) -> None:
    """Otherwise it would call everything the same."""

    async def ask(email: str) -> Response:
        if email in known:
            time.sleep(0.01)  # noqa: ASYNC251  the difference to be seen
        return await world.post(
            "/accounts/reset-letter", {"tenant": str(world.tenant), "email": email}
        )

    known = await some(world)
    assert auc(*await measured(world, ask, known, 80)) > 0.6


def test_the_measure_is_a_half_for_the_same_and_one_for_the_different() -> None:
    assert auc([1.0, 2.0, 3.0, 4.0], [1.1, 2.1, 3.1, 4.1]) < 0.7
    assert auc([1.0, 2.0], [3.0, 4.0]) == 1.0
