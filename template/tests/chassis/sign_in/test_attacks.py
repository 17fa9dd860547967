"""What another browser, a stranger's link or a second provider make of a sign-in: nothing."""

import time

import httpx2
import pytest
from chassis.sign_in.browser import HOME, Browser, failed, parameters
from chassis.sign_in.hostile import Hostile, shown

from callers import KEY
from service.chassis.app import Service
from service.chassis.application.sealing import Seal
from service.chassis.contract.under_way import COOKIE, LIFETIME_SECONDS
from service.chassis.identity import TenantId


@pytest.mark.case("A-19")
async def test_an_id_token_of_an_earlier_sign_in_is_no_use_in_a_later_one(
    victim: Browser, good: Hostile, acme: TenantId
) -> None:
    good.approve(await victim.address(acme, "good"))
    earlier = {"access_token": "a", "token_type": "Bearer", "id_token": good.signed()}
    good.answers["/token"] = lambda: shown(earlier)
    assert failed(await victim.come_back(good.approve(await victim.address(acme, "good"))))


@pytest.mark.case("A-19")
async def test_a_sign_in_ends_in_the_browser_that_began_it(
    besieged: Service, victim: Browser, good: Hostile, acme: TenantId
) -> None:
    """Fixation: the attacker begins, and sends the victim the link back."""
    attacker = Browser(besieged)
    back = good.approve(await attacker.address(acme, "good"))
    assert failed(await victim.come_back(back)), "no sign-in under way"
    await victim.address(acme, "good")
    assert failed(await victim.come_back(back)), "another one under way"
    assert "/token" not in good.asked
    assert (await attacker.come_back(back)).status_code == 200
    await attacker.close()


@pytest.mark.case("A-19")
async def test_a_callback_works_once_even_with_a_copied_cookie(
    victim: Browser, good: Hostile, acme: TenantId
) -> None:
    back = good.approve(await victim.address(acme, "good"))
    cookie = victim.service.cookies[COOKIE]
    assert (await victim.come_back(back)).status_code == 200
    assert COOKIE not in victim.service.cookies
    victim.service.cookies.set(COOKIE, cookie)
    assert failed(await victim.come_back(back))
    assert good.asked.count("/token") == 1


@pytest.mark.case("A-19")
async def test_the_cookie_is_locked_away(victim: Browser, acme: TenantId) -> None:
    set_cookie = (await victim.begin(acme, "good")).headers["set-cookie"]
    value, *attributes = set_cookie.split("; ")
    assert value.startswith("__Host-")
    assert {"Secure", "HttpOnly", "SameSite=lax", "Path=/", "Max-Age=600"} == set(attributes)
    state = parameters((await victim.begin(acme, "good")).headers["location"])["state"]
    assert state not in set_cookie


@pytest.mark.case("A-19")
async def test_a_sign_in_under_way_cannot_be_forged_and_does_not_wait(
    victim: Browser, good: Hostile, acme: TenantId
) -> None:
    back = good.approve(await victim.address(acme, "good"))
    seal = Seal(KEY[::-1], "sign-in under way")
    attempt = seal.open(victim.service.cookies[COOKIE])
    now = int(time.time())
    old = seal.close(attempt, at=now - LIFETIME_SECONDS - 5)
    foreign = Seal(KEY[::-1], "another purpose").close(attempt)
    for forged in (old, foreign, "", "rubbish", victim.service.cookies[COOKIE][:-4] + "AAAA"):
        assert failed(await with_cookie(victim, back, forged))
    recent = seal.close(attempt, at=now - LIFETIME_SECONDS + 30)
    assert (await with_cookie(victim, back, recent)).status_code == 200


async def with_cookie(victim: Browser, back: str, value: str) -> httpx2.Response:
    victim.service.cookies.clear()
    return await victim.service.get(back, headers={"cookie": f"{COOKIE}={value}"})


@pytest.mark.case("A-19")
async def test_a_provider_cannot_pass_off_the_answer_of_another(
    victim: Browser, good: Hostile, evil: Hostile, acme: TenantId
) -> None:
    """Mix-up: the victim begins at `evil`, which sends the browser on to `good`."""
    there = await victim.address(acme, "evil")
    assert failed(await victim.come_back(evil.approve(there, iss=good.issuer)))
    assert "/token" not in evil.asked, "it never learns the code"
    there = await victim.address(acme, "evil")
    to_good = good.approve(there).replace("/callback/evil", "/callback/good")
    assert failed(await victim.come_back(to_good)), "an address for each provider"
    silent = good.approve(await victim.address(acme, "good"))
    without = str(httpx2.URL(silent).copy_remove_param("iss"))
    assert failed(await victim.come_back(without)), "it says elsewhere that it names itself"
    assert good.asked.count("/token") == evil.asked.count("/token") == 0
    honest = await victim.come_back(evil.approve(await victim.address(acme, "evil")))
    assert honest.status_code == 200


async def test_a_provider_that_never_names_itself_need_not(
    victim: Browser, hostiles: dict[str, Hostile], acme: TenantId
) -> None:
    back = hostiles["quiet"].approve(await victim.address(acme, "quiet"))
    silent = str(httpx2.URL(back).copy_remove_param("iss"))
    assert (await victim.come_back(silent)).status_code == 200


@pytest.mark.case("A-19")
async def test_nobody_is_sent_where_a_link_says(
    victim: Browser, good: Hostile, acme: TenantId
) -> None:
    elsewhere = "https://elsewhere.example"
    path = f"/v1/sign-in/{acme}/good"
    for name in ("redirect_uri", "next", "return_to"):
        refused = await victim.service.get(path, params={name: elsewhere})
        assert refused.status_code == 422
        assert elsewhere not in refused.text
    headers = {"host": "elsewhere.example", "x-forwarded-host": "elsewhere.example"}
    there = (await victim.service.get(path, headers=headers)).headers["location"]
    assert there.startswith(f"{good.issuer}/authorize?")
    assert "elsewhere" not in there
    assert parameters(there)["redirect_uri"] == f"{HOME}/v1/sign-in/callback/good"
