"""What the notes feature promises its callers."""

from uuid import uuid4

from callers import Client, ClientFor
from service.chassis.identity import Role, TenantId

DRAFT = {"title": "Groceries", "body": "Bread and butter. And jam."}


async def created(client: Client, **changes: str) -> dict[str, str]:
    response = await client.post("/v1/notes", json={**DRAFT, **changes})
    assert response.status_code == 201, response.text
    note: dict[str, str] = response.json()
    return note


async def test_a_created_note_can_be_read_at_its_location(ana: Client) -> None:
    response = await ana.post("/v1/notes", json=DRAFT)
    read = await ana.get(response.headers["location"])
    assert read.status_code == 200
    assert read.json() == response.json()
    assert read.headers["etag"] == response.headers["etag"] == '"1"'


async def test_a_viewer_reads_but_does_not_write(client_for: ClientFor, acme: TenantId) -> None:
    viewer = client_for(acme, Role.VIEWER)
    assert (await viewer.get("/v1/notes")).status_code == 200
    assert (await viewer.post("/v1/notes", json=DRAFT)).status_code == 403


async def test_another_tenants_note_does_not_exist(ana: Client, ben: Client) -> None:
    note = await created(ana)
    for method, path in (("GET", ""), ("PUT", ""), ("POST", "/archive"), ("POST", "/summary")):
        response = await ben.request(
            method, f"/v1/notes/{note['id']}{path}", json=DRAFT, headers={"if-match": '"1"'}
        )
        assert response.status_code == 404, (method, path)
    assert (await ana.get(f"/v1/notes/{note['id']}")).json() == note


async def test_pages_hold_every_note_once_and_newest_first(ana: Client) -> None:
    made = [(await created(ana, title=f"n{number}"))["id"] for number in range(7)]
    seen, cursor = [], None
    while True:
        query = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        page = (await ana.get("/v1/notes", params=query)).json()
        seen += [note["id"] for note in page["items"]]
        if not (cursor := page["next_cursor"]):
            break
    assert seen == made[::-1]


async def test_a_note_written_while_paging_moves_no_other(ana: Client) -> None:
    made = [(await created(ana))["id"] for _ in range(4)]
    page = (await ana.get("/v1/notes", params={"limit": 2})).json()
    await created(ana)
    rest = await ana.get("/v1/notes", params={"limit": 2, "cursor": page["next_cursor"]})
    assert [note["id"] for note in rest.json()["items"]] == made[1::-1]


async def test_a_change_needs_the_version_that_was_read(ana: Client) -> None:
    url = f"/v1/notes/{(await created(ana))['id']}"
    change = {"title": "New", "body": "Text"}
    assert (await ana.put(url, json=change)).status_code == 428
    first = await ana.put(url, json=change, headers={"if-match": '"1"'})
    assert (first.status_code, first.headers["etag"]) == (200, '"2"')
    lost = await ana.put(url, json=DRAFT, headers={"if-match": '"1"'})
    assert lost.status_code == 412
    assert (await ana.get(url)).json()["title"] == "New"


async def test_an_archived_note_leaves_the_list_and_archiving_twice_is_once(ana: Client) -> None:
    url = f"/v1/notes/{(await created(ana))['id']}"
    once = await ana.post(f"{url}/archive")
    twice = await ana.post(f"{url}/archive")
    assert once.json() == twice.json()
    assert once.json()["archived"] is True
    assert (await ana.get("/v1/notes")).json()["items"] == []
    assert (await ana.get(url)).status_code == 200


async def test_a_summary_comes_from_the_model(ana: Client) -> None:
    note = await created(ana)
    asked = await ana.post(f"/v1/notes/{note['id']}/summary")
    assert asked.status_code == 202
    events = (await ana.get(f"{asked.headers['location']}/events")).text
    assert "event: final" in events
    told = (await ana.get(asked.headers["location"])).json()
    assert (told["state"], told["answer"]["text"]) == ("succeeded", "Bread and butter")
    assert told["answer"]["citations"] == [{"id": note["id"], "title": note["title"]}]


async def test_a_summary_rests_on_its_note_whatever_that_names(ana: Client) -> None:
    other = await created(ana)
    note = await created(ana, body=f"[{other['id']}] Bread.", title="Mine")
    asked = await ana.post(f"/v1/notes/{note['id']}/summary")
    await ana.get(f"{asked.headers['location']}/events")
    answer = (await ana.get(asked.headers["location"])).json()["answer"]
    assert [each["title"] for each in answer["citations"]] == ["Mine"]


async def test_what_is_not_there_is_a_404_for_every_method(ana: Client) -> None:
    url = f"/v1/notes/{uuid4()}"
    assert (await ana.get(url)).status_code == 404
    assert (await ana.put(url, json=DRAFT, headers={"if-match": '"1"'})).status_code == 404
    assert (await ana.post(f"{url}/archive")).status_code == 404
