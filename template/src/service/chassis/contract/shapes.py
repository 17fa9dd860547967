"""What every wire shape inherits: strict on the way in, explicit on the way out."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


class Accepted(BaseModel):
    """A body: no coercion, no unknown field."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Shown(BaseModel):
    """An answer, read from a row or a domain object."""

    model_config = ConfigDict(extra="forbid", from_attributes=True, frozen=True)


def _storable(text: str) -> str:
    """Postgres holds every character but NUL; lone surrogates are no characters at all."""
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("holds a character that cannot be stored")
    return text


StorableText = Annotated[str, AfterValidator(_storable)]
