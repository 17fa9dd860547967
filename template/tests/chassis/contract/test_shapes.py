"""Names that look the same are the same, or are refused."""

import pytest
from pydantic import TypeAdapter, ValidationError

from service.chassis.contract.shapes import NormalizedEmail, NormalizedSlug

email = TypeAdapter[str](NormalizedEmail)
slug = TypeAdapter[str](NormalizedSlug)
SAME = [
    "ana@example.com",
    "Ana@Example.COM",
    " ana@example.com ",
    "\uff41na@example.com",
    "ana\uff20example.com",
    "an\u00aa@example.com",
    "ana@\u212axample.com".replace("\u212a", "e"),
    "\U0001d41a\U0001d427\U0001d41a@example.com",
]
CONFUSABLE = [
    "\u0430na@example.com",
    "ana@ex\u0430mple.com",
    "an\u03b1@example.com",
    "ana\u200b@example.com",
    "a\u00adna@example.com",
    "\u202eana@example.com",
    "ana@example.com\u2060",
    "ana@@example.com",
    "ana@example..com",
    "an a@example.com",
    "ana@example.com\nbcc: all@example.com",
    "ana@",
    "@example.com",
    "ana@...",
]


@pytest.mark.case("V-07")
@pytest.mark.parametrize("spelling", SAME)
def test_every_spelling_of_an_address_is_one_address(spelling: str) -> None:
    assert email.validate_python(spelling) == "ana@example.com"


@pytest.mark.case("V-07")
@pytest.mark.parametrize("spelling", CONFUSABLE)
def test_what_only_looks_like_an_address_is_refused(spelling: str) -> None:
    with pytest.raises(ValidationError):
        email.validate_python(spelling)


@pytest.mark.case("V-07")
@pytest.mark.parametrize("address", ["\u5f20\u4e09@example.com", "jos\u00e9@example.com"])
def test_people_of_every_script_keep_their_names(address: str) -> None:
    assert email.validate_python(address) == address


@pytest.mark.case("V-07")
def test_a_slug_has_one_spelling() -> None:
    for spelling in ("acme-1", "ACME-1", "\uff41cme-1", "acme-\u2460"):
        assert slug.validate_python(spelling) == "acme-1"
    for other in ("\u0430cme", "acme--1", "-acme", "acme_1", "ac me", "", "a" * 64):
        with pytest.raises(ValidationError):
            slug.validate_python(other)


@pytest.mark.case("V-07")
@pytest.mark.parametrize("spelling", SAME)
def test_the_one_spelling_is_its_own(spelling: str) -> None:
    once = email.validate_python(spelling)
    assert email.validate_python(once) == once
