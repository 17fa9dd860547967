"""What a process counts by itself binds too, in bounded memory."""

import pytest

from service.chassis.application.local_counts import MOST_KEYS, InFlight, LocalCounts


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def admitted(counts: LocalCounts, tries: int, key: str = "key", amount: int = 6) -> int:
    return sum(counts.take(key, amount, 60).admitted for _ in range(tries))


def test_an_amount_is_admitted_and_comes_back_little_by_little(clock: Clock) -> None:
    counts = LocalCounts(clock)
    clock.now = 1020.0  # a window begins
    assert admitted(counts, 20) == 6
    clock.now += 59
    assert admitted(counts, 20) == 0, "still the same minute"
    clock.now += 1 + 20
    assert admitted(counts, 20) == 2, "a third of the last minute is out of sight"
    clock.now += 200
    assert admitted(counts, 20) == 6


@pytest.mark.case("R-05")
@pytest.mark.parametrize("step", [-3600, -30, -1])
def test_a_clock_that_steps_back_gives_nothing_back(clock: Clock, step: int) -> None:
    counts = LocalCounts(clock)
    assert admitted(counts, 20) == 6
    clock.now += step
    assert admitted(counts, 20) == 0


def test_a_crowd_shares_one_count_instead_of_pushing_others_out(clock: Clock) -> None:
    counts = LocalCounts(clock)
    assert admitted(counts, 6, "first") == 6
    for number in range(MOST_KEYS + 50):
        counts.take(number, 6, 60)
    assert admitted(counts, 6, "first") == 0
    assert admitted(counts, 6, "late") == 0
    assert len(counts._windows[60].now) <= MOST_KEYS + 1


def test_asking_whether_it_is_full_takes_nothing(clock: Clock) -> None:
    counts = LocalCounts(clock)
    assert [counts.full("key", 1, 60) for _ in range(3)] == [False] * 3
    assert admitted(counts, 1, amount=1) == 1
    assert counts.full("key", 1, 60)


def test_so_many_at_once_and_no_more() -> None:
    serving = InFlight(2)
    assert [serving.enter("a") for _ in range(3)] == [True, True, False]
    assert serving.enter("b")
    serving.leave("a")
    assert serving.enter("a")
    for key in ("a", "a", "b"):
        serving.leave(key)
    assert not serving._serving
