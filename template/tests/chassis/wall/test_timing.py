"""How long an answer takes does not tell whether a rival has the row.

ORACLE_SAMPLES=2000 makes the long run of it.
"""

import os
import random
import time
from bisect import bisect_left, bisect_right
from random import sample
from uuid import uuid4

import pytest
from chassis.wall.matrix import Matrix, Operation, Side

SAMPLES = int(os.environ.get("ORACLE_SAMPLES", "100"))
# With few samples chance alone leaves more: four standard deviations.
MOST = max(0.55, 0.5 + 4 / (6 * SAMPLES) ** 0.5)


def separable(one: list[float], other: list[float]) -> float:
    """The AUC of the best threshold test: 0.5 for the same, 1 for told apart."""
    ranked = sorted(other)
    below = sum(bisect_left(ranked, x) + bisect_right(ranked, x) for x in one) / 2
    area = below / (len(one) * len(other))
    return max(area, 1 - area)


def test_what_differs_is_told_apart() -> None:
    draw = random.Random(7)  # noqa: S311
    one = [draw.gauss(10, 1) for _ in range(2000)]
    assert separable(one, [draw.gauss(10, 1) for _ in range(2000)]) < 0.55
    assert separable(one, [draw.gauss(10.5, 1) for _ in range(2000)]) > 0.6


async def seconds(matrix: Matrix, side: Side, operation: Operation, ids: dict[str, str]) -> float:
    began = time.perf_counter()
    await matrix.ask(side, operation, ids)
    return time.perf_counter() - began


@pytest.mark.case("I-4")
@pytest.mark.timeout(0)
@pytest.mark.full
async def test_a_rivals_row_takes_as_long_as_no_row(matrix: Matrix, us: Side, them: Side) -> None:
    measured = {}
    for operation in [found for found in matrix.operations if found.ids]:
        own, foreign = await matrix.own(us, operation), await matrix.own(them, operation)
        name = operation.ids[0]
        ids = {foreign[name]: list[float](), str(uuid4()): list[float]()}
        for used in sample([*ids] * SAMPLES, SAMPLES * 2):
            ids[used].append(await seconds(matrix, us, operation, {**own, name: used}))
        measured[str(operation)] = separable(*ids.values())
    assert measured
    assert {name: area for name, area in measured.items() if area > MOST} == {}
