"""What every wire shape inherits: strict on the way in, explicit on the way out."""

import re
import unicodedata
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

# Format characters, private use, no character at all: what a reader cannot tell from nothing.
INVISIBLE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[a-z0-9.-]{1,253}")


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


def _integral(number: object) -> object:
    """JSON and its schemas know one kind of number: 1.0 is the integer 1."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


StorableText = Annotated[str, AfterValidator(_storable)]
# Last, or the document loses the bounds: `Annotated[int, Field(ge=1), WHOLE]`.
WHOLE = BeforeValidator(_integral)
# Text in the document: strangers name the tenant, and no id of theirs stands for a row.
TenantNamed = Annotated[
    UUID,
    Field(strict=False),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$",
            "examples": ["6f0c1b52-6c8e-4b5e-9a55-0a3a4d1c7e10"],
        }
    ),
]


def one_spelling(text: str) -> str:
    """The form in which two names that look the same are the same: NFKC, no case."""
    # Folding can undo the normal form and the other way round; the second round settles it.
    for _ in range(2):
        text = unicodedata.normalize("NFKC", text).casefold()
    text = text.strip()
    if any(unicodedata.category(character) in INVISIBLE for character in text):
        raise ValueError("holds a character that cannot be seen")
    return text


def _refuse_mixture(text: str) -> None:
    scripts = {script for character in text if (script := _script(character))}
    if len(scripts) > 1:
        raise ValueError(f"mixes {' and '.join(sorted(scripts))} letters")


def _script(character: str) -> str | None:
    """LATIN, CYRILLIC and so on; None for what belongs to every script."""
    return unicodedata.name(character, "?").split()[0] if character.isalpha() else None


def _email(text: str) -> str:
    email = one_spelling(text)
    if not EMAIL.fullmatch(email) or ".." in email or email.partition("@")[2].strip(".-") == "":
        raise ValueError("is no e-mail address")
    _refuse_mixture(email.partition("@")[0])
    return email


def _slug(text: str) -> str:
    slug = one_spelling(text)
    if not SLUG.fullmatch(slug):
        raise ValueError("may hold a-z, 0-9 and single hyphens between them")
    return slug


NormalizedEmail = Annotated[str, Field(max_length=320), AfterValidator(_email)]
NormalizedSlug = Annotated[str, Field(max_length=63), AfterValidator(_slug)]
