"""An address that a user gave leads to the public internet, or nowhere."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from service.chassis.application.outbound import (
    MAX_REDIRECTS,
    CalledInTransaction,
    Outbound,
)
from service.chassis.application.tenancy import Tenancy
from service.chassis.errors import AddressRefused
from service.chassis.identity import Caller, Role, TenantId
from strangers import OK, PUBLIC, Names, Stranger, outbound, redirect, stranger

RANGES = """
127.0.0.1 127.8.8.8 0.0.0.0 10.1.2.3 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254
169.254.170.2 100.64.0.1 100.100.100.200 192.0.0.192 192.0.2.1 198.18.0.1 198.51.100.1
203.0.113.9 192.88.99.1 168.63.129.16 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
:: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:10.0.0.1 64:ff9b::7f00:1
64:ff9b::a9fe:a9fe 64:ff9b:1::a00:1 2002:7f00:1:: 2002:a9fe:a9fe::1 2001::1 2001:db8::1
2001:10::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 fec0::1 ff02::1 3fff::1 5f00::1 100::1
4000::1 no-address
"""
OURS = RANGES.split()
PUBLIC_ADDRESSES = [PUBLIC, "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111"]


@pytest.mark.case("V-09")
@pytest.mark.parametrize("address", OURS)
async def test_no_range_of_ours_can_be_called(address: str) -> None:
    client = Outbound(resolve=Names(hook_test=[[address]]))
    with pytest.raises(AddressRefused, match="public place"):
        await client.check("https://hook.test/")
    await client.close()


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
async def test_a_public_address_can_be_called(address: str) -> None:
    client = Outbound(resolve=Names(hook_test=[[address]]))
    await client.check("https://hook.test/")
    await client.close()


WRITTEN = """
localhost LOCALHOST localhost. 127.0.0.1 127.1 127.0.1 2130706433 0x7f000001 0x7f.1 0177.0.0.1
017700000001 0 0.0.0.0 127。0。0。1 [::1] [::] [::ffff:127.0.0.1] [::ffff:7f00:1]
[0:0:0:0:0:0:0:1] 169.254.169.254 2852039166 0xa9fea9fe [::ffff:a9fe:a9fe] [fd00:ec2::254]
"""
FORMS = WRITTEN.split()


@pytest.mark.case("V-09")
@pytest.mark.parametrize("host", FORMS)
async def test_no_way_to_write_it_gets_through_the_systems_own_resolver(host: str) -> None:
    client = Outbound()
    with pytest.raises(AddressRefused):
        await client.get(f"https://{host}/latest/meta-data")
    await client.close()


SHAPES = [
    "http://hook.test/",
    "ftp://hook.test/",
    "file:///etc/passwd",
    "gopher://hook.test:6379/_INFO",
    "https://hook.test:22/",
    "https://hook.test:6379/",
    "https://hook.test:80/",
    "https://hook.test:0/",
    "https://hook.test:99999/",
    "https://user:pass@hook.test/",
    "https://hook.test@127.0.0.1/",
    "https:///etc/passwd",
    "https://",
    "//hook.test/",
    "hook.test",
    "https://hook.test:port/",
    "https://hook.test/\r\nX-Injected: 1",
    "https://①②⑦.⓪.⓪.①/",
    "https://[::1/",
    "https://hook.test/" + "a" * 3000,
    "",
]


@pytest.mark.case("V-09")
@pytest.mark.parametrize("url", SHAPES)
async def test_nothing_but_https_on_its_own_port_can_be_called(url: str) -> None:
    client = Outbound(resolve=Names(hook_test=[[PUBLIC]]))
    await client.check("https://hook.test/a?b=c")
    with pytest.raises(AddressRefused):
        await client.check(url)
    await client.close()


@pytest.mark.case("V-09")
async def test_one_inner_address_among_public_ones_is_enough_to_refuse() -> None:
    client = Outbound(resolve=Names(hook_test=[[PUBLIC, "10.0.0.5"]]))
    with pytest.raises(AddressRefused):
        await client.check("https://hook.test/")
    await client.close()


@pytest.mark.case("V-09")
async def test_an_unknown_name_and_one_of_ours_are_refused_in_the_same_words() -> None:
    client = Outbound(resolve=Names(inner_test=[["10.0.0.5"]]))
    said = set()
    for name in ("inner.test", "unheard.test"):
        with pytest.raises(AddressRefused) as refused:
            await client.get(f"https://{name}/")
        said.add(str(refused.value))
    assert len(said) == 1
    await client.close()


@pytest.fixture
async def inner() -> AsyncGenerator[Stranger]:
    """What must not be reached: another loopback address than the one that counts as public."""
    async with stranger(host="127.0.0.2") as server:
        yield server


@pytest.mark.case("V-09")
async def test_a_name_that_changes_its_mind_is_never_asked_again(inner: Stranger) -> None:
    names = Names(hook_test=[["127.0.0.1"], ["127.0.0.2"]])
    async with stranger() as server, outbound(names, server.port, inner.port) as client:
        assert (await client.get(f"http://hook.test:{server.port}/")).body == b"ok"
        assert names.asked == ["hook.test"]
        with pytest.raises(AddressRefused):
            await client.get(f"http://hook.test:{inner.port}/")
    assert inner.heads == []
    assert f"host: hook.test:{server.port}" in server.heads[0].lower()


@pytest.mark.case("V-10")
async def test_a_redirect_is_not_followed_unless_asked_for(inner: Stranger) -> None:
    names = Names(hook_test=[["127.0.0.1"]], inner_test=[["127.0.0.2"]])
    away = redirect(f"http://inner.test:{inner.port}/")
    async with stranger(away) as server, outbound(names, server.port, inner.port) as client:
        url = f"http://hook.test:{server.port}/"
        assert (await client.get(url)).status == 302
        assert (await client.post(url, b"{}")).status == 302
    assert inner.heads == []


@pytest.mark.case("V-10")
@pytest.mark.parametrize(
    "location", ["http://inner.test:{port}/", "//inner.test:{port}/", "http://127.0.0.2:{port}/"]
)
async def test_each_hop_is_checked_like_the_first(inner: Stranger, location: str) -> None:
    names = Names(hook_test=[["127.0.0.1"]], inner_test=[["127.0.0.2"]])
    away = redirect(location.format(port=inner.port))
    async with (
        stranger(redirect("/next"), away) as server,
        outbound(names, server.port, inner.port) as client,
    ):
        with pytest.raises(AddressRefused):
            await client.get(f"http://hook.test:{server.port}/", redirects=3)
    assert "GET /next" in server.heads[1], "the hop before, to a public place, was followed"
    assert inner.heads == []


LOCATIONS = ["http://[", "https://x:port/", "javascript:alert(1)", "file:///etc"]


@pytest.mark.case("V-10")
@pytest.mark.parametrize("location", [*LOCATIONS, "http://a@hook.test/", "x" * 3000])
async def test_a_redirect_to_nonsense_is_refused(location: str) -> None:
    away = redirect(location).decode().encode("latin-1")
    names = Names(hook_test=[["127.0.0.1"]])
    async with stranger(away) as server, outbound(names, server.port) as client:
        with pytest.raises(AddressRefused):
            await client.get(f"http://hook.test:{server.port}/", redirects=1)
    assert len(server.heads) == 1


@pytest.mark.case("V-10")
async def test_redirects_end_and_leave_the_secrets_of_the_first_origin_behind() -> None:
    names = Names(hook_test=[["127.0.0.1"]], other_test=[["127.0.0.1"]])
    async with (
        stranger() as last,
        stranger(redirect("/again"), redirect(f"http://other.test:{last.port}/")) as first,
        outbound(names, first.port, last.port) as client,
    ):
        url = f"http://hook.test:{first.port}/"
        answer = await client.get(url, headers={"authorization": "key"}, redirects=9)
    assert answer.status == 200
    assert all("authorization: key" in head.lower() for head in first.heads)
    assert len(first.heads) == 2
    assert "authorization" not in last.heads[0].lower()


@pytest.mark.case("V-10")
async def test_a_circle_of_redirects_is_left() -> None:
    names = Names(hook_test=[["127.0.0.1"]])
    async with stranger(redirect("/")) as server, outbound(names, server.port) as client:
        answer = await client.get(f"http://hook.test:{server.port}/", redirects=1000)
    assert answer.status == 302
    assert len(server.heads) == 1 + MAX_REDIRECTS


async def test_proxies_of_the_environment_and_cookies_are_not_ours(
    monkeypatch: pytest.MonkeyPatch, inner: Stranger
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.2:{inner.port}")
    bakes = OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=b\r\n\r\n")
    names = Names(hook_test=[["127.0.0.1"]])
    async with stranger(bakes) as server, outbound(names, server.port) as client:
        for _ in range(2):
            await client.get(f"http://hook.test:{server.port}/")
    assert inner.heads == []
    assert len(server.heads) == 2
    assert "cookie" not in "".join(server.heads).lower()


async def test_no_stranger_is_called_in_a_transaction(acme: TenantId, database: object) -> None:
    tenancy = Tenancy(Caller("ana", acme, Role.EDITOR), None, database)  # type: ignore[arg-type]
    client = Outbound(resolve=Names(hook_test=[[PUBLIC]]))
    async with tenancy.transaction():
        with pytest.raises(CalledInTransaction):
            await client.post("https://hook.test/", b"{}")
    await client.close()


async def test_many_calls_at_once_are_each_their_own(inner: Stranger) -> None:
    names = Names(hook_test=[["127.0.0.1"]], inner_test=[["127.0.0.2"]])
    async with stranger() as server, outbound(names, server.port, inner.port) as client:
        good, bad = f"http://hook.test:{server.port}/", f"http://inner.test:{inner.port}/"
        ends = await asyncio.gather(
            *(client.get(url) for url in [good, bad] * 50), return_exceptions=True
        )
    assert [type(end).__name__ for end in ends] == ["Answer", "AddressRefused"] * 50
    assert inner.heads == []
