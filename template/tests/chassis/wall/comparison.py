"""Both sides of the matrix use every operation; what they are told must not differ or mix."""

from uuid import uuid4

from chassis.wall.matrix import Matrix, Operation, Side, shape
from httpx2 import Response

from callers import Client, Person
from service.chassis.app import Service
from service.chassis.identity import Role, TenantId


def side(app: Service, tenant: TenantId) -> Side:
    return Side.of(Client(app, Person(app, tenant, Role.OWNER)))


async def compare(matrix: Matrix, us: Side, them: Side, operation: Operation, name: str) -> None:
    """One id of one operation: theirs answers like nobody's, and ours answers with our words."""
    own = await matrix.own(us, operation)
    foreign = await matrix.own(them, operation)
    before = await matrix.state(them, foreign)
    answers = [
        await matrix.ask(us, operation, {**own, name: used})
        for used in (foreign[name], str(uuid4()))
    ]
    assert shape(answers[0]) == shape(answers[1]), f"{operation}: {name} tells what exists"
    assert await matrix.state(them, foreign) == before, f"{operation} changed theirs"
    allowed = await matrix.ask(us, operation, own)
    assert allowed.is_success, f"{operation}: {allowed.text}"
    shown = await _shown(us, allowed)
    assert us.canary in shown or shown in {"", "[]"}, f"{operation} shows nothing"


async def _shown(side: Side, answer: Response) -> str:
    """What was only begun shows something where its answer says to look."""
    if answer.status_code != 202:
        return answer.text
    return (await side.client.get(f"{answer.headers['location']}/events")).text


async def everything(matrix: Matrix, us: Side, them: Side) -> int:
    """Both sides use every operation; the number of ids that were tried in each way."""
    cells = [(operation, name) for operation in matrix.operations for name in operation.ids]
    for operation, name in cells:
        await compare(matrix, us, them, operation, name)
    # What was written is there to be listed.
    for operation in sorted(matrix.operations, key=lambda found: found.method == "GET"):
        if not operation.ids:
            await matrix.ask(us, operation, {})
            await matrix.ask(them, operation, {})
    return len(cells)
