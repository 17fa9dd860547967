"""What a route asks for is all that it is given: no other query parameter, no other content."""

import types
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin

from fastapi import FastAPI, Request, params
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from pydantic import AliasChoices, BaseModel
from starlette.routing import BaseRoute

from service.chassis.contract.intake import content_type, is_json
from service.chassis.errors import Invalid, UnsupportedMedia

FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
COLLECTIONS = (Sequence, AbstractSet)


@dataclass(frozen=True)
class Asked:
    """The query parameters of a route, and which of them may come more than once."""

    names: frozenset[str]
    repeatable: frozenset[str]
    # A query model that sets `extra` to allow or ignore takes whatever comes.
    anything: bool
    body: str | None


def refuse_unasked(request: Request) -> None:
    """Every guard calls this, and every route has a guard: so it holds for all of them."""
    scope = request.scope
    asked = _asked(request.app, scope["route"])
    if scope["query_string"] and not asked.anything:
        _refuse_query(asked, [name for name, _ in request.query_params.multi_items()])
    if asked.body is not None:
        _refuse_content(asked.body, dict(scope["headers"]))


def _refuse_query(asked: Asked, sent: list[str]) -> None:
    for name in sent:
        if name not in asked.names:
            raise Invalid("There is no such parameter here.", field=f"query.{name[:100]}")
    for name in set(sent) - asked.repeatable if len(sent) > 1 else ():
        if sent.count(name) > 1:
            raise Invalid("Send it once.", field=f"query.{name}")


def _refuse_content(wanted: str, head: dict[bytes, bytes]) -> None:
    sent = content_type(head)
    fits = sent in FORMS if wanted in FORMS else is_json(sent) or not is_json(wanted)
    empty = head.get(b"content-length", b"0") == b"0" and b"transfer-encoding" not in head
    if not fits and not empty:
        raise UnsupportedMedia(f"Send the body as {wanted}.")


def _asked(app: FastAPI, route: BaseRoute) -> Asked:
    known: dict[int, Asked] = app.state.asked
    if id(route) not in known:
        known.update(_everything_asked(app))
    return known[id(route)]


def _everything_asked(app: FastAPI) -> dict[int, Asked]:
    # A router can be included twice; what either inclusion asks for is asked for. By identity,
    # because routes have no hash and live as long as the application.
    contexts: dict[int, list[RouteContext]] = {}
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute):
            contexts.setdefault(id(context.original_route), []).append(context)
    return {route: _asked_by(found) for route, found in contexts.items()}


def _asked_by(contexts: Iterable[RouteContext]) -> Asked:
    asked = [field for context in contexts for field in _query(context.dependant)]
    fields = get_flat_params(Dependant(query_params=asked))
    named = [(name, field.field_info) for field in fields for name in _names(field)]
    return Asked(
        names=frozenset(name for name, _ in named),
        repeatable=frozenset(name for name, info in named if _is_many(info.annotation)),
        anything=any(_takes_anything(field.field_info.annotation) for field in asked),
        body=_media_type(next(iter(contexts)).body_field),
    )


def _query(dependant: Dependant) -> Iterator[Any]:
    yield from dependant.query_params
    for dependency in dependant.dependencies:
        yield from _query(dependency)


def _names(field: Any) -> Iterator[str]:
    yield field.alias
    if isinstance(alias := field.field_info.validation_alias, AliasChoices):
        yield from (choice for choice in alias.choices if isinstance(choice, str))


def _is_many(annotation: Any) -> bool:
    origin = get_origin(annotation) or annotation
    if origin in (Union, types.UnionType, Annotated):
        return any(_is_many(part) for part in get_args(annotation))
    return (
        isinstance(origin, type)
        and issubclass(origin, COLLECTIONS)
        and not issubclass(origin, str | bytes)
    )


def _takes_anything(annotation: Any) -> bool:
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return any(_takes_anything(part) for part in get_args(annotation))
    return annotation.model_config.get("extra") in {"allow", "ignore"}


def _media_type(body: Any) -> str | None:
    info = getattr(body, "field_info", None)
    return info.media_type if isinstance(info, params.Body) else None
