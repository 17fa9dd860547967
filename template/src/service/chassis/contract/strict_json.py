"""JSON that means one thing, in bounds that hold before anything is built from it."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from service.chassis.errors import Malformed

MAX_DEPTH = 32
MAX_NUMBER = 64
MARKS = ((b'"',), (b",",), (b"[", b"{"))
NOT_A_BRACKET = bytes(set(range(256)) - set(b"[]{}"))
NO_CHARACTER = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
SURROGATES = re.compile("[\ud800-\udfff]")


def refuse_unfit(body: bytes, max_parts: int) -> None:
    """Raises `Malformed` and says why."""
    if not body:
        return
    quotes, commas, opened = (sum(map(body.count, marks)) for marks in MARKS)
    # First what is cheap: a hostile body costs most where it is taken apart.
    if quotes + commas + opened > max_parts or opened > MAX_DEPTH:
        _refuse_crowd(body, max_parts)
    parsed = _parsed(body)
    if NO_CHARACTER.search(body):
        _refuse_what_is_no_text(parsed)


def _refuse_crowd(body: bytes, max_parts: int) -> None:
    plain = body.replace(rb"\\", b"").replace(rb"\"", b"")
    strings = plain.count(b'"') // 2
    if strings > max_parts:
        raise Malformed(f"The body has more than {max_parts} parts.")
    structure = b"".join(plain.split(b'"')[::2])
    if strings + sum(map(structure.count, (b",", b"[", b"{"))) > max_parts:
        raise Malformed(f"The body has more than {max_parts} parts.")
    brackets = structure.translate(None, NOT_A_BRACKET)
    for _ in range(MAX_DEPTH):
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    if brackets:
        raise Malformed(f"The body is nested deeper than {MAX_DEPTH} levels, or never closed.")


def _parsed(body: bytes) -> Any:
    try:
        return DECODER.decode(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Malformed("The body is not valid JSON in UTF-8.") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise Malformed("The body names a field twice.")
    return made


def _constant(_name: str) -> NoReturn:
    raise Malformed("NaN and Infinity are not JSON.")


def _integer(digits: str) -> int:
    return int(_bounded(digits))


def _number(digits: str) -> float:
    number = float(_bounded(digits))
    if math.isinf(number):
        raise Malformed("The body holds a number that is too large.")
    return number


def _bounded(digits: str) -> str:
    if len(digits) > MAX_NUMBER:
        raise Malformed(f"The body holds a number of more than {MAX_NUMBER} digits.")
    return digits


def _refuse_what_is_no_text(parsed: Any) -> None:
    if any("\0" in text or SURROGATES.search(text) for text in _texts(parsed)):
        raise Malformed("The body holds a character that cannot be stored.")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_constant=_constant,
    parse_int=_integer,
    parse_float=_number,
)
