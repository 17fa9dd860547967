"""A provider that signs in whoever the code names; it runs beside the service all the time."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from anyio.from_thread import start_blocking_portal
from chassis.sign_in.hostile import Answer, hostile, shown

NAME = "agreeable"


def code_for(email: str, nonce: str) -> str:
    return f"{email} {nonce}"


@contextmanager
def agreeable() -> Iterator[str]:
    """The issuer."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(hostile()) as provider,
    ):

        def tokens() -> Answer:
            email, nonce = provider.bodies.pop()["code"].split()
            provider.claims = {"sub": uuid4().hex, "email": email, "nonce": nonce}
            said = {"access_token": "opaque", "token_type": "Bearer"}
            return shown({**said, "id_token": provider.signed()})

        provider.answers["/token"] = tokens
        yield provider.issuer
