"""What lets members in, by the names of the tables: the modules that keep it know members."""

from typing import Any

from sqlalchemy import ColumnElement, bindparam, column, delete, exists, or_, table

PROOFS = ("identities", "passwords", "passkeys")
LETTERS = table("one_time_tokens", column("member_id"))
# Whoever asked for a letter may be the one who is to be kept out.
WITHDRAW_LETTERS = delete(LETTERS).where(LETTERS.c.member_id == bindparam("member"))


def has_proof(member_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether they ever joined: there is something by which they can be known."""
    kept = [table(name, column("member_id")) for name in PROOFS]
    return or_(*(exists().where(proof.c.member_id == member_id) for proof in kept))
