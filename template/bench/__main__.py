"""`make bench`: both services on one database, in turns; prints CPU ratios, least to most."""

import asyncio
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.load import Ask, many, once
from dev import laptop
from dev.database import Server
from dev.serve import listening, prepared
from dev.tokens import token_for

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "2"))
ROWS = 60
# One caller asks faster than any customer may; what is counted is counted all the same.
AMPLE = {
    "LIMITS_ADDRESS_PER_MINUTE": "1000000",
    "LIMITS_ACCOUNT_PER_MINUTE": "1000000",
    "LIMITS_TENANT_PER_MINUTE": "standard=1000000",
}
DRAFT = json.dumps({"title": "A title of a usual length", "body": "Some text. " * 8})


@contextmanager
def serving(module: str, name: str) -> Iterator[int]:
    with listening(0) as listener:
        port: int = listener.getsockname()[1]
    call = [sys.executable, "-m", "bench.metered", module, name, str(port)]
    with Path(os.devnull).open("w") as nowhere:
        process = subprocess.Popen(call, stdout=nowhere)
    try:
        asyncio.run(_answers(port))
        yield port
    finally:
        process.terminate()
        process.wait()


async def _answers(port: int) -> None:
    for _ in range(200):
        try:
            await once(port, Ask("GET", "/cpu"))
        except OSError:
            await asyncio.sleep(0.05)
        else:
            return
    raise RuntimeError("the service did not start")


async def cpu_ms(port: int, ask: Ask) -> float:
    """CPU milliseconds of the server's process for each request."""
    before = float((await once(port, Ask("GET", "/cpu")))[1])
    answered = await many(port, ask, SECONDS)
    after = float((await once(port, Ask("GET", "/cpu")))[1])
    return (after - before) / answered * 1000


async def compare(name: str, hardened: int, bare: int, token: str, ask: Ask) -> None:
    signed = Ask(ask.method, ask.path, token, ask.body)
    await many(hardened, signed, 1)
    await many(bare, ask, 1)
    rounds = [(await cpu_ms(hardened, signed), await cpu_ms(bare, ask)) for _ in range(ROUNDS)]
    ratios = sorted(mine / theirs for mine, theirs in rounds)
    mine, theirs = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(
        f"{name:8} {mine:6.3f} ms  bare {theirs:6.3f} ms  "
        f"ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})",
        flush=True,
    )


async def run(hardened: int, bare: int, token: str) -> None:
    for _ in range(ROWS):
        _, body = await once(hardened, Ask("POST", "/v1/notes", token, DRAFT))
    print(f"CPU per request, {ROUNDS} rounds in turns of {SECONDS:g} s, 16 connections")
    await compare("list", hardened, bare, token, Ask("GET", "/v1/notes?limit=20"))
    await compare("read", hardened, bare, token, Ask("GET", f"/v1/notes/{json.loads(body)['id']}"))
    await compare("create", hardened, bare, token, Ask("POST", "/v1/notes", body=DRAFT))


def main() -> None:
    with TemporaryDirectory() as folder, prepared(Path(folder), disposable=True) as ready:
        tenant = ready.tenants["acme"]
        # The bare service passes the wall as an administrator, like a prototype does.
        bare = Server(ready.admin_url, {}).admin(laptop.DATABASE)
        os.environ.update(BARE_DATABASE_URL=bare, BARE_TENANT=tenant, TELEMETRY_LOG_FORMAT="json")
        token = token_for(ready.environment, tenant, "editor")
        os.environ.update(AMPLE)
        with serving("service.main", "build") as mine, serving("bench.bare", "app") as theirs:
            asyncio.run(run(mine, theirs, token))


if __name__ == "__main__":
    main()
