"""A password is hashed slowly, on purpose, and nobody else waits for it."""

import asyncio
import time

import pytest
from chassis.accounts.people import PASSWORD

from service.chassis.application.passwords import WAITING, Passwords, require_strength
from service.chassis.errors import Invalid, Unavailable

OWNER = ("rosalind.franklin@example.org",)


@pytest.mark.parametrize(
    "password",
    [
        "short-one-x",
        "x" * 201,
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabcabc",
        "123456789012345",
        "qwertyuiop12345",
        "abcdefghijklmnop",
        "aabbccddeeffgghhii",
        "rosalind.franklin@example.org",
        "Rosalind-Franklin-1",
        "franklin12345678",
        "My-Service-2026",
    ],
)
def test_a_password_that_anybody_guesses_is_refused(password: str) -> None:
    with pytest.raises(Invalid):
        require_strength(password, OWNER)


@pytest.mark.parametrize(
    "password",
    [
        *(PASSWORD, "x9!kT2#vLq8z", "über den Wolken 7", "é" + "1a2b" * 3),
        *("violetgazeboherons", "VIOLETGAZEBOHERONS", "729401836529", "ключ под ковриком"),
    ],
)
def test_a_good_one_is_taken(password: str) -> None:
    require_strength(password, OWNER)


async def test_a_very_long_password_is_taken_and_counts_to_its_last_letter() -> None:
    passwords, long = Passwords(), "a violet gazebo, 19 herons; " * 7
    require_strength(long + "!?", OWNER)
    assert len(long) > 190
    hashed = await passwords.hash(long + "!?")
    assert await passwords.matches(hashed, long + "!?")
    assert not await passwords.matches(hashed, long + "!.")


async def test_the_same_letters_are_the_same_password_on_every_keyboard() -> None:
    passwords = Passwords()
    composed, apart = "cafe\u0301 on the corner", "caf\u00e9 on the corner"
    assert await passwords.matches(await passwords.hash(composed), apart)
    assert not await passwords.matches(await passwords.hash(composed), "cafe on the corner")


async def test_without_a_known_hash_nothing_matches_and_it_takes_as_long() -> None:
    passwords = Passwords()
    known, took = await passwords.hash(PASSWORD), []
    for stored in (known, None, known, None, known, None):
        began = time.perf_counter()
        assert not await passwords.matches(stored, "another password")
        took.append(time.perf_counter() - began)
    assert min(took[1::2]) > min(took[::2]) / 2


async def longest_stall(passwords: Passwords) -> float:
    """While fifty are hashed, in seconds."""
    stalls, done = [], asyncio.Event()

    async def beat() -> None:
        while not done.is_set():
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            stalls.append(time.perf_counter() - before - 0.005)

    beating = asyncio.create_task(beat())
    await asyncio.gather(*(passwords.hash(PASSWORD) for _ in range(50)))
    done.set()
    await beating
    return max(stalls)


async def test_the_event_loop_runs_on_while_fifty_are_hashed() -> None:
    """Several times: a loop that is held stalls each time, a busy machine only sometimes."""
    passwords, stalls = Passwords(), []
    for _ in range(8):
        stalls.append(await longest_stall(passwords))
        if stalls[-1] < 0.05:
            break
    assert min(stalls) < 0.05, f"the loop stood still for {min(stalls) * 1000:.0f} ms"


async def test_a_flood_is_turned_away_and_those_in_line_are_served() -> None:
    passwords = Passwords()
    hashing = (passwords.hash(PASSWORD) for _ in range(WAITING + 50))
    ended = await asyncio.gather(*hashing, return_exceptions=True)
    refused = [end for end in ended if isinstance(end, BaseException)]
    assert 1 <= len(refused) <= 50
    assert {type(end) for end in refused} == {Unavailable}
    assert await passwords.hash(PASSWORD)
